//! Events that keep their verdict, by organization. Almost all do, so they must not take the places of those that change; and how
//! much of an organization changes is known only where the others were counted from the first on. A name costs a number here.
//!
//! Each name is hashed with a key that nobody outside knows. Past the bound new names are left out, and it is remembered that some were:
//! of an organization that is not here then, nobody knows how many events stay as they are.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
};

use super::tallies::Matrix;
use crate::domain::verdict::Outcome;

/// Events by outcome.
type ByOutcome = [u64; Outcome::ALL.len()];

/// Events that keep their verdict.
#[derive(Debug, Clone)]
pub(super) struct Unchanged {
    key: RandomState,
    /// By the hash of the organization's name. Each is whole.
    known: BTreeMap<u64, ByOutcome>,
    most: usize,
    /// At least one name was left out.
    over: bool,
}

impl Unchanged {
    /// None yet; of so many organizations. Those that are to become one share a key.
    pub(super) fn new(key: &RandomState, most: usize) -> Self {
        Self { key: key.clone(), known: BTreeMap::new(), most, over: false }
    }

    /// Counts an event of this organization.
    pub(super) fn add(&mut self, name: &str, outcome: Outcome) {
        let mut one = ByOutcome::default();
        if let Some(number) = one.get_mut(outcome as usize) {
            *number = 1;
        }
        self.keep(self.key.hash_one(name), one);
    }

    /// A name that comes once some were left out may have been among them.
    fn keep(&mut self, hash: u64, more: ByOutcome) {
        if let Some(known) = self.known.get_mut(&hash) {
            known.iter_mut().zip(more).for_each(|(mine, theirs)| *mine += theirs);
        } else if !self.over && self.known.len() < self.most {
            self.known.insert(hash, more);
        } else {
            self.over = true;
        }
    }

    /// Adds what another counted. Only what is whole on both sides stays.
    pub(super) fn absorb(&mut self, other: Self) {
        if other.over {
            self.known.retain(|hash, _| other.known.contains_key(hash));
        }
        other.known.into_iter().for_each(|(hash, theirs)| self.keep(hash, theirs));
        self.over |= other.over;
    }

    /// Those of this organization; nothing where nobody knows how many there were.
    pub(super) fn of(&self, name: &str) -> Option<Matrix> {
        match self.known.get(&self.key.hash_one(name)) {
            Some(known) => Some(Matrix::unchanged(*known)),
            None => (!self.over).then(Matrix::default),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(key: &RandomState, most: usize, names: &[&str]) -> Unchanged {
        let mut unchanged = Unchanged::new(key, most);
        names.iter().for_each(|name| unchanged.add(name, Outcome::Partial));
        unchanged
    }

    fn told(unchanged: &Unchanged, names: [&str; 4]) -> [Option<u64>; 4] {
        names.map(|name| unchanged.of(name).map(|matrix| matrix.all()))
    }

    #[test]
    fn what_is_told_is_whole_and_what_may_not_be_is_not_told() {
        let key = RandomState::new();
        let names = ["a", "b", "c", "never"];
        let within = counted(&key, 3, &["a", "b", "a", "c"]);
        assert_eq!(told(&within, names), [Some(2), Some(1), Some(1), Some(0)]);
        let partial = within.of("a").map(|matrix| matrix.of(Outcome::Partial, Outcome::Partial));
        assert_eq!(partial, Some(2));
        let beyond = counted(&key, 2, &["a", "b", "c", "a"]);
        assert_eq!(told(&beyond, names), [Some(2), Some(1), None, None]);
    }

    #[test]
    fn of_two_only_what_both_have_whole_stays() {
        let key = RandomState::new();
        let names = ["a", "b", "c", "d"];
        let mut whole = counted(&key, 3, &["a"]);
        whole.absorb(counted(&key, 3, &["b", "a"]));
        assert_eq!(told(&whole, names), [Some(2), Some(1), Some(0), Some(0)]);
        let over = || counted(&key, 2, &["a", "c", "d"]);
        let (mut one, mut other) = (whole.clone(), over());
        one.absorb(over());
        other.absorb(whole);
        assert_eq!(told(&one, names), [Some(3), None, Some(1), None]);
        assert_eq!(told(&other, names), [Some(3), None, Some(1), None]);
        one.add("b", Outcome::Partial);
        assert_eq!(one.of("b").map(|matrix| matrix.all()), None, "earlier ones were left out");
    }
}
