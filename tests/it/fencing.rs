//! Two of one name: another producer with a shard's transactional id, another consumer that joins as its static member, and
//! two whole processes. Whoever comes last wins, nothing is doubled, and nobody goes on fencing for ever.

use std::{net::TcpListener, time::Duration};

use rdkafka::{
    consumer::{BaseConsumer, Consumer as _},
    producer::{BaseProducer, BaseRecord, Producer as _},
};

use crate::{
    kit::{
        SOON, broker, eventually,
        feed::Feed,
        group::Group,
        outputs::{self, hold_exactly_once},
        process::{Process, STATIC, Setup},
        topics::Topics,
    },
    probes,
};

#[test]
fn a_worker_whose_producer_is_fenced_makes_a_new_one_and_doubles_nothing() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "fenced-producer", 1);
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let setup = Setup::new(&topics, &[&format!("admin.address={address}")]);
    let worker = setup.start("a");
    let (group, mut feed) = (Group::of(&topics), Feed::new(&topics));
    feed.mixture(500);
    group.reaches(1);
    let mut config = topics.client();
    config.set("transactional.id", format!("{}-a-0", topics.group));
    let intruder: BaseProducer = config.create().unwrap();
    intruder.init_transactions(SOON).unwrap();
    feed.mixture(500);
    feed.flush();
    group.reaches(feed.len());
    worker.logs("another producer");
    let metrics = probes::metrics(address);
    let fenced = metrics.lines().find(|line| line.starts_with("attrsync_faults_total{fault=\"fenced\"} ")).unwrap();
    assert!(!fenced.ends_with(" 0"), "{fenced}: what the alert looks at");
    intruder.begin_transaction().unwrap();
    // Nobody will read it: what is fenced can't commit.
    intruder.send(BaseRecord::<(), [u8]>::to(&topics.rejected).payload(b"{}")).unwrap();
    eventually("the worker has fenced its rival", SOON, || {
        intruder.poll(Duration::from_millis(100));
        intruder.client().fatal_error().is_some()
    });
    worker.stop();
    hold_exactly_once(&feed, &outputs::committed(&topics));
    assert_eq!(group.committed(), feed.ends());
}

#[test]
fn a_worker_whose_consumer_is_fenced_joins_anew_and_reads_on_from_what_is_committed() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "fenced-consumer", 1);
    let setup = Setup::new(&topics, &[STATIC]);
    let worker = setup.start("a");
    let (group, mut feed) = (Group::of(&topics), Feed::new(&topics));
    feed.mixture(500);
    group.reaches(1);
    let mut config = topics.client();
    config.set("group.id", &topics.group).set("group.instance.id", "a-0").set("enable.auto.commit", "false");
    config.set("partition.assignment.strategy", "cooperative-sticky").set("session.timeout.ms", "6000");
    let intruder: BaseConsumer = config.create().unwrap();
    intruder.subscribe(&[&topics.input]).unwrap();
    feed.mixture(500);
    feed.flush();
    eventually("the worker has fenced its rival", SOON, || {
        let _ = intruder.poll(Duration::from_millis(100));
        intruder.client().fatal_error().is_some()
    });
    drop(intruder);
    feed.mixture(500);
    feed.flush();
    group.reaches(feed.len());
    // Told by the consumer or by the commit, whichever meets it first.
    let log = worker.log();
    assert!(log.contains("another consumer") && log.contains("kafka.instance of its own"), "{log}");
    worker.stop();
    hold_exactly_once(&feed, &outputs::committed(&topics));
    assert_eq!(group.committed(), feed.ends());
}

#[test]
fn two_processes_of_one_name_come_to_an_end_that_names_it_and_the_way_out() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "one-name", 2);
    let setup = Setup::new(&topics, &["worker.fault_tries=3", "worker.shards=1", STATIC]);
    let mut both = [setup.start("a"), setup.start("a")];
    let mut feed = Feed::new(&topics);
    eventually("one of them ends", 3 * SOON, || {
        // A rival's producer is noticed by a batch.
        feed.mixture(20);
        feed.flush();
        both.iter().any(|worker| !worker.runs())
    });
    let ended = both.iter().position(|worker| !worker.runs()).unwrap();
    assert_eq!(both[ended].ended().code(), Some(1));
    let log = both[ended].log();
    let line = log.lines().find(|line| line.contains("given up after 3 tries")).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains("a-0") && line.contains("kafka.instance"), "{line}");
    // Whether the other one still runs is a matter of luck; a third one of its name tells the rest either way.
    both.into_iter().for_each(drop);
    let worker: Process = setup.start("a");
    let group = Group::of(&topics);
    group.reaches(feed.len());
    // The others may have told all of it: a signal that comes before it listens to any would end it the hard way.
    worker.logs("running");
    worker.stop();
    hold_exactly_once(&feed, &outputs::committed(&topics));
    assert_eq!(group.committed(), feed.ends());
}
