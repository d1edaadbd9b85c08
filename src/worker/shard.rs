//! The loop. One thread owns a consumer, a producer and all state between them; shards share nothing but the settings, which
//! they read, and the counts, which they write.
//!
//! One turn, in this order:
//! 1. **A change of assignment is answered.** No batch is in hand here: every verdict of a partition that leaves is committed
//!    or aborted before it leaves, and its next owner's offset fetch finds nothing open.
//! 2. **A wish to stop ends the loop**, again with nothing in hand.
//! 3. **A record begins a batch** ([`Batch`]), which ends with its interval, when it is full, or when a poll comes back empty
//!    because a change is waiting; then it is committed at once, and the next turn answers.
//!
//! Invariants:
//! - Every record that was polled is in the batch in hand or in a committed one, or [`Progress`] knows that the consumer has to go
//!   back to it. A fault, whatever it is, leads through [`Shard::recover`], which polls nothing before it has.
//! - One batch is judged by one snapshot, and counted only once it is committed.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rdkafka::TopicPartitionList;

use super::{
    ShardStats, Stats,
    batch::{Batch, Limits},
    fault::{Fault, Remedy},
    holding::Holding,
    judging::Judging,
    progress::Progress,
    stop::Stop,
    transaction::Outbox,
    tries::{Tries, millis},
};
use crate::{
    source::kafka::{Change, Consumer, Polled},
    store::Settings,
};

/// How long an idle turn waits for a record; a stop, a change and the heartbeat wait no longer.
const IDLE: Duration = Duration::from_millis(100);
/// How long a position may take to be looked up or changed, and a broker to answer.
pub(super) const LOOKUP: Duration = Duration::from_secs(5);

/// The pause before a start is looked up again.
const PAUSE: Duration = Duration::from_millis(100);

/// A thread's worth of worker.
pub(super) struct Shard {
    pub(super) number: usize,
    pub(super) brokers: String,
    pub(super) input: String,
    pub(super) limits: Limits,
    /// How long it is waited until the group knows where partitions begin.
    pub(super) patience: Duration,
    pub(super) consumer: Consumer,
    pub(super) outbox: Outbox,
    pub(super) judging: Judging,
    pub(super) holding: Holding,
    pub(super) progress: Progress,
    pub(super) tries: Tries,
    pub(super) settings: Arc<Settings>,
    pub(super) stats: Arc<Stats>,
    pub(super) stop: Arc<Stop>,
}

impl Shard {
    /// Runs until a stop is asked for, or a fault persists.
    pub(super) fn run(mut self) -> Result<(), Fault> {
        // Before the first record: a transaction that a predecessor left open would hold back the group's offsets.
        if let Err(fault) = self.outbox.open() {
            self.recover(fault)?;
        }
        while !self.stop.asked() {
            self.stats.beat(self.number);
            let turned = self.turn();
            self.counts().set_in_flight(0);
            self.counts().set_held(self.holding.held());
            match turned {
                Ok(()) => self.tries.went_well(),
                Err(fault) => self.recover(fault)?,
            }
        }
        Ok(())
    }

    fn turn(&mut self) -> Result<(), Fault> {
        self.answer_changes()?;
        self.holding.renew(&self.consumer, &self.settings, false)?;
        self.holding.look(&self.consumer, self.stats.shards()[self.number].lags()).map_err(position)?;
        let first = match self.consumer.poll(IDLE).map_err(Fault::Reading)? {
            Polled::Record(first) => first,
            Polled::Nothing => return Ok(()),
            Polled::Unreachable => return self.reach(),
        };
        // Settings that grow stale end the batch; stale ones judge nothing.
        let interval = self.limits.interval.min(self.settings.fresh_for());
        self.judging.begin();
        let limits = Limits { interval, ..self.limits };
        let batch = Batch::new(limits, &self.consumer, &mut self.judging, &mut self.progress);
        if let Some(to) = batch.run(first, &mut self.outbox, &self.stats.shards()[self.number])? {
            self.holding.go_back(&self.consumer, to)?;
            self.progress.rewound();
        }
        Ok(())
    }

    fn answer_changes(&mut self) -> Result<(), Fault> {
        if let Some(failure) = self.consumer.over() {
            return Err(Fault::Reading(failure));
        }
        let mut reassigned = false;
        while let Some(change) = self.consumer.take_change() {
            let lost = matches!(change, Change::Revoked(_)) && self.consumer.assignment_lost();
            self.answer(change)?;
            let assigned = self.consumer.assignment().map_err(position)?;
            self.progress.keep(&assigned);
            self.counts().lags().keep(&assigned);
            if lost {
                self.counts().left();
            } else {
                self.counts().set_partitions(assigned.count());
            }
            reassigned = true;
        }
        if reassigned { self.holding.renew(&self.consumer, &self.settings, true) } else { Ok(()) }
    }

