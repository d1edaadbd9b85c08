//! What goes wrong on the way: records that are no events, a worker told to stop, a broker that dies.

use std::{path::Path, process::Command};

use attrsync::domain::verdict::Outcome;

use crate::kit::{
    broker, broker_alone,
    feed::{Feed, Input},
    group::Group,
    outputs::{self, hold_contract, hold_exactly_once},
    print,
    process::Setup,
    topics::Topics,
};

/// The committed offsets of a group that has told everything.
fn ends(feed: &Feed) -> Vec<i64> {
    feed.expected.iter().map(|outcomes| i64::try_from(outcomes.len()).unwrap()).collect()
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
    assert_eq!(group.committed(), ends(&feed));
}

#[test]
fn a_worker_told_to_stop_finishes_what_it_has_and_its_successor_goes_on() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "stop", 2);
    let setup = Setup::new(&topics, &[]);
    let mut feed = Feed::new(&topics);
    let worker = setup.start("a");
    let group = Group::of(&topics);
    feed.mixture(5_000);
    group.reaches(1);
    feed.mixture(5_000);
    worker.stop();
    feed.flush();
    let successor = setup.start("a");
    group.reaches(feed.len());
    successor.stop();
    let told = outputs::committed(&topics);
    print(&hold_exactly_once(&feed, &told).to_string());
    hold_contract(&told);
    assert_eq!(group.committed(), ends(&feed));
}

#[test]
fn a_broker_that_dies_in_mid_stream_loses_and_doubles_nothing() {
    let broker = broker_alone();
    let topics = Topics::create(&broker.0, "broker", 2);
    // The session outlives the broker, as it does by default: a member whose session ends may find itself fenced, which is
    // fatal and left to a supervisor.
    let patient = ["worker.session_timeout_ms=60000", "kafka.static_membership=false", "worker.fault_tries=60"];
    let setup = Setup::new(&topics, &patient);
    let mut feed = Feed::new(&topics);
    let mut worker = setup.start("a");
    let group = Group::of(&topics);
    feed.mixture(10_000);
    group.reaches(1_000);
    feed.mixture(10_000);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/services");
    let restarted = Command::new(script).args(["restart", "--kill", "kafka"]).status().unwrap();
    if !restarted.success() {
        print("this Kafka is somebody's own and can't be restarted from here: no restart was tried");
    }
    feed.mixture(10_000);
    feed.flush();
    group.reaches(feed.len());
    assert!(worker.runs(), "the worker outlives the broker\n{}", worker.log());
    worker.stop();
    print(&hold_exactly_once(&feed, &outputs::committed(&topics)).to_string());
    assert_eq!(group.committed(), ends(&feed));
}
