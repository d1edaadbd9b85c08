//! A group seen from outside: how far it has committed.

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer as _},
};

use super::{SOON, eventually, topics::Topics};

/// Looks at a group without being a member.
pub(crate) struct Group {
    consumer: BaseConsumer,
    topics: Topics,
}

impl Group {
    pub(crate) fn of(topics: &Topics) -> Self {
        let mut config = topics.client();
        config.set("group.id", &topics.group).set("isolation.level", "read_committed");
        Self { consumer: config.create().unwrap(), topics: topics.clone() }
    }

    /// The committed offset of each partition, 0 where there is none, and an error of a broker that is away as none at all.
    pub(crate) fn committed(&self) -> Vec<i64> {
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_range(&self.topics.input, 0, self.topics.partitions - 1);
        let offset = |offset| if let Offset::Offset(offset) = offset { offset } else { 0 };
        match self.consumer.committed_offsets(partitions, SOON) {
            Ok(found) => found.elements().iter().map(|found| offset(found.offset())).collect(),
            Err(_) => Vec::new(),
        }
    }

    /// Commits an offset for it, while nobody is in it.
    pub(crate) fn commit(&self, partition: i32, offset: i64) {
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset(&self.topics.input, partition, Offset::Offset(offset)).unwrap();
        self.consumer.commit(&offsets, CommitMode::Sync).unwrap();
    }

    /// Waits until so many records are committed.
    pub(crate) fn reaches(&self, records: usize) {
        let records = i64::try_from(records).unwrap();
        eventually(&format!("{records} records are committed"), 3 * SOON, || {
            self.committed().iter().sum::<i64>() >= records
        });
    }
}