    fn answer(&mut self, change: Change) -> Result<(), Fault> {
        let answer = match change {
            Change::Assigned(partitions) => {
                let starts = self.starts(&partitions).inspect_err(|_| {
                    // The group waits for the answer, and it is due before anything else is polled.
                    self.consumer.put_back(Change::Assigned(partitions.clone()));
                })?;
                self.progress.begin(&starts);
                self.counts().lags().begin(&starts);
                Change::Assigned(starts)
            }
            revoked @ Change::Revoked(_) => revoked,
        };
        match &answer {
            Change::Assigned(_) => tracing::info!(shard = self.number, partitions = %answer, "assigned"),
            Change::Revoked(_) => tracing::info!(shard = self.number, partitions = %answer, "revoked"),
        }
        self.consumer.apply(answer).map_err(Fault::Reading)
    }

    /// Where partitions are to be read from that are assigned to us. A transaction of their last owner may still be open, which nobody
    /// ends before its time is up: it is waited for that long, since its offsets may be committed yet.
    fn starts(&self, partitions: &TopicPartitionList) -> Result<TopicPartitionList, Fault> {
        if partitions.count() == 0 {
            return Ok(TopicPartitionList::new());
        }
        let begun = Instant::now();
        loop {
            self.stats.beat(self.number);
            match self.consumer.starts(partitions.clone(), LOOKUP) {
                Ok(starts) => return Ok(starts),
                Err(error) if begun.elapsed() > self.patience || self.stop.wait(PAUSE) => return Err(position(error)),
                Err(_) => {}
            }
        }
    }

    /// Tries to get over a fault, again and again with growing pauses, until the shard stands where its batch began, the
    /// tries are used up, or a stop is asked for: then nothing is in hand, and the loop ends.
    fn recover(&mut self, mut fault: Fault) -> Result<(), Fault> {
        let unsettled = fault.may_be_committed();
        loop {
            self.counts().count(&fault);
            let Some(pause) = self.tries.next(&fault) else { return Err(self.tries.give_up(self.number, fault)) };
            if self.stop.asked() {
                return Ok(());
            }
            tracing::warn!(shard = self.number, %fault, pause_ms = millis(pause), "trying again");
            if self.stop.wait(pause) {
                return Ok(());
            }
            self.stats.beat(self.number);
            match self.restore(fault.remedy(), unsettled) {
                Ok(()) => {
                    self.tries.recovered();
                    return Ok(());
                }
                Err(next) => fault = next.after(&fault),
            }
        }
    }

    /// `unsettled`: nobody knows whether the batch in hand is committed.
    fn restore(&mut self, remedy: Remedy, unsettled: bool) -> Result<(), Fault> {
        match remedy {
            Remedy::Wait => return self.reach(),
            Remedy::Rejoin => return self.rejoin(),
            Remedy::Rebuild => self.outbox.open()?,
            Remedy::Rewind | Remedy::End => {}
        }
        // What leaves isn't gone back to; its next owner reads it from the group's offsets.
        self.answer_changes()?;
        if remedy == Remedy::Rebuild {
            let assigned = self.consumer.assignment().map_err(position)?;
            let group = self.consumer.committed(assigned, LOOKUP).map_err(position)?;
            if self.progress.committed_as(&group) && unsettled {
                // Nobody answered to its commit, and it was done; else another member was faster.
                self.counts().add(self.judging.tally());
                self.judging.committed();
            }
        }
        let starts = self.progress.to_rewind().map_err(position)?;
        self.consumer.seek(starts, LOOKUP).map_err(position)?;
        self.progress.rewound();
        Ok(())
    }

    fn rejoin(&mut self) -> Result<(), Fault> {
        let rejoined = self.consumer.rejoin();
        rejoined.map_err(|source| Fault::Client { client: self.consumer.name().to_owned(), source })?;
        self.progress = Progress::default();
        self.holding.forget();
        self.counts().lags().keep(&TopicPartitionList::new());
        self.counts().left();
        Ok(())
    }

    fn counts(&self) -> &ShardStats {
        &self.stats.shards()[self.number]
    }

    /// Whether any broker answers: one that doesn't is librdkafka's to get over, all of them are a fault.
    fn reach(&self) -> Result<(), Fault> {
        let reached = self.consumer.reach(&self.input, LOOKUP);
        reached.map_err(|error| Fault::Unreachable { brokers: self.brokers.clone(), last: error.to_string() })
    }
}

/// A position could not be looked up or changed; the records after it are not read before it is.
pub(super) fn position(source: rdkafka::error::KafkaError) -> Fault {
    Fault::Position { source, again: false }
}
