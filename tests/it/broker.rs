//! A broker that goes away: for a while, in the middle of everything, and for good.

use std::process::Command;

use crate::kit::{
    SERVICES, SOON, broker_alone, eventually,
    feed::Feed,
    group::Group,
    mock::Mock,
    outputs::{self, hold_at_least_once, hold_exactly_once},
    print,
    process::{STATIC, Setup},
    topics::Topics,
};

/// What it says where Kafka is somebody's own.
const FOREIGN: &str = "yours, as ATTRSYNC_TEST_KAFKA says";

/// Seconds, some more than `broker.session.timeout.ms`.
const STALL: &str = "11";

/// Does this to our own Kafka. Somebody's own is left alone, and the test goes on without.
fn services(arguments: &[&str]) {
    let told = Command::new(SERVICES).args(arguments).output().unwrap();
    let error = String::from_utf8_lossy(&told.stderr);
    if error.contains(FOREIGN) {
        print(&format!("this Kafka is somebody's own, and was left alone: no {}", arguments.join(" ")));
    } else {
        assert!(told.status.success(), "{arguments:?}: {error}");
    }
}

#[test]
fn a_broker_that_dies_in_mid_stream_loses_and_doubles_nothing() {
    let broker = broker_alone();
    let topics = Topics::create(&broker.0, "broker", 2);
    // Static members whose session is over before the broker is back: some find themselves fenced by their own earlier join.
    let setup = Setup::new(&topics, &["worker.fault_tries=60", STATIC]);
    let mut feed = Feed::new(&topics);
    let worker = setup.start("a");
    let group = Group::of(&topics);
    feed.mixture(10_000);
    group.reaches(1_000);
    feed.mixture(10_000);
    services(&["restart", "--kill", "kafka"]);
    feed.mixture(10_000);
    let feed = feed.kept(&topics);
    group.reaches(feed.len());
    assert!(worker.runs(), "the worker outlives the broker\n{}", worker.log());
    worker.stop();
    print(&hold_exactly_once(&feed, &outputs::committed(&topics)).to_string());
    assert_eq!(group.committed(), feed.ends());
}

/// A machine that stalls. Its controller may take the partitions from the broker that it did not hear of, and gives them back a
/// moment later: librdkafka can be left with one that it never asks for again.
#[test]
fn a_broker_that_stalls_for_longer_than_its_controller_waits_is_worked_with_again() {
    let broker = broker_alone();
    let topics = Topics::create(&broker.0, "stalled", 2);
    // Records are on their way all the time: the answer to one of them may say that nobody leads its partition.
    let prompt = ["worker.commit_interval_ms=100", "kafka.producer.properties.linger.ms=5"];
    let setup = Setup::new(&topics, &[&["worker.fault_tries=60", STATIC], &prompt[..]].concat());
    let mut feed = Feed::new(&topics);
    feed.mixture(100_000);
    feed.flush();
    let worker = setup.start("a");
    Group::of(&topics).reaches(5_000);
    services(&["hold", "kafka", STALL]);
    // Other clients, which were told nothing in the meantime.
    Group::of(&topics).reaches(feed.len());
    assert!(worker.runs(), "the worker outlives it\n{}", worker.log());
    worker.stop();
    print(&hold_exactly_once(&feed, &outputs::committed(&topics)).to_string());
    assert_eq!(Group::of(&topics).committed(), feed.ends());
}

/// It goes just when the group was told its partitions and not yet where they begin: the one moment after which librdkafka may
/// go back to the beginning by itself.
#[test]
fn a_cluster_that_is_away_for_a_while_is_waited_for() {
    let mock = Mock::new("away");
    let setup = Setup::new(&mock.topics, &["worker.fault_tries=100", STATIC]);
    let worker = setup.start("a");
    worker.reads(&mock.topics);
    mock.cluster.broker_down(-1).unwrap();
    worker.logs("no broker of ");
    mock.cluster.broker_up(-1).unwrap();
    let mut feed = mock.feed();
    feed.mixture(20);
    feed.flush();
    let told = || outputs::distinct(&outputs::uncommitted(&mock.topics)).len();
    eventually("every event is told", SOON, || told() >= outputs::records(&feed));
    hold_at_least_once(&feed, &outputs::uncommitted(&mock.topics));
    worker.stop();
}

#[test]
fn a_cluster_that_is_away_for_good_ends_the_process_with_one_line_that_says_where() {
    let mock = Mock::new("gone");
    let setup = Setup::new(&mock.topics, &["worker.fault_tries=2", STATIC]);
    let mut worker = setup.start("a");
    worker.reads(&mock.topics);
    mock.cluster.broker_down(-1).unwrap();
    // Twice it waits for what nobody answers, and then until everything of it has ended.
    assert_eq!(worker.ended_within(3 * SOON).code(), Some(1));
    let log = worker.log();
    let line = log.lines().last().unwrap();
    assert!(line.contains("shard 0: given up after 2 tries: no broker of "), "{line}");
    assert!(line.contains(&mock.topics.brokers), "{line}");
}
