//! A table by name that never grows beyond its bounds, whoever chooses the names. Where a new name finds no room, another one makes
//! it, and its counts go to the rest: so the sum stays what was fed, and what is told of a name is never more than came.
//!
//! Most places belong to those that were counted most, and no flood of made-up names takes one. The others are contended for by
//! Space-Saving (Metwally, Agrawal and El Abbadi, 2005): a newcomer's rank begins at that of the name whose place it took, so that
//! the next one takes another's place. A latecomer that comes often stays, however often a flood's names came before it.

use std::collections::BTreeMap;

/// Something that is counted.
pub(crate) trait Tally: Default {
    /// How much was counted.
    fn weight(&self) -> u64;
    /// Adds another's counts.
    fn absorb(&mut self, other: Self);
}

/// A plain number of times.
impl Tally for u64 {
    fn weight(&self) -> u64 {
        *self
    }

    fn absorb(&mut self, other: Self) {
        *self += other;
    }
}

/// The longest name that is told apart, in bytes.
const NAME_BYTES: usize = 128;

/// Of how many places of a full table one is contended for.
const CONTENDED: usize = 4;

/// A bounded table.
#[derive(Debug, Clone)]
pub(crate) struct Bounded<T> {
    most: usize,
    kept: BTreeMap<Box<str>, Kept<T>>,
    rest: T,
}

/// What is kept of a name.
#[derive(Debug, Clone)]
struct Kept<T> {
    tally: T,
    /// The rank of the name whose place it took: as often it may have come before, uncounted.
    before: u64,
}

impl<T: Tally> Kept<T> {
    /// How often the name may have come.
    fn rank(&self) -> u64 {
        self.before + self.tally.weight()
    }
}

impl<T: Tally> Bounded<T> {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, kept: BTreeMap::new(), rest: T::default() }
    }

    /// Where to count this name.
    pub(crate) fn of(&mut self, name: &str) -> &mut T {
        self.of_or(name, T::default)
    }

    /// Where to count this name, which begins as `new` where it isn't known yet.
    pub(crate) fn of_or(&mut self, name: &str, new: impl FnOnce() -> T) -> &mut T {
        if name.len() > NAME_BYTES {
            return &mut self.rest;
        }
        // A name that is known costs no allocation: this is done for every attribute of every verdict.
        if !self.kept.contains_key(name) {
            let before = self.make_room();
            self.kept.insert(name.into(), Kept { tally: new(), before });
        }
        self.kept.get_mut(name).map_or(&mut self.rest, |kept| &mut kept.tally)
    }

    /// Makes room for one more; the rank of the name that made it.
    fn make_room(&mut self) -> u64 {
        if self.kept.len() < self.most { 0 } else { self.drop_one() }
    }

    fn drop_one(&mut self) -> u64 {
        let Some(dropped) = self.least().and_then(|name| self.kept.remove(&name)) else { return 0 };
        let rank = dropped.rank();
        self.rest.absorb(dropped.tally);
        rank
    }

    /// Of those that were counted least, the name of the lowest rank; of equals the one that was counted less.
    fn least(&self) -> Option<Box<str>> {
        let mut all: Vec<_> = self.kept.iter().map(|(name, kept)| (kept.tally.weight(), kept.rank(), name)).collect();
        let contended = all.len().div_ceil(CONTENDED);
        if contended < all.len() {
            all.select_nth_unstable(contended);
            all.truncate(contended);
        }
        let least = all.into_iter().min_by_key(|(weight, rank, name)| (*rank, *weight, *name));
        least.map(|(.., name)| name.clone())
    }

    /// Adds what another table counted.
    pub(crate) fn merge(&mut self, other: Self) {
        self.rest.absorb(other.rest);
        for (name, theirs) in other.kept {
            match self.kept.get_mut(&name) {
                Some(known) => {
                    known.tally.absorb(theirs.tally);
                    known.before += theirs.before;
                }
                None => _ = self.kept.insert(name, theirs),
            }
        }
        while self.kept.len() > self.most {
            self.drop_one();
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.kept.get(name).map(|kept| &kept.tally)
    }

    /// Those that are told apart, by name.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &T)> {
        self.kept.iter().map(|(name, kept)| (name.as_ref(), &kept.tally))
    }

    /// All others together.
    pub(crate) fn rest(&self) -> &T {
        &self.rest
    }

    /// Those that are told apart, the most first by this measure; of equals the first by name.
    pub(crate) fn by<M: Ord>(&self, measure: impl Fn(&T) -> M) -> Vec<(&str, &T)> {
        let mut sorted: Vec<_> = self.iter().collect();
        sorted.sort_by_cached_key(|(_, tally)| std::cmp::Reverse(measure(tally)));
        sorted
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn total(table: &Bounded<u64>) -> u64 {
        table.iter().map(|(_, tally)| tally.weight()).sum::<u64>() + table.rest().weight()
    }

    proptest! {
        #[test]
        fn the_sum_is_what_was_fed_and_the_size_is_bounded(
            names in prop::collection::vec("[a-z\u{1b}<é]{0,4}|[x]{100,300}", 0..400), most in 1_usize..12,
        ) {
            let mut table = Bounded::<u64>::new(most);
            for name in &names {
                *table.of(name) += 1;
            }
            prop_assert_eq!(total(&table), names.len() as u64);
            let (mut apart, mut other) = (Bounded::<u64>::new(most), Bounded::<u64>::new(most));
            for (at, name) in names.iter().enumerate() {
                *if at % 3 == 0 { &mut other } else { &mut apart }.of(name) += 1;
            }
            apart.merge(other);
            prop_assert_eq!(total(&apart), names.len() as u64);
            prop_assert!(apart.iter().len() <= most && table.iter().len() <= most);
            prop_assert!(table.iter().all(|(name, _)| name.len() <= NAME_BYTES));
        }
    }

    #[test]
    fn a_flood_of_made_up_names_does_not_push_out_what_comes_often() {
        let mut table = Bounded::<u64>::new(10);
        for number in 0..1_000 {
            *table.of("plan") += 1;
            *table.of(&format!("made-up-{number}")) += 1;
        }
        assert_eq!(table.get("plan"), Some(&1_000));
        assert_eq!(total(&table), 2_000);
        assert_eq!(table.by(Tally::weight)[0].0, "plan");
    }

    #[test]
    fn a_latecomer_that_comes_often_finds_a_place_behind_a_flood_and_within_one() {
        for latecomer in ["a-latecomer", "z-latecomer"] {
            let mut table = Bounded::<u64>::new(20);
            *table.of("plan") += 1_000;
            for number in 0..5_000 {
                *table.of(&format!("made-up-{number}")) += 2;
            }
            for number in 0..300 {
                *table.of(latecomer) += 1;
                for more in ["a", "b", "c"] {
                    *table.of(&format!("made-up-{number}-{more}")) += 1;
                }
            }
            assert_eq!(table.get(latecomer), Some(&300), "{latecomer}");
            assert_eq!(table.get("plan"), Some(&1_000), "what came often stays");
            assert_eq!(total(&table), 1_000 + 10_000 + 1_200);
            assert_eq!(table.iter().len(), 20);
        }
    }
}
