//! Kafka as a source: the consumer of one shard.
//!
//! The consumer is polled by the thread that owns it and by nobody else. Rebalances are reported, not acted upon
//! ([`context`]): librdkafka waits for the answer, pauses the partitions meanwhile, and the loop gives the answer
//! once the batch in hand is done. Offsets are never committed from here; they travel with the verdicts.
//!
//! Partitions are assigned cooperatively (`cooperative-sticky`): when a process comes or goes, only the partitions that move
//! stop, the others are read on. An operator can choose another strategy, or KIP-848's `group.protocol=consumer`;
//! [`Change::apply`] answers in whatever protocol the group speaks.

mod assigned;
mod context;
mod failure;
mod group;
mod look_up;
mod properties;
mod record;
mod statistics;
mod trouble;

use std::{
    ops::Deref,
    sync::Arc,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig, Offset as KafkaOffset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerGroupMetadata},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code},
    message::BorrowedMessage,
    topic_partition_list::TopicPartitionListElem,
};

pub(crate) use self::{
    assigned::{Assigned, Came, Hand},
    context::Change,
    group::{Settled, settled},
    look_up::{at_time, edges, listed},
    properties::{Member, members_assign, properties},
    record::record,
    trouble::{Complains, Complaints, LookingUp, is_refusal, lacking},
};
use self::{context::Context, look_up::Edge};
pub use self::{
    failure::Failure,
    statistics::{Fetched, Lag, Lags},
    trouble::LookUpError,
};
use crate::{domain::Offset, native};

/// What a consumer is made from, and made from again.
#[derive(Clone)]
pub(crate) struct Membership {
    /// Its properties.
    pub(crate) config: ClientConfig,
    /// The topics that it reads.
    pub(crate) topics: Vec<String>,
    /// Where it reports its lag.
    pub(crate) lags: Arc<Lags>,
}

/// How long a consumer may take to end.
const ENDING: Duration = Duration::from_secs(5);

/// How long a topic may be unknown that was made a moment ago: the controller has it before all brokers do.
const MADE_LATELY: Duration = Duration::from_secs(2);
/// The pause before it is looked for again.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// The consumer of one shard.
pub(crate) struct Consumer {
    inner: Client,
    membership: Membership,
}

/// Who keeps in Kafka how far it is.
pub(crate) trait Keeper {
    /// Under which name offsets are sent to a transaction. A member's generation changes with each rebalance, so it is taken
    /// right before.
    fn group_metadata(&self) -> Option<ConsumerGroupMetadata>;

    /// Commits offsets outside of a transaction and waits for the answer.
    fn commit(&self, offsets: &TopicPartitionList) -> KafkaResult<()>;
}

impl Keeper for Consumer {
    fn group_metadata(&self) -> Option<ConsumerGroupMetadata> {
        self.inner.group_metadata()
    }

    fn commit(&self, offsets: &TopicPartitionList) -> KafkaResult<()> {
        self.inner.commit(offsets, CommitMode::Sync)
    }
}

/// What a poll came back with.
pub(crate) enum Polled<'c> {
    /// A record.
    Record(BorrowedMessage<'c>),
    /// Nothing in time, or something that was served on the way: a rebalance to act upon, a passing error.
    Nothing,
    /// A broker can't be reached at the moment; others may be.
    Unreachable,
}

impl Membership {
    fn client(&self) -> KafkaResult<Client> {
        self.config.create_with_context(Context::new(Arc::clone(&self.lags))).map(|client| Client(Some(client)))
    }

