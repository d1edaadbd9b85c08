//! One batch: records in, verdicts out, one commit. A batch owns nothing beyond itself; whatever way it ends, its
//! transaction is ended before it returns.

use std::time::{Duration, Instant};

use rdkafka::message::{BorrowedMessage, Message as _};

use super::{
    ShardStats,
    fault::Fault,
    judging::{Judged, Judging},
    progress::Progress,
    shard::position,
    stats::Times,
    transaction::{Outbox, Transaction},
};
use crate::{
    domain::{Offset, Partition, Position},
    source::kafka::{Consumer, Polled},
};

/// What ends a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The most time from its first record to its commit.
    pub(super) interval: Duration,
    /// The most records.
    pub(super) records: usize,
}

/// A record that was read and is not in the batch: where it is, when it is to be judged, and by which version of the settings
/// that was said.
pub(super) struct GivenBack {
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) judged: Judged,
    pub(super) version: u64,
}

/// A batch in hand.
pub(super) struct Batch<'s> {
    limits: Limits,
    begun: Instant,
    /// Of its time what went into waiting for records.
    waited: Duration,
    /// Offsets before its records that were deleted before they were read.
    gone: u64,
    consumer: &'s Consumer,
    judging: &'s mut Judging,
    progress: &'s mut Progress,
}

impl<'s> Batch<'s> {
    /// A batch that begins now.
    pub(super) fn new(
        limits: Limits,
        consumer: &'s Consumer,
        judging: &'s mut Judging,
        progress: &'s mut Progress,
    ) -> Self {
        Self { limits, begun: Instant::now(), waited: Duration::ZERO, gone: 0, consumer, judging, progress }
    }

    /// Judges, sends and commits, beginning with this record. The answer is a record that is to be read once more; without any
    /// time for the batch it is this one.
    pub(super) fn run(
        mut self,
        first: BorrowedMessage<'_>,
        outbox: &mut Outbox,
        counts: &ShardStats,
    ) -> Result<Option<GivenBack>, Fault> {
        // Written down before anything can fail: it has been polled, and a recovery has to go back to it.
        self.read(&first)?;
        if self.limits.interval.is_zero() {
            return Ok(Some(self.give_back(&first, Judged::Next)));
        }
        let transaction = outbox.begin()?;
        let given_back = match self.fill(first, &transaction, counts) {
            Ok(_) if self.consumer.assignment_lost() => {
                // A rival of its name takes the assignment too, and is the reason to tell.
                let fault = self.consumer.over().map_or(Fault::AssignmentLost, Fault::Reading);
                return Err(transaction.abort(fault));
            }
            Ok(given_back) => given_back,
            Err(fault) => return Err(transaction.abort(fault)),
        };
        let offsets = self.progress.to_commit().map_err(position)?;
        if offsets.count() == 0 {
            transaction.discard()?;
            return Ok(given_back);
        }
        let filled = self.begun.elapsed();
        transaction.commit(self.consumer, &offsets)?;
        self.told(filled, counts);
        self.judging.committed();
        self.progress.committed();
        Ok(given_back)
    }

    /// Counts what was committed, and where its time went.
    fn told(&self, filled: Duration, counts: &ShardStats) {
        let batch = self.begun.elapsed();
        let times = Times { batch, judging: filled.saturating_sub(self.waited), commit: batch.saturating_sub(filled) };
        counts.committed(self.judging.tally(), &times);
        counts.add_gone(self.gone);
        counts.lags().committed(self.progress.last(), jiff::Timestamp::now().as_millisecond());
    }

    fn fill(
        &mut self,
        first: BorrowedMessage<'_>,
        transaction: &Transaction<'_>,
        counts: &ShardStats,
    ) -> Result<Option<GivenBack>, Fault> {
        let consumer = self.consumer;
        let mut message = first;
        for records in 1.. {
            match self.judging.judge(&message, transaction)? {
                Judged::Sent => {}
                judged => return Ok(Some(self.give_back(&message, judged))),
            }
            if records >= self.limits.records {
                break;
            }
            match self.next(consumer, records, counts)? {
                Some(next) => message = next,
                None => break,
            }
            self.read(&message)?;
        }
        Ok(None)
    }

    fn give_back(&mut self, message: &BorrowedMessage<'_>, judged: Judged) -> GivenBack {
        let (topic, partition, offset) = (message.topic().to_owned(), message.partition(), message.offset());
        let at = Position { topic: &topic, partition: Partition(partition), offset: Offset(offset) };
        self.progress.give_back(at);
        GivenBack { topic, partition, offset, judged, version: self.judging.version() }
    }

    /// The next record, if there is one in time. While they lie ready the clock is read, and others are told, for every
    /// sixteenth alone.
    fn next<'c>(
        &mut self,
        consumer: &'c Consumer,
        at: usize,
        counts: &ShardStats,
    ) -> Result<Option<BorrowedMessage<'c>>, Fault> {
        if !at.is_multiple_of(16)
            && let Polled::Record(next) = consumer.poll(Duration::ZERO).map_err(Fault::Reading)?
        {
            return Ok(Some(next));
        }
        counts.set_in_flight(at);
        let begun = self.begun.elapsed();
        let left = self.limits.interval.saturating_sub(begun);
        if left.is_zero() || consumer.has_change() {
            return Ok(None);
        }
        let polled = consumer.poll(left).map_err(Fault::Reading)?;
        self.waited += self.begun.elapsed().saturating_sub(begun);
        match polled {
            Polled::Record(next) => Ok(Some(next)),
            Polled::Nothing | Polled::Unreachable => Ok(None),
        }
    }

    fn read(&mut self, message: &BorrowedMessage<'_>) -> Result<(), Fault> {
        let at = Position {
            topic: message.topic(),
            partition: Partition(message.partition()),
            offset: Offset(message.offset()),
        };
        let read = self.progress.read(at, message.timestamp().to_millis());
        let due = read.map_err(|least| Fault::OutOfOrder { position: at.to_string(), expected: least.0 })?;
        if due != at.offset {
            self.passed_over(&at, due);
        }
        Ok(())
    }

    /// Markers of transactions and compaction leave gaps between offsets. One that reaches beyond where the partition begins by now is none
    /// of those: what stood there was deleted before anybody read it.
    fn passed_over(&mut self, at: &Position<'_>, due: Offset) {
        let begins = self.consumer.begins(at.topic, at.partition.0).unwrap_or(due);
        let gone = begins.min(at.offset).0.saturating_sub(due.0);
        if let Some(gone) = u64::try_from(gone).ok().filter(|gone| *gone > 0) {
            let (topic, partition, next) = (at.topic, at.partition.0, at.offset.0);
            tracing::error!(
                topic,
                partition,
                due = due.0,
                next,
                gone,
                "records were deleted before they were read: the topic's retention is too short"
            );
            self.gone += gone;
        }
    }
}
