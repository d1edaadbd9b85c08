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

/// A record that was read and is not in the batch: where it is, and when it is to be judged.
pub(super) struct GivenBack {
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) judged: Judged,
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

    /// Judges, sends and commits, beginning with this record. The answer is a record that is to be read once more.
    pub(super) fn run(
        mut self,
        first: BorrowedMessage<'_>,
        outbox: &mut Outbox,
        counts: &ShardStats,
    ) -> Result<Option<GivenBack>, Fault> {
        // Written down before anything can fail: it has been polled, and a recovery has to go back to it.
        self.read(&first)?;
        let transaction = outbox.begin()?;
        let given_back = match self.fill(first, &transaction) {
            Ok(_) if self.consumer.assignment_lost() => return Err(transaction.abort(Fault::AssignmentLost)),
            Ok(given_back) => given_back,
            Err(fault) => return Err(transaction.abort(fault)),
        };
        let offsets = self.progress.to_commit().map_err(position)?;
        if offsets.count() == 0 {
            transaction.discard()?;
            return Ok(given_back);
        }
        let committing = Instant::now();
        transaction.commit(self.consumer, &offsets)?;
        self.progress.committed();
        counts.committed(self.judging.tally(), self.begun.elapsed(), committing.elapsed());
        Ok(given_back)
    }

    fn fill(&mut self, first: BorrowedMessage<'_>, transaction: &Transaction<'_>) -> Result<Option<GivenBack>, Fault> {
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
            match self.next(consumer, records)? {
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
        GivenBack { topic, partition, offset, judged }
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
