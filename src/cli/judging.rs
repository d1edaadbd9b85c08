//! By what commands judge beside the worker: which settings, under the same policy, and what stands in for what records do not say.

use std::io;

use anyhow::Context;
use clap::Args;

use super::{
    moment::{moment, now},
    options::ConfigOptions,
    output,
    source::source,
};
use crate::{
    config::{Config, Loaded},
    count::words::grouped,
    domain::{
        EventTime, Organization, Snapshot,
        event_type::{EVENT_TYPES, Kind},
        shell,
    },
    replay::Defaults,
    store::{Settings, SettingsError},
};

/// The most organizations that an error names.
const MOST: usize = 20;

/// By what records from a file are judged.
#[derive(Debug, Args)]
pub(super) struct JudgeOptions {
    /// The time of records without a timestamp: a date, RFC 3339, or how long ago, as in 7d [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<EventTime>,

    /// Judge by the settings as they were at this time or so long ago, from a database [default: as they are]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    settings_at: Option<EventTime>,

    /// The type of events that do not say theirs: boot, identify, or a widget's init_… or initialize_…
    #[arg(long = "type", value_name = "TYPE", value_parser = event_type)]
    default_type: Option<String>,

    #[command(flatten)]
    config: ConfigOptions,
}

impl JudgeOptions {
    /// The settings, once their warnings are told.
    pub(super) fn settings(&self) -> anyhow::Result<Settings> {
        settings(&self.config, self.settings_at)
    }

    /// As of when the settings are, where that was said.
    pub(super) fn settings_at(&self) -> Option<EventTime> {
        self.settings_at
    }

    /// The flags that chose the settings, for people.
    pub(super) fn chosen(&self) -> Vec<String> {
        let at = self.settings_at.map(|at| format!("--settings-at {at}"));
        let chosen: Vec<_> = self.config.settings_flag().into_iter().chain(at).collect();
        if chosen.is_empty() { vec!["the configuration".to_owned()] } else { chosen }
    }

    /// The configuration.
    pub(super) fn config(&self) -> anyhow::Result<Config> {
        Ok(self.config.load_for_work()?.config)
    }

    /// Other settings, judged by the same policy.
    pub(super) fn settings_of(&self, which: &Which) -> anyhow::Result<Settings> {
        match which {
            Which::Now => self.settings(),
            Which::At(time) => settings(&self.config, Some(*time)),
            Which::File(path) => settings(&self.config.with_settings(path), None),
        }
    }

    /// The flags by which another command judges as these settings do, and as this run did otherwise, each after a space; none where
    /// they can't stand in a shell's line.
    pub(super) fn flags_of(&self, which: &Which) -> Option<String> {
        let in_file = match which {
            Which::File(_) => true,
            Which::At(_) => false,
            Which::Now => self.config.settings_file().is_some(),
        };
        let mut flags = self.config.flags_for_a_shell(in_file)?;
        if let Some(kind) = &self.default_type {
            flags += &format!(" --type {}", shell::word(kind)?);
        }
        if let Some(at) = self.at {
            flags += &format!(" --at {at}");
        }
        let at = |time: EventTime| format!(" --settings-at {time}");
        let file = |path: &str| Some(format!(" --settings {}", shell::word(path)?));
        flags += &match which {
            Which::File(path) => file(path)?,
            Which::At(time) => at(*time),
            Which::Now => match self.config.settings_file() {
                Some(path) => file(path)?,
                None => self.settings_at.map(at).unwrap_or_default(),
            },
        };
        Some(flags)
    }

    /// The brokers and topics that were given by flags, each after a space; see [`Self::flags_of`].
    pub(super) fn brokers_for_a_shell(&self) -> Option<String> {
        self.config.brokers_for_a_shell()
    }

    /// The flags by which the same command has the same configuration and settings, each after a space; see [`Self::flags_of`].
    pub(super) fn all_for_a_shell(&self) -> Option<String> {
        let at = self.settings_at.map(|at| format!(" --settings-at {at}")).unwrap_or_default();
        Some(self.config.all_for_a_shell()? + &at)
    }

