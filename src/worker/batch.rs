//! One batch: records in, verdicts out, one commit. A batch owns nothing beyond itself; whatever way it ends, its
//! transaction is ended before it returns.

use std::time::{Duration, Instant};

use rdkafka::message::{BorrowedMessage, Message as _};

use super::{
    ShardStats,
    fault::Fault,
    judging::Judging,
    progress::Progress,
    shard::position,
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

/// A batch in hand.
pub(super) struct Batch<'s> {
    limits: Limits,
    begun: Instant,
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
        Self { limits, begun: Instant::now(), consumer, judging, progress }
    }

    /// Judges, sends and commits, beginning with this record.
    pub(super) fn run(
        mut self,
        first: BorrowedMessage<'_>,
        outbox: &mut Outbox,
        counts: &ShardStats,
    ) -> Result<(), Fault> {
        // Written down before anything can fail: it has been polled, and a recovery has to go back to it.
        self.read(&first)?;
        let transaction = outbox.begin()?;
        match self.fill(first, &transaction) {
            Ok(()) if self.consumer.assignment_lost() => return Err(transaction.abort(Fault::AssignmentLost)),
            Ok(()) => {}
            Err(fault) => return Err(transaction.abort(fault)),
        }
        let committing = Instant::now();
        transaction.commit(self.consumer, &self.progress.to_commit().map_err(position)?)?;
        self.progress.committed();
        counts.committed(self.judging.tally(), self.begun.elapsed(), committing.elapsed());
        Ok(())
    }

    fn fill(&mut self, first: BorrowedMessage<'_>, transaction: &Transaction<'_>) -> Result<(), Fault> {
        let consumer = self.consumer;
        let mut message = first;
        for at in 1..self.limits.records {
            self.judging.judge(&message, transaction)?;
            match self.next(consumer, at)? {
                Some(next) => message = next,
                None => return Ok(()),
            }
            self.read(&message)?;
        }
        self.judging.judge(&message, transaction)
    }

    /// The next record, if there is one in time. While they lie ready the clock is read for every sixteenth alone.
    fn next<'c>(&self, consumer: &'c Consumer, at: usize) -> Result<Option<BorrowedMessage<'c>>, Fault> {
        if !at.is_multiple_of(16)
            && let Polled::Record(next) = consumer.poll(Duration::ZERO).map_err(Fault::Reading)?
        {
            return Ok(Some(next));
        }
        let left = self.limits.interval.saturating_sub(self.begun.elapsed());
        if left.is_zero() || consumer.has_change() {
            return Ok(None);
        }
        match consumer.poll(left).map_err(Fault::Reading)? {
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
        self.progress.read(at).map_err(|least| Fault::OutOfOrder { position: at.to_string(), expected: least.0 })
    }
}
