//! The outputs, read back whole, and held against what was sent.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    time::Duration,
};

use attrsync::{domain::verdict::Outcome, emit::Channel};
use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
    message::{BorrowedMessage, Headers as _},
};
use serde_json::Value;

use super::{SOON, eventually, feed::Feed, topics::Topics};
use crate::{contract, headers};

/// What a reader sees: nothing from the first record on whose transaction is open, and none of one that was aborted.
const READ_COMMITTED: &str = "read_committed";
/// Everything.
const READ_UNCOMMITTED: &str = "read_uncommitted";

/// One output record.
pub(crate) struct Told {
    pub(crate) accepted: bool,
    /// Its own partition and offset.
    pub(crate) at: (i32, i64),
    pub(crate) key: Vec<u8>,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) value: Value,
}

impl Told {
    /// The position of the event it tells of.
    pub(crate) fn source(&self) -> (usize, i64) {
        let number = |name| self.value["source"][name].as_i64().unwrap();
        (usize::try_from(number("partition")).unwrap(), number("offset"))
    }
}

/// All that readers of committed records see, once no transaction is open: a worker may have ended, and its offsets be there, a moment
/// before the brokers have marked the end of its last one everywhere.
pub(crate) fn committed(topics: &Topics) -> Vec<Told> {
    eventually("no transaction is open", SOON, || !any_is_open(topics));
    read(topics, READ_COMMITTED)
}

/// Whether records are written of a transaction that hasn't ended: readers of committed ones don't get as far.
pub(crate) fn any_is_open(topics: &Topics) -> bool {
    ends_of(topics, READ_COMMITTED) != ends(topics)
}

/// Aborted records too.
pub(crate) fn uncommitted(topics: &Topics) -> Vec<Told> {
    read(topics, READ_UNCOMMITTED)
}

fn read(topics: &Topics, isolation: &str) -> Vec<Told> {
    let mut told = Vec::new();
    for topic in [&topics.accepted, &topics.rejected] {
        read_topic(topics, topic, isolation, |message| {
            told.push(Told {
                accepted: message.topic() == topics.accepted,
                at: (message.partition(), message.offset()),
                key: message.key().unwrap_or_default().to_vec(),
                headers: headers_of(message),
                value: serde_json::from_slice(message.payload().unwrap()).unwrap(),
            });
        });
    }
    told
}

/// The committed records of one topic, to its end.
pub(crate) fn each(topics: &Topics, topic: &str, take: impl FnMut(&BorrowedMessage<'_>)) {
    read_topic(topics, topic, READ_COMMITTED, take);
}

/// By a consumer of its own: where a partition ends is told by its number alone.
fn read_topic(topics: &Topics, topic: &str, isolation: &str, mut take: impl FnMut(&BorrowedMessage<'_>)) {
    let mut config = topics.client();
    config.set("group.id", "reader").set("enable.auto.commit", "false").set("enable.partition.eof", "true");
    config.set("isolation.level", isolation).set("auto.offset.reset", "earliest");
    // The end comes with an answer without records, which the broker would hold back for half a second.
    config.set("fetch.wait.max.ms", "10");
    let consumer: BaseConsumer = config.create().unwrap();
    let mut all = TopicPartitionList::new();
    for partition in 0..topics.partitions {
        all.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&all).unwrap();
    // A partition that grows meanwhile has more ends than one.
    let mut ended = HashSet::new();
    while ended.len() < all.count() {
        match consumer.poll(Duration::from_secs(30)).expect("the topic can be read to its end") {
            Ok(message) => take(&message),
            Err(KafkaError::PartitionEOF(partition)) => _ = ended.insert(partition),
            Err(error) => panic!("{error}"),
        }
    }
}

fn headers_of(message: &BorrowedMessage<'_>) -> HashMap<String, String> {
    let text = |value: Option<&[u8]>| String::from_utf8(value.unwrap_or_default().to_vec()).unwrap();
    let all = message.headers().into_iter().flat_map(|headers| headers.iter());
    all.map(|header| (header.key.to_owned(), text(header.value))).collect()
}

/// Every record keeps the contract: its value the schema of its topic, its headers what the value says, its key whom it
/// concerns.
pub(crate) fn hold_contract(told: &[Told]) {
    for Told { accepted, key, headers, value, .. } in told {
        let channel = if *accepted { Channel::Accepted } else { Channel::Rejected };
        contract::holds(channel, value);
        headers::hold(channel, &serde_json::to_value(headers).unwrap());
        assert_eq!(headers["ce_type"], format!("attrsync.verdict.{}", value["verdict"].as_str().unwrap()));
        assert_eq!(headers.get("attrsync-organization").map(String::as_str), value["organization"].as_str());
        let user = ["userId", "email", "anonymousId"].iter().find_map(|field| value["user"][field].as_str());
        if let (Some(organization), Some(user)) = (value["organization"].as_str(), user) {
            assert_eq!(String::from_utf8_lossy(key), format!("{organization}:{user}"));
        }
    }
}

/// What came of the events.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) accepted: usize,
    pub(crate) partial: usize,
    pub(crate) rejected: usize,
}

impl Counts {
    pub(crate) fn total(&self) -> usize {
        self.accepted + self.partial + self.rejected
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accepted, partial, rejected } = self;
        write!(f, "{} events: {accepted} accepted, {partial} partial, {rejected} rejected", self.total())
    }
}

