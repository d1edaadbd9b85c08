//! A group as its coordinator tells it to whoever asks: who its members are, and which partitions are theirs.

use std::{collections::BTreeSet, time::Duration};

use rdkafka::{
    consumer::{BaseConsumer, Consumer as _, ConsumerContext},
    error::KafkaResult,
    groups::GroupInfo,
};

/// The state of a group whose members all have the assignment of its latest generation.
const STABLE: &str = "Stable";

/// A group between two rebalances.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    /// The client's name of each member.
    pub(crate) members: BTreeSet<String>,
    /// The partitions that were assigned to any of them.
    pub(crate) assigned: BTreeSet<(String, i32)>,
}

/// What the coordinator tells of this group; `None` while it rebalances, where it has no members, and where an assignment can't be read.
/// Needs the right to describe the group, which whoever may read in it has.
pub(crate) fn settled<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    group: &str,
    timeout: Duration,
) -> KafkaResult<Option<Settled>> {
    let told = client.fetch_group_list(Some(group), timeout)?;
    let found = told.groups().iter().find(|found| found.name() == group);
    Ok(found.filter(|found| found.state() == STABLE && !found.members().is_empty()).and_then(read))
}

fn read(group: &GroupInfo) -> Option<Settled> {
    let members = group.members().iter().map(|member| member.client_id().to_owned()).collect();
    let mut assigned = BTreeSet::new();
    for member in group.members() {
        assigned.append(&mut partitions(member.assignment().unwrap_or_default())?);
    }
    Some(Settled { members, assigned })
}

/// The partitions of one member's assignment, as the consumer protocol writes it: a version, and of each topic its name and its
/// partitions, all numbers big-endian; what follows is the assignor's own. A member without an assignment has no bytes at all.
fn partitions(mut assignment: &[u8]) -> Option<BTreeSet<(String, i32)>> {
    let mut partitions = BTreeSet::new();
    if assignment.is_empty() {
        return Some(partitions);
    }
    let bytes = &mut assignment;
    let _version = i16::from_be_bytes(take(bytes)?);
    for _ in 0..i32::from_be_bytes(take(bytes)?) {
        let length = usize::try_from(i16::from_be_bytes(take(bytes)?)).ok()?;
        let name = std::str::from_utf8(bytes.split_off(..length)?).ok()?;
        for _ in 0..i32::from_be_bytes(take(bytes)?) {
            partitions.insert((name.to_owned(), i32::from_be_bytes(take(bytes)?)));
        }
    }
    Some(partitions)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASSIGNMENT: &[u8] =
        b"\0\x01\0\0\0\x02\0\x01e\0\0\0\x02\0\0\0\0\0\0\0\x07\0\x02ab\0\0\0\x01\0\0\x01\0\0\0\0\x03own";

    #[test]
    fn an_assignment_names_each_partition_of_each_topic() {
        let expected = [("ab", 256), ("e", 0), ("e", 7)].map(|(topic, partition)| (topic.to_owned(), partition));
        assert_eq!(partitions(ASSIGNMENT), Some(BTreeSet::from(expected)));
        assert_eq!(partitions(b""), Some(BTreeSet::new()));
        assert_eq!(partitions(b"\0\0\0\0\0\0"), Some(BTreeSet::new()));
    }

    #[test]
    fn bytes_that_are_no_assignment_are_none_and_cost_no_more_than_there_are() {
        let whole = ASSIGNMENT.len() - 7;
        for end in 1..whole {
            assert_eq!(partitions(&ASSIGNMENT[..end]), None, "cut off at {end}");
        }
        assert_eq!(partitions(b"\0\0\x7f\xff\xff\xff"), None, "as many topics as there are numbers");
        assert_eq!(partitions(b"\0\0\0\0\0\x01\xff\xff"), None, "a name of a negative length");
        assert_eq!(partitions(b"\0\0\0\0\0\x01\0\x01\xff\0\0\0\0"), None, "a name that is no text");
    }
}
