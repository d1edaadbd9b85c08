//! `attrsync config`: what is in effect, whether it can be used, and every key there is.
//!
//! ```text
//! attrsync config show --set worker.shards=2
//! attrsync config check --config /etc/attrsync.toml --database
//! attrsync config defaults > attrsync.toml
//! ```

use std::{fmt::Write, path::Path, process::ExitCode};

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    judging::settings_by,
    options::ConfigOptions,
    output::{DIM, FAULT, OK, Usage, print, print_json, styled, tell, warn},
    source::source,
};
use crate::{
    config::{self, Config, Effective, Loaded, Origin, SettingsSource},
    dashboard::Token,
    store::{Settings, Source},
};

/// What stands below the help.
const AFTER_HELP: &str = "\
Examples:
  attrsync config defaults > attrsync.toml       begin with every key, commented
  attrsync config check --config attrsync.toml   tell all that is wrong with it and the settings
  attrsync config show --set worker.shards=2     see what is in effect, and why

Exit codes: 0 it can be used; 1 (check) a database of settings can't, or not all of it; 2 it cannot,
or (check) a file that it names.";

/// Where settings are if nobody says otherwise.
const BY_DEFAULT: &str = "settings.toml";

/// Whether the settings are where they are by default. A file made of the defaults says the same as no file.
pub(super) fn by_default(source: &SettingsSource) -> bool {
    matches!(source, SettingsSource::File(path) if path == Path::new(BY_DEFAULT))
}

/// What stands below the help of `check`.
const CHECK_HELP: &str = "\
A settings file is read as a worker reads it; a database of settings with --database alone. Nothing
is changed there: before an upgrade the next version can tell which organizations it could not use.
The token of the dashboard and the files of librdkafka's properties are read, too, where the
configuration names some.

Examples:
  attrsync config check
  attrsync config check --config attrsync.toml --settings next.toml
  attrsync config check --config attrsync.toml --database
  attrsync config check --without-settings          for a dashboard, which has none

Exit codes: 0 all that was looked at can be used; 1 the database can't be read, or holds
organizations that can't be used; 2 the configuration or a file that it names cannot be used.";

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
    Check(CheckArgs),
    /// Print the commented default file: every key, its default, and why
    #[command(after_help = "Example:\n  attrsync config defaults > attrsync.toml")]
    Defaults,
}

/// Tell everything that is wrong with the configuration, and with the files that it names
#[derive(Debug, Args)]
#[command(after_help = CHECK_HELP)]
struct CheckArgs {
    /// Read the settings in a database, too, and tell each organization that can't be used
    #[arg(long)]
    database: bool,
    /// Leave the settings out: a dashboard has none
    #[arg(long, conflicts_with_all = ["database", "settings"])]
    without_settings: bool,
    #[command(flatten)]
    config: ConfigOptions,
}

impl ConfigArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            ConfigCommand::Show { json: false, config } => print(&as_toml(&config.load()?.effective))?,
            ConfigCommand::Show { json: true, config } => print_json(&by_key(&config.load()?.effective))?,
            ConfigCommand::Check(args) => return args.execute(),
            ConfigCommand::Defaults => print(config::DEFAULTS)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl CheckArgs {
    /// Tells whether a worker would start: by the configuration, the files that it names, and the settings; by those in a database
    /// where that is asked for. All that is wrong is told, and the worst of it is the exit code.
    fn execute(&self) -> anyhow::Result<ExitCode> {
        let loaded = self.config.load_for_work()?;
        let files = [loaded.check_files().err().map(Into::into), token(&loaded.config).err()];
        let settings = self.settings(&loaded);
        let worst = files.iter().flatten().chain(settings.as_ref().err()).map(tell).max();
        match (worst, settings) {
            (None, Ok((settings, code))) => {
                print(&format!("{}{settings}\n", summary(&loaded)))?;
                Ok(ExitCode::from(code))
            }
            (worst, _) => Ok(ExitCode::from(worst.unwrap_or(FAULT))),
        }
    }

    /// What is said of the settings, and the exit code.
    fn settings(&self, loaded: &Loaded) -> anyhow::Result<(String, u8)> {
        match &loaded.config.settings.source {
            SettingsSource::File(path) if self.database => {
                let file = config::without_userinfo(&path.to_string_lossy());
                Err(Usage::new(format!("--database is of no use: the settings are in {file} (settings.source)")).into())
            }
            _ if self.without_settings => Ok(("no settings were looked at (--without-settings)".to_owned(), OK)),
            SettingsSource::Postgres(_) if !self.database => not_asked(&loaded.config),
            _ => settings_by(loaded, None).map(|settings| in_use(&settings)),
        }
    }
}

/// Reads the token of the dashboard as it does, where there is one.
fn token(config: &Config) -> anyhow::Result<()> {
    let file = &config.dashboard.token_file;
    if !file.as_os_str().is_empty() {
        Token::read(file).context(Usage::new("the token of the dashboard can't be used"))?;
    }
    Ok(())
}

/// What is said of settings that were read, and the exit code. Which organizations can't be used was told when they were.
fn in_use(settings: &Settings) -> (String, u8) {
    let (source, usable, unusable) = (settings.source(), settings.current().len(), settings.unusable().len());
    match unusable {
        0 => (format!("the settings in {source} can be used (organizations: {usable})"), OK),
        _ => {
            let counts = format!("organizations: {usable}, and {unusable} that can't be used");
            (format!("the settings in {source} can be used in part ({counts})"), FAULT)
        }
    }
}

/// What is said of a database that isn't asked.
fn not_asked(config: &Config) -> anyhow::Result<(String, u8)> {
    let source = source(config, None)?;
    if let Source::Database(database) = &source
        && let Some(doubt) = database.address.doubt()
    {
        warn(doubt)?;
    }
    Ok((format!("the settings are in {source}, which was not asked (--database asks)"), OK))
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

/// Each value with its origin, by its key.
fn by_key(values: &[Effective]) -> serde_json::Map<String, serde_json::Value> {
    let entry = |value: &Effective| (value.key.clone(), json!({"value": value.value, "origin": origin(value)}));
    values.iter().map(entry).collect()
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
