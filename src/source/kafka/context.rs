//! What librdkafka reports to a consumer: changes of assignment, its log, errors and statistics. A callback runs on the
//! polling thread in the middle of a poll, where nothing can be committed or aborted in good order; so it only writes down
//! what happened, and the loop acts.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientContext, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext, RebalanceProtocol},
    error::{KafkaError, KafkaResult},
    types::RDKafkaRespErr,
};

use super::Lags;
use crate::native;

/// What a consumer that waits for nothing takes to end, many times over.
const ENDING: Duration = Duration::from_millis(200);

/// A change of assignment that librdkafka waits to have answered.
#[derive(Debug)]
pub(crate) enum Change {
    /// These partitions are ours from the answer on.
    Assigned(TopicPartitionList),
    /// These partitions go to somebody else once the answer is given.
    Revoked(TopicPartitionList),
}

impl Change {
    /// Answers it: only the named partitions under the cooperative protocol, all of them under the eager one.
    pub(super) fn apply(self, consumer: &BaseConsumer<Context>) -> KafkaResult<()> {
        let cooperative = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        match (self, cooperative) {
            (Self::Assigned(partitions), true) => consumer.incremental_assign(&partitions),
            (Self::Assigned(partitions), false) => consumer.assign(&partitions),
            (Self::Revoked(partitions), true) => consumer.incremental_unassign(&partitions),
            (Self::Revoked(_), false) => consumer.unassign(),
        }
    }
}

/// Its partitions by topic, as they stand in the log: `events[0,2,4]`.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Assigned(partitions) | Self::Revoked(partitions)) = self;
        let mut topics = BTreeMap::<_, Vec<_>>::new();
        for part in &partitions.elements() {
            topics.entry(part.topic().to_owned()).or_default().push(part.partition());
        }
        for (at, (topic, mut numbers)) in topics.into_iter().enumerate() {
            numbers.sort_unstable();
            let numbers: Vec<_> = numbers.iter().map(i32::to_string).collect();
            write!(f, "{}{topic}[{}]", if at == 0 { "" } else { " " }, numbers.join(","))?;
        }
        Ok(())
    }
}

/// What was reported to one consumer. Only its own thread takes the locks; they are there because callbacks get `&self`.
pub(crate) struct Context {
    changes: Mutex<VecDeque<Change>>,
    lags: Arc<Lags>,
    log: native::Log,
    closing: AtomicBool,
}

impl Context {
    pub(crate) fn new(lags: Arc<Lags>) -> Self {
        Self { changes: Mutex::default(), lags, log: native::Log::default(), closing: AtomicBool::new(false) }
    }

    pub(super) fn take_change(&self) -> Option<Change> {
        lock(&self.changes).pop_front()
    }

    /// Takes back one that couldn't be answered yet: it is the next one.
    pub(super) fn put_back(&self, change: Change) {
        lock(&self.changes).push_front(change);
    }

    pub(super) fn has_change(&self) -> bool {
        !lock(&self.changes).is_empty()
    }

    /// See [`native::Log::misled`].
    pub(super) fn misled(&self) -> bool {
        self.log.misled()
    }

    pub(super) fn close(&self) {
        self.closing.store(true, Relaxed);
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.log.pass_on(level, facility, message);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        // One that is left to itself must not write over its successor's.
        if !self.closing.load(Relaxed) {
            self.lags.read(statistics);
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "the consumer reports an error");
    }
}

impl ConsumerContext for Context {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let change = match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Change::Assigned(partitions.clone()),
            _ => Change::Revoked(partitions.clone()),
        };
        if !self.closing.load(Relaxed) {
            return lock(&self.changes).push_back(change);
        }
        if ends_by_itself(consumer) {
            return;
        }
        if let Err(error) = change.apply(consumer) {
            tracing::warn!(%error, "a closing consumer could not give back its partitions");
        }
    }
}

/// Whether a closing consumer ends without an answer to a change. It may wait for one, or the change is left over from before
/// and it ends at the same moment; librdkafka then never answers whoever calls upon its group.
fn ends_by_itself(consumer: &BaseConsumer<Context>) -> bool {
    let begun = Instant::now();
    while !consumer.closed() {
        if begun.elapsed() > ENDING {
            return false;
        }
        thread::park_timeout(Duration::from_millis(5));
    }
    true
}

/// A panic while one of these is held can't leave it half written: each is replaced or pushed to in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_stand_in_the_log_by_topic() {
        let mut partitions = TopicPartitionList::new();
        for (topic, partition) in [("events", 10), ("boots", 1), ("events", 2)] {
            partitions.add_partition(topic, partition);
        }
        assert_eq!(Change::Assigned(partitions).to_string(), "boots[1] events[2,10]");
        assert_eq!(Change::Revoked(TopicPartitionList::new()).to_string(), "");
    }
}
