//! `attrsync advise`: what history says about the settings: what to lock, to configure, to retire, to enforce, each with the command that
//! carries it out.
//!
//! ```text
//! attrsync advise --since 7d
//! attrsync advise --organization acme --from-file events.ndjson --json
//! ```
//!
//! Every event is judged by the settings as they are. An organization whose enforcement is off is judged as if it observed: the verdict
//! is the same, and says what enforcement would have refused.

use std::{fmt::Write as _, hash::RandomState, process::ExitCode, sync::Arc};

use clap::Args;
use serde::Serialize;

use super::{
    history::{self, HistoryOptions},
    interrupt,
    judging::{JudgeOptions, Which},
    output::{DIM, DOUBTFUL, GOOD, interrupted, print, print_json, styled},
    terminal::safe,
};
use crate::{
    advice::{self, Bounds, Case, Item, Ready, Seen},
    count::{
        bounded::{Bounded, Tally as _},
        words::times,
    },
    domain::{Arena, EventTime, Organization, Record, Snapshot, snapshot::Enforcement},
    replay::{Failure, Filter, Work},
    store::Source,
    worker::judge,
};

/// What stands below the help.
const AFTER_HELP: &str = "\
Each piece of advice says whether it can be followed at once (now), or something has to be looked at
first. Settings in a file have lines to edit in place of commands:
`attrsync replay --compare now next.toml` tells what that would change.

Examples:
  attrsync advise --since 7d
  attrsync advise --organization acme --since 30d --json
  kcat -C -b localhost -t events -J -e | attrsync advise --from-file -

Exit codes: 0 whatever is advised; 1 a fault; 2 usage or configuration; 130 interrupted.";

/// Organizations that are told apart, names of each that nobody configured, and up to how many users of one attribute are counted exactly.
const ORGANIZATIONS: usize = 2_000;
const UNCONFIGURED: usize = 100;
const USERS: usize = 256;

/// Tell what to lock, configure, retire and enforce, from history
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct AdviseArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    history: HistoryOptions,

    #[command(flatten)]
    judge: JudgeOptions,
}

/// What is advised.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Advice<'a> {
    /// The version of the settings that judged.
    settings_version: u64,
    /// Events that were judged.
    events: u64,
    /// Events of no organization, and of those that are not told apart.
    other_events: u64,
    /// Offsets that were asked for and that their topic no longer keeps.
    gone: u64,
    organizations: Vec<OfOrganization<'a>>,
}

/// What is advised of one organization.
#[derive(Serialize)]
struct OfOrganization<'a> {
    organization: &'a str,
    events: u64,
    last: Option<EventTime>,
    advice: Vec<Item>,
}

impl AdviseArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let interrupt = interrupt::listen()?;
        let defaults = self.judge.defaults();
        let (config, now) = (self.judge.config()?, defaults.now);
        // Before any event is looked for: of an organization that there is not, there are none.
        let loaded = self.judge.settings()?;
        let settings = loaded.current();
        let organization = self.history.all().slug(&[&settings])?;
        let mut chosen = self.history.all().open(&config, &interrupt, defaults)?;
        chosen.filter.organization = organization;
        let (snapshot, filter) = (observing(&settings), chosen.filter.clone());
        let key = RandomState::new();
        let work = move || Advising::new(Arc::clone(&snapshot), (now, filter.clone()), &key);
        let found = history::run(Arc::clone(&chosen.source), (&interrupt, self.history.limits()), work)?;
        let Some(found) = found else { return Ok(interrupted()) };
        let history = self.history_for_a_shell();
        let part = self.history.part().or_else(|| found.part());
        let mut advice = advice(&found, (&settings, history.as_deref(), part), chosen.missing());
        let file = if let Source::File(path) = loaded.source() { Some(path.display().to_string()) } else { None };
        if !self.json {
            print(&table(&advice, file.as_deref()))?;
            return Ok(ExitCode::SUCCESS);
        }
        if file.is_some() {
            // They would change a database.
            advice.organizations.iter_mut().flat_map(|of| &mut of.advice).for_each(|item| item.command = None);
        }
        print_json(&advice)?;
        Ok(ExitCode::SUCCESS)
    }

    /// The flags by which `replay` judges the same events by the same settings; none where they can't stand in a shell's line, or
    /// a comparison doesn't take them.
    fn history_for_a_shell(&self) -> Option<String> {
        if self.judge.settings_at().is_some() {
            return None;
        }
        let brokers = self.judge.brokers_for_a_shell()?;
        Some(self.history.flags_for_a_shell()? + &brokers + &self.judge.flags_of(&Which::Now)?)
    }
}

/// The settings, with enforcement that is off turned to `observe`: nothing is judged otherwise, but what would be refused is marked.
fn observing(settings: &Arc<Snapshot>) -> Arc<Snapshot> {
    let policy = settings.policy();
    let off = |organization: &Organization| organization.enforcement_under(policy) == Enforcement::Off;
    if !settings.organizations().any(off) {
        return Arc::clone(settings);
    }
    let observing = settings.organizations().cloned().map(|organization| match off(&organization) {
        true => Organization { enforcement: Enforcement::Observe, ..organization },
        false => organization,
    });
    Arc::new(Snapshot::new(settings.version(), policy.clone(), observing.collect()))
}

