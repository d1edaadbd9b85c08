//! What is asked of a topic, and what that is in offsets: ranges with a first and an end, taken when the replay begins. What is
//! asked for and no longer kept is counted.

use std::{collections::BTreeMap, fmt, ops::Range, time::Duration};

use crate::{
    domain::EventTime,
    replay::{Failure, Positions},
    source::kafka::{Assigned, LookUpError},
};

/// How long a broker may take to answer.
pub(in crate::replay) const LOOKUP: Duration = Duration::from_secs(10);

/// Offsets between two ranges from which on it is a usual event's size that makes going there cheaper than reading through.
const FAR: i64 = 300;

/// Which records of a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// These offsets; none: all partitions, whole.
    pub offsets: Vec<Offsets>,
    /// From the first record of this time on.
    pub from: Option<EventTime>,
    /// Up to the first record of this time.
    pub to: Option<EventTime>,
}

/// Offsets of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offsets {
    /// The partition.
    pub partition: i32,
    /// The first one.
    pub first: i64,
    /// The last one; none: to the end.
    pub last: Option<i64>,
}

/// As on the command line: `0:100-200`, `0:100-`.
impl fmt::Display for Offsets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}-", self.partition, self.first)?;
        self.last.map_or(Ok(()), |last| write!(f, "{last}"))
    }
}

/// The ranges of one partition: in order, and apart from each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::replay) struct Span {
    pub(in crate::replay) topic: String,
    pub(in crate::replay) partition: i32,
    pub(in crate::replay) ranges: Vec<Range<i64>>,
}

impl Span {
    /// How many offsets it has.
    pub(in crate::replay) fn size(&self) -> u64 {
        size(&self.ranges)
    }

    /// The offset after the last one.
    pub(in crate::replay) fn end(&self) -> i64 {
        self.ranges.last().map_or(0, |range| range.end)
    }

    /// Whether most of what lies between its first offset and its last is between ranges that are far apart.
    pub(in crate::replay) fn is_sparse(&self) -> bool {
        let gaps = self.ranges.windows(2).map(|pair| match pair {
            [one, next] => next.start - one.end,
            _ => 0,
        });
        let skipped: i64 = gaps.filter(|gap| *gap > FAR).sum();
        self.ranges.first().is_some_and(|first| skipped > (self.end() - first.start) / 2)
    }

    /// What is left of it from this offset on.
    pub(in crate::replay) fn rest(mut self, offset: i64) -> Self {
        self.ranges.retain(|range| offset < range.end);
        if let Some(first) = self.ranges.first_mut() {
            first.start = first.start.max(offset);
        }
        self
    }
}

/// What a topic has of what is wanted.
#[derive(Debug, Default)]
pub(in crate::replay) struct Found {
    pub(in crate::replay) spans: Vec<Span>,
    /// Offsets that were asked for and are no longer kept.
    pub(in crate::replay) gone: u64,
    /// Offsets that were asked for and come after their partition's end.
    pub(in crate::replay) beyond: u64,
}

impl Found {
    /// Adds what another topic has.
    pub(super) fn add(&mut self, other: Self) {
        self.spans.extend(other.spans);
        self.gone += other.gone;
        self.beyond += other.beyond;
    }
}

fn size(ranges: &[Range<i64>]) -> u64 {
    ranges.iter().map(|range| u64::try_from(range.end - range.start).unwrap_or(0)).sum()
}

fn unknown(what: &'static str, topic: &str, source: LookUpError) -> Failure {
    Failure::LookUp { what, topic: topic.to_owned(), source }
}

