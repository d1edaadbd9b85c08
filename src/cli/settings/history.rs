//! `attrsync settings history ORG`: what was changed, by whom, when and why.

use std::{fmt::Write, process::ExitCode};

use clap::Args;
use serde_json::Value;

use super::render::shown;
use crate::{
    cli::{
        options::ConfigOptions,
        output::{BAD, DIM, DOUBTFUL, GOOD, print, print_json, styled},
        source::{block_on, connect},
        terminal::safe,
    },
    store::database::{Entry, Revision},
};

/// Tell what was changed in an organization, by whom, when and why; the newest first
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  attrsync settings history acme\n  attrsync settings history acme --limit 100 --json"
)]
pub(super) struct HistoryArgs {
    /// The organization's slug, as it is or as it was
    organization: String,
    /// At most so many changes
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigOptions,
}

impl HistoryArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let config = self.config.load_for_work()?.config;
        let history = block_on(async {
            let mut database = connect(&config).await?;
            Ok(database.history(&self.organization, self.limit.into()).await?)
        })?;
        if self.json {
            print_json(&history)?;
        } else {
            print(&history.iter().map(text).collect::<String>())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn text(revision: &Revision) -> String {
    let Revision { revision, at, actor, role, reason, entries } = revision;
    let who = if actor == role { safe(actor) } else { format!("{} (as {})", safe(actor), safe(role)) };
    let mut text = format!("revision {revision} {}\n", styled(DIM, format_args!("{at} by {who}: {}", safe(reason))));
    for Entry { relation, entry, before, after } in entries {
        let place = if entry.is_empty() { relation.trim_end_matches('s').to_owned() } else { safe(entry) };
        // Writing to a String cannot fail.
        _ = match (before, after) {
            (None, Some(after)) => writeln!(text, "    {} {place}: {}", styled(GOOD, "+"), columns(after)),
            (Some(before), None) => writeln!(text, "    {} {place}: {}", styled(BAD, "-"), columns(before)),
            (Some(before), Some(after)) => {
                writeln!(text, "    {} {place}: {}", styled(DOUBTFUL, "~"), different(before, after))
            }
            (None, None) => Ok(()),
        };
    }
    text
}

/// What a row says beyond what it is.
fn columns(row: &Value) -> String {
    let Value::Object(row) = row else { return String::new() };
    let said = row.iter().filter(|(name, value)| {
        !value.is_null() && !matches!(name.as_str(), "id" | "organization_id" | "owner" | "kind" | "name" | "secret_id")
    });
    said.map(|(name, value)| format!("{name} {}", shown(value))).collect::<Vec<_>>().join(", ")
}

fn different(before: &Value, after: &Value) -> String {
    let Value::Object(new) = after else { return String::new() };
    let changed = new.iter().filter(|(name, value)| before[name.as_str()] != **value);
    let told = changed.map(|(name, value)| match name.as_str() {
        "secret_id" => "another secret".to_owned(),
        _ => format!("{name} {} → {}", shown(&before[name.as_str()]), shown(value)),
    });
    told.collect::<Vec<_>>().join(", ")
}
