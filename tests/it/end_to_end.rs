//! Exactly once, end to end: a stream of 200,000 mixed events, and workers that are killed, added and removed in the middle of it.

use std::time::{Duration, Instant};

use crate::kit::{
    broker,
    feed::Feed,
    group::Group,
    outputs::{self, hold_exactly_once},
    print,
    process::Setup,
    topics::Topics,
};

const EVENTS: usize = 200_000;
const PARTITIONS: i32 = 4;
/// Events a second: slow enough that everything below happens in the middle of the stream.
const RATE: usize = 12_000;

#[test]
fn every_event_is_told_exactly_once_while_workers_are_killed_added_and_removed() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "end-to-end", PARTITIONS);
    // By default records wait for the commit, and a kill would hardly ever find one on its way.
    let setup = Setup::new(&topics, &["worker.commit_interval_ms=100", "kafka.producer.properties.linger.ms=5"]);
    let (mut killed, steady) = (setup.start("a"), setup.start("b"));
    let feeding = std::thread::spawn({
        let topics = topics.clone();
        move || stream(&topics)
    });
    let group = Group::of(&topics);
    let mut added = None;
    for (at, step) in [(10, "kill"), (20, "add"), (35, "kill"), (50, "remove"), (65, "kill")] {
        group.reaches(EVENTS * at / 100);
        match step {
            // Records come all the time and a batch is open as long as they do: the kill falls into one.
            "kill" => {
                killed.kill();
                killed = setup.start("a");
            }
            "add" => added = Some(setup.start("c")),
            _ => added.take().unwrap().stop(),
        }
    }
    let feed = feeding.join().unwrap();
    group.reaches(EVENTS);
    killed.stop();
    steady.stop();

    let told = outputs::committed(&topics);
    let counts = hold_exactly_once(&feed, &told);
    let ends = feed.ends();
    assert_eq!(group.committed(), ends);
    let aborted = outputs::uncommitted(&topics).len() - told.len();
    assert!(aborted > 0, "no kill fell into a transaction");
    print(&format!("{counts}; {} records told, {aborted} more aborted; committed offsets {ends:?}", told.len()));
}

/// Sends all events at a steady rate.
fn stream(topics: &Topics) -> Feed {
    const SLICE: usize = 200;
    let mut feed = Feed::new(topics);
    let begun = Instant::now();
    while feed.len() < EVENTS {
        feed.mixture(SLICE);
        let due = Duration::from_secs_f64(feed.len() as f64 / RATE as f64);
        std::thread::park_timeout(due.saturating_sub(begun.elapsed()));
    }
    feed.flush();
    feed
}