/// Looks up the ranges of a topic.
pub(super) fn look_up(consumer: &Assigned, topic: &str, wanted: &Wanted) -> Result<Found, Failure> {
    let partitions = consumer.partitions(topic, LOOKUP).map_err(|source| unknown("the partitions", topic, source))?;
    let partitions = partitions.ok_or_else(|| Failure::NoTopic { topic: topic.to_owned() })?;
    if let Some(none) = wanted.offsets.iter().find(|offsets| !partitions.contains(&offsets.partition)) {
        return Err(Failure::NoPartition { topic: topic.to_owned(), partition: none.partition });
    }
    // Before the times: what comes between the two look-ups is of no range then, whatever its time.
    let kept: BTreeMap<_, _> = partitions
        .iter()
        .map(|&partition| Ok((partition, consumer.watermarks(topic, partition, LOOKUP)?)))
        .collect::<Result<_, _>>()
        .map_err(|source| unknown("the offsets", topic, source))?;
    let at = |time: Option<EventTime>| match time {
        None => Ok(BTreeMap::new()),
        Some(time) => consumer
            .at_time(topic, (&partitions, time.millis()), LOOKUP)
            .map(|found| found.into_iter().collect::<BTreeMap<_, _>>())
            .map_err(|source| unknown("the offsets of a time", topic, source)),
    };
    let (from, to) = (at(wanted.from)?, at(wanted.to)?);
    let mut found = Found::default();
    for (partition, kept) in kept {
        // Past the last record of the topic where there is none of this time.
        let start = from.get(&partition).map(|found| found.unwrap_or(kept.1));
        let end = to.get(&partition).copied().flatten();
        let asked: Vec<_> = wanted.ranges(partition).collect();
        let (ranges, gone) = within(asked, kept, (start, end));
        found.gone += gone;
        found.beyond += wanted.beyond(partition, kept.1);
        if !ranges.is_empty() {
            found.spans.push(Span { topic: topic.to_owned(), partition, ranges });
        }
    }
    Ok(found)
}

/// Looks up which of these positions are still kept.
pub(super) fn look_up_positions(consumer: &Assigned, positions: Positions) -> Result<Found, Failure> {
    let mut found = Found::default();
    for ((topic, partition), mut offsets) in positions {
        let unknown = |source| unknown("the offsets", &topic, source);
        let there = consumer.partitions(&topic, LOOKUP).map_err(unknown)?.unwrap_or_default().contains(&partition);
        let kept = if there { consumer.watermarks(&topic, partition, LOOKUP).map_err(unknown)? } else { (0, 0) };
        offsets.sort_unstable();
        offsets.dedup();
        let asked = offsets.len() as u64;
        let single = offsets.into_iter().map(|offset| offset..offset.saturating_add(1)).collect();
        let (ranges, _) = within(single, kept, (None, None));
        let span = Span { topic, partition, ranges };
        // Past the end, too, where the topic was made anew.
        found.gone += asked - span.size();
        if !span.ranges.is_empty() {
            found.spans.push(span);
        }
    }
    Ok(found)
}

impl Wanted {
    fn ranges(&self, partition: i32) -> impl Iterator<Item = Range<i64>> {
        let whole = self.offsets.is_empty().then_some(0..i64::MAX);
        let named = self.offsets.iter().filter(move |offsets| offsets.partition == partition);
        named.map(|offsets| offsets.first..offsets.last.map_or(i64::MAX, |last| last.saturating_add(1))).chain(whole)
    }

    /// How many offsets are named that come after this end of their partition. Of a range that is open nothing does.
    fn beyond(&self, partition: i32, end: i64) -> u64 {
        let named = self.ranges(partition).filter(|range| range.end < i64::MAX).collect();
        let (after, _) = within(named, (0, i64::MAX), (Some(end), None));
        size(&after)
    }
}

