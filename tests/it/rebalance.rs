//! Partitions that change hands while a batch is open.

use std::{
    sync::{Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientContext,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext, Rebalance},
};

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
    worker.reads(&topics);
    let begun = Instant::now();
    feed.mixture(100);
    feed.flush();
    eventually("a batch is open", SOON, || !outputs::uncommitted(&topics).is_empty());
    let newcomer = setup.start("b");
    worker.logs("revoked shard=0");
    let in_time = begun.elapsed() < PATIENCE;
    assert_eq!(group.committed(), feed.ends(), "what was in hand was committed first");
    newcomer.reads(&topics);
    assert_eq!(
        outputs::uncommitted(&topics).len(),
        outputs::committed(&topics).len(),
        "nothing was aborted on the way"
    );
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
    // On a busy machine the batch may have ended by itself before the worker is stopped: then nothing was tested.
    assert!((0..10).any(|again| slept_in_time(&format!("{test}{again}"), membership)), "it was always too late");
}

fn slept_in_time(test: &str, membership: &[&str]) -> bool {
    let broker = broker();
    let topics = Topics::create(&broker.0, test, 1);
    // The batch is seen the moment it begins, and open for as long as its transaction allows: the worker has to be stopped within it.
    let open = ["worker.shards=1", "worker.commit_interval_ms=3900", "kafka.producer.properties.linger.ms=5"];
    let setup = Setup::new(&topics, &[&open[..], membership].concat());
    let (group, mut feed) = (Group::of(&topics), Feed::new(&topics));
    let sleeper = setup.start("a");
    sleeper.reads(&topics);
    feed.mixture(100);
    feed.flush();
    eventually("a batch is open", SOON, || outputs::any_is_open(&topics));
    sleeper.signal("STOP");
    // While a commit is under way there is no answer yet.
    if group.committed() != [0] {
        return false;
    }
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
    true
}

/// A static member that tells of its changes of assignment and ends, for the group, in the middle of giving partitions up.
struct EndsHalfway {
    assigned: mpsc::Sender<usize>,
    revoked: mpsc::Sender<usize>,
    never: Mutex<mpsc::Receiver<()>>,
}

impl ClientContext for EndsHalfway {}

impl ConsumerContext for EndsHalfway {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(partitions) => _ = self.assigned.send(partitions.count()),
            Rebalance::Revoke(partitions) if partitions.count() > 0 => {
                let _ = self.revoked.send(partitions.count());
                // An answer would have the group assign them: none is given before the test is over.
                let _ = self.never.lock().unwrap().recv();
            }
            Rebalance::Revoke(_) | Rebalance::Error(_) => {}
        }
    }
}

#[test]
fn partitions_that_a_static_member_took_out_of_the_group_with_it_are_assigned_again() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "halfway", 4);
    let setup = Setup::new(&topics, &["worker.shards=1", STATIC]);
    let (assigned, has_assigned) = mpsc::channel();
    let (revoked, has_revoked) = mpsc::channel();
    let (over, never) = mpsc::channel();
    let mut config = topics.client();
    config.set("group.id", &topics.group).set("group.instance.id", "a-0").set("client.id", "attrsync-a-0");
    config.set("session.timeout.ms", "6000");
    config.set("partition.assignment.strategy", "cooperative-sticky").set("heartbeat.interval.ms", "500");
    let context = EndsHalfway { assigned, revoked, never: Mutex::new(never) };
    let predecessor: BaseConsumer<EndsHalfway> = config.create_with_context(context).unwrap();
    predecessor.subscribe(&[&topics.input]).unwrap();
    let (ended, is_ended) = mpsc::channel::<()>();
    let polling = thread::spawn(move || {
        while is_ended.try_recv() == Err(mpsc::TryRecvError::Empty) {
            let _ = predecessor.poll(Duration::from_millis(100));
        }
        // It was fenced, and can't leave in good order.
        std::mem::forget(predecessor);
    });
    assert_eq!(has_assigned.recv_timeout(SOON), Ok(4));
    let newcomer = setup.start("b");
    assert_eq!(has_revoked.recv_timeout(SOON), Ok(2));

    let successor = setup.start("a");
    let (group, mut feed) = (Group::of(&topics), Feed::new(&topics));
    feed.mixture(1_000);
    feed.flush();
    group.reaches(feed.len());
    // The first of the two by name.
    successor.logs("nobody was assigned these partitions");
    assert!(!newcomer.log().contains("nobody was assigned"), "one of them is enough\n{}", newcomer.log());
    successor.stop();
    newcomer.stop();
    hold_exactly_once(&feed, &outputs::committed(&topics));
    assert_eq!(group.committed(), feed.ends());
    ended.send(()).unwrap();
    drop(over);
    polling.join().unwrap();
}
