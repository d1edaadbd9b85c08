//! A replay into topics: planned, kept under an id, delivered exactly once, and resumed.

use std::{
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow, bail};
use clap::Args;

use super::{
    ReplayArgs, outputs,
    settings::ChosenSettings,
    summary::{Replayed, Summary},
    target::Target,
};
use crate::{
    cli::{
        consent::Consent,
        history::{self, Progress, Terminal, fetching},
        interrupt::{self, Interrupt},
        output::{DIM, Usage, interrupted, styled},
    },
    config::Config,
    domain::{EventTime, shell},
    replay::{Defaults, Delivered, Delivery, Failure, Filter, Judgement, Means, Measure, Plan},
    worker::Fault,
};

/// How long the batches in hand may take to end after ctrl-C.
const ENDING: Duration = Duration::from_secs(20);

/// Verdicts into topics. What an option needs is told by groups: an option itself would not be asked for where another one that was
/// given conflicts with it, and what needs it would go unheard.
#[derive(Debug, Args)]
#[command(next_help_heading = "Into topics")]
pub(super) struct TopicOptions {
    /// Write verdicts to topics of the replay's own, exactly once: NAME.accepted and NAME.rejected, or two names
    #[arg(long, groups = ["begun", "planned"], value_name = "NAME|A,B", value_parser = outputs::named, conflicts_with = "to_file")]
    to_topics: Option<(String, String)>,

    /// Write verdicts to the live topics, among the worker's; asks first
    #[arg(long, groups = ["begun", "planned", "live"], conflicts_with_all = ["to_file", "to_topics"])]
    into_live: bool,

    /// Don't ask
    #[arg(long, requires = "live")]
    yes: bool,

    /// The replay's id: letters, digits, - and _ [default: made of the time]
    #[arg(long, value_name = "ID", value_parser = id, requires = "begun")]
    id: Option<String>,

    /// Go on with a replay that was interrupted or killed; its records and topics are as they were planned
    #[arg(long, group = "planned", value_name = "ID", value_parser = id, conflicts_with_all = [
        "id", "to_topics", "into_live", "to_file", "from_file", "topic", "offsets", "rejected", "reason", "from", "to", "organization",
        "event_type", "user", "default_type", "at",
    ])]
    resume: Option<String>,

    /// The folder in which the plans of replays into topics are kept
    #[arg(long, value_name = "FOLDER", default_value = ".", requires = "planned")]
    plans: PathBuf,
}

impl TopicOptions {
    /// Whether verdicts go into topics.
    pub(super) fn asked(&self) -> bool {
        self.to_topics.is_some() || self.into_live || self.resume.is_some()
    }

    /// Asks whether verdicts are to be told among the live ones.
    fn ask(&self, config: &Config) -> anyhow::Result<()> {
        let (accepted, rejected) = (&config.kafka.accepted_topic, &config.kafka.rejected_topic);
        let advice = format!(
            "verdicts of the past are told again in {accepted} and {rejected}, where subscribers take them for news unless they look \
             at attrsync-replay or the event's time (docs/REPLAY.md)"
        );
        Consent { yes: self.yes }.ask_after(&advice, "replay into the live topics")
    }
}

impl ReplayArgs {
    pub(super) fn deliver(&self) -> anyhow::Result<ExitCode> {
        if self.history.from_file.is_some() {
            let wrong = "a file's records have no place in Kafka to go on from; into topics, replay topics";
            return Err(Usage::new(wrong).into());
        }
        let config = self.judge.config()?;
        // Before ctrl-C is listened to, which would go unheard while an answer is waited for.
        if self.topics.into_live {
            self.topics.ask(&config)?;
        }
        let (interrupt, began) = (interrupt::listen()?, Instant::now());
        let id = self.topics.resume.as_deref();
        let (one, organization) = self.known_first(&config, &interrupt)?;
        // Before settings that may take hours to be learnt of verdicts: what comes meanwhile is no part of it.
        let new = if id.is_none() { Some(self.plan(&config, &interrupt, organization)?) } else { None };
        let Some(settings) = self.or_learnt(one, &config, &interrupt)? else { return Ok(interrupted()) };
        let plan = match new {
            Some(new) => self.begin(new, &config, &settings)?,
            None => self.planned(id.unwrap_or_default(), &config, &settings)?,
        };
        let options = outputs::options(&config, (&plan.accepted, &plan.rejected)).within_topics();
        let defaults = Defaults { now: EventTime::from_millis(plan.now), event_type: plan.default_type.clone() };
        let judgement = Judgement { by: settings.by.clone(), now: defaults.now, filter: plan.filter.clone() };
        let progress = Progress::new((Some(plan.size()), Measure::Offsets), Terminal::Free);
        let (job_plan, job_fetching) = (plan.clone(), fetching(&config));
        let held = (&interrupt, self.history.limits());
        let found = history::watch(held, progress, ENDING, move |counter| {
            let means = Means { options: &options, fetching: &job_fetching, judgement: &judgement, defaults };
            Delivery::new(&job_plan, means, counter).run()
        });
        let resumed = || format!("go on with: {}", self.resuming(&plan.id));
        let Some(delivered) = found.with_context(resumed)? else {
            writeln!(anstream::stderr(), "{}", resumed())?;
            return Ok(interrupted());
        };
        let summary = summary(&plan, &delivered, (settings.version, began.elapsed()));
        summary.print(self.json, &Target::Nowhere)?;
        Ok(ExitCode::SUCCESS)
    }

