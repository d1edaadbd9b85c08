//! `attrsync replay --compare BEFORE AFTER`: each event judged by both settings, and what changes told as a table, as JSON, and as a page
//! that is one file.

use std::{
    borrow::Cow,
    hash::RandomState,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Args;

use super::{changes, target::Target};
use crate::{
    cli::{
        history::{self, Choice},
        interrupt,
        judging::{JudgeOptions, Which, which},
        output::{Usage, interrupted, print, print_json},
    },
    compare::{Comparison, Judged, Place, Report, Side, html},
    domain::{Arena, EventTime, Record, Snapshot, shell},
    replay::{Failure, Filter, Output, Work},
    worker::judge,
};

/// Two settings against each other.
#[derive(Debug, Args)]
#[command(next_help_heading = "Compare")]
pub(super) struct CompareOptions {
    /// Judge each event by both settings and tell what changes; each is now, at:TIME (from a database), or a settings file
    #[arg(long, group = "comparison", num_args = 2, value_names = ["BEFORE", "AFTER"], value_parser = which, conflicts_with_all = [
        "to_file", "to_topics", "into_live", "resume", "settings_as",
    ])]
    compare: Option<Vec<Which>>,

    /// Write what changes as a page that is one file, with charts; - for standard output, in place of the table
    #[arg(long, group = "written", value_name = "FILE", requires = "comparison", conflicts_with = "to_file")]
    html: Option<PathBuf>,
}

/// Which events, and what a comparison is made with.
pub(super) struct Means<'m> {
    pub(super) choice: Choice<'m>,
    pub(super) judge: &'m JudgeOptions,
    pub(super) json: bool,
    pub(super) force: bool,
}

impl CompareOptions {
    /// Compares, where that was asked for.
    pub(super) fn execute(&self, means: &Means<'_>) -> Option<anyhow::Result<ExitCode>> {
        match self.compare.as_deref() {
            Some([before, after]) => Some(self.compare((before, after), means)),
            _ => None,
        }
    }

    fn compare(&self, (before, after): (&Which, &Which), means: &Means<'_>) -> anyhow::Result<ExitCode> {
        if means.judge.settings_at().is_some() {
            let wrong = "--settings-at is not for a comparison; in place of now write at:7d, or at: and another time";
            return Err(Usage::new(wrong).into());
        }
        if means.json && self.page_is_printed() {
            return Err(Usage::new("--json and --html - both go to standard output; name a file for the page").into());
        }
        let interrupt = interrupt::listen()?;
        let (config, defaults) = (means.judge.config()?, means.judge.defaults());
        let snapshot = |which| means.judge.settings_of(which).map(|settings| settings.current());
        let snapshots = [snapshot(before)?, snapshot(after)?];
        let organization = means.choice.slug(&snapshots.each_ref().map(Arc::as_ref))?;
        let [first, second] = snapshots.each_ref().map(|snapshot| snapshot.version());
        let now = defaults.now;
        let page = self.page(means)?;
        let mut chosen = means.choice.open(&config, &interrupt, defaults)?;
        chosen.filter.organization = organization;
        let (key, filter) = (RandomState::new(), chosen.filter.clone());
        let work = move || Comparing {
            snapshots: snapshots.clone(),
            now,
            filter: filter.clone(),
            found: Comparison::new(&key),
        };
        let found = history::run(Arc::clone(&chosen.source), (&interrupt, means.choice.history.limits()), work)?;
        let Some(Comparing { found, .. }) = found else { return Ok(interrupted()) };
        let side = |which: &Which, version| Side { settings: which.to_string(), version };
        let sides = (side(before, first), side(after, second));
        let explain = Explain::new(after, means, &config.kafka.bootstrap_servers);
        let report = Report::of(&found, (sides, chosen.missing()), &|place| explain.command(place));
        self.tell(&report, page, means.json)
    }

    /// Whether standard output is the page's.
    fn page_is_printed(&self) -> bool {
        self.html.as_deref() == Some(Path::new("-"))
    }

    /// Opens where the page goes, before there is anything to lose by it.
    fn page(&self, means: &Means<'_>) -> anyhow::Result<Option<(Target, Output)>> {
        let Some(path) = self.html.as_deref() else { return Ok(None) };
        Target::apart_from(means.choice.history.from_file.as_deref(), path, means.force).map(Some)
    }

    fn tell(&self, report: &Report, page: Option<(Target, Output)>, json: bool) -> anyhow::Result<ExitCode> {
        if let Some((mut target, mut output)) = page {
            output.write_all(html::page(report).as_bytes())?;
            output.flush()?;
            target.keep()?;
        }
        if !self.page_is_printed() {
            if json {
                print_json(report)?;
            } else {
                print(&changes::table(report))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Judges by both and counts what changes.
struct Comparing {
    snapshots: [Arc<Snapshot>; 2],
    /// The time of a record without one.
    now: EventTime,
    filter: Filter,
    found: Comparison,
}

impl Work for Comparing {
    fn record<'a>(&mut self, record: &Record<'a>, arena: &'a Arena, _: &mut Vec<u8>) -> Result<(), Failure> {
        let [before, after] = self.snapshots.each_ref().map(|snapshot| judge(arena, record, snapshot, self.now));
        if self.filter.takes(&before) || self.filter.takes(&after) {
            let judged = Judged { record, arena, policy: self.snapshots[0].policy() };
            self.found.count(judged, &before, &after);
        }
        Ok(())
    }

    fn add(&mut self, other: Self) {
        self.found.absorb(other.found);
    }
}

/// How an event is looked at, by the second settings.
struct Explain {
    /// The file of events, where it can be read once more.
    file: Option<String>,
    brokers: String,
    flags: Option<String>,
}

impl Explain {
    fn new(after: &Which, means: &Means<'_>, brokers: &str) -> Self {
        let file = means.choice.history.from_file.as_deref().and_then(Path::to_str).filter(|path| *path != "-");
        let file = file.and_then(shell::word).map(Cow::into_owned);
        Self { file, brokers: brokers.to_owned(), flags: means.judge.flags_of(after) }
    }

    fn command(&self, Place { topic, partition, offset, line }: &Place) -> Option<String> {
        let flags = self.flags.as_deref()?;
        if let Some(line) = line {
            return Some(format!("attrsync explain {} --line {line}{flags}", self.file.as_deref()?));
        }
        Some(shell::explain((topic, *partition, *offset), &self.brokers)? + flags)
    }
}
