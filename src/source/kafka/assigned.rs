//! A consumer that is told by hand what to read: no group assigns it anything, it joins none, and it commits nothing by itself. Its
//! group's name serves those who keep in Kafka how far they are.
//!
//! It says where a partition ends, which is how a reader of a range knows that nothing more will come: markers of transactions and
//! records that were aborted or compacted away take offsets, too, so that no record may stand where the range ends.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig, ClientContext, Offset as KafkaOffset, Statistics, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, ConsumerGroupMetadata},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code},
    message::BorrowedMessage,
    topic_partition_list::TopicPartitionListElem,
};

use super::{
    Complains, Complaints, Failure, Keeper, LookUpError, failure,
    look_up::{at_time, known, listed},
};
use crate::native;

/// How often it counts what came.
const STATISTICS: Duration = Duration::from_millis(50);

/// What such a consumer is beyond what the operator passes through.
#[derive(Debug, Clone)]
pub(crate) struct Hand {
    /// The name under which it keeps how far it is.
    pub(crate) group: String,
    /// The client's name in logs and in the broker's view.
    pub(crate) client: String,
    /// Bytes of fetched records that may wait.
    pub(crate) queue_bytes: usize,
    /// The most bytes that one look at a partition fetches, but for a single batch that is larger.
    pub(crate) fetch_bytes: usize,
    /// Fewer records than this that wait have more fetched.
    pub(crate) ahead: u32,
}

/// A consumer that is told by hand what to read.
pub(crate) struct Assigned {
    inner: BaseConsumer<Context>,
    group: String,
}

/// What a poll came back with.
pub(crate) enum Came<'c> {
    /// A record.
    Record(BorrowedMessage<'c>),
    /// The end of this partition: everything that readers of committed records see has come.
    End(i32),
    /// The position isn't there (any more).
    OutOfRange,
    /// Nothing in time, or something that passes.
    Nothing,
}

/// The properties of such a consumer, `passed` being the operator's.
fn properties(hand: &Hand, passed: &ClientConfig) -> ClientConfig {
    let mut config = passed.clone();
    for (name, value) in [("fetch.queue.backoff.ms", "10"), ("reconnect.backoff.max.ms", "2000")] {
        if passed.get(name).is_none() {
            config.set(name, value);
        }
    }
    // A follower tells of its own end, which may be before the one that was looked up.
    config.remove("client.rack");
    // Beside the queue one answer of a broker is held.
    let kilobytes = (hand.queue_bytes / 1024).max(64).to_string();
    for (name, value) in [
        ("group.id", hand.group.as_str()),
        ("client.id", &hand.client),
        ("isolation.level", "read_committed"),
        ("enable.auto.commit", "false"),
        ("enable.auto.offset.store", "false"),
        ("enable.partition.eof", "true"),
        // A position that is gone is for the reader to tell of, never to pass over.
        ("auto.offset.reset", "error"),
        ("queued.max.messages.kbytes", &kilobytes),
        ("queued.min.messages", &hand.ahead.to_string()),
        ("max.partition.fetch.bytes", &hand.fetch_bytes.to_string()),
        ("statistics.interval.ms", &STATISTICS.as_millis().to_string()),
    ] {
        config.set(name, value);
    }
    config
}

impl Assigned {
    /// A consumer that reads nothing yet.
    pub(crate) fn new(hand: &Hand, passed: &ClientConfig) -> KafkaResult<Self> {
        let inner = properties(hand, passed).create_with_context(Context::default())?;
        Ok(Self { inner, group: hand.group.clone() })
    }

    /// The partitions of a topic; `None` where there is no such topic.
    pub(crate) fn partitions(&self, topic: &str, timeout: Duration) -> Result<Option<Vec<i32>>, LookUpError> {
        listed(&self.inner, topic, timeout)
    }

    /// The first offset that is kept, and the one after the last that readers of committed records may see.
    pub(crate) fn watermarks(&self, topic: &str, partition: i32, timeout: Duration) -> Result<(i64, i64), LookUpError> {
        self.inner.fetch_watermarks(topic, partition, timeout).map_err(|error| self.unknown(error))
    }

