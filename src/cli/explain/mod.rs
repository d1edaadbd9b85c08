//! `attrsync explain`: one event, its verdict, and every step on the way there.
//!
//! ```text
//! kcat -C -b localhost -t events -o 1234 -c 1 -J | attrsync explain -
//! attrsync explain event.json --type identify --at 2026-11-22T10:00:00Z
//! attrsync explain events.ndjson --line 17 --json
//! pbpaste | attrsync explain --token - --organization acme
//! ```
//!
//! The verdict is `judge`'s, as everywhere. The steps tell what stands in it, and beside it what the stages' own functions say
//! of the event; nothing is judged here. A credential is never shown.

mod checks;
mod credential;
mod input;
mod outcomes;
mod proof;
mod render;
mod steps;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::Args;

use super::{
    input::Input,
    judging::JudgeOptions,
    output::{OK, StandardOutput, print},
};
use crate::{
    domain::{Arena, Detail, Reason, Snapshot, Verdict, verdict::Outcome},
    replay::Defaults,
    source::file::Line,
    worker::judge,
};
use credential::{CredentialOptions, Made};
use input::Kept;
use steps::Case;

/// What stands below the help.
const AFTER_HELP: &str = "\
The file holds one event: a record as `kcat -J` prints it, or the event alone, on one line or many.
A token or a hash alone is judged as an event that carries it, now or at --at. It comes from a file
or a pipe, so that no shell keeps it.

Examples:
  attrsync explain event.json --type identify
  attrsync explain events.ndjson --line 17 --json
  kcat -C -b localhost -t events -o 1234 -c 1 -J | attrsync explain -
  attrsync explain --token token.txt --organization acme --at 2026-11-22T10:00:00Z
  attrsync explain --hash hash.txt --organization acme --user-id 12345

Exit codes: 0 accepted; 10 partial; 11 rejected; 1 a fault; 2 usage or configuration.";

/// The verdict is partial.
const PARTIAL: u8 = 10;
/// The verdict is rejected.
const REJECTED: u8 = 11;

/// Tell an event's verdict and every step on the way there
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ExplainArgs {
    /// The event; - for standard input
    #[arg(required_unless_present_any = ["token", "hash"], conflicts_with_all = ["token", "hash", "organization", "user_id", "email", "company"])]
    file: Option<PathBuf>,

    /// Take this line of a file with several records, counted from 1
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i64).range(1..))]
    line: Option<i64>,

    /// Print the verdict alone, as the topics and `replay` have it
    #[arg(long)]
    json: bool,

    /// Leave out what the sender chose: who it is about, what was set, and names that the settings don't have, as for a ticket
    #[arg(long, conflicts_with = "json")]
    redact: bool,

    #[command(flatten)]
    credential: CredentialOptions,

    #[command(flatten)]
    judge: JudgeOptions,
}

impl ExplainArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let settings = self.judge.settings()?;
        let snapshot = settings.current();
        let (arena, mut defaults) = (Arena::new(), self.judge.defaults());
        let (name, Kept { text, skipped }) = self.given(&snapshot, &mut defaults)?;
        let line = Line::new(self.line.unwrap_or(1), &text);
        let record = defaults.apply(line.record(&name, &arena), &arena);
        let verdict = whole(judge(&arena, &record, &snapshot, defaults.now), skipped);
        if self.json {
            let mut out = StandardOutput(io::stdout().lock());
            serde_json::to_writer(&mut out, &verdict).map_err(io::Error::from)?;
            writeln!(out)?;
        } else {
            let alone = self.credential.alone();
            let (snapshot, defaults) = (&snapshot, &defaults);
            let case = Case { arena: &arena, snapshot, defaults, line: &text, skipped, alone, record, verdict };
            print(&render::text(&case.steps(), &verdict, self.redact))?;
        }
        Ok(ExitCode::from(match verdict.outcome {
            Outcome::Accepted => OK,
            Outcome::Partial => PARTIAL,
            Outcome::Rejected => REJECTED,
        }))
    }

    /// The event, and what stands for its topic.
    fn given(&self, snapshot: &Snapshot, defaults: &mut Defaults) -> anyhow::Result<(String, Kept)> {
        let Some(file) = &self.file else {
            let Made { name, text, event_type } = self.credential.event(snapshot)?;
            defaults.event_type.get_or_insert_with(|| event_type.to_owned());
            return Ok((name.to_owned(), Kept { text, skipped: 0 }));
        };
        let input = Input::open(file)?;
        let name = input.name.clone();
        let kept = match self.line {
            Some(number) => input::line(input, snapshot.policy(), number)?,
            None => input::whole(input, snapshot.policy())?,
        };
        Ok((name, kept))
    }
}

/// The verdict on all of an event of which so many bytes were not kept: they are judged by their number alone.
fn whole(verdict: Verdict<'_>, skipped: usize) -> Verdict<'_> {
    match (verdict.reason, verdict.detail) {
        (Some(Reason::RecordTooLarge), Some(Detail::Limit { limit, size })) => {
            Verdict { detail: Some(Detail::Limit { limit, size: size + skipped }), ..verdict }
        }
        _ => verdict,
    }
}