/// What is told, however often: input positions, and in which topic.
pub(crate) fn distinct(told: &[Told]) -> HashSet<((usize, i64), bool)> {
    told.iter().map(|record| (record.source(), record.accepted)).collect()
}

/// Every input position is told at least once, of a partial verdict in each topic; says how many positions were told again.
pub(crate) fn hold_at_least_once(feed: &Feed, told: &[Told]) -> usize {
    let found = distinct(told);
    let outcomes = feed.expected.iter().enumerate().flat_map(|(partition, outcomes)| {
        (0..).zip(outcomes).map(move |(offset, outcome)| ((partition, offset), outcome))
    });
    let mut expected = 0;
    for (position, outcome) in outcomes {
        for channel in channels(*outcome) {
            assert!(found.contains(&(position, *channel)), "{position:?} was made to be {outcome:?}");
            expected += 1;
        }
    }
    assert_eq!(found.len(), expected, "nothing was told that nobody sent");
    told.len() - expected
}

/// The topics that a verdict is told in: false for the rejected one, true for the accepted one.
fn channels(outcome: Outcome) -> &'static [bool] {
    match outcome {
        Outcome::Accepted => &[true],
        Outcome::Partial => &[false, true],
        Outcome::Rejected => &[false],
    }
}

/// How many records the verdicts of everything that was sent are.
pub(crate) fn records(feed: &Feed) -> usize {
    feed.expected.iter().flatten().map(|outcome| channels(*outcome).len()).sum()
}

/// The end of each output partition, records that no reader sees included.
pub(crate) fn ends(topics: &Topics) -> Vec<((bool, i32), i64)> {
    ends_of(topics, READ_UNCOMMITTED)
}

/// The same for readers of this kind.
fn ends_of(topics: &Topics, isolation: &str) -> Vec<((bool, i32), i64)> {
    let consumer: BaseConsumer = topics.client().set("isolation.level", isolation).create().unwrap();
    let partitions =
        [true, false].into_iter().flat_map(|accepted| (0..topics.partitions).map(move |at| (accepted, at)));
    let end = |(accepted, partition)| {
        let topic = if accepted { &topics.accepted } else { &topics.rejected };
        ((accepted, partition), consumer.fetch_watermarks(topic, partition, SOON).unwrap().1)
    };
    partitions.map(end).collect()
}

/// Every input position is told exactly once, of a partial verdict once in each topic; each with the outcome it was made
/// for; and each output partition tells the events of an input partition in their order.
pub(crate) fn hold_exactly_once(feed: &Feed, told: &[Told]) -> Counts {
    let mut found: HashMap<(usize, i64), Vec<bool>> = HashMap::new();
    let mut latest: HashMap<(bool, i32, usize), i64> = HashMap::new();
    for record in told {
        let (partition, offset) = record.source();
        found.entry((partition, offset)).or_default().push(record.accepted);
        let before = latest.insert((record.accepted, record.at.0, partition), offset);
        assert!(before.is_none_or(|before| before < offset), "{partition}/{offset} is told after {before:?}");
    }
    let mut counts = Counts::default();
    for (partition, outcomes) in feed.expected.iter().enumerate() {
        for (offset, outcome) in outcomes.iter().enumerate() {
            let mut told = found.remove(&(partition, offset.try_into().unwrap())).unwrap_or_default();
            told.sort_unstable();
            assert_eq!(told, channels(*outcome), "{partition}/{offset} was made to be {outcome:?}");
            match outcome {
                Outcome::Accepted => counts.accepted += 1,
                Outcome::Partial => counts.partial += 1,
                Outcome::Rejected => counts.rejected += 1,
            }
        }
    }
    assert!(found.is_empty(), "{} positions were told that nobody sent", found.len());
    counts
}