    /// The first offset of each partition whose record is of this time or later; `None` where there is none.
    pub(crate) fn at_time(
        &self,
        topic: &str,
        (partitions, millis): (&[i32], i64),
        timeout: Duration,
    ) -> Result<Vec<(i32, Option<i64>)>, LookUpError> {
        at_time(&self.inner, topic, (partitions, millis), timeout).map_err(|error| self.unknown(error))
    }

    fn unreadable(&self, error: KafkaError) -> Failure {
        let assigned = self.inner.assignment();
        let topic = |partition: &TopicPartitionListElem<'_>| partition.topic().to_owned();
        let topics: Vec<_> =
            assigned.iter().flat_map(|all| all.elements().iter().map(topic).collect::<Vec<_>>()).collect();
        failure::unreadable(error, &self.group, &topics)
    }

    fn unknown(&self, error: KafkaError) -> LookUpError {
        LookUpError::of(&self.inner, error)
    }

    /// How far the group says it is. Waits for transactions that are open on it (KIP-447).
    pub(crate) fn committed(
        &self,
        topic: &str,
        partitions: &[i32],
        timeout: Duration,
    ) -> Result<Vec<(i32, Option<i64>)>, LookUpError> {
        let mut all = TopicPartitionList::new();
        for partition in partitions {
            all.add_partition(topic, *partition);
        }
        let committed = self.inner.committed_offsets(all, timeout).map_err(|error| self.unknown(error))?;
        Ok(known(&committed)?)
    }

    /// Reads this partition from this offset on, and nothing else.
    pub(crate) fn assign(&self, topic: &str, partition: i32, offset: i64) -> KafkaResult<()> {
        let mut one = TopicPartitionList::new();
        one.add_partition_offset(topic, partition, KafkaOffset::Offset(offset))?;
        self.inner.assign(&one)
    }

    /// Waits for the next record, `timeout` at most.
    pub(crate) fn poll(&self, timeout: Duration) -> Result<Came<'_>, Failure> {
        match self.inner.poll(timeout) {
            Some(Ok(message)) => Ok(Came::Record(message)),
            Some(Err(KafkaError::PartitionEOF(partition))) => Ok(Came::End(partition)),
            Some(Err(error)) if error.rdkafka_error_code() == Some(Code::AutoOffsetReset) => Ok(Came::OutOfRange),
            Some(Err(error)) if failure::is_fatal(&error) => Err(Failure::Broken(error)),
            Some(Err(error)) if failure::is_unreadable(&error) => Err(self.unreadable(error)),
            // What is left passes by itself; a reader that waits too long gives up.
            Some(Err(_)) | None => Ok(Came::Nothing),
        }
    }

    /// Bytes that came from the brokers, as of the latest statistics.
    pub(crate) fn fetched_so_far(&self) -> u64 {
        self.inner.context().bytes.load(Relaxed)
    }

    /// Bytes that came from the brokers. Nothing is read any more from here on.
    pub(crate) fn fetched_bytes(&self) -> u64 {
        let context = self.inner.context();
        if self.inner.unassign().is_ok() {
            // What is written now may have been counted before: the one after it is of now.
            let (seen, begun) = (context.statistics.load(Relaxed), Instant::now());
            while context.statistics.load(Relaxed) < seen + 2 && begun.elapsed() < 10 * STATISTICS {
                let _ = self.inner.poll(STATISTICS / 4);
            }
        }
        self.fetched_so_far()
    }
}

impl Keeper for Assigned {
    /// The group, and no member of it.
    fn group_metadata(&self) -> Option<ConsumerGroupMetadata> {
        self.inner.group_metadata()
    }

    fn commit(&self, offsets: &TopicPartitionList) -> KafkaResult<()> {
        self.inner.commit(offsets, CommitMode::Sync)
    }
}

/// What librdkafka reports.
#[derive(Default)]
struct Context {
    log: native::Log,
    complaints: Complaints,
    bytes: AtomicU64,
    /// How often they came.
    statistics: AtomicU64,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.log.pass_on(level, facility, message);
    }

    fn stats(&self, statistics: Statistics) {
        self.bytes.store(u64::try_from(statistics.rx_bytes).unwrap_or(0), Relaxed);
        self.statistics.fetch_add(1, Relaxed);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "a consumer of history reports an error");
        self.complaints.hear(&error, reason);
    }
}

impl Complains for Context {
    fn complaints(&self) -> &Complaints {
        &self.complaints
    }
}

impl ConsumerContext for Context {}
