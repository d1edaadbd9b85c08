//! What a worker reads: topics that give their events a type, partitions that come while it runs, and a topic whose beginning is gone.

use std::collections::BTreeSet;

use attrsync::domain::verdict::Outcome;

use crate::kit::{
    broker,
    feed::{Feed, Input},
    group::Group,
    outputs::{self, hold_contract, hold_exactly_once},
    process::Setup,
    topics::Topics,
};

/// An event that doesn't say of which type it is.
fn untyped(outcome: Outcome) -> Input<'static> {
    Input { value: Some(br#"{"organization": "globex", "anonymousId": "somebody"}"#), headers: &[], outcome }
}

#[test]
fn of_two_topics_the_one_that_has_a_type_gives_it_to_events_that_say_none() {
    let broker = broker();
    let events = Topics::create(&broker.0, "two-inputs", 2);
    let boots = Topics { input: format!("{}.boots", events.input), ..events.clone() };
    boots.add(&boots.input, &[]);
    let both = format!("kafka.input.topics=[\"{}\", \"{}\"]", events.input, boots.input);
    let setup = Setup::new(&events, &[&both, &format!("kafka.input.types.{}=boot", boots.input)]);
    let (mut of_events, mut of_boots) = (Feed::new(&events), Feed::new(&boots));
    of_events.mixture(200);
    for number in 0..20 {
        of_events.send(number % 2, untyped(Outcome::Rejected));
        of_boots.send(number % 2, untyped(Outcome::Accepted));
    }
    of_events.flush();
    of_boots.flush();
    let worker = setup.start("a");
    Group::of(&events).reaches(of_events.len());
    Group::of(&boots).reaches(of_boots.len());
    worker.stop();

    let told = outputs::committed(&events);
    hold_contract(&told);
    let is_boot = |told: &outputs::Told| told.value["source"]["topic"] == boots.input.as_str();
    let (boots_told, events_told): (Vec<_>, Vec<_>) = told.into_iter().partition(is_boot);
    hold_exactly_once(&of_boots, &boots_told);
    hold_exactly_once(&of_events, &events_told);
    let untyped = events_told.iter().filter(|told| told.value["reason"] == "missing_type").count();
    assert!(untyped >= 20, "{untyped}");
}

#[test]
fn partitions_that_are_added_while_a_worker_runs_are_read_from_their_beginning() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "grows", 2);
    // By default a client looks for them every five minutes.
    let setup = Setup::new(&topics, &["kafka.consumer.properties.topic.metadata.refresh.interval.ms=500"]);
    let (worker, mut before) = (setup.start("a"), Feed::new(&topics));
    before.mixture(200);
    before.flush();
    Group::of(&topics).reaches(before.len());
    let grown = topics.grow(4);
    let (group, mut feed) = (Group::of(&grown), Feed::new(&grown));
    feed.expected[..2].clone_from_slice(&before.expected);
    feed.mixture(600);
    feed.flush();
    group.reaches(feed.len());
    worker.stop();
    hold_exactly_once(&feed, &outputs::committed(&topics));
    assert_eq!(group.committed(), feed.ends());
}

#[test]
fn a_worker_whose_committed_offset_is_no_longer_kept_goes_on_with_the_first_record_that_is() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "overtaken", 1);
    let (setup, group, mut feed) = (Setup::new(&topics, &[]), Group::of(&topics), Feed::new(&topics));
    feed.mixture(100);
    feed.flush();
    let worker = setup.start("a");
    group.reaches(feed.len());
    worker.stop();
    feed.mixture(100);
    feed.flush();
    topics.delete_before(&[(0, 150)]);
    let successor = setup.start("a");
    group.reaches(feed.len());
    successor.logs("records were deleted before they were read");
    successor.logs("gone=50");
    successor.stop();
    let told = outputs::committed(&topics);
    let offsets: BTreeSet<_> = told.iter().map(|told| told.source().1).collect();
    assert_eq!(offsets, (0..100).chain(150..200).collect::<BTreeSet<_>>());
    assert_eq!(outputs::distinct(&told).len(), told.len(), "nothing is told twice");
}

/// As after an election of a leader that had not everything: what stands at an offset by then is another record, or none.
#[test]
fn a_worker_whose_committed_offset_is_beyond_the_end_ends_instead_of_judging_everything_again() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "cut-off", 1);
    let (group, mut feed) = (Group::of(&topics), Feed::new(&topics));
    feed.mixture(100);
    feed.flush();
    group.commit(0, 1_000);
    let setup = Setup::new(&topics, &["worker.fault_tries=2"]);
    let mut worker = setup.start("a");
    assert_eq!(worker.ended().code(), Some(1));
    let log = worker.log();
    assert!(log.contains("given up after 2 tries") && log.contains("/0/0 came when 1000 was due"), "{log}");
    assert_eq!((outputs::committed(&topics).len(), group.committed()), (0, vec![1_000]));
}
