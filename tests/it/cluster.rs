//! A cluster whose brokers come and go, as where it is updated or a machine is lost. Leaders and coordinators move, and the cluster is
//! there all the time.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

use crate::kit::{
    SOON, broker,
    cluster::Cluster,
    eventually,
    feed::Feed,
    group::Group,
    ours,
    outputs::{self, hold_exactly_once},
    print,
    process::{Setup, UNHURRIED},
    topics::Topics,
};

/// Events a second.
const RATE: usize = 300;

#[test]
fn brokers_that_are_restarted_in_turn_and_one_that_dies_lose_and_double_nothing() {
    let Some(jars) = ours("ATTRSYNC_TEST_KAFKA_JARS") else { return };
    // Beside it no test has its broker alone.
    let _broker = broker();
    let mut cluster = Cluster::start(jars);
    let topics = Topics::create(&cluster.brokers, "cluster", 4);
    // Timeouts as by default: what is held is that a worker that nobody has configured for it gets over it. But its outages follow one
    // another without a calm minute in between, which would make them one.
    let setup = Setup::new(&topics, &[&UNHURRIED[..], &["worker.fault_tries=60"]].concat());
    let worker = setup.start("a");
    worker.reads(&topics);
    let (group, stop) = (Group::of(&topics), AtomicBool::new(false));
    let feed = thread::scope(|scope| {
        let feeding = scope.spawn(|| Feed::steady(&topics, RATE, |_| !stop.load(Relaxed)));
        // Also where what follows fails: the feed ends with it.
        let stopping = Stopping(&stop);
        group.reaches(RATE);
        for node in 0..3 {
            cluster.restart(node);
        }
        let mut before = 0;
        eventually("all brokers are there, and one answers", SOON, || {
            before = usize::try_from(group.committed().iter().sum::<i64>()).unwrap();
            before >= RATE
        });
        cluster.kill(1);
        // All that was sent while it was missed, and more.
        group.reaches(before + 10 * RATE);
        cluster.begin(1);
        cluster.is_whole();
        drop(stopping);
        feeding.join().unwrap().kept(&topics)
    });
    group.reaches(feed.len());
    assert!(worker.runs(), "the worker outlives it\n{}", worker.log());
    worker.stop();
    let told = outputs::committed(&topics);
    let aborted = outputs::uncommitted(&topics).len() - told.len();
    print(&format!("{}; {aborted} records were aborted", hold_exactly_once(&feed, &told)));
    assert_eq!(group.committed(), feed.ends());
}

/// Ends the feed.
struct Stopping<'s>(&'s AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}
