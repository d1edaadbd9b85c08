//! The board: everything that the dashboard knows, counted from the verdict topics. Pure and bounded: fed with the same records
//! it says the same, and no name that a sender chooses makes it grow beyond its limits.
//!
//! Times are those at which verdicts were written (the records' own timestamps), never later than now.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub(crate) mod filter;
pub(crate) mod newest;
pub(crate) mod organization;
pub(crate) mod ring;
mod short;
pub(crate) mod tally;
pub(crate) mod told;

use std::sync::Arc;

use newest::Newest;
use organization::Organization;
use ring::Minute;
use tally::{Outcomes, Recent, Series};
use told::{Kept, Told};

use crate::{count::bounded::Bounded, domain::verdict::Outcome};

/// What is kept at most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Organizations that are told apart.
    pub organizations: usize,
    /// Attributes of each that are told apart, and as many names that nobody configured.
    pub attributes: usize,
    /// The newest verdicts that are kept whole: rejected and partial ones, and as many accepted ones.
    pub verdicts: usize,
    /// Bytes of each of the two.
    pub verdicts_bytes: usize,
}

/// Reasons that are told apart; the list is closed, but whoever else writes to the topics gets no more room.
const CLOSED: usize = 128;

/// Everything that is counted.
pub(crate) struct Board {
    limits: Limits,
    pub(crate) outcomes: Outcomes,
    /// The last minute by second, in the order accepted, partial, rejected.
    pub(crate) live: [Minute; 3],
    pub(crate) reasons: Bounded<Series>,
    /// Partial verdicts by reason.
    pub(crate) partial_reasons: Bounded<Recent>,
    pub(crate) organizations: Bounded<Organization>,
    /// Verdicts of which it isn't known whom they concern.
    pub(crate) nobody: Organization,
    pub(crate) newest: Newest,
    /// Verdicts of replays. They are told of events that were counted before, and are counted here alone.
    pub(crate) replayed: Recent,
    /// Records of the verdict topics that are no verdicts.
    pub(crate) unreadable: Recent,
}

impl Board {
    /// Nothing yet.
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            outcomes: Outcomes::default(),
            live: Default::default(),
            reasons: Bounded::new(CLOSED),
            partial_reasons: Bounded::new(CLOSED),
            organizations: Bounded::new(limits.organizations),
            nobody: Organization::new(limits.attributes),
            newest: Newest::new(limits.verdicts, limits.verdicts_bytes),
            replayed: Recent::default(),
            unreadable: Recent::default(),
        }
    }

    /// Counts a verdict that was written at this time, and keeps it.
    pub(crate) fn feed(&mut self, told: &Told<'_>, kept: Arc<Kept>) {
        let at = kept.at;
        if kept.replay.is_some() {
            self.replayed.add(at);
        } else {
            self.count(told, at);
        }
        self.newest.push(kept);
    }

    fn count(&mut self, told: &Told<'_>, at: i64) {
        self.outcomes.add(told.verdict, at);
        let [accepted, partial, rejected] = &mut self.live;
        match told.verdict {
            Outcome::Accepted => accepted.add(at),
            Outcome::Partial => partial.add(at),
            Outcome::Rejected => rejected.add(at),
        }
        for reason in told.reasons() {
            self.reasons.of(reason).add(at);
            if told.verdict == Outcome::Partial {
                self.partial_reasons.of(reason).add(at);
            }
        }
        let attributes = self.limits.attributes;
        let organization = match &told.organization {
            Some(slug) => self.organizations.of_or(slug, || Organization::new(attributes)),
            None => &mut self.nobody,
        };
        organization.feed(told, at);
    }
}

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
