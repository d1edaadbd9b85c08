//! One verdict topic, read back by a consumer of its own: no group, no commits. Nobody waits for it, and it takes every
//! partition. When the consumer is lost, the next one reads on from where it stood, so that nothing is counted twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use rdkafka::{
    ClientConfig, ClientContext, Offset, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext},
    error::{KafkaError, KafkaResult},
    message::BorrowedMessage,
};

use super::options::History;
use crate::{
    native,
    source::kafka::{Complains, Complaints, LookUpError, at_time, edges, listed},
};

/// How long a broker may take to answer a look-up.
const LOOKUP: Duration = Duration::from_secs(10);
/// How long to wait for a record.
const WAIT: Duration = Duration::from_millis(100);
/// The most records that are taken at a time.
const BATCH: usize = 1_000;

/// From how many records on the reading is far behind, and from how few on it no longer is.
const FAR: i64 = 10_000;
const NEAR: i64 = 1_000;

/// What librdkafka reports.
#[derive(Default)]
pub(super) struct Context {
    log: native::Log,
    complaints: Complaints,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.log.pass_on(level, facility, message);
    }

    /// Not logged: the ends of partitions are among the errors, and all of them come out of a poll as well.
    fn error(&self, error: KafkaError, reason: &str) {
        self.complaints.hear(&error, reason);
    }
}

impl ConsumerContext for Context {}

impl Complains for Context {
    fn complaints(&self) -> &Complaints {
        &self.complaints
    }
}

/// A reader of one topic.
pub(super) struct Topic {
    consumer: BaseConsumer<Context>,
    name: String,
    /// The next offset of each partition.
    next: BTreeMap<i32, i64>,
    /// Partitions whose end has not been reached yet.
    behind: Vec<i32>,
    /// Partitions at whose end it stands: no record came after that was reached.
    at_end: BTreeSet<i32>,
    /// Whether it was far from the ends when it last looked.
    far: bool,
    /// Where each partition ended when it was opened.
    ends: Arc<BTreeMap<i32, i64>>,
    /// From when on it is read; the least there is where it is read whole.
    from: i64,
}

/// Why a topic can't be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum TopicError {
    /// There is none.
    #[error("there is no topic {0}; `attrsync topics create` makes it")]
    Missing(String),
    /// The cluster says nothing.
    #[error("no broker answers: {0}")]
    Away(LookUpError),
    /// The cluster says no.
    #[error("topic {0}: {1}")]
    Kafka(String, LookUpError),
}

impl TopicError {
    /// What an error about this topic means.
    pub(super) fn of(topic: &str, error: impl Into<LookUpError>) -> Self {
        let error = error.into();
        if error.is_silence() { Self::Away(error) } else { Self::Kafka(topic.to_owned(), error) }
    }
}

/// The properties of a reader, `passed` being the operator's.
fn properties(passed: &ClientConfig) -> ClientConfig {
    let mut config = passed.clone();
    for (name, value) in [
        // Never joined; librdkafka wants a name.
        ("group.id", "attrsync-dashboard"),
        ("client.id", "attrsync-dashboard"),
        ("enable.auto.commit", "false"),
        ("enable.partition.eof", "true"),
        ("isolation.level", "read_committed"),
        ("auto.offset.reset", "earliest"),
        ("fetch.queue.backoff.ms", "10"),
        ("queued.max.messages.kbytes", "8192"),
    ] {
        config.set(name, value);
    }
    native::hear_warnings(&mut config);
    config
}

/// The partitions of a topic.
pub(super) fn partitions(consumer: &BaseConsumer<Context>, name: &str) -> Result<Vec<i32>, TopicError> {
    let found = listed(consumer, name, LOOKUP).map_err(|error| TopicError::of(name, error))?;
    found.filter(|partitions| !partitions.is_empty()).ok_or_else(|| TopicError::Missing(name.to_owned()))
}

/// Whether a consumer is at its end, or may never read a partition again (see [`native::Log::misled`]).
pub(super) fn is_lost(consumer: &BaseConsumer<Context>) -> bool {
    consumer.client().fatal_error().is_some() || consumer.context().log.misled()
}

/// The first time in this span from which on there are at most so many records; `records` says how many there are from a time on, and from
/// the end of the span on there are none.
fn fitting<E>((mut from, mut end): (i64, i64), most: i64, records: impl Fn(i64) -> Result<i64, E>) -> Result<i64, E> {
    if records(from)? <= most {
        return Ok(from);
    }
    while end - from > 1 {
        let middle = from + (end - from) / 2;
        if records(middle)? > most { from = middle } else { end = middle }
    }
    Ok(end)
}

