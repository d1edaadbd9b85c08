//! `attrsync config`: what is in effect, whether it can be used, and every key there is.
//!
//! ```text
//! attrsync config show --set worker.shards=2
//! attrsync config check --config /etc/attrsync.toml
//! attrsync config defaults > attrsync.toml
//! ```

use std::{fmt::Write, path::Path, process::ExitCode};

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    judging::settings_by,
    options::ConfigOptions,
    output::{DIM, USAGE, print, report, styled},
    source::source,
};
use crate::config::{self, Effective, Loaded, Origin, SettingsSource};

/// What stands below the help.
const AFTER_HELP: &str = "\
Examples:
  attrsync config defaults > attrsync.toml       begin with every key, commented
  attrsync config check --config attrsync.toml   tell all that is wrong with it, and with the settings file
  attrsync config show --set worker.shards=2     see what is in effect, and why

Exit codes: 0 it can be used; 2 it cannot.";

/// Where settings are if nobody says otherwise.
const BY_DEFAULT: &str = "settings.toml";

/// What stands below the help of `check`.
const CHECK_HELP: &str = "\
A settings file is read as a worker reads it, the one by default where it is there; a database of settings is not asked.

Examples:
  attrsync config check
  attrsync config check --config attrsync.toml --settings next.toml

Exit codes: 0 both can be used; 2 one of them cannot.";

/// Show, check or list the configuration
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print the values in effect and where each came from; secrets are redacted
    #[command(after_help = "Examples:\n  attrsync config show --set worker.shards=2\n  attrsync config show --json")]
    Show {
        /// Print one JSON object by key
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigOptions,
    },
    /// Tell everything that is wrong with the configuration, and with the settings file that it names
    #[command(after_help = CHECK_HELP)]
    Check {
        #[command(flatten)]
        config: ConfigOptions,
    },
    /// Print the commented default file: every key, its default, and why
    #[command(after_help = "Example:\n  attrsync config defaults > attrsync.toml")]
    Defaults,
}

impl ConfigArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            ConfigCommand::Show { json: false, config } => print(&as_toml(&config.load()?.effective))?,
            ConfigCommand::Show { json: true, config } => print(&as_json(&config.load()?.effective)?)?,
            ConfigCommand::Check { config } => return check(config),
            ConfigCommand::Defaults => print(config::DEFAULTS)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Tells whether a worker would start: by the configuration, and by the settings file that it names. A database is not asked.
fn check(config: &ConfigOptions) -> anyhow::Result<ExitCode> {
    let loaded = config.load()?;
    let settings = match &loaded.config.settings.source {
        // A dashboard has none, and a file made of the defaults says where they would be.
        SettingsSource::File(path) if path == Path::new(BY_DEFAULT) && !path.exists() => {
            Ok(format!("no settings were looked at: there is no {BY_DEFAULT}, where they are by default"))
        }
        SettingsSource::File(_) => settings_by(&loaded, None).map(|settings| {
            format!("the settings in {} can be used (organizations: {})", settings.source(), settings.current().len())
        }),
        SettingsSource::Postgres(_) => {
            source(&loaded.config, None).map(|database| format!("the settings are in {database}, which was not asked"))
        }
    };
    match settings {
        Ok(settings) => print(&format!("{}{settings}\n", summary(&loaded)))?,
        Err(error) => {
            _ = report(&error);
            return Ok(ExitCode::from(USAGE));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A TOML file that says the same, each value with its origin beside it.
fn as_toml(values: &[Effective]) -> String {
    let (mut text, mut section) = (String::new(), "");
    for value in values {
        let (of, name) = value.section_and_name();
        if of != section {
            let gap = if section.is_empty() { "" } else { "\n" };
            // Writing to a String cannot fail.
            _ = writeln!(text, "{gap}[{of}]");
            section = of;
        }
        let given = format!("{} = {}", quoted(name), value.value);
        let origin = styled(DIM, format_args!("# {}", origin(value)));
        _ = writeln!(text, "{given:<48} {origin}");
    }
    text
}

fn as_json(values: &[Effective]) -> serde_json::Result<String> {
    let entry = |value: &Effective| (value.key.clone(), json!({"value": value.value, "origin": origin(value)}));
    let all: serde_json::Map<_, _> = values.iter().map(entry).collect();
    Ok(serde_json::to_string_pretty(&all)? + "\n")
}

fn summary(loaded: &Loaded) -> String {
    let by_default = |value: &&Effective| matches!(value.origin, Origin::Default | Origin::Host);
    let defaults = loaded.effective.iter().filter(by_default).count();
    let given = loaded.effective.len() - defaults;
    format!("the configuration can be used (values given: {given}, by default: {defaults})\n")
}

fn origin(value: &Effective) -> String {
    match &value.elsewhere {
        Some(place) => format!("{place}, by {}", value.origin),
        None => value.origin.to_string(),
    }
}

/// A name as TOML wants it.
fn quoted(name: &str) -> String {
    let bare = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if bare { name.to_owned() } else { toml::Value::String(name.to_owned()).to_string() }
}
