//! Which records a replay of a topic reads: offsets, times, and whatever a log may hold beside records.

use std::time::Duration;

use attrsync::domain::verdict::Outcome;
use rdkafka::{
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
    producer::{BaseProducer, BaseRecord, Producer as _},
};
use serde_json::json;

use crate::{
    kit::{
        SOON, broker, eventually,
        feed::{Feed, Input},
        group::Group,
        process::Setup,
        topics::{Topics, block_on},
    },
    ran::{positions, replay},
};

/// A value whose verdict is known.
const EVENT: &str = r#"{"organization":"acme","type":"boot"}"#;

fn transactional(topics: &Topics) -> BaseProducer {
    let mut config = topics.client();
    config.set("transactional.id", format!("{}-sender", topics.input));
    let producer: BaseProducer = config.create().unwrap();
    producer.init_transactions(SOON).unwrap();
    producer
}

fn send(producer: &BaseProducer, topics: &Topics, partition: i32, records: usize) {
    producer.begin_transaction().unwrap();
    for _ in 0..records {
        let record = BaseRecord::<[u8], str>::to(&topics.input).partition(partition).payload(EVENT);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(SOON).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "the native call is the library's own; a test has the time")]
fn commit(producer: &BaseProducer) {
    producer.commit_transaction(SOON).unwrap();
}

/// The offsets of one partition.
fn of(partition: i64, offsets: impl IntoIterator<Item = i64>) -> Vec<(i64, i64)> {
    offsets.into_iter().map(|offset| (partition, offset)).collect()
}

#[test]
fn a_range_of_offsets_is_read_whatever_stands_in_it_and_one_that_ends_in_markers_ends() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "replay-markers", 3);
    let (setup, producer) = (Setup::new(&topics, &[]), transactional(&topics));
    // Partition 0: records 0..5, marker 5, aborted 6..9, marker 9, records 10..12, marker 12. Partition 1: aborted alone.
    send(&producer, &topics, 0, 5);
    commit(&producer);
    send(&producer, &topics, 0, 3);
    producer.abort_transaction(SOON).unwrap();
    send(&producer, &topics, 0, 2);
    commit(&producer);
    send(&producer, &topics, 1, 4);
    producer.abort_transaction(SOON).unwrap();
    let there = |line: &[&str]| positions(&replay(&setup, &[&["--to-file", "-"], line].concat()).verdicts());
    let all = of(0, [0, 1, 2, 3, 4, 10, 11]);
    assert_eq!(there(&[]), all);
    assert_eq!(there(&["--offsets", "0:3-10"]), of(0, [3, 4, 10]));
    assert_eq!(there(&["--offsets", "0:5-9"]), [], "a range of markers and aborted records");
    assert_eq!(there(&["--offsets", "0:12-"]), [], "the last marker");
    assert_eq!(there(&["--offsets", "0:4,0:11,0:0-1"]), of(0, [0, 1, 4, 11]));
    assert_eq!(there(&["--offsets", "1:0-", "--offsets", "2:0-"]), [], "aborted alone, and nothing at all");
    // What an open transaction holds, and all after it, isn't committed yet: a replay ends before it and does not wait.
    send(&producer, &topics, 0, 2);
    let mut feed = Feed::new(&topics);
    feed.send(0, Input { value: Some(EVENT.as_bytes()), headers: &[], outcome: Outcome::Accepted });
    feed.flush();
    assert_eq!(there(&[]), all);
    producer.abort_transaction(SOON).unwrap();
}

