//! The newest verdicts, whole. Those that somebody has to act upon have a shelf of their own: however much is accepted, it
//! doesn't push them out. Each shelf is bounded by number and by bytes.
//!
//! The newest are those that were written last, not those that were read last: after a start both topics and all of their partitions
//! are read back at once, and what comes last out of them is as old as chance has it.

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

use super::told::{Kept, Place};
use crate::domain::verdict::Outcome;

/// Both shelves.
pub(crate) struct Newest {
    refused: Shelf,
    accepted: Shelf,
    /// How many verdicts came so far; each has its number.
    number: u64,
}

/// The place of a verdict among the others, by which pages follow each other: when it was written, and among those of the same
/// millisecond its number. It holds good once the verdict is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn {
    /// When it was written.
    pub(crate) at: i64,
    /// Its number.
    pub(crate) number: u64,
}

/// As a text, which a page is asked for by.
impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.at, self.number)
    }
}

impl FromStr for Turn {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (at, number) = text.split_once(':').ok_or(())?;
        Ok(Self { at: at.parse().map_err(drop)?, number: number.parse().map_err(drop)? })
    }
}

/// A verdict and its place.
pub(crate) type Ordered = (Turn, Arc<Kept>);

/// One shelf.
struct Shelf {
    kept: BTreeMap<Turn, Arc<Kept>>,
    bytes: usize,
    most: usize,
    most_bytes: usize,
}

impl Shelf {
    /// The oldest makes room, which may be the one that came just now.
    fn push(&mut self, turn: Turn, kept: Arc<Kept>) {
        self.bytes += kept.bytes();
        self.kept.insert(turn, kept);
        while self.kept.len() > self.most || self.bytes > self.most_bytes {
            let Some((_, gone)) = self.kept.pop_first() else { return };
            self.bytes -= gone.bytes();
        }
    }

    /// All of them, the newest first.
    fn all(&self) -> impl Iterator<Item = Ordered> {
        self.kept.iter().rev().map(owned)
    }
}

impl Newest {
    /// Room for so many of each, and so many bytes.
    pub(crate) fn new(most: usize, most_bytes: usize) -> Self {
        let shelf = || Shelf { kept: BTreeMap::new(), bytes: 0, most, most_bytes };
        Self { refused: shelf(), accepted: shelf(), number: 0 }
    }

    pub(crate) fn push(&mut self, kept: Arc<Kept>) {
        self.number += 1;
        let turn = Turn { at: kept.at, number: self.number };
        let shelf = if kept.outcome == Outcome::Accepted { &mut self.accepted } else { &mut self.refused };
        shelf.push(turn, kept);
    }

    /// All of them, the newest first. Cheap: what is long is shared.
    pub(crate) fn all(&self) -> Vec<Ordered> {
        let mut all: Vec<_> = self.refused.all().chain(self.accepted.all()).collect();
        // Stable, which is quick here: it finds the two that are sorted and merges them.
        all.sort_by_key(|(turn, _)| std::cmp::Reverse(*turn));
        all
    }

    /// The newest verdict of the event at this place.
    pub(crate) fn of_event(&self, source: &Place) -> Option<Arc<Kept>> {
        let find = |shelf: &Shelf| shelf.kept.iter().rev().find(|(_, kept)| kept.source == *source).map(owned);
        let found = [find(&self.refused), find(&self.accepted)].into_iter().flatten();
        found.max_by_key(|(turn, _)| *turn).map(|(_, kept)| kept)
    }
}

fn owned((turn, kept): (&Turn, &Arc<Kept>)) -> Ordered {
    (*turn, Arc::clone(kept))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::board::{
        filter::Filter,
        samples::{self, NOW},
    };

    fn offsets(newest: &Newest) -> Vec<i64> {
        newest.all().iter().map(|(_, kept)| kept.source.offset).collect()
    }

    #[test]
    fn accepted_verdicts_do_not_push_out_rejected_ones() {
        let mut newest = Newest::new(2, 1 << 20);
        newest.push(Arc::new(samples::kept(Outcome::Rejected, 0)));
        (1..50).for_each(|offset| newest.push(Arc::new(samples::kept(Outcome::Accepted, offset))));
        assert_eq!(offsets(&newest), [49, 48, 0]);
        let rejected = Filter { verdict: Some(Outcome::Rejected), ..Filter::default() };
        assert_eq!(newest.all().iter().filter(|(_, kept)| rejected.takes(kept)).count(), 1);
        assert!(newest.of_event(&samples::place(0)).is_some() && newest.of_event(&samples::place(1)).is_none());
    }

    #[test]
    fn the_newest_are_those_that_were_written_last_in_whichever_order_the_topics_are_read() {
        // Verdict by verdict the two topics take turns; one is read after the other.
        let mut written: Vec<_> = (0..100).map(|offset| (Outcome::Rejected, 2 * offset)).collect();
        written.extend((0..100).map(|offset| (Outcome::Partial, 2 * offset + 1)));
        for _ in 0..2 {
            written.rotate_left(100);
            let mut newest = Newest::new(6, 1 << 20);
            for (outcome, offset) in &written {
                let verdict = samples::verdict(*outcome, *offset);
                newest.push(Arc::new(samples::keep(&verdict, NOW + offset)));
            }
            assert_eq!(offsets(&newest), [199, 198, 197, 196, 195, 194]);
        }
    }

    #[test]
    fn the_later_verdict_of_an_event_is_the_one_that_was_written_later() {
        let mut newest = Newest::new(6, 1 << 20);
        for (outcome, at) in [(Outcome::Accepted, NOW), (Outcome::Rejected, NOW - 1), (Outcome::Accepted, NOW - 2)] {
            newest.push(Arc::new(samples::keep(&samples::verdict(outcome, 1), at)));
        }
        assert_eq!(newest.of_event(&samples::place(1)).unwrap().at, NOW);
    }

    #[test]
    fn bytes_are_bounded() {
        let most = 20 * samples::kept(Outcome::Rejected, 0).bytes();
        let mut newest = Newest::new(1_000_000, most);
        (0..500).for_each(|offset| newest.push(Arc::new(samples::kept(Outcome::Rejected, offset))));
        assert!(newest.refused.bytes <= most && newest.refused.kept.len() >= 18, "{}", newest.refused.kept.len());
        let sum: usize = newest.refused.kept.values().map(|kept| kept.bytes()).sum();
        assert_eq!(newest.refused.bytes, sum);
    }

    #[test]
    fn a_place_is_read_as_it_is_told() {
        let turn = Turn { at: NOW, number: 12 };
        assert_eq!(turn.to_string().parse(), Ok(turn));
        for text in ["", "12", ":", "1:", ":1", "1:-1", "1:2:3", "x:1"] {
            assert_eq!(text.parse::<Turn>(), Err(()), "{text}");
        }
    }
}
