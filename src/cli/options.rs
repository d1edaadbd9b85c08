//! The options of every command that reads the configuration.

use std::path::PathBuf;

use clap::Args;

use crate::config::{self, ConfigError, Flag, Loaded, Sources};

/// The variable that names the configuration file.
const FILE_VARIABLE: &str = "ATTRSYNC_CONFIG";

/// Where the configuration comes from.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Configuration")]
pub(super) struct ConfigOptions {
    /// Configuration file [default: attrsync.toml, where there is one] [env: ATTRSYNC_CONFIG]
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Set a configuration key, as in worker.shards=2; may be repeated [env: ATTRSYNC__SECTION__KEY, for each key]
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,

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
        self.load_with([])
    }

    /// The same, with flags of the command's own: each a name, a key and a text.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(super) fn load_with<'f>(
        &self,
        further: impl IntoIterator<Item = (&'f str, &'f str, String)>,
    ) -> Result<Loaded, ConfigError> {
        let variables: std::collections::BTreeMap<String, String> = std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .collect();
        let from_variable = || variables.get(FILE_VARIABLE).filter(|file| !file.is_empty()).map(PathBuf::from);
        let file = self.config.clone().or_else(from_variable);
        let mut flags = self.flags();
        flags.extend(further.into_iter().map(|(name, key, text)| flag(name, key, text)));
        config::load(&Sources { file, flags, variables })
    }

    /// `--settings FILE`, where it was given.
    pub(super) fn settings_flag(&self) -> Option<String> {
        self.settings.as_ref().map(|file| format!("--settings {file}"))
    }

    /// The flags that set a key; those of one key come after `--set`, and so win.
    fn flags(&self) -> Vec<Flag> {
        let set = self.set.iter().map(|(key, text)| flag("--set", key, text.clone()));
        let own = [
            self.brokers.clone().map(|brokers| flag("--brokers", "kafka.bootstrap_servers", brokers)),
            self.settings.as_ref().map(|file| flag("--settings", "settings.source", format!("file:{file}"))),
            self.log.clone().map(|filter| flag("--log", "log.filter", filter)),
        ];
        set.chain(own.into_iter().flatten()).collect()
    }
}

fn flag(name: &str, key: &str, text: String) -> Flag {
    Flag { name: name.to_owned(), key: key.to_owned(), text }
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE, as in worker.shards=2".to_owned()),
    }
}
