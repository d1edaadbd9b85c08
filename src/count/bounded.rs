//! A table by name that never grows beyond its bounds, whoever chooses the names. Where a new name finds no room, the one that
//! was counted least makes it, and its counts go to the rest: so the sum stays what was fed, a flood of made-up names pushes out
//! made-up names, and what comes often stays.

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

/// A bounded table.
#[derive(Debug, Clone)]
pub(crate) struct Bounded<T> {
    most: usize,
    kept: BTreeMap<Box<str>, T>,
    rest: T,
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
            self.make_room();
            self.kept.insert(name.into(), new());
        }
        self.kept.get_mut(name).unwrap_or(&mut self.rest)
    }

    fn make_room(&mut self) {
        if self.kept.len() >= self.most {
            self.drop_least();
        }
    }

    fn drop_least(&mut self) {
        let least = self.kept.iter().min_by_key(|(_, tally)| tally.weight()).map(|(name, _)| name.clone());
        if let Some(tally) = least.and_then(|name| self.kept.remove(&name)) {
            self.rest.absorb(tally);
        }
    }

    /// Adds what another table counted.
    pub(crate) fn merge(&mut self, other: Self) {
        self.rest.absorb(other.rest);
        for (name, tally) in other.kept {
            match self.kept.get_mut(&name) {
                Some(known) => known.absorb(tally),
                None => _ = self.kept.insert(name, tally),
            }
        }
        while self.kept.len() > self.most {
            self.drop_least();
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.kept.get(name)
    }

    /// Those that are told apart, by name.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &T)> {
        self.kept.iter().map(|(name, tally)| (name.as_ref(), tally))
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
}
