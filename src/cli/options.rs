//! The options of every command that reads the configuration.

use std::{net::SocketAddr, path::PathBuf, sync::Once};

use clap::Args;

use super::output::warn;
use crate::{
    config::{self, Config, ConfigError, Flag, Loaded, LogFormat, Problem, Sources},
    domain::shell,
    observe::log::{self, LogError},
};

/// The variable that names the configuration file.
const FILE_VARIABLE: &str = "ATTRSYNC_CONFIG";

/// What a command that ends by itself logs unless it is asked for more: that a batch is tried again, a shard's panic. What its clients
/// meet is in its own errors.
const HOLDUPS: &str = "warn,attrsync::source=off,librdkafka=off";

/// How the keys begin that say how events are judged, beside those that say where the settings are.
const JUDGING: [&str; 4] = ["policy.", "security.", "limits.", "kafka.input.types"];
const SETTINGS: &str = "settings.";

/// Where the configuration comes from.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Configuration")]
pub(super) struct ConfigOptions {
    /// Configuration file [default: attrsync.toml, where there is one] [env: ATTRSYNC_CONFIG]
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Set a configuration key, as in worker.shards=2; may be repeated [env: ATTRSYNC__SECTION__KEY, for each key]
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,

    /// Brokers to begin with, short for --set kafka.bootstrap_servers=…
    #[arg(long, value_name = "HOST:PORT,…")]
    brokers: Option<String>,

    /// Settings file, short for --set settings.source=file:…
    #[arg(long, value_name = "FILE")]
    settings: Option<String>,

    /// What to log, as in debug or info,librdkafka=warn, short for --set log.filter=…
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
}

impl ConfigOptions {
    /// The same, with another settings file.
    pub(super) fn with_settings(&self, file: &str) -> Self {
        Self { settings: Some(file.to_owned()), ..self.clone() }
    }

    /// The settings file that was named by its flag.
    pub(super) fn settings_file(&self) -> Option<&str> {
        self.settings.as_deref()
    }

