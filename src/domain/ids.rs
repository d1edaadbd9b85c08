//! Where a record stands in Kafka, in types that can't be swapped by mistake.

use std::fmt;

/// The number of a partition within its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Partition(pub i32);

/// The offset of a record within its partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Offset(pub i64);

impl Offset {
    /// The offset to commit once this record is done: that of the next record to read. The only `+ 1` there is.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Topic, partition and offset of a record: its name for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position<'a> {
    /// The topic's name.
    pub topic: &'a str,
    /// The partition within the topic.
    pub partition: Partition,
    /// The offset within the partition.
    pub offset: Offset,
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Position<'_> {
    /// Appends what it prints, without the detour over a formatter: every emitted record has it.
    pub fn push_to(&self, text: &mut String) {
        text.push_str(self.topic);
        text.push('/');
        text.push_str(itoa::Buffer::new().format(self.partition.0));
        text.push('/');
        text.push_str(itoa::Buffer::new().format(self.offset.0));
    }
}

impl fmt::Display for Position<'_> {
    /// `topic/partition/offset`, the form that stands in for a missing event id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.topic, self.partition, self.offset)
    }
}