    fn subscribe(&self, client: &BaseConsumer<Context>) -> KafkaResult<()> {
        client.subscribe(&self.topics.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

impl Consumer {
    /// A consumer that joins the group.
    pub(crate) fn join(membership: Membership) -> KafkaResult<Self> {
        let inner = membership.client()?;
        membership.subscribe(&inner)?;
        Ok(Self { inner, membership })
    }

    /// Puts a new consumer in place of this one, which knows nothing of what was read: it reads on from what the group has
    /// committed. It joins once the old one is gone, since two of one name would fence each other.
    pub(crate) fn rejoin(&mut self) -> KafkaResult<()> {
        // The old one ends here.
        self.inner = self.membership.client()?;
        self.membership.subscribe(&self.inner)
    }

    /// Waits for the next record, `timeout` at most.
    pub(crate) fn poll(&self, timeout: Duration) -> Result<Polled<'_>, Failure> {
        match self.inner.poll(timeout) {
            Some(Ok(message)) => Ok(Polled::Record(message)),
            None => Ok(Polled::Nothing),
            Some(Err(error)) if failure::is_fatal(&error) => Err(self.over().unwrap_or(Failure::Broken(error))),
            Some(Err(error)) if failure::is_unreadable(&error) => {
                let group = self.membership.config.get("group.id").unwrap_or_default();
                Err(failure::unreadable(error, group, &self.membership.topics))
            }
            Some(Err(error)) if error.rdkafka_error_code().is_some_and(failure::is_unreachable) => {
                Ok(Polled::Unreachable)
            }
            // What is left passes by itself: librdkafka finds the next leader or coordinator, rejoins.
            // The context has logged it.
            Some(Err(_)) => Ok(Polled::Nothing),
        }
    }

    /// Why this consumer is at its end, if it is. A poll tells that once, and returns nothing from then on.
    pub(crate) fn over(&self) -> Option<Failure> {
        let Some((code, _)) = self.inner.client().fatal_error() else {
            return self.inner.context().misled().then_some(Failure::Misled);
        };
        let name = |property| self.membership.config.get(property).unwrap_or_default().to_owned();
        Some(match code {
            Code::FencedInstanceId => Failure::Fenced { group: name("group.id"), instance: name("group.instance.id") },
            _ => Failure::Broken(KafkaError::MessageConsumptionFatal(code)),
        })
    }

    /// The client's name in logs and in the broker's view.
    pub(crate) fn name(&self) -> &str {
        self.membership.config.get("client.id").unwrap_or_default()
    }

    /// The change of assignment that waits for an answer.
    pub(crate) fn take_change(&self) -> Option<Change> {
        self.inner.context().take_change()
    }

    /// Whether a change of assignment waits.
    pub(crate) fn has_change(&self) -> bool {
        self.inner.context().has_change()
    }

    /// Takes back a change that couldn't be answered yet: it is the next one to be.
    pub(crate) fn put_back(&self, change: Change) {
        self.inner.context().put_back(change);
    }

    /// Answers a change of assignment. A consumer that won't take the answer has an assignment that nobody knows.
    pub(crate) fn apply(&self, change: Change) -> Result<(), Failure> {
        change.apply(&self.inner).map_err(Failure::Broken)
    }

    /// Where these partitions are to be read from: each from what the group has committed, or, where it says that it never committed
    /// anything, from where `auto.offset.reset` says. librdkafka would ask by itself, but where an answer is late or is an error it
    /// takes a partition for one that was never committed, or asks never again.
    pub(crate) fn starts(&self, partitions: TopicPartitionList, timeout: Duration) -> KafkaResult<TopicPartitionList> {
        let first = properties::first(&self.membership.config);
        let mut starts = TopicPartitionList::new();
        for found in self.committed(partitions, timeout)?.elements() {
            let known = matches!(found.offset(), KafkaOffset::Offset(_));
            let start = if known { found.offset() } else { first };
            starts.add_partition_offset(found.topic(), found.partition(), start)?;
        }
        Ok(starts)
    }

    /// Whether the partitions may belong to another member by now.
    pub(crate) fn assignment_lost(&self) -> bool {
        self.inner.assignment_lost()
    }

    /// The partitions that are assigned.
    pub(crate) fn assignment(&self) -> KafkaResult<TopicPartitionList> {
        self.inner.assignment()
    }

    /// The group's committed offsets. Waits for transactions that are still open on them (KIP-447).
    pub(crate) fn committed(
        &self,
        partitions: TopicPartitionList,
        timeout: Duration,
    ) -> KafkaResult<TopicPartitionList> {
        let found = self.inner.committed_offsets(partitions, timeout)?;
        // Each has an error of its own, beside an offset that looks like that of a partition that was never committed.
        found.elements().iter().try_for_each(TopicPartitionListElem::error)?;
        Ok(found)
    }

    /// Reads no further in these partitions; polling goes on.
    pub(crate) fn pause(&self, partitions: &TopicPartitionList) -> KafkaResult<()> {
        if partitions.count() == 0 { Ok(()) } else { self.inner.pause(partitions) }
    }

    /// Reads on in these partitions, where they were paused.
    pub(crate) fn resume(&self, partitions: &TopicPartitionList) -> KafkaResult<()> {
        if partitions.count() == 0 { Ok(()) } else { self.inner.resume(partitions) }
    }

    /// Where a partition begins, as its leader told by the way.
    pub(crate) fn begins(&self, topic: &str, partition: i32) -> Option<Offset> {
        native::begins(&self.inner, topic, partition).map(Offset)
    }

    /// Where these partitions end for readers of committed records (see [`edges`]).
    pub(crate) fn ends(&self, partitions: TopicPartitionList, timeout: Duration) -> KafkaResult<Vec<Edge>> {
        edges(&self.inner, partitions, KafkaOffset::End, timeout)
    }

    /// Goes to these offsets; what was fetched before counts no more.
    pub(crate) fn seek(&self, offsets: TopicPartitionList, timeout: Duration) -> KafkaResult<()> {
        if offsets.count() == 0 {
            return Ok(());
        }
        let sought = self.inner.seek_partitions(offsets, timeout)?;
        sought.elements().iter().try_for_each(TopicPartitionListElem::error)
    }

    /// Whether a broker answers this consumer. Where none does, another client says why: this one can't be polled for it here.
    pub(crate) fn reach(&self, topic: &str, timeout: Duration) -> Result<(), LookUpError> {
        self.inner.fetch_metadata(Some(topic), timeout).map(drop).map_err(|error| {
            let told = partitions(&self.membership.config, topic, timeout).err();
            told.filter(LookUpError::is_silence).unwrap_or_else(|| error.into())
        })
    }
}

/// A client that leaves its group when it is dropped, and is waited for no longer than [`ENDING`]: librdkafka doesn't always come back
/// from closing one that was fenced, and the shard has to go on, or to end.
struct Client(Option<BaseConsumer<Context>>);

impl Deref for Client {
    type Target = BaseConsumer<Context>;

    fn deref(&self) -> &Self::Target {
        self.0.as_ref().expect("taken only when it is dropped")
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let Some(client) = self.0.take() else { return };
        // From here on rebalances are answered at once: rdkafka polls until the consumer has left, and no loop is there any more.
        client.context().close();
        while let Some(change) = client.context().take_change() {
            // The consumer is leaving; what it can't give back in order it gives up with its membership.
            let _ = change.apply(&client);
        }
        if native::within(ENDING, || drop(client)).is_none() {
            tracing::warn!("a consumer has not ended within {} s; it is left to itself", ENDING.as_secs());
        }
    }
}

/// Counts the partitions of a topic; `None` where there is no such topic.
fn partitions(passed: &ClientConfig, topic: &str, timeout: Duration) -> Result<Option<usize>, LookUpError> {
    Ok(listed(&outsider(passed)?, topic, timeout)?.map(|partitions| partitions.len()))
}

/// The same of a topic that may have been made a moment ago, and is then looked for again. `stopped` waits for so long, and says whether
/// to wait no longer.
pub(crate) fn partitions_made_lately(
    passed: &ClientConfig,
    topic: &str,
    timeout: Duration,
    mut stopped: impl FnMut(Duration) -> bool,
) -> Result<Option<usize>, LookUpError> {
    let mut missing = None;
    loop {
        let found = partitions(passed, topic, timeout)?;
        let since = missing.get_or_insert_with(Instant::now);
        if found.is_some() || since.elapsed() >= MADE_LATELY || stopped(LOOK_AGAIN) {
            return Ok(found);
        }
    }
}

/// A client for look-ups, which is no member of anything, and nobody looks at what it counts.
pub(crate) fn outsider(passed: &ClientConfig) -> Result<BaseConsumer<LookingUp>, LookUpError> {
    let mut config = passed.clone();
    for name in ["group.id", "group.instance.id", "statistics.interval.ms"] {
        config.remove(name);
    }
    Ok(config.create_with_context(LookingUp::default())?)
}