    /// What stands in for what records do not say.
    pub(super) fn defaults(&self) -> Defaults {
        Defaults { now: self.at.unwrap_or_else(now), event_type: self.default_type.clone() }
    }
}

/// Which settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Which {
    /// Those that the configuration names.
    Now,
    /// As they were in a database.
    At(EventTime),
    /// A file.
    File(String),
}

impl std::fmt::Display for Which {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Now => f.write_str("now"),
            Self::At(time) => write!(f, "at:{time}"),
            Self::File(path) => f.write_str(path),
        }
    }
}

/// Settings on the command line: `now`, `at:` and a time, else a file.
pub(super) fn which(text: &str) -> Result<Which, String> {
    match (text, text.split_once(':')) {
        ("", _) => Err("expected now, at:TIME, or a settings file".to_owned()),
        ("now", _) => Ok(Which::Now),
        (_, Some(("at", time))) => moment(time).map(Which::At),
        (_, Some(("file", path))) => Ok(Which::File(path.to_owned())),
        (path, _) => Ok(Which::File(path.to_owned())),
    }
}

/// The settings that the configuration names, as they are or as they were at a time, once their warnings are told.
pub(super) fn settings(config: &ConfigOptions, at: Option<EventTime>) -> anyhow::Result<Settings> {
    settings_by(&config.load_for_work()?, at)
}

/// The same by a configuration that is read already.
pub(super) fn settings_by(loaded: &Loaded, at: Option<EventTime>) -> anyhow::Result<Settings> {
    let config = &loaded.config;
    let by_default = loaded.is_default("settings.source");
    let settings =
        Settings::load(source(config, at)?, config.policy()).map_err(|error| with_way_out(error, by_default))?;
    for warning in settings.warnings() {
        output::warn(warning)?;
    }
    for problem in settings.unusable() {
        output::error(format_args!("{problem}; the organization can't be used"))?;
    }
    Ok(settings)
}

/// The organization of this slug or app id.
pub(super) fn organization<'s>(snapshot: &'s Snapshot, name: &str) -> anyhow::Result<&'s Organization> {
    let found = snapshot.by_slug(name).or_else(|| snapshot.by_app_id(name));
    found.with_context(|| format!("no organization {name:?}; {}", known(snapshot, name)))
}

/// Which organizations the settings have in place of one that they don't, for people: `the settings have acme, globex`. The first few,
/// since there may be a hundred thousand; and the one that was probably meant.
pub(super) fn known(snapshot: &Snapshot, name: &str) -> String {
    let mut slugs: Vec<_> = snapshot.organizations().map(|known| known.slug.as_str()).collect();
    slugs.sort_unstable();
    let nearly = slugs.iter().find(|slug| slug.to_lowercase() == name.to_lowercase());
    let nearly = nearly.map(|slug| format!("; {slug} differs in case alone")).unwrap_or_default();
    let more = slugs.split_off(slugs.len().min(MOST)).len();
    let more = if more > 0 { format!(" and {} more", grouped(more as u64)) } else { String::new() };
    let slugs = if slugs.is_empty() { "none".to_owned() } else { slugs.join(", ") };
    format!("the settings have {slugs}{more}{nearly}")
}

/// Where nobody said where the settings are, that is what to do.
pub(super) fn with_way_out(error: SettingsError, by_default: bool) -> anyhow::Error {
    let missing = matches!(&error, SettingsError::Unreadable { error, .. } if error.kind() == io::ErrorKind::NotFound);
    let error = anyhow::Error::new(error);
    if missing && by_default {
        error.context("no settings; name a file with --settings (settings.example.toml is one)")
    } else {
        error
    }
}

/// A type of events on the command line.
pub(super) fn event_type(text: &str) -> Result<String, String> {
    Kind::named(text).map(|_| text.to_owned()).ok_or_else(|| EVENT_TYPES.to_owned())
}
