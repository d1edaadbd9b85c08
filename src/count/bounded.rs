//! A table by name that never grows beyond its bounds, whoever chooses the names. Where a new name finds no room, another one makes
//! it, and its counts go to the rest: so the sum stays what was fed, and what is told of a name is never more than came. It is less where
//! the name had to make room and came again, or may have: whoever tells a name's part of something asks first whether it is whole.
//!
//! Most places belong to those that were counted most, and no flood of names that come less often takes one. The others are contended for
//! by Space-Saving (Metwally, Agrawal and El Abbadi, 2005): a newcomer's rank begins at that of the name whose place it took, so that
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
    /// A name made room: whatever comes anew may have been it.
    over: bool,
}

/// What is kept of a name.
#[derive(Debug, Clone)]
struct Kept<T> {
    tally: T,
    /// Where its rank began: at that of the name whose place it took.
    before: u64,
    /// The tally is all that came of it.
    whole: bool,
}

impl<T: Tally> Kept<T> {
    /// What it holds its place by against others that were counted as little.
    fn rank(&self) -> u64 {
        self.before + self.tally.weight()
    }

    fn absorb(&mut self, other: Self) {
        self.tally.absorb(other.tally);
        self.before += other.before;
        self.whole &= other.whole;
    }
}

impl<T: Tally> Bounded<T> {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, kept: BTreeMap::new(), rest: T::default(), over: false }
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
            self.kept.insert(name.into(), Kept { tally: new(), before, whole: !self.over });
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
        self.over = true;
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

    /// Adds what another table counted. What only one of them knows may have made room in the other.
    pub(crate) fn merge(&mut self, other: Self) {
        self.rest.absorb(other.rest);
        if other.over {
            self.kept.iter_mut().for_each(|(name, mine)| mine.whole &= other.kept.contains_key(name));
        }
        for (name, theirs) in other.kept {
            match self.kept.get_mut(&name) {
                Some(mine) => mine.absorb(theirs),
                None => _ = self.kept.insert(name, Kept { whole: theirs.whole && !self.over, ..theirs }),
            }
        }
        self.over |= other.over;
        while self.kept.len() > self.most {
            self.drop_one();
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.kept.get(name).map(|kept| &kept.tally)
    }

    /// Whether what was counted of a name that is told apart is all that came of it.
    pub(crate) fn is_whole(&self, name: &str) -> bool {
        self.kept.get(name).is_some_and(|kept| kept.whole)
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
            for table in [&table, &apart] {
                for (name, tally) in table.iter() {
                    let came = names.iter().filter(|other| *other == name).count() as u64;
                    prop_assert!(if table.is_whole(name) { *tally == came } else { *tally <= came }, "{}", name);
                }
            }
            prop_assert!(table.over || table.iter().all(|(name, _)| table.is_whole(name)));
        }
    }

    #[test]
    fn what_comes_after_a_name_made_room_is_not_known_to_be_whole() {
        let counted = |names: &[&str]| {
            let mut table = Bounded::<u64>::new(2);
            names.iter().for_each(|name| *table.of(name) += 1);
            table
        };
        let whole = |table: &Bounded<u64>| table.iter().map(|(name, _)| table.is_whole(name)).collect::<Vec<_>>();
        assert_eq!(whole(&counted(&["a", "a", "b"])), [true, true]);
        let over = || counted(&["a", "a", "b", "c"]);
        assert_eq!(whole(&over()), [true, false]);
        assert!(!over().is_whole("b") && !over().is_whole("never"));
        // In the table that is over `b` made room; `a` is whole in both.
        let within = || counted(&["a", "b", "b"]);
        for (mut one, other) in [(over(), within()), (within(), over())] {
            one.merge(other);
            let told: Vec<_> = one.iter().map(|(name, number)| (name, *number, one.is_whole(name))).collect();
            assert_eq!(told, [("a", 3, true), ("b", 2, false)]);
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
