//! What a replay found, in numbers: for people on standard error, or as JSON for machines on standard output.

use std::{
    io::{self, Write},
    time::Duration,
};

use serde::Serialize;

use super::target::Target;
use crate::{
    cli::output::{BAD, DIM, DOUBTFUL, GOOD, print, styled},
    count::words::{grouped, times},
    replay::{Reasons, Tally},
};

/// What is told at the end.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary<'t> {
    /// What was found.
    #[serde(flatten)]
    pub(super) tally: &'t Tally,
    /// The version of the settings that judged, where it was one.
    #[serde(rename = "settingsVersion")]
    pub(super) version: Option<u64>,
    /// Offsets that were asked for and are no longer kept.
    pub(super) gone: u64,
    /// Offsets that were asked for and come after their partition's end.
    pub(super) beyond: u64,
    /// Events behind rejections that are no longer there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_found: Option<u64>,
    /// Bytes that came from the brokers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fetched_bytes: Option<u64>,
    /// The replay into topics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) replay: Option<Replayed<'t>>,
    /// How long it took.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub(super) took: Duration,
}

/// What is told of a replay into topics.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Replayed<'t> {
    /// Its id.
    pub(super) id: &'t str,
    /// Where verdicts went.
    pub(super) accepted: &'t str,
    /// Likewise.
    pub(super) rejected: &'t str,
    /// Offsets that an earlier run of it had delivered.
    pub(super) delivered_before: u64,
}

fn seconds<S: serde::Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(took.as_secs_f64())
}

impl Summary<'_> {
    /// Tells people on standard error, and machines on standard output, unless that is where the verdicts are.
    pub(super) fn print(&self, json: bool, target: &Target) -> io::Result<()> {
        if json && !target.is_standard_output() {
            return print(&format!("{}\n", serde_json::to_string(self)?));
        }
        let mut out = anstream::stderr().lock();
        if json {
            return writeln!(out, "{}", serde_json::to_string(self)?);
        }
        let Tally { records, accepted, partial, rejected, .. } = *self.tally;
        let took = self.took.as_secs_f64();
        let by = self.version.map_or_else(|| "as they were".to_owned(), |version| version.to_string());
        writeln!(out, "judged {} in {took:.2} s by settings {by}", times(records, "record", "records"))?;
        if let Some(chosen) = self.chosen() {
            writeln!(out, "{}", styled(DOUBTFUL, chosen))?;
        }
        if let Some(Replayed { id, accepted, rejected, delivered_before }) = &self.replay {
            let before = grouped(*delivered_before);
            writeln!(
                out,
                "replay {id} into {accepted} and {rejected} is whole; {before} offsets were delivered by earlier runs"
            )?;
        }
        let gone = if self.not_found.is_some() { 0 } else { self.gone };
        for (number, what) in [
            (gone, "offsets that were asked for are past retention"),
            (self.beyond, "offsets that were asked for come after the end"),
            (
                self.not_found.unwrap_or(0),
                "rejected events could not be found: they are past retention, or compacted away",
            ),
            (self.tally.guessed, "events by the settings when they came: no live verdict tells which ones judged them"),
        ] {
            if number > 0 {
                writeln!(out, "  {:>12}  {}", grouped(number), styled(DOUBTFUL, what))?;
            }
        }
        for (number, name, style) in
            [(accepted, "accepted", GOOD), (partial, "partial", DOUBTFUL), (rejected, "rejected", BAD)]
        {
            writeln!(out, "  {:>12}  {}", grouped(number), styled(style, name))?;
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

    /// How many of the records that were looked at were chosen, unless all were.
    fn chosen(&self) -> Option<String> {
        let Tally { read, records, .. } = *self.tally;
        let looked = format!("looked at {}", times(read, "record", "records"));
        match (read, records) {
            // What a resumed replay has left may be nothing.
            (0, _) if self.replay.as_ref().is_some_and(|replay| replay.delivered_before > 0) => None,
            (0, _) => Some("there was no record to look at".to_owned()),
            (_, 0) => Some(format!("{looked}, none was chosen")),
            (read, records) if records < read => Some(format!("{looked}, {} chosen", times(records, "was", "were"))),
            _ => None,
        }
    }

    fn list(&self, out: &mut impl Write, title: &str, reasons: &Reasons) -> io::Result<()> {
        let mut reasons: Vec<_> = reasons.iter().collect();
        reasons.sort_by_key(|(_, number)| std::cmp::Reverse(**number));
        if !reasons.is_empty() {
            writeln!(out, "{title}")?;
        }
        for (reason, number) in reasons {
            let number = grouped(*number);
            writeln!(out, "  {number:>12}  {:<24} {}", reason.code(), styled(DIM, reason.meaning()))?;
        }
        Ok(())
    }
}
