//! What a replay found, in numbers: for people on standard error, or as JSON for machines.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    time::Duration,
};

use indicatif::HumanCount;
use serde::Serialize;

use crate::{
    cli::{
        history::records_in_words,
        output::{BAD, DIM, DOUBTFUL, GOOD, styled},
    },
    domain::{Reason, Verdict, verdict::Outcome},
};

/// How often each reason was given.
type Reasons = BTreeMap<Reason, u64>;

/// Verdicts counted.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tally {
    records: u64,
    accepted: u64,
    partial: u64,
    rejected: u64,
    /// Of rejected events.
    reasons: Reasons,
    /// Of events that an organization which observes would have rejected.
    would_reject: Reasons,
    /// Of attributes and companies.
    attributes_rejected: Reasons,
    attributes_dropped: Reasons,
}

impl Tally {
    /// Counts one verdict.
    pub(super) fn count(&mut self, verdict: &Verdict<'_>) {
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

    /// Adds what another thread counted.
    pub(super) fn add(&mut self, other: Self) {
        self.records += other.records;
        self.accepted += other.accepted;
        self.partial += other.partial;
        self.rejected += other.rejected;
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

/// What is told at the end.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary<'t> {
    /// What was found.
    #[serde(flatten)]
    pub(super) tally: &'t Tally,
    /// The version of the settings that judged.
    #[serde(rename = "settingsVersion")]
    pub(super) version: u64,
    /// Offsets that were asked for and are no longer kept.
    pub(super) gone: u64,
    /// How long it took.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub(super) took: Duration,
}

fn seconds<S: serde::Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(took.as_secs_f64())
}

impl Summary<'_> {
    /// Tells it on standard error: standard output may be where the verdicts go.
    pub(super) fn print(&self, json: bool) -> io::Result<()> {
        let mut out = anstream::stderr().lock();
        if json {
            return writeln!(out, "{}", serde_json::to_string(self)?);
        }
        let Tally { records, accepted, partial, rejected, .. } = *self.tally;
        let took = self.took.as_secs_f64();
        writeln!(out, "judged {} in {took:.2} s by settings {}", records_in_words(records), self.version)?;
        if self.gone > 0 {
            let gone = HumanCount(self.gone);
            writeln!(out, "  {gone:>12}  {}", styled(DOUBTFUL, "offsets that were asked for are past retention"))?;
        }
        for (number, name, style) in
            [(accepted, "accepted", GOOD), (partial, "partial", DOUBTFUL), (rejected, "rejected", BAD)]
        {
            writeln!(out, "  {:>12}  {}", HumanCount(number).to_string(), styled(style, name))?;
        }
        self.list(&mut out, "events rejected", &self.tally.reasons)?;
        self.list(
            &mut out,
            "events that an organization which observes would reject if it enforced",
            &self.tally.would_reject,
        )?;
        self.list(&mut out, "attributes rejected", &self.tally.attributes_rejected)?;
        self.list(&mut out, "attributes dropped", &self.tally.attributes_dropped)
    }

    fn list(&self, out: &mut impl Write, title: &str, reasons: &Reasons) -> io::Result<()> {
        let mut reasons: Vec<_> = reasons.iter().collect();
        reasons.sort_by_key(|(_, number)| std::cmp::Reverse(**number));
        if !reasons.is_empty() {
            writeln!(out, "{title}")?;
        }
        for (reason, number) in reasons {
            let number = HumanCount(*number).to_string();
            writeln!(out, "  {number:>12}  {:<24} {}", reason.code(), styled(DIM, reason.meaning()))?;
        }
        Ok(())
    }
}
