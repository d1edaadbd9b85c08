//! What is not read for the time being. Two things can hold partitions: settings that nobody has confirmed for too long hold all
//! of them, and an event whose organization can't be judged holds its own. The shard goes on polling meanwhile, so that it keeps
//! its place in the group, and goes on by itself once the cause is gone.

use rdkafka::{Offset as KafkaOffset, TopicPartitionList, error::KafkaResult};

use super::{
    batch::GivenBack,
    fault::Fault,
    judging::Judged,
    shard::{LOOKUP, position},
};
use crate::{source::kafka::Consumer, store::Settings};

/// The partitions that a shard holds.
#[derive(Debug, Default)]
pub(super) struct Holding {
    /// All, since the settings are stale.
    stale: bool,
    /// Those whose next event waits for its organization.
    waiting: Vec<(String, i32)>,
    /// The version of the settings that they wait for to change.
    version: u64,
    /// How many there are.
    held: usize,
}

impl Holding {
    /// How many partitions are held.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Holds what has to be held and lets go of what hasn't; `reassigned` says that partitions came or went.
    pub(super) fn renew(&mut self, consumer: &Consumer, settings: &Settings, reassigned: bool) -> Result<(), Fault> {
        let stale = settings.fresh_for().is_zero();
        let waits_on = self.waiting.is_empty() || settings.current().version() == self.version;
        if stale == self.stale && waits_on && !reassigned {
            return Ok(());
        }
        if stale != self.stale {
            log(stale);
        }
        self.stale = stale;
        if !waits_on {
            self.waiting.clear();
        }
        self.apply(consumer).map_err(position)
    }

    fn apply(&mut self, consumer: &Consumer) -> KafkaResult<()> {
        let assigned = consumer.assignment()?;
        self.waiting.retain(|(topic, partition)| assigned.find_partition(topic, *partition).is_some());
        self.held = if self.stale { assigned.count() } else { self.waiting.len() };
        if self.stale {
            return consumer.pause(&assigned);
        }
        consumer.resume(&assigned)?;
        let mut waiting = TopicPartitionList::new();
        for (topic, partition) in &self.waiting {
            waiting.add_partition(topic, *partition);
        }
        consumer.pause(&waiting)
    }

    /// Goes back to a record that was read and isn't judged, and waits there where it has to wait.
    pub(super) fn go_back(&mut self, consumer: &Consumer, settings: &Settings, to: GivenBack) -> Result<(), Fault> {
        let mut place = TopicPartitionList::new();
        place.add_partition_offset(&to.topic, to.partition, KafkaOffset::Offset(to.offset)).map_err(position)?;
        consumer.seek(place, LOOKUP).map_err(position)?;
        if to.judged == Judged::Waits {
            tracing::warn!(
                topic = to.topic,
                partition = to.partition,
                offset = to.offset,
                "held: the settings of this event's organization can't be used"
            );
            self.version = settings.current().version();
            self.waiting.push((to.topic, to.partition));
            self.apply(consumer).map_err(position)?;
        }
        Ok(())
    }
}

fn log(stale: bool) {
    if stale {
        tracing::error!("paused: the settings could not be looked at for settings.max_staleness_s");
    } else {
        tracing::info!("resumed: the settings could be looked at again");
    }
}