    /// The command that goes on with a replay as this run has it.
    fn resuming(&self, id: &str) -> String {
        let word = |flag: &str, path: &Path| Some(format!(" {flag} {}", shell::word(path.to_str()?)?));
        let elsewhere = self.topics.plans != Path::new(".");
        let plans = if elsewhere { word("--plans", &self.topics.plans) } else { Some(String::new()) };
        let settings_as = self.settings_as.map(|settings| format!(" {}", settings.name())).unwrap_or_default();
        let flags = plans.zip(self.judge.all_for_a_shell());
        let flags = flags.map(|(plans, judge)| plans + &judge + &settings_as + &self.history.limits_for_a_shell());
        // What can't stand in a line that is pasted, the person who gave it has to say again.
        let flags = flags.unwrap_or_else(|| ", with the other flags of this run".to_owned());
        format!("attrsync replay --resume {id}{flags}")
    }

    /// A new plan, but for the settings. What is wrong with it is told before anything is waited for.
    fn plan(&self, config: &Config, interrupt: &Interrupt, organization: Option<String>) -> anyhow::Result<Plan> {
        let id = self.topics.id.clone().unwrap_or_else(new_id);
        if Plan::path(&self.topics.plans, &id).exists() {
            bail!("there is a plan of a replay {id} here; go on with it with --resume {id}, or choose another --id");
        }
        let read = self.history.topics(config)?;
        let live = (config.kafka.accepted_topic.clone(), config.kafka.rejected_topic.clone());
        let (accepted, rejected) = self.topics.to_topics.clone().unwrap_or(live);
        if !self.topics.into_live {
            outputs::check(config, (&accepted, &rejected), &read)?;
        }
        let options = outputs::options(config, (&accepted, &rejected));
        let defaults = self.judge.defaults();
        let (default_type, now) = (defaults.event_type.clone(), defaults.now.millis());
        let (topics, rejections) = self.choice().open_topics(config, interrupt, defaults)?;
        options.check_outputs().map_err(|fault| self.with_way_out(fault, (&accepted, &rejected)))?;
        let plan = Plan {
            id,
            accepted,
            rejected,
            // The ranges say which time.
            filter: Filter { from: None, to: None, organization, ..self.choice().filter() },
            default_type,
            now,
            group: config.kafka.group_id.clone(),
            transactional_id_prefix: config.kafka.transactional_id_prefix.clone(),
            settings: Vec::new(),
            settings_version: None,
            policy_version: None,
            spans: topics.planned(),
            gone: topics.gone(),
            beyond: topics.beyond(),
            rejections: rejections.is_some(),
        };
        Ok(plan)
    }

    /// What a fault of the topics that verdicts go to is told with: where one is missing, the command that creates these two.
    fn with_way_out(&self, fault: Fault, (accepted, rejected): (&str, &str)) -> anyhow::Error {
        let Fault::TopicMissing { topic, brokers } = &fault else { return fault.into() };
        if self.topics.to_topics.is_none() {
            return fault.into();
        }
        let flags = self.judge.brokers_for_a_shell().unwrap_or_default();
        anyhow!(
            "topic {topic:?} does not exist on {brokers}; create it with: attrsync topics create --set kafka.accepted_topic={accepted} \
             --set kafka.rejected_topic={rejected}{flags}"
        )
    }