/// The ranges in order and apart, as far as they are kept and within the times; and how many offsets of them are no longer kept.
/// Of a time that begins before what is kept, what may be missing is everything before.
fn within(
    mut asked: Vec<Range<i64>>,
    (low, end): (i64, i64),
    times: (Option<i64>, Option<i64>),
) -> (Vec<Range<i64>>, u64) {
    asked.sort_unstable_by_key(|range| range.start);
    let first = times.0.filter(|start| *start > low).unwrap_or(0);
    let last = times.1.map_or(end, |to| to.min(end));
    let (mut ranges, mut gone, mut next) = (Vec::<Range<i64>>::new(), 0, first);
    for range in asked {
        let (start, stop) = (range.start.max(next), range.end.min(last));
        if start >= stop {
            continue;
        }
        next = stop;
        gone += u64::try_from(low.min(stop) - start).unwrap_or(0);
        match ranges.last_mut() {
            Some(before) if before.end == start && start >= low => before.end = stop,
            _ if low < stop => ranges.push(start.max(low)..stop),
            _ => {}
        }
    }
    (ranges, gone)
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "one range is meant, not what is in it")]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_longer_kept_is_counted_and_the_rest_is_read_once() {
        let whole = vec![0..i64::MAX];
        assert_eq!(within(whole.clone(), (0, 100), (None, None)), (vec![0..100], 0));
        assert_eq!(within(whole.clone(), (30, 100), (None, None)), (vec![30..100], 30));
        assert_eq!(within(whole.clone(), (100, 100), (None, None)), (vec![], 100));
        assert_eq!(within(whole, (0, 0), (None, None)), (vec![], 0));
        let two = vec![50..70, 10..20];
        assert_eq!(within(two.clone(), (0, 100), (None, None)), (vec![10..20, 50..70], 0));
        assert_eq!(within(two.clone(), (15, 60), (None, None)), (vec![15..20, 50..60], 5));
        assert_eq!(within(two, (40, 100), (None, None)), (vec![50..70], 10));
        let overlapping = vec![10..20, 15..30, 30..31, 12..13];
        assert_eq!(within(overlapping, (0, 100), (None, None)), (vec![10..31], 0));
    }

    #[test]
    fn a_span_is_sparse_where_most_of_it_lies_between_ranges_that_are_far_apart() {
        let span = |ranges| Span { topic: "t".to_owned(), partition: 0, ranges };
        assert!(span(vec![0..100, 10_000..10_100]).is_sparse());
        let scattered = (0..100).map(|at| at * 100..at * 100 + 1).collect();
        assert!(!span(scattered).is_sparse(), "a hundred apart is read through");
        assert!(!span(vec![0..10_000, 11_000..20_000]).is_sparse());
        assert!(!span(vec![0..i64::MAX]).is_sparse());
        assert!(!span(vec![]).is_sparse());
    }

    #[test]
    fn times_bound_a_range_and_one_that_begins_before_what_is_kept_may_miss_what_is_gone() {
        let whole = vec![0..i64::MAX];
        assert_eq!(within(whole.clone(), (10, 100), (Some(40), Some(60))), (vec![40..60], 0));
        assert_eq!(within(whole.clone(), (10, 100), (Some(10), None)), (vec![10..100], 10));
        assert_eq!(within(whole.clone(), (10, 100), (Some(100), None)), (vec![], 0));
        assert_eq!(within(vec![20..50], (10, 100), (Some(40), None)), (vec![40..50], 0));
    }

    #[test]
    fn named_offsets_after_the_end_are_counted_once_and_an_open_range_names_none() {
        let of = |partition, first, last| Offsets { partition, first, last };
        let beyond =
            |offsets: &[Offsets], end| Wanted { offsets: offsets.to_vec(), ..Wanted::default() }.beyond(0, end);
        assert_eq!(beyond(&[of(0, 999, Some(999))], 100), 1);
        assert_eq!(beyond(&[of(0, 90, Some(109))], 100), 10);
        assert_eq!(beyond(&[of(0, 90, Some(109)), of(0, 105, Some(119)), of(0, 100, Some(100))], 100), 20);
        assert_eq!(beyond(&[of(0, 5, Some(6)), of(1, 999, Some(999))], 0), 2, "an empty partition, and another one");
        assert_eq!(beyond(&[of(0, 90, Some(99))], 100), 0);
        assert_eq!(beyond(&[of(0, 999, None)], 100), 0);
        assert_eq!(beyond(&[], 100), 0);
    }

    #[test]
    fn what_is_left_of_a_span_begins_where_it_was_left() {
        let span = Span { topic: "t".to_owned(), partition: 0, ranges: vec![10..20, 50..70] };
        assert_eq!((span.size(), span.end()), (30, 70));
        assert_eq!(span.clone().rest(15).ranges, [15..20, 50..70]);
        assert_eq!(span.clone().rest(20).ranges, [50..70]);
        assert_eq!(span.clone().rest(5).ranges, [10..20, 50..70]);
        assert_eq!(span.rest(70).ranges, []);
    }
}