    /// Reads the configuration: the file, this process's environment and these flags.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(super) fn load(&self) -> Result<Loaded, ConfigError> {
        let loaded = self.read([])?;
        tell_once(&loaded.warnings);
        Ok(loaded)
    }

    /// The configuration of a command that ends by itself. It logs what is asked for, and else only what holds it up: the rest it tells
    /// in its own words.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(super) fn load_for_work(&self) -> anyhow::Result<Loaded> {
        let loaded = self.load()?;
        let mut log = loaded.config.log.clone();
        if !loaded.is_asked_for("log.filter") {
            HOLDUPS.clone_into(&mut log.filter);
        }
        if !loaded.is_asked_for("log.format") {
            log.format = LogFormat::Text;
        }
        match log::init_beside_progress(&log) {
            Ok(()) | Err(LogError::SetUp(_)) => Ok(loaded),
            Err(error) => Err(error.into()),
        }
    }

    /// The configuration of a process that goes on until it is stopped, and logs: what is doubtful in it, too. `further` are flags of the
    /// command's own: each a name, a key and a text.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(super) fn load_for_service<'f>(
        &self,
        further: impl IntoIterator<Item = (&'f str, &'f str, String)>,
    ) -> anyhow::Result<Config> {
        let Loaded { config, warnings, .. } = self.read(further)?;
        log::init(&config.log)?;
        for warning in warnings {
            tracing::warn!("configuration: {warning}");
        }
        Ok(config)
    }

    fn read<'f>(&self, further: impl IntoIterator<Item = (&'f str, &'f str, String)>) -> Result<Loaded, ConfigError> {
        // Told here and not by clap, which would quote what may be a login.
        if self.set.iter().any(|set| key_and_value(set).is_none()) {
            let problem = "expected KEY=VALUE, as in worker.shards=2".to_owned();
            return Err(ConfigError { problems: vec![Problem::Refused { given: "--set".to_owned(), problem }] });
        }
        let variables: std::collections::BTreeMap<String, String> = std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .collect();
        let from_variable = || variables.get(FILE_VARIABLE).filter(|file| !file.is_empty()).map(PathBuf::from);
        let file = self.config.clone().or_else(from_variable);
        let mut flags = self.flags();
        flags.extend(further.into_iter().map(|(name, key, text)| flag(name, key, text)));
        config::load(&Sources { file, flags, variables })
    }

    /// The file and the keys that say how events are judged, as flags for a shell's line; none where they can't stand there, or
    /// hold what is not for print. Where a file has the settings, what is said of a database doesn't matter.
    pub(super) fn flags_for_a_shell(&self, settings_in_file: bool) -> Option<String> {
        let mut flags = String::new();
        if let Some(file) = &self.config {
            flags += &format!(" --config {}", shell::word(file.to_str()?)?);
        }
        let counts = |key: &str| match key.starts_with(SETTINGS) {
            true => !settings_in_file,
            false => JUDGING.iter().any(|begin| key.starts_with(begin)),
        };
        Some(flags + &self.set_for_a_shell(counts)?)
    }

    /// The brokers and topics that were given by flags, as flags for a shell's line; none where they can't stand there.
    pub(super) fn brokers_for_a_shell(&self) -> Option<String> {
        let mut flags = String::new();
        if let Some(brokers) = &self.brokers {
            flags += &format!(" --brokers {}", shell::word(brokers)?);
        }
        let where_from = |key: &str| ["kafka.bootstrap_servers", "kafka.input.topics"].contains(&key);
        Some(flags + &self.set_for_a_shell(where_from)?)
    }

    /// Everything that says which configuration this is, as flags for a shell's line, each after a space; none where it can't stand
    /// there, or is not for print.
    pub(super) fn all_for_a_shell(&self) -> Option<String> {
        let word = |flag: &str, text: &str| Some(format!(" {flag} {}", shell::word(text)?));
        let file = self.config.as_ref().map(|file| word("--config", file.to_str()?));
        let brokers = self.brokers.as_ref().map(|brokers| word("--brokers", brokers));
        let settings = self.settings.as_ref().map(|file| word("--settings", file));
        let own: Option<String> = [file, brokers, settings].into_iter().flatten().collect();
        Some(own? + &self.set_for_a_shell(|_| true)?)
    }

    /// The keys that were set and that count; none where one can't stand in a shell's line, or is not for print.
    fn set_for_a_shell(&self, counts: impl Fn(&str) -> bool) -> Option<String> {
        let set = self.set.iter().filter_map(|set| key_and_value(set)).filter(|(key, _)| counts(key));
        let flag = |(key, text): (&str, &str)| {
            let word = config::may_be_shown(key, text).then(|| format!("{key}={text}"))?;
            Some(format!(" --set {}", shell::word(&word)?))
        };
        set.map(flag).collect()
    }

    /// `--settings FILE`, where it was given.
    pub(super) fn settings_flag(&self) -> Option<String> {
        self.settings.as_ref().map(|file| format!("--settings {file}"))
    }

    /// The flags that set a key; those of one key come after `--set`, and so win.
    fn flags(&self) -> Vec<Flag> {
        let set = self.set.iter().filter_map(|set| key_and_value(set));
        let set = set.map(|(key, text)| flag("--set", key, text.to_owned()));
        let own = [
            self.brokers.clone().map(|brokers| flag("--brokers", "kafka.bootstrap_servers", brokers)),
            self.settings.as_ref().map(|file| flag("--settings", "settings.source", format!("file:{file}"))),
            self.log.clone().map(|filter| flag("--log", "log.filter", filter)),
        ];
        set.chain(own.into_iter().flatten()).collect()
    }
}

/// Tells what is doubtful, once, however often a command reads the configuration.
fn tell_once(warnings: &[String]) {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        for warning in warnings {
            // Nobody is left to tell when this fails.
            _ = warn(warning);
        }
    });
}

fn flag(name: &str, key: &str, text: String) -> Flag {
    Flag { name: name.to_owned(), key: key.to_owned(), text }
}

/// An address on the command line.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "expected address:port, as in 127.0.0.1:9464 or [::1]:9464".to_owned())
}

fn key_and_value(set: &str) -> Option<(&str, &str)> {
    let (key, value) = set.split_once('=')?;
    Some((key.trim(), value)).filter(|(key, _)| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        config: ConfigOptions,
    }

    #[test]
    fn the_flags_of_a_run_hold_no_secret() {
        let flags = |set: &[&str], in_file| {
            let line = ["x", "--config", "a b.toml", "--set", "worker.shards=2"].iter().copied();
            let set = set.iter().flat_map(|set| ["--set", *set]);
            Line::parse_from(line.chain(set)).config.flags_for_a_shell(in_file)
        };
        let (login, place) = ("settings.source=postgres://ada:geheim@db/x", "settings.source=file:a.toml");
        assert_eq!(flags(&["limits.depth=9"], true).as_deref(), Some(" --config 'a b.toml' --set limits.depth=9"));
        assert_eq!(flags(&[login], true).as_deref(), Some(" --config 'a b.toml'"));
        assert_eq!(flags(&[place], false), Some(format!(" --config 'a b.toml' --set {place}")));
        assert_eq!(flags(&[login], false), None);
        assert_eq!(flags(&["settings.master_keys.m=geheim"], false), None);
    }
}
