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
    /// Whether there was more than the history allows.
    cut: bool,
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

impl Topic {
    /// A reader of this topic from where its history begins.
    pub(super) fn open(passed: &ClientConfig, name: &str, history: History) -> Result<Self, TopicError> {
        let unusable = |error: KafkaError| TopicError::of(name, error);
        let consumer = properties(passed).create_with_context(Context::default()).map_err(unusable)?;
        let mut topic = Self::of(consumer, name);
        let partitions = partitions(&topic.consumer, name)?;
        let begun = topic.begin(&partitions, history);
        begun.map_err(|error| TopicError::of(name, LookUpError::of(&topic.consumer, error)))?;
        topic.behind = partitions;
        topic.assign().map_err(unusable)?;
        Ok(topic)
    }

    fn of(consumer: BaseConsumer<Context>, name: &str) -> Self {
        let (next, at_end, ends) = Default::default();
        Self { consumer, name: name.to_owned(), next, behind: Vec::new(), at_end, far: false, ends, cut: false }
    }

    /// A new consumer in place of one that is lost.
    pub(super) fn reopen(&mut self, passed: &ClientConfig) -> KafkaResult<()> {
        self.consumer = properties(passed).create_with_context(Context::default())?;
        self.assign()
    }

    /// Looks up where each partition's history begins, and where it ends by now.
    fn begin(&mut self, partitions: &[i32], history: History) -> KafkaResult<()> {
        let since = match history {
            History::Whole => BTreeMap::new(),
            History::Window { time, .. } => self.offsets_at(partitions, time)?,
        };
        let mut ends = BTreeMap::new();
        for partition in partitions {
            let (low, high) = self.consumer.fetch_watermarks(&self.name, *partition, LOOKUP)?;
            let begin = since.get(partition).copied().unwrap_or(low).min(high).max(low);
            let most = match history {
                History::Whole => i64::MAX,
                History::Window { records, .. } => i64::try_from(records / partitions.len() as u64).unwrap_or(i64::MAX),
            };
            let least = high.saturating_sub(most);
            self.cut |= least > begin;
            self.next.insert(*partition, begin.max(least));
            ends.insert(*partition, high);
        }
        self.ends = Arc::new(ends);
        Ok(())
    }

    /// The offset of the first record within this time; that of the end where there is none.
    fn offsets_at(&self, partitions: &[i32], time: Duration) -> KafkaResult<BTreeMap<i32, i64>> {
        let from = super::now() - i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let found = at_time(&self.consumer, &self.name, (partitions, from), LOOKUP)?;
        Ok(found.into_iter().map(|(partition, offset)| (partition, offset.unwrap_or(i64::MAX))).collect())
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
            self.assign().map_err(|error| TopicError::of(&self.name, error))?;
        }
        self.look().map_err(|error| TopicError::of(&self.name, LookUpError::of(&self.consumer, error)))
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

    pub(super) fn cut(&self) -> bool {
        self.cut
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
