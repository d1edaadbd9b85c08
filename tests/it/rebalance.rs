//! Partitions that change hands while a batch is open.

use std::time::Instant;

use crate::kit::{
    SOON, broker, eventually,
    feed::Feed,
    group::Group,
    outputs::{self, hold_exactly_once},
    process::{PATIENCE, PATIENT, STATIC, Setup},
    topics::Topics,
};

#[test]
fn a_batch_in_hand_is_committed_before_its_partitions_are_given_up() {
    give_up("revoked", &[]);
}

#[test]
fn a_static_members_batch_in_hand_is_committed_before_its_partitions_are_given_up() {
    give_up("revoked-static", &[STATIC]);
}

fn give_up(test: &str, membership: &[&str]) {
    // On a busy machine the newcomer may come after the batch has ended by itself: then nothing was tested.
    assert!((0..3).any(|again| gave_up_in_time(&format!("{test}{again}"), membership)), "it was always too late");
}

fn gave_up_in_time(test: &str, membership: &[&str]) -> bool {
    let broker = broker();
    let topics = Topics::create(&broker.0, test, 2);
    let setup = Setup::new(&topics, &[&PATIENT[..], membership].concat());
    let (group, mut feed) = (Group::of(&topics), Feed::new(&topics));
    let worker = setup.start("a");
    worker.logs("assigned");
    let begun = Instant::now();
    feed.mixture(100);
    feed.flush();
    eventually("a batch is open", SOON, || !outputs::uncommitted(&topics).is_empty());
    let newcomer = setup.start("b");
    worker.logs("revoked shard=0");
    let in_time = begun.elapsed() < PATIENCE;
    assert_eq!(group.committed(), feed.ends(), "what was in hand was committed first");
    newcomer.logs("assigned");
    feed.mixture(100);
    feed.flush();
    // Both finish what they have in hand.
    eventually("both have a batch open", SOON, || {
        let told = outputs::uncommitted(&topics);
        (0..2).all(|partition| told.iter().any(|record| record.source() == (partition, 99)))
    });
    worker.stop();
    newcomer.stop();
    let told = outputs::committed(&topics);
    hold_exactly_once(&feed, &told);
    assert_eq!(outputs::uncommitted(&topics).len(), told.len(), "nothing was aborted on the way");
    assert_eq!(group.committed(), feed.ends());
    in_time
}

#[test]
fn a_worker_that_slept_through_its_session_aborts_what_it_had_in_hand() {
    sleep_through("slept", &[]);
}

#[test]
fn a_static_member_that_slept_through_its_session_aborts_what_it_had_in_hand() {
    sleep_through("slept-static", &[STATIC]);
}

fn sleep_through(test: &str, membership: &[&str]) {
    let broker = broker();
    let topics = Topics::create(&broker.0, test, 1);
    // The batch is seen the moment it begins, and open for as long as its transaction allows: the worker has to be stopped within it.
    let open = ["worker.shards=1", "worker.commit_interval_ms=3900", "kafka.producer.properties.linger.ms=5"];
    let setup = Setup::new(&topics, &[&open[..], membership].concat());
    let (group, mut feed) = (Group::of(&topics), Feed::new(&topics));
    let sleeper = setup.start("a");
    sleeper.logs("assigned");
    feed.mixture(100);
    feed.flush();
    eventually("a batch is open", SOON, || !outputs::uncommitted(&topics).is_empty());
    sleeper.signal("STOP");
    let successor = setup.start("b");
    group.reaches(feed.len());
    sleeper.signal("CONT");
    sleeper.logs("trying again");
    feed.mixture(100);
    feed.flush();
    group.reaches(feed.len());
    sleeper.stop();
    successor.stop();
    let told = outputs::committed(&topics);
    hold_exactly_once(&feed, &told);
    assert!(outputs::uncommitted(&topics).len() > told.len(), "what the sleeper had in hand was aborted");
    assert_eq!(group.committed(), feed.ends());
}
