//! What is not read for the time being. Two things can hold partitions: settings that nobody has confirmed for too long hold all
//! of them, and an event whose organization can't be judged holds its own. The shard goes on polling meanwhile, so that it keeps
//! its place in the group, and goes on by itself once the cause is gone.

use std::time::{Duration, Instant};

use rdkafka::{Offset as KafkaOffset, TopicPartitionList, error::KafkaResult};

use super::{
    batch::GivenBack,
    fault::Fault,
    judging::Judged,
    shard::{LOOKUP, position},
};
use crate::{
    source::kafka::{Consumer, Lags},
    store::Settings,
};

/// How often it is looked where held partitions end.
const LOOK: Duration = Duration::from_secs(5);
/// How long that may take; all that the shard reads waits meanwhile.
const ANSWER: Duration = Duration::from_millis(500);

/// The partitions that a shard holds.
#[derive(Debug, Default)]
pub(super) struct Holding {
    shard: usize,
    /// All, since the settings are stale.
    stale: bool,
    /// Those whose next event waits for its organization.
    waiting: Vec<Waiting>,
    /// How many there are.
    held: usize,
    /// The consumer has not been told yet, or could not be.
    due: bool,
    /// When it was looked last where they end.
    looked: Option<Instant>,
}

/// A partition that waits for other settings than those of this version.
#[derive(Debug)]
struct Waiting {
    topic: String,
    partition: i32,
    version: u64,
}

impl Holding {
    /// What this shard holds, which is nothing yet.
    pub(super) fn new(shard: usize) -> Self {
        Self { shard, ..Self::default() }
    }

    /// How many partitions are held.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Holds what has to be held and lets go of what hasn't; `reassigned` says that partitions came or went.
    pub(super) fn renew(&mut self, consumer: &Consumer, settings: &Settings, reassigned: bool) -> Result<(), Fault> {
        let stale = settings.fresh_for().is_zero();
        let waits_on = self.wait_for(settings);
        if stale == self.stale && waits_on && !reassigned && !self.due {
            return Ok(());
        }
        if stale != self.stale {
            self.log(stale);
        }
        self.stale = stale;
        self.apply(consumer).map_err(position)
    }

    /// Lets those go that other settings than the current ones made wait; says whether all of them wait on.
    fn wait_for(&mut self, settings: &Settings) -> bool {
        if self.waiting.is_empty() {
            return true;
        }
        let (version, before) = (settings.current().version(), self.waiting.len());
        self.waiting.retain(|waiting| waiting.version == version);
        self.waiting.len() == before
    }

    fn apply(&mut self, consumer: &Consumer) -> KafkaResult<()> {
        self.due = true;
        self.tell(consumer)?;
        self.due = false;
        Ok(())
    }

    fn tell(&mut self, consumer: &Consumer) -> KafkaResult<()> {
        let assigned = consumer.assignment()?;
        self.waiting.retain(|waiting| assigned.find_partition(&waiting.topic, waiting.partition).is_some());
        if !self.stale {
            consumer.resume(&assigned)?;
        }
        let held = self.of(assigned);
        self.held = held.count();
        consumer.pause(&held)
    }

    /// The held ones of those that are assigned.
    fn of(&self, assigned: TopicPartitionList) -> TopicPartitionList {
        if self.stale {
            return assigned;
        }
        let mut held = TopicPartitionList::new();
        for Waiting { topic, partition, .. } in &self.waiting {
            held.add_partition(topic, *partition);
        }
        held
    }

    /// Looks where the held partitions end, every so often. Of what isn't read, librdkafka doesn't hear where it ends, and the lag of
    /// what waits the longest would stand still.
    pub(super) fn look(&mut self, consumer: &Consumer, lags: &Lags) -> KafkaResult<()> {
        if self.held == 0 {
            if self.looked.take().is_some() {
                lags.held(&TopicPartitionList::new(), Vec::new());
            }
            return Ok(());
        }
        if self.looked.is_some_and(|at| at.elapsed() < LOOK) {
            return Ok(());
        }
        self.looked = Some(Instant::now());
        let held = self.of(consumer.assignment()?);
        // Whoever doesn't answer is asked again; until then the lag is the one that was known.
        lags.held(&held, consumer.ends(held.clone(), ANSWER).unwrap_or_default());
        Ok(())
    }

    /// Nothing is assigned any more; what comes is held for its own reasons.
    pub(super) fn forget(&mut self) {
        *self = Self { stale: self.stale, due: true, ..Self::new(self.shard) };
    }

    /// Goes back to a record that was read and isn't judged, and waits there where it has to wait.
    pub(super) fn go_back(&mut self, consumer: &Consumer, to: GivenBack) -> Result<(), Fault> {
        let mut place = TopicPartitionList::new();
        place.add_partition_offset(&to.topic, to.partition, KafkaOffset::Offset(to.offset)).map_err(position)?;
        consumer.seek(place, LOOKUP).map_err(position)?;
        if to.judged == Judged::Waits {
            tracing::warn!(
                shard = self.shard,
                topic = to.topic,
                partition = to.partition,
                offset = to.offset,
                "held: the settings of this event's organization can't be used"
            );
            self.waiting.push(Waiting { topic: to.topic, partition: to.partition, version: to.version });
            self.apply(consumer).map_err(position)?;
        }
        Ok(())
    }

    fn log(&self, stale: bool) {
        let shard = self.shard;
        if stale {
            tracing::error!(shard, "held: the settings could not be looked at for settings.max_staleness_s");
        } else {
            tracing::info!(shard, "resumed: the settings could be looked at again");
        }
    }
}
