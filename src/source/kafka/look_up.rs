//! What is looked up of topics: which partitions they have, where those begin and end, and where they are at a time. Whoever asks of
//! many partitions asks here, and sees the offsets that records have for readers of its kind; of one, a consumer's own watermarks tell.

use std::time::Duration;

use rdkafka::{
    Offset as KafkaOffset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code},
    metadata::MetadataPartition,
    topic_partition_list::TopicPartitionListElem,
};

use super::{Complains, LookUpError};
use crate::domain::Offset;

/// Where a partition begins or ends, as its leader said when it was asked.
#[derive(Debug)]
pub(crate) struct Edge {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: Offset,
}

/// The partitions of a topic, sorted; `None` where there is no such topic.
pub(crate) fn listed<C: Complains>(
    client: &BaseConsumer<C>,
    topic: &str,
    timeout: Duration,
) -> Result<Option<Vec<i32>>, LookUpError> {
    let metadata = client.fetch_metadata(Some(topic), timeout).map_err(|error| LookUpError::of(client, error))?;
    let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else { return Ok(None) };
    match found.error().map(Code::from) {
        None => {
            let mut all: Vec<_> = found.partitions().iter().map(MetadataPartition::id).collect();
            all.sort_unstable();
            Ok(Some(all))
        }
        Some(Code::UnknownTopicOrPartition | Code::UnknownTopic) => Ok(None),
        Some(code) => Err(KafkaError::MetadataFetch(code).into()),
    }
}

/// Where these partitions begin or end, whichever is asked for, as their leaders say: one request for each leader. Those of which none
/// says so are left out.
pub(crate) fn edges<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    mut partitions: TopicPartitionList,
    which: KafkaOffset,
    timeout: Duration,
) -> KafkaResult<Vec<Edge>> {
    partitions.set_all_offsets(which)?;
    let found = client.offsets_for_times(partitions, timeout)?;
    let edge = |found: &TopicPartitionListElem<'_>| match (found.error(), found.offset()) {
        (Ok(()), KafkaOffset::Offset(offset)) => {
            Some(Edge { topic: found.topic().to_owned(), partition: found.partition(), offset: Offset(offset) })
        }
        _ => None,
    };
    Ok(found.elements().iter().filter_map(edge).collect())
}

/// The first offset of each partition whose record is of this time or later; `None` where there is none.
pub(crate) fn at_time<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    topic: &str,
    (partitions, millis): (&[i32], i64),
    timeout: Duration,
) -> KafkaResult<Vec<(i32, Option<i64>)>> {
    let mut times = TopicPartitionList::new();
    for partition in partitions {
        times.add_partition_offset(topic, *partition, KafkaOffset::Offset(millis))?;
    }
    known(&client.offsets_for_times(times, timeout)?)
}

/// The offset of each partition, where there is one.
pub(super) fn known(found: &TopicPartitionList) -> KafkaResult<Vec<(i32, Option<i64>)>> {
    let offset = |offset| if let KafkaOffset::Offset(offset) = offset { Some(offset) } else { None };
    let told = |found: &TopicPartitionListElem<'_>| {
        found.error()?;
        Ok((found.partition(), offset(found.offset())))
    };
    found.elements().iter().map(told).collect()
}
