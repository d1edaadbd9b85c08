//! How far the worker is behind: its group's committed offsets beside the ends of the topics of events, looked up from outside.
//! The consumer bears the group's name and never joins it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaResult,
    metadata::MetadataTopic,
};

use super::{
    Shared,
    answers::{Lag, PartitionLag},
};

/// How often it is looked up.
const PAUSE: Duration = Duration::from_secs(3);
/// How long a broker may take to answer.
const LOOKUP: Duration = Duration::from_secs(5);

/// Looks up the lag, over and over.
pub(super) struct Watch {
    pub(super) inputs: Vec<String>,
    pub(super) group: String,
    pub(super) consumer: ClientConfig,
    pub(super) shared: Arc<Shared>,
    pub(super) stop: Arc<AtomicBool>,
}

impl Watch {
    /// Looks until it is stopped.
    pub(super) fn run(&self) {
        let mut config = self.consumer.clone();
        config
            .set("group.id", &self.group)
            .set("client.id", "attrsync-dashboard-lag")
            .set("enable.auto.commit", "false");
        let consumer: BaseConsumer = match config.create() {
            Ok(consumer) => consumer,
            Err(error) => return tracing::warn!(%error, "the lag can't be looked up"),
        };
        let mut known = true;
        while !self.stop.load(Relaxed) {
            let lag = self.lag(&consumer);
            if let (Err(error), true) = (&lag, known) {
                tracing::warn!(%error, group = self.group, "the lag can't be looked up");
            }
            known = lag.is_ok();
            *self.shared.lag() = lag.ok();
            thread::park_timeout(PAUSE);
        }
    }

    fn lag(&self, consumer: &BaseConsumer) -> KafkaResult<Lag> {
        let mut all = TopicPartitionList::new();
        for topic in &self.inputs {
            let metadata = consumer.fetch_metadata(Some(topic), LOOKUP)?;
            for partition in metadata.topics().iter().flat_map(MetadataTopic::partitions) {
                all.add_partition(topic, partition.id());
            }
        }
        let committed = consumer.committed_offsets(all, LOOKUP)?;
        let mut partitions = Vec::new();
        for found in committed.elements() {
            let (low, high) = consumer.fetch_watermarks(found.topic(), found.partition(), LOOKUP)?;
            let next = if let Offset::Offset(offset) = found.offset() { offset.max(low) } else { low };
            let records = u64::try_from(high - next).unwrap_or_default();
            partitions.push(PartitionLag { topic: found.topic().to_owned(), partition: found.partition(), records });
        }
        Ok(Lag { records: partitions.iter().map(|lag| lag.records).sum(), at: super::now(), partitions })
    }
}
