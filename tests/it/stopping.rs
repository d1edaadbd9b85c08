//! A worker that is told to stop: what it has in hand is finished at the first signal and aborted at the second.

use crate::kit::{
    SOON, broker, eventually,
    feed::Feed,
    group::Group,
    outputs::{self, hold_contract, hold_exactly_once},
    print,
    process::{PATIENT, STATIC, Setup},
    topics::Topics,
};

#[test]
fn a_worker_told_to_stop_finishes_what_it_has_and_its_successor_goes_on() {
    stop("stop", &[]);
}

#[test]
fn a_static_member_told_to_stop_finishes_what_it_has_and_its_successor_goes_on() {
    stop("stop-static", &[STATIC]);
}

fn stop(test: &str, membership: &[&str]) {
    let broker = broker();
    let topics = Topics::create(&broker.0, test, 2);
    let setup = Setup::new(&topics, membership);
    let mut feed = Feed::new(&topics);
    let mut worker = setup.start("a");
    let group = Group::of(&topics);
    feed.mixture(5_000);
    group.reaches(1);
    feed.mixture(5_000);
    // As `timeout` does, which signals a process and then its group. Both are there when it goes on.
    ["STOP", "TERM", "INT", "CONT"].iter().for_each(|signal| worker.signal(signal));
    let ended = worker.ended();
    assert!(ended.success(), "{ended}\n{}", worker.log());
    // The first one may have told all of it by now.
    feed.mixture(5_000);
    feed.flush();
    let successor = setup.start("a");
    group.reaches(feed.len());
    successor.stop();
    let told = outputs::committed(&topics);
    print(&hold_exactly_once(&feed, &told).to_string());
    hold_contract(&told);
    assert_eq!(group.committed(), feed.ends());
}

#[test]
fn a_second_signal_ends_a_worker_at_once_and_what_it_had_in_hand_is_aborted() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "second-signal", 1);
    // Its successor would wait for the end of a session that is long.
    let setup = Setup::new(&topics, &[&PATIENT[..], &[STATIC]].concat());
    let mut feed = Feed::new(&topics);
    let mut worker = setup.start("a");
    feed.mixture(100);
    feed.flush();
    eventually("a batch is open", SOON, || outputs::any_is_open(&topics));
    worker.signal("TERM");
    worker.logs("finishing the batch in hand");
    // Those that come at once with the first are the same wish.
    eventually("a second signal ends it", SOON, || {
        let runs = worker.runs();
        if runs {
            worker.signal("TERM");
        }
        !runs
    });
    assert_eq!(worker.ended().code(), Some(1));
    let log = worker.log();
    assert!(log.contains("ending at once") && log.contains("a second signal, SIGTERM"), "{log}");
    let group = Group::of(&topics);
    assert_eq!(group.committed(), [0], "nothing of the batch was committed");

    // As many as the first one could still send; of the successor's all have to be on their way before it is stopped.
    let (before, expected) = (outputs::uncommitted(&topics).len(), outputs::records(&feed));
    let successor = setup.start("a");
    let opened = || outputs::uncommitted(&topics).len() >= before + expected;
    eventually("the successor opened the batch again", SOON, opened);
    successor.stop();
    let told = outputs::committed(&topics);
    hold_exactly_once(&feed, &told);
    assert!(outputs::uncommitted(&topics).len() > told.len(), "the first batch was aborted");
    assert_eq!(group.committed(), feed.ends());
}
