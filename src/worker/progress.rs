//! How far a shard is: for each of its partitions the offset up to which verdicts are committed, the one up to which records
//! were read into the batch in hand, and the one where the consumer stands, which is further where a record was given back. A commit
//! makes the first two equal, going back all three. Since it outlives the batches, a record that comes twice, by whatever bug, is
//! seen before its verdict is sent, and one that was given back is gone back to whatever fails meanwhile.

use rdkafka::{Offset as KafkaOffset, TopicPartitionList, error::KafkaResult};

use crate::domain::{Offset, Partition, Position};

#[derive(Debug)]
struct Span {
    topic: String,
    partition: i32,
    /// Everything before it is committed.
    committed: Offset,
    /// Everything before it is in the batch in hand or committed.
    read: Offset,
    /// Everything before it has been polled.
    polled: Offset,
    /// The timestamp of the last record, in milliseconds since 1970.
    timestamp: Option<i64>,
}

/// The spans of all partitions that were read since they were assigned.
#[derive(Debug, Default)]
pub(super) struct Progress {
    spans: Vec<Span>,
    /// The span of the latest record: the next one is of the same partition as a rule.
    latest: usize,
}

impl Progress {
    /// Takes in where partitions begin that were assigned: nothing before what the group has committed is due any more.
    pub(super) fn begin(&mut self, starts: &TopicPartitionList) {
        for start in starts.elements() {
            if let KafkaOffset::Offset(offset) = start.offset() {
                let partition = Partition(start.partition());
                self.find(&Position { topic: start.topic(), partition, offset: Offset(offset) });
            }
        }
    }

    /// Takes in a record that was read, and answers with the offset that was due. The offsets of a partition only grow, though not by
    /// one each time; of one that doesn't, the least that could come is the error.
    pub(super) fn read(&mut self, position: Position<'_>, timestamp: Option<i64>) -> Result<Offset, Offset> {
        let at = self.find(&position);
        let span = &mut self.spans[at];
        let due = span.read;
        if position.offset < due {
            return Err(due);
        }
        span.read = position.offset.next();
        span.polled = span.read;
        span.timestamp = timestamp;
        self.latest = at;
        Ok(due)
    }

    /// Takes back the record that was read last: it is due once more, and the consumer stands beyond it.
    pub(super) fn give_back(&mut self, position: Position<'_>) {
        let at = self.find(&position);
        self.spans[at].read = position.offset;
    }

    fn find(&mut self, position: &Position<'_>) -> usize {
        let holds = |span: &Span| span.partition == position.partition.0 && span.topic == position.topic;
        if self.spans.get(self.latest).is_some_and(holds) {
            return self.latest;
        }
        self.spans.iter().position(holds).unwrap_or_else(|| {
            let (topic, partition) = (position.topic.to_owned(), position.partition.0);
            let [committed, read, polled] = [position.offset; 3];
            self.spans.push(Span { topic, partition, committed, read, polled, timestamp: None });
            self.spans.len() - 1
        })
    }

    /// What to commit: for each partition of the batch the offset after its last record.
    pub(super) fn to_commit(&self) -> KafkaResult<TopicPartitionList> {
        list(self.in_hand().map(|span| (span, span.read)))
    }

    /// Where the consumer has to go back to, for each partition of which it stands beyond what is committed.
    pub(super) fn to_rewind(&self) -> KafkaResult<TopicPartitionList> {
        let beyond = self.spans.iter().filter(|span| span.committed != span.polled);
        list(beyond.map(|span| (span, span.committed)))
    }

    /// Each partition of the batch, the offset after its last record, and that one's timestamp, where it has one.
    pub(super) fn last(&self) -> impl Iterator<Item = (&str, i32, Offset, Option<i64>)> {
        self.in_hand().map(|span| (span.topic.as_str(), span.partition, span.read, span.timestamp))
    }

    fn in_hand(&self) -> impl Iterator<Item = &Span> {
        self.spans.iter().filter(|span| span.committed != span.read)
    }

    /// The batch is committed.
    pub(super) fn committed(&mut self) {
        for span in &mut self.spans {
            span.committed = span.read;
        }
    }

    /// The batch is committed where the group says so, and is not where it doesn't; says whether there was one and it is. A partition
    /// of which the group never committed anything has no offset there.
    pub(super) fn committed_as(&mut self, group: &TopicPartitionList) -> bool {
        let in_hand = self.in_hand().next().is_some();
        for span in &mut self.spans {
            let found = group.find_partition(&span.topic, span.partition);
            if let Some(KafkaOffset::Offset(offset)) = found.map(|found| found.offset()) {
                span.committed = Offset(offset);
            }
        }
        in_hand && self.in_hand().next().is_none()
    }

    /// The consumer stands at what is committed: the batch will be read again, and so will a record that was given back.
    pub(super) fn rewound(&mut self) {
        for span in &mut self.spans {
            (span.read, span.polled) = (span.committed, span.committed);
        }
    }

    /// Forgets every partition that isn't among these: whoever has it now goes on, and may hand it back further along.
    pub(super) fn keep(&mut self, assigned: &TopicPartitionList) {
        self.spans.retain(|span| assigned.find_partition(&span.topic, span.partition).is_some());
        self.latest = 0;
    }
}

