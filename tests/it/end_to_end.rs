//! Exactly once, end to end: a stream of mixed events, and workers that are killed, added and removed in the middle of it.

use crate::kit::{
    SOON, broker, eventually,
    feed::Feed,
    group::Group,
    outputs::{self, hold_exactly_once},
    print,
    process::{Process, STATIC, Setup},
    topics::Topics,
};

/// One for each shard of three workers: the one that is added gets some.
const PARTITIONS: i32 = 6;
/// Events a second: slow enough that everything below happens in the middle of the stream.
const RATE: usize = 12_000;

/// When so many percent of the events are told, this happens to a worker.
type Step = (usize, &'static str);

#[test]
fn every_event_is_told_exactly_once_while_workers_are_killed_added_and_removed() {
    let steps = [(10, "kill"), (20, "add"), (35, "kill"), (50, "remove"), (65, "kill")];
    let aborted = deliver("end-to-end", &[STATIC], 200_000, &steps);
    assert!(aborted > 0, "no kill fell into a transaction");
}

/// One kill, since what the killed one had waits until its session is over, and the others alone go on.
#[test]
fn every_event_is_told_exactly_once_where_nobody_has_a_place_of_its_own_in_the_group() {
    deliver("end-to-end-dynamic", &[], 80_000, &[(20, "kill"), (40, "add"), (70, "remove")]);
}

/// The brokers wait three quarters of a minute for one that was killed, so that nobody is.
#[test]
fn every_event_is_told_exactly_once_where_the_brokers_assign_the_partitions() {
    let protocol = "kafka.consumer.properties.group.protocol=consumer";
    deliver("end-to-end-consumer", &[protocol], 200_000, &[(15, "add"), (70, "remove")]);
}

/// Holds that so many events are told exactly once whatever happens meanwhile; how many records were aborted on the way.
fn deliver(test: &str, membership: &[&str], events: usize, steps: &[Step]) -> usize {
    let broker = broker();
    let topics = Topics::create(&broker.0, test, PARTITIONS);
    // By default records wait for the commit, and a kill would hardly ever find one on its way. So they are written at once, and
    // committed so much later that at nearly any time some are not.
    let prompt = ["worker.commit_interval_ms=1000", "kafka.producer.properties.linger.ms=5"];
    // The stream leaves a slow machine no calm minute, after which tries would count anew.
    let setup = Setup::new(&topics, &[&prompt[..], &["worker.fault_tries=60"], membership].concat());
    let (mut killed, steady) = (setup.start("a"), setup.start("b"));
    [&killed, &steady].iter().for_each(|worker| worker.reads(&topics));
    let feeding = std::thread::spawn({
        let topics = topics.clone();
        move || Feed::steady(&topics, RATE, |sent| sent < events)
    });
    let group = Group::of(&topics);
    let mut added = None;
    for (at, step) in steps {
        group.reaches(events * at / 100);
        match *step {
            "kill" => {
                eventually("records are written that aren't committed", SOON, || outputs::any_is_open(&topics));
                killed.kill();
                killed = setup.start("a");
            }
            "add" => added = Some(setup.start("c")),
            _ => {
                let added: Process = added.take().unwrap();
                added.reads(&topics);
                added.stop();
            }
        }
    }
    let feed = feeding.join().unwrap();
    group.reaches(events);
    // The last one under that name may have come after all was told.
    killed.logs("running");
    killed.stop();
    steady.stop();

    let told = outputs::committed(&topics);
    let counts = hold_exactly_once(&feed, &told);
    let ends = feed.ends();
    assert_eq!(group.committed(), ends);
    let aborted = outputs::uncommitted(&topics).len() - told.len();
    print(&format!("{counts}; {} records told, {aborted} more aborted; committed offsets {ends:?}", told.len()));
    aborted
}
