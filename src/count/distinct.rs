//! How many different things there were, in bounded memory: exactly up to a bound, estimated beyond it.
//!
//! Each thing is hashed with a key that nobody outside knows, and the smallest hashes are kept. As long as none was left out
//! they are all there are; later the largest of those kept says how densely all of them lie (a bottom-k sketch): its relative error is about
//! 1/√k. Two such sets, made apart with the same key, become one. Nothing of what was counted can be read from it.

use std::{
    fmt,
    hash::{BuildHasher, Hash, RandomState},
};

use schemars::JsonSchema;
use serde::Serialize;

use super::words::grouped;

/// A number of different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Count {
    /// How many.
    pub number: u64,
    /// Whether it is an estimate, within a few percent.
    pub estimated: bool,
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.estimated { write!(f, "about {}", grouped(self.number)) } else { f.write_str(&grouped(self.number)) }
    }
}

/// Different things, counted.
#[derive(Clone)]
pub struct Distinct {
    key: RandomState,
    /// The smallest hashes, in their order.
    smallest: Vec<u64>,
    most: usize,
    /// At least one was left out.
    over: bool,
}

impl Distinct {
    /// None yet; exact for so many. Sets that are to become one share a key.
    #[must_use]
    pub fn new(key: &RandomState, most: usize) -> Self {
        Self { key: key.clone(), smallest: Vec::new(), most, over: false }
    }

    /// Counts this thing, unless it was counted before.
    pub fn add(&mut self, thing: impl Hash) {
        self.keep(self.key.hash_one(thing));
    }

    fn keep(&mut self, hash: u64) {
        if self.smallest.len() >= self.most && self.smallest.last().is_none_or(|last| hash > *last) {
            self.over = true;
            return;
        }
        if let Err(place) = self.smallest.binary_search(&hash) {
            self.smallest.insert(place, hash);
            self.over |= self.smallest.len() > self.most;
            self.smallest.truncate(self.most);
        }
    }

    /// Adds what another has counted.
    pub fn absorb(&mut self, other: &Self) {
        self.over |= other.over;
        other.smallest.iter().for_each(|hash| self.keep(*hash));
    }

    /// How many there were.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate, positive; a float saturates when cast"
    )]
    pub fn count(&self) -> Count {
        let kept = self.smallest.len() as u64;
        match self.smallest.last().filter(|_| self.over) {
            None => Count { number: kept, estimated: self.over },
            Some(last) => {
                let part = (*last as f64 + 1.0) / (u64::MAX as f64 + 1.0);
                let number = ((kept as f64 - 1.0).max(1.0) / part).round() as u64;
                Count { number: number.max(kept), estimated: true }
            }
        }
    }
}

impl fmt::Debug for Distinct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Distinct").field(&self.count()).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counted(key: &RandomState, most: usize, things: impl IntoIterator<Item = u32>) -> Distinct {
        let mut distinct = Distinct::new(key, most);
        things.into_iter().for_each(|thing| distinct.add(thing));
        distinct
    }

    proptest! {
        #[test]
        fn up_to_the_bound_it_is_exact_and_apart_or_together_it_is_the_same(
            one in prop::collection::vec(0_u32..300, 0..300), other in prop::collection::vec(0_u32..300, 0..300), most in 1_usize..400,
        ) {
            let key = RandomState::new();
            let mut apart = counted(&key, most, one.iter().copied());
            apart.absorb(&counted(&key, most, other.iter().copied()));
            let together = counted(&key, most, one.iter().chain(&other).copied());
            prop_assert_eq!(apart.count(), together.count());
            prop_assert!(apart.smallest.len() <= most);
            let exact = one.iter().chain(&other).collect::<std::collections::BTreeSet<_>>().len();
            if exact <= most {
                prop_assert_eq!(apart.count(), Count { number: exact as u64, estimated: false });
            } else {
                prop_assert!(apart.count().estimated);
            }
        }
    }

    #[test]
    fn beyond_the_bound_the_estimate_is_close() {
        let count = counted(&RandomState::new(), 4_096, 0..200_000).count();
        // Five standard deviations.
        assert!(count.estimated && count.number.abs_diff(200_000) < 16_000, "{count}");
    }

    #[test]
    fn a_number_is_told_as_what_it_is() {
        assert_eq!(Count { number: 1_234_567, estimated: true }.to_string(), "about 1,234,567");
    }
}
