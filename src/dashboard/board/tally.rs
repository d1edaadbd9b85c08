//! What is counted of one thing: how often, since when, and how the last hour and day went.

use schemars::JsonSchema;
use serde::Serialize;

use super::ring::{Day, Hour};
use crate::{count::bounded::Tally, domain::verdict::Outcome};

/// How often, first, last, and the last hour by minute.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recent {
    pub(crate) total: u64,
    pub(crate) first: Option<i64>,
    pub(crate) last: Option<i64>,
    pub(crate) hour: Hour,
}

impl Recent {
    pub(crate) fn add(&mut self, at: i64) {
        self.total += 1;
        self.span(at, at);
        self.hour.add(at);
    }

    fn span(&mut self, first: i64, last: i64) {
        self.first = Some(self.first.map_or(first, |known| known.min(first)));
        self.last = Some(self.last.map_or(last, |known| known.max(last)));
    }
}

impl Tally for Recent {
    fn weight(&self) -> u64 {
        self.total
    }

    fn absorb(&mut self, other: Self) {
        self.total += other.total;
        if let (Some(first), Some(last)) = (other.first, other.last) {
            self.span(first, last);
        }
        self.hour.absorb(&other.hour);
    }
}

/// The same, and the last day by ten minutes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Series {
    pub(crate) recent: Recent,
    pub(crate) day: Day,
}

impl Series {
    pub(crate) fn add(&mut self, at: i64) {
        self.recent.add(at);
        self.day.add(at);
    }
}

impl Tally for Series {
    fn weight(&self) -> u64 {
        self.recent.total
    }

    fn absorb(&mut self, other: Self) {
        self.recent.absorb(other.recent);
        self.day.absorb(&other.day);
    }
}

/// Verdicts by outcome.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcomes {
    pub(crate) accepted: Series,
    pub(crate) partial: Series,
    pub(crate) rejected: Series,
}

impl Outcomes {
    pub(crate) fn add(&mut self, outcome: Outcome, at: i64) {
        match outcome {
            Outcome::Accepted => self.accepted.add(at),
            Outcome::Partial => self.partial.add(at),
            Outcome::Rejected => self.rejected.add(at),
        }
    }

    /// When the last one came.
    pub(crate) fn last(&self) -> Option<i64> {
        [&self.accepted, &self.partial, &self.rejected].into_iter().filter_map(|series| series.recent.last).max()
    }
}

impl Tally for Outcomes {
    fn weight(&self) -> u64 {
        self.accepted.weight() + self.partial.weight() + self.rejected.weight()
    }

    fn absorb(&mut self, other: Self) {
        self.accepted.absorb(other.accepted);
        self.partial.absorb(other.partial);
        self.rejected.absorb(other.rejected);
    }
}

/// What became of one attribute, over and over.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Attribute {
    /// Set by a signed value; of memberships, those that were proven.
    pub(crate) signed: u64,
    /// Set by an unsigned one.
    pub(crate) unsigned: u64,
    /// Unset, signed or not.
    pub(crate) unset: u64,
    pub(crate) rejected: u64,
    /// How many of the rejected ones a lock refused.
    pub(crate) locked: u64,
    pub(crate) dropped: u64,
    pub(crate) last: Option<i64>,
}

impl Tally for Attribute {
    fn weight(&self) -> u64 {
        self.signed + self.unsigned + self.unset + self.rejected + self.dropped
    }

    fn absorb(&mut self, other: Self) {
        self.signed += other.signed;
        self.unsigned += other.unsigned;
        self.unset += other.unset;
        self.rejected += other.rejected;
        self.locked += other.locked;
        self.dropped += other.dropped;
        self.last = self.last.max(other.last);
    }
}