#[test]
fn what_retention_took_is_counted_and_never_passed_over_in_silence() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "replay-retention", 2);
    let (setup, mut feed) = (Setup::new(&topics, &[]), Feed::new(&topics));
    feed.mixture(200);
    feed.flush();
    topics.delete_before(&[(0, 30), (1, 100)]);
    let ran = replay(&setup, &["--json"]);
    assert_eq!((&ran.summary()["records"], &ran.summary()["gone"]), (&json!(70), &json!(130)));
    let ran = replay(&setup, &["--offsets", "0:20-39", "--json"]);
    assert_eq!((&ran.summary()["records"], &ran.summary()["gone"]), (&json!(10), &json!(10)));
    let ran = replay(&setup, &["--offsets", "0:20-39,1:90-109", "--json"]);
    let told = ["read", "gone", "beyond"].map(|name| ran.summary()[name].clone());
    assert_eq!(told, [10, 20, 10].map(|number| json!(number)));
    let ran = replay(&setup, &["--offsets", "0:50-59"]);
    assert!(ran.code == Some(0) && !ran.err.contains("past retention"), "{}", ran.err);
    let ran = replay(&setup, &["--since", "1h"]);
    assert!(ran.err.contains("130  offsets that were asked for are past retention"), "{}", ran.err);
}

#[test]
fn a_time_begins_at_its_first_record_and_ends_before_the_next_ones() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "replay-times", 1);
    let (setup, producer) = (Setup::new(&topics, &[]), transactional(&topics));
    producer.begin_transaction().unwrap();
    let base = 1_795_341_600_000_i64;
    for minute in 0..60 {
        let record = BaseRecord::<[u8], str>::to(&topics.input).payload(EVENT).timestamp(base + minute * 60_000);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    commit(&producer);
    let there = |line: &[&str]| positions(&replay(&setup, &[&["--to-file", "-"], line].concat()).verdicts());
    let ten_to_twenty = ["--from", "2026-11-22T10:10:00Z", "--to", "2026-11-22T10:20:00Z"];
    assert_eq!(there(&ten_to_twenty), of(0, 10..20));
    assert_eq!(there(&["--from", "2026-11-22T10:50:30Z"]), of(0, 51..60));
    assert_eq!(there(&["--to", "2026-11-22T12:02:00+02:00"]), of(0, 0..2));
    assert_eq!(there(&["--from", "2030-01-01"]), []);
    let ran = replay(&setup, &["--from", "2030-01-01"]);
    assert!(ran.err.contains("there was no record to look at"), "{}", ran.err);
    assert_eq!(there(&["--to", "2020-01-01"]), []);
    assert_eq!(there(&[&ten_to_twenty[..], &["--offsets", "0:15-"]].concat()), of(0, 15..20));
}

#[test]
fn events_are_chosen_by_organization_type_and_user() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "replay-filter", 2);
    let (setup, mut feed) = (Setup::new(&topics, &[]), Feed::new(&topics));
    feed.mixture(500);
    feed.flush();
    let there = |line: &[&str]| replay(&setup, &[&["--to-file", "-"], line].concat()).verdicts();
    let all = there(&[]);
    assert_eq!(all.len(), 500);
    let user = all.iter().find_map(|verdict| verdict["user"]["userId"].as_str()).unwrap();
    for (line, at, value) in [
        (["--organization", "acme"], "/organization", "acme"),
        (["--event-type", "boot"], "/event/type", "boot"),
        (["--user", user], "/user/userId", user),
    ] {
        let chosen = there(&line);
        let expected = all.iter().filter(|verdict| verdict.pointer(at).unwrap() == value).count();
        assert!(!chosen.is_empty() && chosen.len() < all.len(), "{line:?}: {}", chosen.len());
        assert!(chosen.len() == expected && chosen.iter().all(|verdict| verdict.pointer(at).unwrap() == value));
    }
}

