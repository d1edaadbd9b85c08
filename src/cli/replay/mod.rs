//! `attrsync replay`: judges history again.
//!
//! ```text
//! attrsync replay --since 7d
//! attrsync replay --rejected --reason locked --organization acme --to-file - | jq .dropped
//! attrsync replay --from 2026-11-01 --to 2026-12-01 --to-topics november
//! ```
//!
//! Nowhere or into a file, verdicts are a work over history ([`verdicts`]); a file is whole or not at all: written beside its place, it
//! takes its name at the end. Into topics they are delivered exactly once ([`into_topics`]).

mod changes;
mod compare;
mod into_topics;
mod outputs;
mod settings;
mod summary;
mod target;
mod verdicts;

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Instant};

use clap::Args;

use super::{
    history::{self, Choice, HistoryOptions, PickOptions},
    interrupt::{self, Interrupt},
    judging::JudgeOptions,
    moment::now,
    output::{Usage, interrupted, warn},
    source::source,
};
use crate::{
    config::Config,
    replay::{By, Judgement, Tally},
};
use compare::{CompareOptions, Means};
use into_topics::TopicOptions;
use settings::{ChosenSettings, SettingsAs};
use summary::Summary;
use target::Target;
use verdicts::Verdicts;

/// What stands below the help.
const AFTER_HELP: &str = "\
Reads the topics of kafka.input.topics to where they end now, or a file: a line of that is a record
as `kcat -J` prints it, or the event alone. Without --to-file, --to-topics or --into-live verdicts
are counted and written nowhere. docs/REPLAY.md tells more.

Examples:
  attrsync replay --since 7d                       what the last week gives by today's settings
  attrsync replay --since 7d --settings next.toml --json
                                                   or by others, for machines
  attrsync replay --offsets 0:100-200 --to-file -  look at single verdicts
  attrsync replay --rejected --reason locked --organization acme
                                                   judge again what was refused
  attrsync replay --from 2026-11-01 --to 2026-12-01 --to-topics november
                                                   into topics of its own, exactly once
  attrsync replay --resume 20261125-140501-3fa9    go on with one that was interrupted or killed
  attrsync replay --settings-as judged --to-file verdicts.ndjson
                                                   the very verdicts that were told live
  kcat -C -b localhost -t events -J -e | attrsync replay --from-file - --to-file verdicts.ndjson
  attrsync replay --since 7d --compare now next.toml --html changes.html
                                                   what other settings change, as a page
  attrsync replay --since 2d --compare at:2d now   what the changes of two days did

Exit codes: 0 every record has its verdict; 1 a fault; 2 usage or configuration; 130 interrupted.";

/// Judge history again: a topic, a file, or the events behind earlier rejections
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ReplayArgs {
    /// Write verdicts nowhere, and count them; the default
    #[arg(long, conflicts_with_all = ["to_file", "to_topics", "into_live", "resume"])]
    dry_run: bool,

    /// Write verdicts to a file, one a line; - for standard output
    #[arg(long, group = "written", value_name = "FILE")]
    to_file: Option<PathBuf>,

    /// Replace the file of verdicts, or the page, if it is there
    #[arg(long, requires = "written")]
    force: bool,

    /// Print the summary as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    compare: CompareOptions,

    #[command(flatten)]
    topics: TopicOptions,

    #[command(flatten)]
    history: HistoryOptions,

    #[command(flatten)]
    picked: PickOptions,

    #[command(flatten)]
    judge: JudgeOptions,

    /// Judge each event by the settings as they were for it, from a database [default: all as the settings are]
    #[arg(long, value_name = "WHAT", conflicts_with_all = ["settings_at", "settings", "from_file"])]
    settings_as: Option<SettingsAs>,
}

impl ReplayArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let means = Means { choice: self.choice(), judge: &self.judge, json: self.json, force: self.force };
        if let Some(ended) = self.compare.execute(&means) {
            return ended;
        }
        if self.topics.asked() {
            return self.deliver();
        }
        let interrupt = interrupt::listen()?;
        let (defaults, began) = (self.judge.defaults(), Instant::now());
        let (config, now) = (self.judge.config()?, defaults.now);
        // First: to find rejections and what was judged may take hours, and whoever waits for it should have somewhere to put it.
        let (mut target, output) = match &self.to_file {
            Some(file) => Target::apart_from(self.history.from_file.as_deref(), file, self.force)?,
            None => Target::nowhere(),
        };
        let (one, organization) = self.known_first(&config, &interrupt)?;
        let mut chosen = self.choice().open(&config, &interrupt, defaults)?;
        chosen.filter.organization = organization;
        let Some(settings) = self.or_learnt(one, &config, &interrupt)? else { return Ok(interrupted()) };
        let judgement = Judgement { by: settings.by.clone(), now, filter: chosen.filter.clone() };
        let work = Verdicts { judgement, written: self.to_file.is_some(), tally: Tally::default() };
        let (source, held) = (Arc::clone(&chosen.source), (&interrupt, self.history.limits()));
        let found = history::run_into((output, target.terminal()), source, held, move || work.clone())?;
        let Some(Verdicts { tally, .. }) = found else { return Ok(interrupted()) };
        target.keep()?;
        let took = began.elapsed();
        let (version, gone, beyond) = (settings.version, chosen.gone(), chosen.beyond());
        let (tally, not_found, fetched_bytes) = (&tally, chosen.not_found(), chosen.fetched_bytes());
        Summary { tally, version, gone, beyond, not_found, fetched_bytes, took, replay: None }
            .print(self.json, &target)?;
        if self.history.from_file.is_some() && tally.is_no_json() {
            warn("no line is JSON by itself; a file has one event a line: `jq -c . FILE` prints it so")?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// What is chosen.
    fn choice(&self) -> Choice<'_> {
        self.history.picked(&self.picked)
    }

    /// The settings, where all events have the same, and the slug of the organization that was asked for: before any event is looked for,
    /// since of an organization that there is not, there are none.
    fn known_first(
        &self,
        config: &Config,
        interrupt: &Interrupt,
    ) -> anyhow::Result<(Option<ChosenSettings>, Option<String>)> {
        let one = match self.settings_as {
            None => self.chosen_settings(config, interrupt)?,
            // They are read later; that a file doesn't have them is known now.
            Some(_) => {
                source(config, Some(now()))?;
                None
            }
        };
        let organization = self.slug(one.as_ref())?;
        Ok((one, organization))
    }

    /// These settings; or those that differ by event, which are learnt of verdicts, and those come when the events have come. `None` where
    /// it was interrupted.
    fn or_learnt(
        &self,
        one: Option<ChosenSettings>,
        config: &Config,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Option<ChosenSettings>> {
        if one.is_some() { Ok(one) } else { self.chosen_settings(config, interrupt) }
    }

    /// The slug of the organization that was asked for. Where each event has settings of its own, those of today may not have it any
    /// more: that is a doubt and no error.
    fn slug(&self, one: Option<&ChosenSettings>) -> anyhow::Result<Option<String>> {
        let Some(asked) = self.choice().filter().organization else { return Ok(None) };
        if let Some(By::One(snapshot)) = one.map(|one| &one.by) {
            return self.choice().slug(&[snapshot]);
        }
        self.choice().slug(&[&self.judge.settings()?.current()]).or_else(|unknown| {
            // Not a doubt about what was: it can't be looked for so.
            if unknown.is::<Usage>() {
                return Err(unknown);
            }
            warn(format_args!("{unknown} now; if none was called so when its events came, none is found"))?;
            Ok(Some(asked))
        })
    }
}