fn list<'s>(offsets: impl Iterator<Item = (&'s Span, Offset)>) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for (span, offset) in offsets {
        list.add_partition_offset(&span.topic, span.partition, KafkaOffset::Offset(offset.0))?;
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Partition;

    fn at(partition: i32, offset: i64) -> Position<'static> {
        Position { topic: "events", partition: Partition(partition), offset: Offset(offset) }
    }

    fn offsets(list: KafkaResult<TopicPartitionList>) -> Vec<(i32, Option<i64>)> {
        list.unwrap().elements().iter().map(|found| (found.partition(), found.offset().to_raw())).collect()
    }

    fn read(positions: &[(i32, i64)]) -> Progress {
        let mut progress = Progress::default();
        for (partition, offset) in positions {
            progress.read(at(*partition, *offset), None).unwrap();
        }
        progress
    }

    #[test]
    fn a_batch_commits_the_offset_after_each_partitions_last_record_and_rewinds_to_its_first() {
        let mut progress = read(&[(0, 5), (1, 0), (0, 6), (0, 9)]);
        assert_eq!(offsets(progress.to_commit()), [(0, Some(10)), (1, Some(1))]);
        assert_eq!(offsets(progress.to_rewind()), [(0, Some(5)), (1, Some(0))]);
        progress.committed();
        assert_eq!(offsets(progress.to_commit()), []);
        progress.read(at(1, 3), None).unwrap();
        assert_eq!(offsets(progress.to_commit()), [(1, Some(4))]);
        assert_eq!(offsets(progress.to_rewind()), [(1, Some(1))]);
    }

    #[test]
    fn a_record_that_comes_twice_is_refused_also_across_batches_but_not_after_a_rewind() {
        let mut progress = read(&[(0, 5), (0, 6)]);
        assert_eq!(progress.read(at(0, 6), None), Err(Offset(7)));
        progress.committed();
        assert_eq!(progress.read(at(0, 5), None), Err(Offset(7)));
        progress.read(at(0, 7), None).unwrap();
        progress.rewound();
        assert_eq!(progress.read(at(0, 7), None), Ok(Offset(7)));
    }

    #[test]
    fn a_record_before_what_the_group_has_committed_is_refused_also_as_the_first_one() {
        let mut starts = TopicPartitionList::new();
        starts.add_partition_offset("events", 0, KafkaOffset::Offset(7)).unwrap();
        starts.add_partition_offset("events", 1, KafkaOffset::Beginning).unwrap();
        let mut progress = Progress::default();
        progress.begin(&starts);
        assert_eq!(offsets(progress.to_rewind()), []);
        assert_eq!(progress.read(at(0, 0), None), Err(Offset(7)));
        assert_eq!(progress.read(at(0, 9), None), Ok(Offset(7)), "what was due");
        assert_eq!(progress.read(at(1, 3), None), Ok(Offset(3)), "nobody knows what was");
    }

    #[test]
    fn a_record_that_is_given_back_is_not_committed_and_may_come_again() {
        let mut progress = read(&[(0, 5), (0, 6), (1, 3)]);
        progress.give_back(at(0, 6));
        progress.give_back(at(1, 3));
        assert_eq!(offsets(progress.to_commit()), [(0, Some(6))]);
        progress.committed();
        progress.rewound();
        assert_eq!(offsets(progress.to_rewind()), []);
        assert_eq!((progress.read(at(0, 6), None), progress.read(at(1, 3), None)), (Ok(Offset(6)), Ok(Offset(3))));
    }

    #[test]
    fn a_record_that_is_given_back_is_gone_back_to_though_the_batch_fails_or_is_committed_without_it() {
        let given_back = || {
            let mut progress = read(&[(0, 5), (0, 6), (1, 3)]);
            progress.give_back(at(1, 3));
            progress
        };
        assert_eq!(offsets(given_back().to_rewind()), [(0, Some(5)), (1, Some(3))], "the commit failed");
        let mut progress = given_back();
        progress.committed();
        assert_eq!(offsets(progress.to_rewind()), [(1, Some(3))], "the way back failed");
        let mut progress = given_back();
        let mut group = TopicPartitionList::new();
        group.add_partition_offset("events", 0, KafkaOffset::Offset(7)).unwrap();
        group.add_partition_offset("events", 1, KafkaOffset::Offset(3)).unwrap();
        assert!(progress.committed_as(&group));
        assert_eq!(offsets(progress.to_rewind()), [(1, Some(3))], "nobody knew whether it was committed");
    }

    #[test]
    fn after_an_unknown_outcome_the_group_decides_where_to_read_on() {
        let mut progress = read(&[(0, 5), (1, 8), (2, 3)]);
        let mut group = TopicPartitionList::new();
        group.add_partition_offset("events", 0, KafkaOffset::Offset(6)).unwrap();
        group.add_partition_offset("events", 1, KafkaOffset::Offset(8)).unwrap();
        group.add_partition_offset("events", 2, KafkaOffset::Invalid).unwrap();
        assert!(!progress.committed_as(&group), "of some partitions it isn't");
        assert_eq!(offsets(progress.to_rewind()), [(1, Some(8)), (2, Some(3))]);
        progress.rewound();
        assert_eq!(progress.read(at(0, 5), None), Err(Offset(6)));
        assert!(!progress.committed_as(&group), "none is in hand");
        let mut progress = read(&[(0, 5), (1, 7)]);
        assert!(progress.committed_as(&group));
        assert_eq!(offsets(progress.to_rewind()), []);
    }

    #[test]
    fn a_partition_that_was_given_away_may_come_back_further_along() {
        let mut progress = read(&[(0, 5), (1, 5)]);
        let mut assigned = TopicPartitionList::new();
        assigned.add_partition("events", 1);
        progress.keep(&assigned);
        assert_eq!(offsets(progress.to_rewind()), [(1, Some(5))]);
        assert_eq!(progress.read(at(0, 100), None), Ok(Offset(100)));
    }
}