impl Topic {
    /// This topic, to be begun.
    pub(super) fn open(passed: &ClientConfig, name: &str) -> Result<Self, TopicError> {
        let created = properties(passed).create_with_context(Context::default());
        let mut topic = Self::of(created.map_err(|error| TopicError::of(name, error))?, name);
        topic.behind = partitions(&topic.consumer, name)?;
        topic.measure().map_err(|error| topic.failed(error))?;
        Ok(topic)
    }

    fn of(consumer: BaseConsumer<Context>, name: &str) -> Self {
        let (next, at_end, ends) = Default::default();
        Self { consumer, name: name.to_owned(), next, behind: Vec::new(), at_end, far: false, ends, from: i64::MIN }
    }

    /// A new consumer in place of one that is lost.
    pub(super) fn reopen(&mut self, passed: &ClientConfig) -> KafkaResult<()> {
        self.consumer = properties(passed).create_with_context(Context::default())?;
        self.assign()
    }

    fn failed(&self, error: KafkaError) -> TopicError {
        TopicError::of(&self.name, LookUpError::of(&self.consumer, error))
    }

    /// Looks up where each partition begins, and where it ends by now.
    fn measure(&mut self) -> KafkaResult<()> {
        let mut ends = BTreeMap::new();
        for partition in &self.behind {
            let (low, high) = self.consumer.fetch_watermarks(&self.name, *partition, LOOKUP)?;
            self.next.insert(*partition, low);
            ends.insert(*partition, high);
        }
        self.ends = Arc::new(ends);
        Ok(())
    }

    /// From when on it can be read, this early at the earliest: where there is more than the history allows, later, at one time for all
    /// partitions, however differently they fill.
    pub(super) fn since(&self, history: History, earliest: i64) -> Result<i64, TopicError> {
        let History::Window { records, .. } = history else { return Ok(earliest) };
        let most = i64::try_from(records).unwrap_or(i64::MAX);
        let since = fitting((earliest, super::now()), most, |time| self.records_since(time));
        since.map_err(|error| self.failed(error))
    }

    fn records_since(&self, time: i64) -> KafkaResult<i64> {
        let offsets = self.offsets_at(time)?;
        let end = |partition| self.ends.get(partition).copied().unwrap_or_default();
        Ok(offsets.iter().map(|(partition, offset)| (end(partition) - offset).max(0)).sum())
    }

    /// Begins to read: everything, or from this time on.
    pub(super) fn begin(&mut self, history: History, from: i64) -> Result<(), TopicError> {
        if let History::Window { .. } = history {
            self.next = self.offsets_at(from).map_err(|error| self.failed(error))?;
            self.from = from;
        }
        self.assign().map_err(|error| self.failed(error))
    }

    /// The offset of the first record of this time or later; that of the end where there is none.
    fn offsets_at(&self, time: i64) -> KafkaResult<BTreeMap<i32, i64>> {
        let found = at_time(&self.consumer, &self.name, (&self.behind, time), LOOKUP)?;
        let end = |partition| self.ends.get(&partition).copied().unwrap_or_default();
        Ok(found.into_iter().map(|(partition, offset)| (partition, offset.unwrap_or_else(|| end(partition)))).collect())
    }

    fn assign(&self) -> KafkaResult<()> {
        let mut all = TopicPartitionList::new();
        for (partition, offset) in &self.next {
            all.add_partition_offset(&self.name, *partition, Offset::Offset(*offset))?;
        }
        self.consumer.assign(&all)
    }

    /// Looks for partitions that were added, and reads them from their beginning.
    pub(super) fn refresh(&mut self) -> Result<(), TopicError> {
        let known = self.next.len();
        for partition in partitions(&self.consumer, &self.name)? {
            self.next.entry(partition).or_insert(0);
        }
        if self.next.len() > known {
            self.assign().map_err(|error| self.failed(error))?;
        }
        self.look().map_err(|error| self.failed(error))
    }

    /// Looks how far the ends are.
    fn look(&mut self) -> KafkaResult<()> {
        let mut all = TopicPartitionList::new();
        for partition in self.next.keys() {
            all.add_partition(&self.name, *partition);
        }
        let ends = edges(&self.consumer, all, Offset::End, LOOKUP)?;
        let waiting = self.waiting(ends.into_iter().map(|end| (end.partition, end.offset.0)));
        self.far = waiting >= if self.far { NEAR } else { FAR };
        Ok(())
    }

    /// How many records wait where the partitions end there. Offsets are no count of them: behind the last one stand the marker of its
    /// transaction and what was aborted, so that nothing waits where the end was reached.
    fn waiting(&self, ends: impl Iterator<Item = (i32, i64)>) -> i64 {
        let ahead = |(partition, end): (i32, i64)| {
            let next = self.next.get(&partition).filter(|_| !self.at_end.contains(&partition));
            next.map_or(0, |next| (end - next).max(0))
        };
        ends.map(ahead).sum()
    }