#[test]
fn a_topic_that_grows_ends_where_it_ended_when_the_replay_began_and_what_is_not_there_is_told() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "replay-grows", 1);
    let (setup, mut feed) = (Setup::new(&topics, &[]), Feed::new(&topics));
    feed.mixture(2_000);
    feed.flush();
    // Slow enough that more comes while it reads what it found, and faster than that comes: however late it begins, it gets to its end.
    let mut command = setup.command("replay");
    let began = std::time::Instant::now();
    let running = std::thread::spawn(move || crate::ran::Ran::of(command.args(["--json", "--max-rate", "500"])));
    while !running.is_finished() {
        feed.mixture(10);
        feed.flush();
        std::thread::park_timeout(Duration::from_millis(20));
        assert!(began.elapsed() < SOON);
    }
    let records = running.join().unwrap().summary()["records"].as_u64().unwrap();
    assert!((2_000..feed.len() as u64).contains(&records), "{records} of {}", feed.len());
    let ran = replay(&setup, &["--topic", "no-such-topic"]);
    assert!(ran.code == Some(1) && ran.err.contains("\"no-such-topic\" does not exist"), "{}", ran.err);
    let ran = replay(&setup, &["--offsets", "7:0-"]);
    assert!(ran.code == Some(1) && ran.err.contains("no partition 7"), "{}", ran.err);
}

#[test]
fn gaps_that_compaction_left_are_no_records_and_nothing_waits_for_them() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "replay-compacted", 1);
    let compacted = Topics { input: format!("{}-compacted", topics.input), ..topics.clone() };
    let quickly = [
        ("cleanup.policy", "compact"),
        ("segment.ms", "100"),
        ("min.cleanable.dirty.ratio", "0.001"),
        ("max.compaction.lag.ms", "200"),
    ];
    compacted.add(&compacted.input, &quickly);
    let (setup, producer) = (Setup::new(&compacted, &[]), transactional(&compacted));
    let keyed = |key: usize| {
        producer.begin_transaction().unwrap();
        let key = key.to_string();
        let record = BaseRecord::to(&compacted.input).key(key.as_str()).payload(EVENT);
        producer.send(record).map_err(|(error, _)| error).unwrap();
        commit(&producer);
    };
    (0..60).for_each(|at| keyed(at % 5));
    let mut there = Vec::new();
    eventually("the log is compacted", 3 * SOON, || {
        // Each begins a new segment, and only those before the last one are compacted.
        keyed(5);
        there = positions(&replay(&setup, &["--to-file", "-"]).verdicts());
        there.len() < 40
    });
    assert!(there.len() >= 6, "the last of each key is there: {there:?}");
    // A record and the marker of its transaction are two offsets, from 0 on.
    let gap = |(at, (_, offset)): (usize, &(i64, i64))| *offset > 2 * i64::try_from(at).unwrap();
    assert!(there.iter().enumerate().any(gap), "a gap that compaction left: {there:?}");
    assert!(
        positions(&replay(&setup, &["--to-file", "-", "--offsets", "0:0-20"]).verdicts()).iter().all(|at| at.1 <= 20)
    );
}

#[test]
fn a_topic_that_was_made_anew_is_told_and_not_taken_for_the_old_one() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "replay-anew", 1);
    let (setup, mut feed) = (Setup::new(&topics, &[]), Feed::new(&topics));
    feed.mixture(2_000);
    feed.flush();
    let target = format!("{}.again", topics.input);
    topics.add(&format!("{target}.accepted"), &[]);
    topics.add(&format!("{target}.rejected"), &[]);
    let begun = Topics { group: format!("{}-replay-anew", topics.group), ..topics.clone() };
    let mut command = setup.command("replay");
    command.args(["--to-topics", &target, "--id", "anew", "--max-rate", "200"]);
    let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    Group::of(&begun).reaches(300);
    child.kill().unwrap();
    child.wait().unwrap();
    let admin: AdminClient<DefaultClientContext> = topics.client().create().unwrap();
    block_on(admin.delete_topics(&[&topics.input], &AdminOptions::new().operation_timeout(Some(SOON)))).unwrap();
    eventually("the topic is gone", SOON, || replay(&setup, &[]).err.contains("does not exist"));
    topics.add(&topics.input, &[]);
    let mut feed = Feed::new(&topics);
    // It ends before where the replay stands, and then before where it is to end.
    for more in [10, 1_000] {
        feed.mixture(more);
        feed.flush();
        let ran = replay(&setup, &["--resume", "anew"]);
        assert!(ran.code == Some(1) && ran.err.contains("made anew"), "{:?} {}", ran.code, ran.err);
    }
}
