//! Records that are no events: each is told as rejected, with its reason, and what comes after it is judged as ever.

use attrsync::domain::verdict::Outcome;

use crate::kit::{
    broker,
    feed::{Feed, Input},
    group::Group,
    outputs::{self, hold_contract, hold_exactly_once},
    process::Setup,
    topics::Topics,
};

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
    let worker = setup.start("a");
    let group = Group::of(&topics);
    group.reaches(feed.len());
    worker.stop();

    let told = outputs::committed(&topics);
    hold_exactly_once(&feed, &told);
    hold_contract(&told);
    let reason_at = |offset: i64| {
        let record = told.iter().find(|record| record.source() == (0, offset)).unwrap();
        record.value["reason"].as_str().unwrap().to_owned()
    };
    let expected: Vec<_> = ["empty_record"; 2].into_iter().chain(poison.map(|(_, reason)| reason)).collect();
    let found: Vec<_> = (0..).take(expected.len()).map(reason_at).collect();
    assert_eq!(found, expected);
    assert_eq!(group.committed(), feed.ends());
}