/// Judges and counts what was seen.
struct Advising {
    snapshot: Arc<Snapshot>,
    /// The time of a record without one.
    now: EventTime,
    filter: Filter,
    /// What users are counted with.
    key: RandomState,
    events: u64,
    organizations: Bounded<Seen>,
}

impl Advising {
    fn new(snapshot: Arc<Snapshot>, (now, filter): (EventTime, Filter), key: &RandomState) -> Self {
        Self { snapshot, now, filter, key: key.clone(), events: 0, organizations: Bounded::new(ORGANIZATIONS) }
    }

    /// Why what was counted of an organization may be less than what there was: one that lost its place begins anew.
    fn part(&self) -> Option<&'static str> {
        let whole = self.organizations.rest().weight() == 0;
        (!whole).then_some(
            "more organizations sent events than are told apart, so that some of this one's may not be counted; choose it with \
             --organization",
        )
    }
}

/// Room for every attribute that an organization has, and its membership: settings name them, and not who sends.
fn bounds(organization: Option<&Organization>, key: &RandomState) -> Bounds {
    let configured =
        |known: &Organization| known.user_attributes.iter().len().max(known.company_attributes.iter().len());
    Bounds {
        attributes: organization.map_or(0, configured) + 1,
        unconfigured: UNCONFIGURED,
        users: Some((USERS, key.clone())),
    }
}

impl Work for Advising {
    fn record<'a>(&mut self, record: &Record<'a>, arena: &'a Arena, _: &mut Vec<u8>) -> Result<(), Failure> {
        let verdict = judge(arena, record, &self.snapshot, self.now);
        if !self.filter.takes(&verdict) {
            return Ok(());
        }
        self.events += 1;
        if let Some(slug) = verdict.organization {
            let seen = self.organizations.of_or(slug, || Seen::new(bounds(self.snapshot.by_slug(slug), &self.key)));
            advice::judged(seen, (arena, self.snapshot.policy()), record, &verdict);
        }
        Ok(())
    }

    fn add(&mut self, other: Self) {
        self.events += other.events;
        self.organizations.merge(other.organizations);
    }
}

fn advice<'a>(
    found: &'a Advising,
    (settings, history, part): (&Snapshot, Option<&str>, Option<&str>),
    gone: u64,
) -> Advice<'a> {
    let told: Vec<_> = found.organizations.by(Seen::weight);
    let counted: u64 = told.iter().map(|(_, seen)| seen.weight()).sum();
    let organizations = told.into_iter().map(|(slug, seen)| OfOrganization {
        organization: slug,
        events: seen.weight(),
        last: seen.last(),
        advice: advice::advise(&Case {
            slug,
            seen,
            settings: settings.by_slug(slug).map(|organization| (organization, settings.policy())),
            part,
            history,
        }),
    });
    Advice {
        settings_version: settings.version(),
        events: found.events,
        other_events: found.events - counted,
        gone,
        organizations: organizations.collect(),
    }
}

/// A table for people; where settings are in a file, with what to write there in place of commands, which would change a database. Writing
/// into a text does not fail.
fn table(advice: &Advice<'_>, file: Option<&str>) -> String {
    let judged = times(advice.events, "event was", "events were");
    let mut text = format!("{judged} judged by settings {}.", advice.settings_version);
    if advice.gone > 0 {
        _ = write!(text, " {} no longer kept.", times(advice.gone, "older one is", "older ones are"));
    }
    if advice.other_events > 0 {
        _ = write!(text, " {} of no organization that is told apart.", times(advice.other_events, "is", "are"));
    }
    text.push('\n');
    for OfOrganization { organization, events, last, advice } in &advice.organizations {
        let last = last.map(|last| format!(", the last at {last}")).unwrap_or_default();
        _ = writeln!(
            text,
            "\n{}  {}",
            styled(GOOD.bold(), safe(organization)),
            styled(DIM, times(*events, "event", "events") + &last)
        );
        if advice.is_empty() {
            _ = writeln!(text, "  nothing to advise");
        }
        advice.iter().for_each(|item| told(&mut text, item, file));
    }
    text
}

fn told(text: &mut String, item: &Item, file: Option<&str>) {
    let ready = match item.ready {
        Ready::Now => styled(GOOD, "now  "),
        Ready::First => styled(DOUBTFUL, "first"),
    };
    let whose = if item.of == "company" { " of a company" } else { "" };
    _ = writeln!(text, "  {ready}  {:<9} {}{whose}: {}", item.advice, safe(&item.about), safe(&item.says));
    let then = if item.check.is_none() { "run" } else { "then" };
    let carried_out = match file {
        Some(file) => ("edit", item.edited().map(|edit| format!("{file}: {edit}"))),
        None => (then, item.command.clone()),
    };
    for (what, line) in [("look at", item.check.clone()), carried_out] {
        if let Some(line) = &line {
            _ = writeln!(text, "         {:<9} {}", styled(DIM, format_args!("{what:<9}")), safe(line));
        }
    }
}