    /// Begins a new plan by these settings; it is kept before anything is sent.
    fn begin(&self, plan: Plan, config: &Config, settings: &ChosenSettings) -> anyhow::Result<Plan> {
        let plan = Plan {
            settings: settings.words.clone(),
            settings_version: settings.version,
            policy_version: settings.policy_version,
            ..plan
        };
        let options = outputs::options(config, (&plan.accepted, &plan.rejected));
        plan.keep(&self.topics.plans, || plan.begin(&options, &fetching(config)))?;
        let resuming = styled(DIM, self.resuming(&plan.id));
        writeln!(anstream::stderr(), "replay {} begins; if it is interrupted: {resuming}", plan.id)?;
        Ok(plan)
    }

    /// The plan of a replay that was begun, which is judged by the same settings to its end.
    fn planned(&self, id: &str, config: &Config, settings: &ChosenSettings) -> anyhow::Result<Plan> {
        let plan = Plan::read(&self.topics.plans, id).map_err(|failure| match &failure {
            Failure::Plan { error, .. } if error.kind() == ErrorKind::NotFound => anyhow::Error::new(failure)
                .context(format!("there is no plan of a replay {id} here; --plans names the folder where it is")),
            _ => failure.into(),
        })?;
        same_names(&plan, config)?;
        let versions = (plan.settings_version, plan.policy_version);
        // A version says all of it, however it was chosen.
        let chosen = plan.settings_version.is_some() || settings.words == plan.settings;
        if !chosen || versions != (settings.version, settings.policy_version) {
            let version = plan.settings_version.map_or_else(String::new, |version| format!(" {version}"));
            bail!(
                "replay {id} was begun by settings{version}, chosen by {}, and these are others, or judge under another policy; \
                 choose the same, or begin a new replay",
                plan.settings.join(" ")
            );
        }
        Ok(plan)
    }
}

/// Refuses names under which another replay of this id would go on: one that doesn't know how far this is, or that doesn't end what is
/// left of it. A plan of an earlier version has not kept both.
fn same_names(plan: &Plan, config: &Config) -> anyhow::Result<()> {
    let (id, kafka) = (&plan.id, &config.kafka);
    let (group, prefix) = (&plan.group, &plan.transactional_id_prefix);
    for (key, then, now, what) in [
        ("kafka.group_id", group, &kafka.group_id, "under which how far it is is kept"),
        (
            "kafka.transactional_id_prefix",
            prefix,
            &kafka.transactional_id_prefix,
            "by which an earlier run of it is ended",
        ),
    ] {
        if !then.is_empty() && then != now {
            bail!("replay {id} was begun with {key} = {then:?}, {what}, and not {now:?}");
        }
    }
    Ok(())
}

/// What was delivered of a plan, by settings of this version and in this time.
fn summary<'p>(plan: &'p Plan, delivered: &'p Delivered, (version, took): (Option<u64>, Duration)) -> Summary<'p> {
    // What earlier runs did not find where it was due, nobody kept.
    let due = (plan.gone + plan.size()).saturating_sub(delivered.before);
    Summary {
        tally: &delivered.tally,
        version,
        gone: plan.gone + delivered.gone,
        beyond: plan.beyond,
        not_found: plan.rejections.then(|| due.saturating_sub(delivered.tally.read)),
        fetched_bytes: Some(delivered.fetched_bytes),
        replay: Some(Replayed {
            id: &plan.id,
            accepted: &plan.accepted,
            rejected: &plan.rejected,
            delivered_before: delivered.before,
        }),
        took,
    }
}

/// `20261125-140501-3fa9`: when it began, and what keeps two of one second apart.
fn new_id() -> String {
    let now = jiff::Timestamp::now();
    let nanos = now.subsec_nanosecond().unsigned_abs();
    format!("{}-{:04x}", now.strftime("%Y%m%d-%H%M%S"), (nanos ^ std::process::id()) & 0xffff)
}

/// An id stands in the names of a file, a group and transactions.
fn id(text: &str) -> Result<String, String> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if (1..=64).contains(&text.len()) && text.bytes().all(fine) {
        return Ok(text.to_owned());
    }
    Err("expected 1 to 64 letters, digits, - or _".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_fit_for_the_name_of_a_file() {
        assert!(id(&new_id()).is_ok() && id("november_2").is_ok());
        for text in ["", "a/b", "..", "a b", "ä", &"x".repeat(65)] {
            assert!(id(text).is_err(), "{text}");
        }
        assert_eq!(Plan::path(Path::new("x"), "one"), Path::new("x/attrsync-replay-one.json"));
    }
}
