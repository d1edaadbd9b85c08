//! `worker.delivery = "at_least_once"` on a real cluster: across a SIGKILL nothing is lost, some may be told again, and no
//! transaction is used.

use crate::kit::{
    broker,
    feed::Feed,
    group::Group,
    outputs::{self, hold_at_least_once},
    print,
    process::{STATIC, Setup},
    topics::Topics,
};

#[test]
fn at_least_once_every_event_is_told_across_a_kill_and_no_transaction_is_used() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "at-least-once", 2);
    let setup = Setup::new(&topics, &["worker.delivery=at_least_once", STATIC]);
    let (group, mut feed) = (Group::of(&topics), Feed::new(&topics));
    let mut worker = setup.start("a");
    for _ in 0..2 {
        feed.mixture(10_000);
        group.reaches(feed.len() - 9_000);
        worker.kill();
        worker = setup.start("a");
    }
    feed.flush();
    group.reaches(feed.len());
    // Its predecessor may have told all of it: a signal that comes before it listens to any would end it the hard way.
    worker.logs("running");
    worker.stop();
    let told = outputs::uncommitted(&topics);
    print(&format!("{} records, {} of them told again", told.len(), hold_at_least_once(&feed, &told)));
    assert_eq!(group.committed(), feed.ends());
    for (partition, end) in outputs::ends(&topics) {
        let records = told.iter().filter(|record| (record.accepted, record.at.0) == partition).count();
        // The end of a transaction takes an offset that no reader sees.
        assert_eq!(usize::try_from(end).unwrap(), records, "{partition:?} holds nothing but verdicts");
    }
}
