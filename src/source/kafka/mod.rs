//! Kafka as a source: the consumer of one shard.
//!
//! The consumer is polled by the thread that owns it and by nobody else. Rebalances are reported, not acted upon
//! ([`context`]): librdkafka waits for the answer, pauses the partitions meanwhile, and the loop gives the answer
//! once the batch in hand is done. Offsets are never committed from here; they travel with the verdicts.
//!
//! Partitions are assigned cooperatively (`cooperative-sticky`): when a process comes or goes, only the partitions that move
//! stop, the others are read on. An operator can choose another strategy, or KIP-848's `group.protocol=consumer`;
//! [`Change::apply`] answers in whatever protocol the group speaks.

mod context;
mod properties;
mod record;
mod statistics;

use std::{sync::Arc, time::Duration};

use rdkafka::{
    ClientConfig, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _, ConsumerGroupMetadata},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code},
    message::BorrowedMessage,
};

pub use self::statistics::{Lag, Lags};
pub(crate) use self::{
    context::{Change, Context},
    properties::{Member, properties},
    record::record,
};

/// The consumer of one shard.
pub(crate) struct Consumer {
    inner: BaseConsumer<Context>,
}

/// What a poll came back with.
pub(crate) enum Polled<'c> {
    /// A record.
    Record(BorrowedMessage<'c>),
    /// Nothing in time, or something that was served on the way: a rebalance to act upon, a passing error.
    Nothing,
    /// No broker can be reached at the moment.
    Unreachable,
}

impl Consumer {
    /// A consumer that joins the group at its first poll.
    pub(crate) fn subscribe(config: &ClientConfig, topics: &[String], context: Context) -> KafkaResult<Self> {
        let inner: BaseConsumer<Context> = config.create_with_context(context)?;
        inner.subscribe(&topics.iter().map(String::as_str).collect::<Vec<_>>())?;
        Ok(Self { inner })
    }

    /// Waits for the next record, `timeout` at most. An error means that records may have been passed over, or that this
    /// consumer will never read again: what was read since the last commit must not be committed.
    pub(crate) fn poll(&self, timeout: Duration) -> KafkaResult<Polled<'_>> {
        match self.inner.poll(timeout) {
            Some(Ok(message)) => Ok(Polled::Record(message)),
            None => Ok(Polled::Nothing),
            Some(Err(error)) if skips_records_or_ends(&error) => Err(error),
            Some(Err(KafkaError::MessageConsumption(Code::AllBrokersDown))) => Ok(Polled::Unreachable),
            // What is left passes by itself: librdkafka connects anew, finds the next leader or coordinator, rejoins.
            // The context has logged it.
            Some(Err(_)) => Ok(Polled::Nothing),
        }
    }

    /// The change of assignment that waits for an answer.
    pub(crate) fn take_change(&self) -> Option<Change> {
        self.inner.context().take_change()
    }

    /// Answers a change of assignment.
    pub(crate) fn apply(&self, change: Change) -> KafkaResult<()> {
        change.apply(&self.inner)
    }

    /// Whether the partitions may belong to another member by now.
    pub(crate) fn assignment_lost(&self) -> bool {
        self.inner.assignment_lost()
    }

    /// The partitions that are assigned.
    pub(crate) fn assignment(&self) -> KafkaResult<TopicPartitionList> {
        self.inner.assignment()
    }

    /// The membership under which offsets are sent to a transaction. Its generation changes with each rebalance, so it is
    /// taken right before.
    pub(crate) fn group_metadata(&self) -> Option<ConsumerGroupMetadata> {
        self.inner.group_metadata()
    }

    /// The group's committed offsets. Waits for transactions that are still open on them (KIP-447).
    pub(crate) fn committed(
        &self,
        partitions: TopicPartitionList,
        timeout: Duration,
    ) -> KafkaResult<TopicPartitionList> {
        self.inner.committed_offsets(partitions, timeout)
    }

    /// Commits offsets outside of a transaction and waits for the answer.
    pub(crate) fn commit(&self, offsets: &TopicPartitionList) -> KafkaResult<()> {
        self.inner.commit(offsets, rdkafka::consumer::CommitMode::Sync)
    }

    /// Reads no further in these partitions; polling goes on.
    pub(crate) fn pause(&self, partitions: &TopicPartitionList) -> KafkaResult<()> {
        if partitions.count() == 0 { Ok(()) } else { self.inner.pause(partitions) }
    }

    /// Reads on in these partitions, where they were paused.
    pub(crate) fn resume(&self, partitions: &TopicPartitionList) -> KafkaResult<()> {
        if partitions.count() == 0 { Ok(()) } else { self.inner.resume(partitions) }
    }

    /// Goes to these offsets; what was fetched before counts no more.
    pub(crate) fn seek(&self, offsets: TopicPartitionList, timeout: Duration) -> KafkaResult<()> {
        if offsets.count() == 0 {
            return Ok(());
        }
        let sought = self.inner.seek_partitions(offsets, timeout)?;
        sought.elements().iter().try_for_each(rdkafka::topic_partition_list::TopicPartitionListElem::error)
    }

    /// Whether a broker answers.
    pub(crate) fn reaches(&self, topic: &str, timeout: Duration) -> bool {
        self.inner.fetch_metadata(Some(topic), timeout).is_ok()
    }

    /// The latest error that librdkafka reported, in its words.
    pub(crate) fn last_error(&self) -> Option<String> {
        self.inner.context().last_error()
    }
}

impl Drop for Consumer {
    /// From here on rebalances are answered at once: rdkafka polls until the consumer has left, and no loop is there any more.
    fn drop(&mut self) {
        self.inner.context().close();
        while let Some(change) = self.take_change() {
            // The consumer is leaving; what it can't give back in order it gives up with its membership.
            let _ = self.apply(change);
        }
    }
}

/// Counts the partitions of a topic; `None` where there is no such topic.
pub(crate) fn partitions(passed: &ClientConfig, topic: &str, timeout: Duration) -> KafkaResult<Option<usize>> {
    let client: BaseConsumer<Context> = passed.create_with_context(Context::new(Arc::default()))?;
    let metadata = client.fetch_metadata(Some(topic), timeout)?;
    let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else { return Ok(None) };
    match found.error().map(Code::from) {
        None => Ok(Some(found.partitions().len())),
        Some(Code::UnknownTopicOrPartition | Code::UnknownTopic) => Ok(None),
        Some(code) => Err(KafkaError::MetadataFetch(code)),
    }
}

/// Errors after which the next record may not be the next one: librdkafka passes over a batch that it can't read, and over a
/// position it can't find. And those after which none will come.
fn skips_records_or_ends(error: &KafkaError) -> bool {
    matches!(error, KafkaError::MessageConsumptionFatal(_))
        || error.rdkafka_error_code().is_some_and(|code| {
            matches!(
                code,
                Code::BadMessage
                    | Code::BadCompression
                    | Code::InvalidMessage
                    | Code::InvalidMessageSize
                    | Code::MessageSizeTooLarge
                    | Code::UnsupportedCompressionType
                    | Code::NotImplemented
                    | Code::AutoOffsetReset
                    | Code::NoOffset
                    | Code::LogTruncation
                    | Code::Fatal
                    | Code::FencedInstanceId
                    | Code::TopicAuthorizationFailed
                    | Code::GroupAuthorizationFailed
                    | Code::InconsistentGroupProtocol
                    | Code::InvalidSessionTimeout
                    | Code::InvalidGroupId
            )
        })
}
