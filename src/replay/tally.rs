//! Verdicts counted.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::{Reason, Verdict, verdict::Outcome};

/// How often each reason was given.
pub type Reasons = BTreeMap<Reason, u64>;

/// Verdicts counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// Records that were looked at, whether their events were asked for or not.
    pub read: u64,
    /// All.
    pub records: u64,
    /// Accepted whole.
    pub accepted: u64,
    /// Accepted in part.
    pub partial: u64,
    /// Rejected.
    pub rejected: u64,
    /// Events that were to be judged by what judged them live, and of which nothing tells what that was: they were judged by the settings
    /// when they came.
    pub guessed: u64,
    /// Of rejected events.
    pub reasons: Reasons,
    /// Of events that an organization which observes would have rejected.
    pub would_reject: Reasons,
    /// Of attributes and companies.
    pub attributes_rejected: Reasons,
    /// Likewise.
    pub attributes_dropped: Reasons,
}

impl Tally {
    /// Counts one verdict.
    pub fn count(&mut self, verdict: &Verdict<'_>) {
        self.records += 1;
        *match verdict.outcome {
            Outcome::Accepted => &mut self.accepted,
            Outcome::Partial => &mut self.partial,
            Outcome::Rejected => &mut self.rejected,
        } += 1;
        count(&mut self.reasons, verdict.reason);
        count(&mut self.would_reject, verdict.verification.would_reject);
        count(&mut self.attributes_rejected, verdict.rejected.iter().map(|refused| refused.reason));
        count(&mut self.attributes_dropped, verdict.dropped.iter().map(|refused| refused.reason));
    }

    /// Whether every record was rejected for being no JSON: lines of something else, or of one event over many.
    #[must_use]
    pub fn is_no_json(&self) -> bool {
        self.records > 0 && self.reasons.get(&Reason::MalformedJson) == Some(&self.records)
    }

    /// Adds what another thread counted.
    pub fn add(&mut self, other: Self) {
        self.read += other.read;
        self.records += other.records;
        self.accepted += other.accepted;
        self.partial += other.partial;
        self.rejected += other.rejected;
        self.guessed += other.guessed;
        for (mine, theirs) in [
            (&mut self.reasons, other.reasons),
            (&mut self.would_reject, other.would_reject),
            (&mut self.attributes_rejected, other.attributes_rejected),
            (&mut self.attributes_dropped, other.attributes_dropped),
        ] {
            for (reason, number) in theirs {
                *mine.entry(reason).or_default() += number;
            }
        }
    }
}

fn count(reasons: &mut Reasons, given: impl IntoIterator<Item = Reason>) {
    for reason in given {
        *reasons.entry(reason).or_default() += 1;
    }
}
