//! `attrsync topics`: makes the topics that the configuration names, or says what is wrong with those that are there.
//!
//! ```text
//! attrsync topics create --partitions 12
//! attrsync topics check --json
//! ```
//!
//! `create` makes what is missing and leaves alone what is there; called again it changes nothing. `check` only looks.

mod check;
mod cluster;
mod plan;
mod rules;
#[cfg(test)]
mod tests;

use std::{process::ExitCode, time::Duration};

use clap::{Args, Subcommand};
use serde_json::json;

use self::{
    check::{Expected, Row, Severity, State},
    cluster::Cluster,
    plan::{Creation, Done},
};
use super::{
    options::ConfigOptions,
    output::{BAD, DIM, DOUBTFUL, FAULT, GOOD, print, print_json, styled},
};

const AFTER_HELP: &str = "\
Examples:
  attrsync topics create --dry-run         see what would be made
  attrsync topics create --partitions 24   make what is missing
  attrsync topics check --json             for a pipeline

Exit codes: 0 every topic is as it should be; 1 one is not, or no broker answers; 2 usage or
configuration.";

const CREATE_HELP: &str = "\
Examples:
  attrsync topics create --dry-run
  attrsync topics create --partitions 24 --retention-days 30
  attrsync topics create --set kafka.accepted_topic=nov.accepted \\
    --set kafka.rejected_topic=nov.rejected

Exit codes: 0 every topic is as it should be; 1 one is not, or no broker answers; 2 usage or
configuration.";

const CHECK_HELP: &str = "\
Examples:
  attrsync topics check
  attrsync topics check --brokers kafka:9092 --json

Exit codes: 0 every topic is as it should be; 1 one is not, or no broker answers; 2 usage or
configuration.";

/// Make the input and output topics, or check those that are there
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct TopicsArgs {
    #[command(subcommand)]
    command: TopicsCommand,
}

#[derive(Debug, Subcommand)]
enum TopicsCommand {
    /// Make the topics that are missing; those that are there stay as they are
    #[command(after_help = CREATE_HELP)]
    Create {
        #[command(flatten)]
        wanted: Wanted,
        /// Only ask the brokers whether they would make them
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Say what is wrong with the topics
    #[command(after_help = CHECK_HELP)]
    Check {
        #[command(flatten)]
        common: Common,
    },
}

/// How new topics are made.
#[derive(Debug, Clone, Copy, Args)]
struct Wanted {
    /// Partitions of each new topic [default: as many as the largest input topic has, else 12]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    partitions: Option<u16>,

    /// Replicas of each partition [default: 3, or the number of brokers where it is smaller]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    replication_factor: Option<u16>,

    /// Days that records are kept: the longest outage of a reader that loses nothing
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=3650))]
    retention_days: u16,
}

#[derive(Debug, Args)]
struct Common {
    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Milliseconds to wait for the brokers
    #[arg(long, value_name = "MS", default_value_t = 5000, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    timeout_ms: u64,

    #[command(flatten)]
    config: ConfigOptions,
}

impl TopicsArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let common = match &self.command {
            TopicsCommand::Create { common, .. } | TopicsCommand::Check { common } => common,
        };
        let config = common.config.load_for_work()?.config;
        let expected = Expected::of(&config);
        let cluster = Cluster::connect(&config.kafka, Duration::from_millis(common.timeout_ms))?;
        let found = cluster.look(&expected.names())?;
        let mut rows = check::rows(&expected, &found);
        if let TopicsCommand::Create { wanted, dry_run, .. } = self.command {
            let plans = plan::plans(&rows, &found, wanted, &expected);
            let results = cluster.create(&plans, dry_run)?;
            let was_there = results.values().any(|result| *result == Ok(Done::WasThere));
            let found = if was_there { cluster.look(&expected.names())? } else { found };
            rows = plan::rows_after(&expected, found, &Creation { plans, results, dry_run });
            plan::note_kept(&mut rows, wanted);
        }
        if common.json {
            print_json(&json!({"ok": rows.iter().all(Row::is_good), "topics": rows}))?;
        } else {
            print(&as_text(&rows))?;
        }
        Ok(if rows.iter().all(Row::is_good) { ExitCode::SUCCESS } else { ExitCode::from(FAULT) })
    }
}

fn as_text(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.topic.len()).max().unwrap_or_default();
    rows.iter().map(|row| line(row, width) + &findings(row)).collect()
}

fn line(row: &Row, width: usize) -> String {
    let style = match row.state {
        _ if !row.is_good() => BAD,
        State::Missing | State::Unknown => BAD,
        State::Ok | State::Created | State::WouldCreate => GOOD,
    };
    let shape = row.shape.as_ref().map_or(String::new(), |shape| styled(DIM, format_args!("  {shape}")));
    format!(
        "{:width$}  {:8}  {}{shape}\n",
        row.topic,
        row.role.name(),
        styled(style, format_args!("{:12}", row.state.name()))
    )
}

fn findings(row: &Row) -> String {
    let line = |finding: &check::Finding| {
        let (style, name) = match finding.severity {
            Severity::Problem => (BAD, "problem"),
            Severity::Note => (DOUBTFUL, "note"),
        };
        format!("  {}: {}\n", styled(style, name), finding.message)
    };
    row.findings.iter().map(line).collect()
}
