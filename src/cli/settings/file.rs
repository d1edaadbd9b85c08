//! `attrsync settings plan FILE` and `apply FILE`: a settings file beside the database.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::Args;

use super::{change::ChangeOptions, render};
use crate::{
    cli::{
        consent::Consent,
        options::ConfigOptions,
        output::{USAGE, Usage, print, print_json, warn},
        source::{block_on, connect, master_keys},
    },
    store::{Edit, FileSettings, Plan, Removal},
};

/// Show what a settings file would change; exit code 2 when anything
///
/// A wrong usage or configuration ends with 2, too. With --json the two are told apart by standard output: it holds a plan, or nothing.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  attrsync settings plan settings.toml\n  attrsync settings plan settings.toml --prune --json"
)]
pub(super) struct PlanArgs {
    /// The settings file
    file: PathBuf,
    /// Archive the organizations that the file doesn't name
    #[arg(long)]
    prune: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigOptions,
}

/// Write a settings file into the database, all of it or nothing
///
/// The file is complete for the organizations that it names. An organization that somebody changes between the plan and the
/// change is left alone, and so is everything else. A file that takes back that a key was revoked is refused.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  attrsync settings apply settings.toml --reason 'new plans'\n  attrsync settings apply settings.toml --prune --yes --reason 'the file is all there is'"
)]
pub(super) struct ApplyArgs {
    /// The settings file
    file: PathBuf,
    /// Archive the organizations that the file doesn't name
    #[arg(long)]
    prune: bool,
    /// Let this key be honoured again, or forgotten, although it was revoked; may be repeated
    #[arg(long, value_name = "ORGANIZATION:ID", value_parser = key)]
    unrevoke: Vec<(String, String)>,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    options: ChangeOptions,
}

/// Reads a settings file. A URL that is named by mistake may hold a login, and is not printed.
fn read(path: &Path) -> anyhow::Result<FileSettings> {
    if path.to_string_lossy().contains("://") {
        let wrong = "expected the path of a settings file, not a URL; the database is settings.source";
        return Err(Usage::new(wrong).into());
    }
    Ok(FileSettings::read(path)?)
}

/// An organization's key on the command line. No slug holds a colon.
fn key(text: &str) -> Result<(String, String), String> {
    let key = text.split_once(':').map(|(slug, id)| (slug.to_owned(), id.to_owned()));
    key.ok_or_else(|| "expected ORGANIZATION:ID, as in acme:2026-10".to_owned())
}

fn removal(prune: bool) -> Removal {
    if prune { Removal::Archive } else { Removal::Keep }
}

impl PlanArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let config = self.config.load_for_work()?.config;
        let (file, keys) = (read(&self.file)?, master_keys(&config)?);
        let plan = block_on(async {
            let mut database = connect(&config).await?;
            Ok(database.plan(&file, removal(self.prune), (&config.policy(), &keys)).await?)
        })?;
        tell(&plan, self.json)?;
        Ok(if plan.changes.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(USAGE) })
    }
}

impl ApplyArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let means = self.options.means()?;
        let file = read(&self.file)?.unrevoking(self.unrevoke.iter().cloned());
        let (policy, removal) = (means.config.policy(), removal(self.prune));
        block_on(async {
            let mut database = connect(&means.config).await?;
            let plan = database.plan(&file, removal, (&policy, &means.master_keys)).await?;
            if plan.changes.is_empty() {
                return tell(&plan, self.options.json);
            }
            if !self.consent.yes {
                write!(anstream::stderr(), "{}", render::plan(&plan))?;
            }
            self.consent.ask("apply this")?;
            let edit = means.edit(&policy);
            let edit = Edit { since: edit.since.or(Some(plan.revision)), ..edit };
            let applied = database.apply(&edit, &file, removal).await.context("nothing was changed")?;
            tell(&applied, self.options.json)
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

fn tell(plan: &Plan, json: bool) -> anyhow::Result<()> {
    for warning in plan.changes.iter().flat_map(|change| &change.warnings) {
        warn(warning)?;
    }
    if json { print_json(plan) } else { Ok(print(&render::plan(plan))?) }
}
