//! `attrsync settings`: what is in the database of settings, and changes of it.
//!
//! ```text
//! attrsync settings plan settings.toml
//! attrsync settings apply settings.toml --reason "new plans" --yes
//! attrsync settings export --at 2026-11-01T00:00:00Z
//! attrsync settings key add acme 2026-11 --generate --reason rotation
//! ```
//!
//! Every change says who makes it and why, and both are kept. What is destructive asks first, and so does what refuses events that were
//! accepted until then. A secret comes from a file or standard input, or is generated and shown once: an argument would stay in the
//! shell's history and in the list of processes.

mod attribute;
mod change;
mod enforcement;
mod export;
mod file;
mod history;
mod key;
mod list;
mod org;
mod render;
mod reseal;

use std::process::ExitCode;

use clap::{Args, Subcommand};

/// What stands below the help.
const AFTER_HELP: &str = "\
Examples:
  attrsync settings plan settings.toml       what the file would change; exit code 2 when anything
  attrsync settings apply settings.toml --reason 'new plans'
  attrsync settings export > settings.toml   everything, secrets left out; --secrets shows them
  attrsync settings history acme
  attrsync settings org add acme --app-id 65f1c0de65f1c0de65f1c0de --reason 'signed up'
  attrsync settings key add acme 2026-11 --generate --reason rotation
  attrsync settings attribute lock acme plan --reason 'grants access'
  attrsync settings enforcement acme observe --reason 'on the way'

The database is settings.source, its master keys settings.master_keys. Changes need the role
attrsync_admin.

Exit codes: 0 all went well; 1 a fault, a refusal, or not confirmed; 2 usage or configuration, no
terminal to confirm on, and (plan) something would change, which --json tells apart: only a plan
prints anything.";

/// Plan, apply, export and edit the settings in PostgreSQL
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct SettingsArgs {
    #[command(subcommand)]
    command: SettingsCommand,
}

#[derive(Debug, Subcommand)]
enum SettingsCommand {
    Plan(file::PlanArgs),
    Apply(file::ApplyArgs),
    Export(export::ExportArgs),
    History(history::HistoryArgs),
    Org(org::OrgArgs),
    Key(key::KeyArgs),
    Attribute(attribute::AttributeArgs),
    Enforcement(enforcement::EnforcementArgs),
    Reseal(reseal::ResealArgs),
}

impl SettingsArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            SettingsCommand::Plan(args) => args.execute(),
            SettingsCommand::Apply(args) => args.execute(),
            SettingsCommand::Export(args) => args.execute(),
            SettingsCommand::History(args) => args.execute(),
            SettingsCommand::Org(args) => args.execute(),
            SettingsCommand::Key(args) => args.execute(),
            SettingsCommand::Attribute(args) => args.execute(),
            SettingsCommand::Enforcement(args) => args.execute(),
            SettingsCommand::Reseal(args) => args.execute(),
        }
    }
}
