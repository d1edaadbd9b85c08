//! The newest verdicts, whole. Those that somebody has to act upon have a ring of their own: however much is accepted, it
//! doesn't push them out. Each ring is bounded by number and by bytes.

use std::{collections::VecDeque, sync::Arc};

use super::told::{Kept, Place};
use crate::domain::verdict::Outcome;

/// Both rings.
pub(crate) struct Newest {
    refused: Shelf,
    accepted: Shelf,
    /// How many verdicts came so far; each has its number, by which pages follow each other.
    number: u64,
}

/// A verdict and its number.
pub(crate) type Numbered = (u64, Arc<Kept>);

/// One ring.
struct Shelf {
    kept: VecDeque<Numbered>,
    bytes: usize,
    most: usize,
    most_bytes: usize,
}

impl Shelf {
    fn push(&mut self, number: u64, kept: Arc<Kept>) {
        self.bytes += kept.bytes();
        self.kept.push_back((number, kept));
        while self.kept.len() > self.most || self.bytes > self.most_bytes {
            let Some((_, gone)) = self.kept.pop_front() else { return };
            self.bytes -= gone.bytes();
        }
    }
}

impl Newest {
    /// Room for so many of each, and so many bytes.
    pub(crate) fn new(most: usize, most_bytes: usize) -> Self {
        let shelf = || Shelf { kept: VecDeque::new(), bytes: 0, most, most_bytes };
        Self { refused: shelf(), accepted: shelf(), number: 0 }
    }

    pub(crate) fn push(&mut self, kept: Arc<Kept>) {
        self.number += 1;
        let shelf = if kept.outcome == Outcome::Accepted { &mut self.accepted } else { &mut self.refused };
        shelf.push(self.number, kept);
    }

    /// All of them, the newest first. Cheap: what is long is shared.
    pub(crate) fn all(&self) -> Vec<Numbered> {
        let mut all: Vec<_> = self.refused.kept.iter().chain(&self.accepted.kept).cloned().collect();
        all.sort_unstable_by_key(|(number, _)| std::cmp::Reverse(*number));
        all
    }

    /// The newest verdict of the event at this place.
    pub(crate) fn of_event(&self, source: &Place) -> Option<Arc<Kept>> {
        let find = |shelf: &Shelf| shelf.kept.iter().rev().find(|(_, kept)| kept.source == *source).cloned();
        let found = [find(&self.refused), find(&self.accepted)].into_iter().flatten();
        found.max_by_key(|(number, _)| *number).map(|(_, kept)| kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::board::{filter::Filter, samples};

    #[test]
    fn accepted_verdicts_do_not_push_out_rejected_ones() {
        let mut newest = Newest::new(2, 1 << 20);
        newest.push(Arc::new(samples::kept(Outcome::Rejected, 0)));
        (1..50).for_each(|offset| newest.push(Arc::new(samples::kept(Outcome::Accepted, offset))));
        let offsets: Vec<_> = newest.all().iter().map(|(_, kept)| kept.source.offset).collect();
        assert_eq!(offsets, [49, 48, 0]);
        let rejected = Filter { verdict: Some(Outcome::Rejected), ..Filter::default() };
        assert_eq!(newest.all().iter().filter(|(_, kept)| rejected.takes(kept)).count(), 1);
        assert!(newest.of_event(&samples::place(0)).is_some() && newest.of_event(&samples::place(1)).is_none());
    }

    #[test]
    fn bytes_are_bounded() {
        let most = 20 * samples::kept(Outcome::Rejected, 0).bytes();
        let mut newest = Newest::new(1_000_000, most);
        (0..500).for_each(|offset| newest.push(Arc::new(samples::kept(Outcome::Rejected, offset))));
        assert!(newest.refused.bytes <= most && newest.refused.kept.len() >= 18, "{}", newest.refused.kept.len());
        let sum: usize = newest.refused.kept.iter().map(|(_, kept)| kept.bytes()).sum();
        assert_eq!(newest.refused.bytes, sum);
    }
}
