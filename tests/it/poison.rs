//! Records that are no events, and one whose verdict has no room in its topic: each is told as rejected, with its reason, and what comes
//! after it is judged as ever.

use attrsync::domain::verdict::Outcome;

use crate::kit::{
    broker,
    feed::{Feed, Input},
    group::Group,
    outputs::{self, Told, hold_contract, hold_exactly_once},
    process::Setup,
    topics::Topics,
};

/// What a worker tells of all that was sent, once it has judged it and ended.
fn judged(setup: &Setup, topics: &Topics, feed: &Feed) -> Vec<Told> {
    let worker = setup.start("a");
    let group = Group::of(topics);
    group.reaches(feed.len());
    worker.stop();
    let told = outputs::committed(topics);
    hold_exactly_once(feed, &told);
    hold_contract(&told);
    assert_eq!(group.committed(), feed.ends());
    told
}

#[test]
fn a_poison_record_is_told_as_rejected_and_stops_nothing() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "poison", 1);
    let setup = Setup::new(&topics, &["limits.record_bytes=2000"]);
    let mut feed = Feed::new(&topics);
    let (large, deep) = (vec![b' '; 2001], [b'['; 500]);
    let poison: [(&[u8], &str); 6] = [
        (b"\xff\xfe", "not_utf8"),
        (b"{", "malformed_json"),
        (b"{\"a\":1,\"a\":2}", "duplicate_name"),
        (b"7", "not_an_object"),
        (&large, "record_too_large"),
        (&deep, "too_deep"),
    ];
    for value in [None, Some(&b""[..])] {
        feed.send(0, Input { value, headers: &[], outcome: Outcome::Rejected });
    }
    for (value, _) in poison {
        feed.send(0, Input { value: Some(value), headers: &[("ce_type", b"\xff")], outcome: Outcome::Rejected });
    }
    feed.mixture(20);
    feed.flush();
    let told = judged(&setup, &topics, &feed);
    let reason_at = |offset: i64| {
        let record = told.iter().find(|record| record.source() == (0, offset)).unwrap();
        record.value["reason"].as_str().unwrap().to_owned()
    };
    let expected: Vec<_> = ["empty_record"; 2].into_iter().chain(poison.map(|(_, reason)| reason)).collect();
    let found: Vec<_> = (0..).take(expected.len()).map(reason_at).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_verdict_that_its_topic_does_not_take_is_told_as_rejected_and_stops_nothing() {
    const ROOM: u64 = 60_000;
    let broker = broker();
    let room = ROOM.to_string();
    let topics = Topics::create_with(&broker.0, "no-room", 1, &[("max.message.bytes", room.as_str())]);
    let setup = Setup::new(&topics, &[]);
    // Nobody configured these names, and the verdict says of each that it was dropped.
    let names: String = (0..240).map(|number| format!(r#", "{number:0>250}": 1"#)).collect();
    let swelling = format!(r#"{{"organization": "globex", "anonymousId": "somebody"{names}}}"#);
    let mut feed = Feed::new(&topics);
    feed.mixture(500);
    let headers = &[("ce_type", b"boot".as_slice())];
    feed.send(0, Input { value: Some(swelling.as_bytes()), headers, outcome: Outcome::Rejected });
    feed.mixture(500);
    feed.flush();
    let told = judged(&setup, &topics, &feed);
    let value = &told.iter().find(|record| record.source() == (0, 500)).unwrap().value;
    assert_eq!(value["reason"], "record_too_large");
    let (limit, size) = (value["detail"]["limit"].as_u64().unwrap(), value["detail"]["size"].as_u64().unwrap());
    assert!(limit < ROOM && limit < size, "{limit} {size}");
}
