//! What is counted of one group of events: an organization, a sender, a kind of change.

use std::{collections::BTreeMap, hash::RandomState};

use serde::Serialize;

use super::{Fate, fates::Difference};
use crate::{
    count::{
        bounded::{Bounded, Tally},
        distinct::Distinct,
    },
    domain::verdict::Outcome,
};

/// Which way a verdict goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Stricter,
    Milder,
    Within,
}

impl Way {
    pub(super) fn of(before: Outcome, after: Outcome) -> Self {
        match before.cmp(&after) {
            std::cmp::Ordering::Less => Self::Stricter,
            std::cmp::Ordering::Greater => Self::Milder,
            std::cmp::Ordering::Equal => Self::Within,
        }
    }
}

/// Events that change, by the way that they go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Ways {
    /// From accepted to partial or rejected, from partial to rejected.
    pub stricter: u64,
    /// The other way.
    pub milder: u64,
    /// Their verdict is of the same kind, and says something else.
    pub within: u64,
}

impl Ways {
    pub(super) fn add(&mut self, way: Way) {
        *match way {
            Way::Stricter => &mut self.stricter,
            Way::Milder => &mut self.milder,
            Way::Within => &mut self.within,
        } += 1;
    }

    /// All of them.
    #[must_use]
    pub fn all(self) -> u64 {
        self.stricter + self.milder + self.within
    }
}

impl Tally for Ways {
    fn weight(&self) -> u64 {
        self.all()
    }

    fn absorb(&mut self, other: Self) {
        self.stricter += other.stricter;
        self.milder += other.milder;
        self.within += other.within;
    }
}

/// Events by their outcome before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Matrix([[u64; 3]; 3]);

impl Matrix {
    pub(super) fn add(&mut self, before: Outcome, after: Outcome) {
        if let Some(cell) = self.0.get_mut(before as usize).and_then(|row| row.get_mut(after as usize)) {
            *cell += 1;
        }
    }

    /// These events by their outcome, which is the same before and after.
    pub(super) fn unchanged(by_outcome: [u64; 3]) -> Self {
        let mut matrix = Self::default();
        for (at, number) in by_outcome.into_iter().enumerate() {
            if let Some(cell) = matrix.0.get_mut(at).and_then(|row| row.get_mut(at)) {
                *cell = number;
            }
        }
        matrix
    }

    pub(super) fn of(&self, before: Outcome, after: Outcome) -> u64 {
        self.0.get(before as usize).and_then(|row| row.get(after as usize)).copied().unwrap_or_default()
    }

    pub(super) fn all(&self) -> u64 {
        self.0.iter().flatten().sum()
    }

    pub(super) fn absorb(&mut self, other: &Self) {
        let cells = self.0.iter_mut().flatten().zip(other.0.iter().flatten());
        cells.for_each(|(mine, theirs)| *mine += theirs);
    }
}

/// What becomes of one attribute. Fates are a closed list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Attribute(pub(super) BTreeMap<(Fate, Fate), u64>);

impl Tally for Attribute {
    fn weight(&self) -> u64 {
        self.0.values().sum()
    }

    fn absorb(&mut self, other: Self) {
        for (fates, number) in other.0 {
            *self.0.entry(fates).or_default() += number;
        }
    }
}

/// What changes of one organization.
#[derive(Debug, Clone)]
pub(super) struct Organization {
    /// Events that change. Those that don't are counted elsewhere: an organization without a change takes no place.
    pub(super) matrix: Matrix,
    pub(super) ways: Ways,
    /// Users of events that change.
    pub(super) users: Option<Distinct>,
    pub(super) attributes: Bounded<Attribute>,
    pub(super) company_attributes: Bounded<Attribute>,
}

/// Attributes of one organization that are told apart.
const ATTRIBUTES: usize = 100;
/// Up to how many users of one organization are counted exactly.
const USERS: usize = 4_096;

impl Organization {
    pub(super) fn new(key: &RandomState) -> Self {
        Self { users: Some(Distinct::new(key, USERS)), ..Self::default() }
    }

    pub(super) fn attribute(&mut self, difference: &Difference<'_>) {
        let table = if difference.of_company { &mut self.company_attributes } else { &mut self.attributes };
        *table.of(difference.attribute).0.entry(difference.fates).or_default() += 1;
    }
}

/// All others together: they have no users of their own.
impl Default for Organization {
    fn default() -> Self {
        Self {
            matrix: Matrix::default(),
            ways: Ways::default(),
            users: None,
            attributes: Bounded::new(ATTRIBUTES),
            company_attributes: Bounded::new(ATTRIBUTES),
        }
    }
}

impl Tally for Organization {
    fn weight(&self) -> u64 {
        self.ways.all()
    }

    fn absorb(&mut self, other: Self) {
        self.matrix.absorb(&other.matrix);
        self.ways.absorb(other.ways);
        if let (Some(mine), Some(theirs)) = (&mut self.users, &other.users) {
            mine.absorb(theirs);
        }
        self.attributes.merge(other.attributes);
        self.company_attributes.merge(other.company_attributes);
    }
}
