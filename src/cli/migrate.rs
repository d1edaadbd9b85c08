//! `attrsync migrate`: the tables of settings in PostgreSQL.
//!
//! ```text
//! attrsync migrate --dry-run
//! attrsync migrate status --json
//! attrsync migrate roles | psql -v ON_ERROR_STOP=1 attrsync
//! ```

use std::{fmt::Write, process::ExitCode};

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    options::ConfigOptions,
    output::{DIM, GOOD, print, print_json, styled},
    source::{block_on, connect},
};
use crate::store::database::{MigrationStatus, ROLES};

/// What stands below the help.
const AFTER_HELP: &str = "\
Examples:
  attrsync migrate roles | psql -v ON_ERROR_STOP=1 attrsync   once, by an administrator: the roles
  attrsync migrate --dry-run                                  see what would be applied
  attrsync migrate                                            make or update the tables
  attrsync migrate status --json

The database is settings.source. Processes that start at once migrate once: the others wait.

Exit codes: 0 all is applied, or would be; 1 a fault, or (status) something isn't applied; 2 usage
or configuration.";

/// Make the tables of settings in PostgreSQL, or bring them up to date
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
pub(super) struct MigrateArgs {
    #[command(subcommand)]
    command: Option<MigrateCommand>,
    /// Say what would be applied, and apply nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigOptions,
}

#[derive(Debug, Subcommand)]
enum MigrateCommand {
    /// Tell which migrations are applied
    #[command(after_help = "Examples:\n  attrsync migrate status\n  attrsync migrate status --json")]
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigOptions,
    },
    /// Print the SQL that makes the roles, for a database administrator
    #[command(after_help = "Example:\n  attrsync migrate roles | psql -v ON_ERROR_STOP=1 attrsync")]
    Roles,
}

impl MigrateArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            Some(MigrateCommand::Roles) => print(ROLES)?,
            Some(MigrateCommand::Status { json, config }) => {
                let all = block_on(async { Ok(connect(&config.load_for_work()?.config).await?.migrations().await?) })?;
                tell(&all, *json)?;
                return Ok(ExitCode::from(u8::from(all.iter().any(|status| status.applied_at.is_none()))));
            }
            None => {
                let config = self.config.load_for_work()?.config;
                let (all, word) = block_on(async {
                    let mut database = connect(&config).await?;
                    if !self.dry_run {
                        return Ok((database.migrate().await?, "applied"));
                    }
                    let mut missing = database.migrations().await?;
                    missing.retain(|status| status.applied_at.is_none());
                    Ok((missing, "to be applied"))
                })?;
                if self.json {
                    tell(&all, true)?;
                } else if all.is_empty() {
                    print("all migrations are applied\n")?;
                } else {
                    print(
                        &all.iter()
                            .map(|status| format!("{word}: {:04} {}\n", status.number, status.name))
                            .collect::<String>(),
                    )?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn tell(all: &[MigrationStatus], as_json: bool) -> anyhow::Result<()> {
    if as_json {
        let entry = |status: &MigrationStatus| json!({"number": status.number, "name": status.name, "appliedAt": status.applied_at});
        return print_json(&all.iter().map(entry).collect::<Vec<_>>());
    }
    let mut text = String::new();
    for status in all {
        let applied = match &status.applied_at {
            Some(at) => styled(GOOD, format_args!("applied at {at}")),
            None => styled(DIM, "not applied"),
        };
        // Writing to a String cannot fail.
        _ = writeln!(text, "{:04} {:<20} {applied}", status.number, status.name);
    }
    Ok(print(&text)?)
}