    /// The next records; none after a moment without any. An error is one that does not pass by itself, or soon.
    pub(super) fn read(&mut self) -> Result<Vec<BorrowedMessage<'_>>, LookUpError> {
        let mut records = Vec::new();
        let mut wait = WAIT;
        while records.len() < BATCH {
            match self.consumer.poll(wait) {
                Some(Ok(record)) => {
                    let partition = rdkafka::Message::partition(&record);
                    self.next.insert(partition, rdkafka::Message::offset(&record) + 1);
                    self.at_end.remove(&partition);
                    records.push(record);
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    self.behind.retain(|behind| *behind != partition);
                    self.at_end.insert(partition);
                }
                // What was read before an error is not to be lost; the error comes again, or has passed.
                Some(Err(error)) if records.is_empty() => return Err(LookUpError::of(&self.consumer, error)),
                Some(Err(_)) | None => break,
            }
            wait = Duration::ZERO;
        }
        Ok(records)
    }

    /// See [`is_lost`].
    pub(super) fn is_lost(&self) -> bool {
        is_lost(&self.consumer)
    }

    /// Whether each end has been reached once.
    pub(super) fn read_back(&self) -> bool {
        self.behind.is_empty()
    }

    /// Whether it also stands close to the ends now.
    pub(super) fn caught_up(&self) -> bool {
        self.read_back() && !self.far
    }

    /// Where each partition ended when the topic was opened: what comes after that is news, whatever the clocks of those who write
    /// say. One that was added later is news as a whole.
    pub(super) fn ends(&self) -> Arc<BTreeMap<i32, i64>> {
        Arc::clone(&self.ends)
    }

    /// From when on it is read. Older records follow the first one of that time, where several write at once.
    pub(super) fn from(&self) -> i64 {
        self.from
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::error::RDKafkaErrorCode as Code;

    use super::*;

    /// It never connects.
    fn topic() -> Topic {
        let consumer = properties(&ClientConfig::new()).create_with_context(Context::default()).unwrap();
        Topic::of(consumer, "verdicts")
    }

    #[test]
    fn what_does_not_fit_is_left_out_to_the_millisecond_and_nothing_else_is() {
        let written: Vec<i64> = (0..1_000).map(|number| 100_000 + 7 * (number / 3)).collect();
        let records = |time: i64| written.iter().filter(|at| **at >= time).count().try_into().map_err(drop);
        for most in [0, 1, 2, 3, 500, 999] {
            let from = fitting((0, 200_000), most, records).unwrap();
            assert!(records(from).unwrap() <= most && records(from - 1).unwrap() > most, "{most}: {from}");
        }
        for most in [1_000, i64::MAX] {
            assert_eq!(fitting((99_000, 200_000), most, records), Ok(99_000), "all of it fits");
        }
        assert_eq!(fitting((0, 200_000), 0, |_| Err("no broker answers")), Err("no broker answers"));
    }

    #[test]
    fn a_consumer_that_was_told_that_nobody_leads_a_partition_is_lost_and_the_next_one_is_not() {
        let mut topic = topic();
        assert!(!topic.is_lost());
        topic.consumer.context().log(RDKafkaLogLevel::Warning, "METADATAUPDATE", "leader -1");
        assert!(topic.is_lost());
        topic.reopen(&ClientConfig::new()).unwrap();
        assert!(!topic.is_lost());
    }

    #[test]
    fn what_waits_lies_before_the_ends_of_partitions_that_were_not_reached() {
        let mut topic = topic();
        topic.next = [(0, 100), (1, 50), (2, 7)].into();
        topic.at_end = [1].into();
        assert_eq!(topic.waiting([(0, 130), (1, 52), (2, 5), (3, 9)].into_iter()), 30);
        topic.at_end.clear();
        assert_eq!(topic.waiting([(0, 130), (1, 52)].into_iter()), 32);
    }

    #[test]
    fn a_topic_that_is_far_behind_is_read_back_and_not_caught_up() {
        let mut topic = topic();
        topic.behind = vec![0];
        assert!(!topic.read_back() && !topic.caught_up());
        topic.behind.clear();
        assert!(topic.read_back() && topic.caught_up());
        topic.far = true;
        assert!(topic.read_back() && !topic.caught_up());
    }

    #[test]
    fn a_host_that_nobody_knows_is_told_as_a_broker_that_does_not_answer_and_a_refusal_as_what_it_is() {
        let told = |code| TopicError::of("verdicts", KafkaError::MetadataFetch(code)).to_string();
        for silence in [Code::Resolve, Code::BrokerTransportFailure, Code::OperationTimedOut] {
            assert!(told(silence).starts_with("no broker answers: "), "{silence:?}");
        }
        let refused = told(Code::TopicAuthorizationFailed);
        assert!(refused.starts_with("topic verdicts: "), "{refused}");
    }
}
