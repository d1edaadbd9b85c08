//! What every change of settings has in common: who makes it and why, the revision that it is based on, and what is told of it
//! afterwards.

use std::process::ExitCode;

use clap::Args;

use super::render;
use crate::{
    cli::{
        consent::Consent,
        options::ConfigOptions,
        output::{Usage, print, print_json, warn},
        source::{block_on, connect, database, master_keys},
    },
    config::Config,
    store::{Author, Change, Database, DatabaseError, Edit, MasterKeys, document::Organization},
};

/// The options of every change.
#[derive(Debug, Args)]
pub(super) struct ChangeOptions {
    /// Why; kept in the history
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: String,

    /// Who; kept in the history [default: the user of this system]
    #[arg(long, value_name = "NAME")]
    pub(super) by: Option<String>,

    /// Refuse when the organization changed after this revision (`settings plan` and `history` tell revisions)
    #[arg(long, value_name = "REVISION")]
    pub(super) since: Option<i64>,

    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten)]
    pub(super) config: ConfigOptions,
}

/// The means of a change.
pub(super) struct Means {
    pub(super) config: Config,
    pub(super) author: Author,
    pub(super) master_keys: MasterKeys,
    since: Option<i64>,
}

impl Means {
    pub(super) fn edit<'m>(&'m self, policy: &'m crate::domain::Policy) -> Edit<'m> {
        Edit { author: &self.author, policy, master_keys: &self.master_keys, since: self.since }
    }
}

impl ChangeOptions {
    pub(super) fn means(&self) -> anyhow::Result<Means> {
        if self.reason.trim().is_empty() {
            return Err(Usage::new("--reason is empty; say why, it is kept in the history").into());
        }
        let config = self.config.load_for_work()?.config;
        let by = self.by.clone().or_else(|| std::env::var("USER").ok()).filter(|by| !by.is_empty());
        let author = Author { actor: by.unwrap_or_default(), reason: self.reason.clone() };
        Ok(Means { master_keys: master_keys(&config)?, author, config, since: self.since })
    }

    /// Asks before a change, once it is sure that there is a database named in which to make it.
    pub(super) fn ask(&self, consent: &Consent, what: &str) -> anyhow::Result<()> {
        database(&self.means()?.config)?;
        consent.ask(what)
    }

    /// The same where there is something to know or to look at first: it stands above the question.
    pub(super) fn ask_after(&self, consent: &Consent, advice: &str, what: &str) -> anyhow::Result<()> {
        database(&self.means()?.config)?;
        consent.ask_after(advice, what)
    }

    /// Changes one organization and tells what is different.
    pub(super) fn edit(
        &self,
        slug: &str,
        change: impl FnOnce(&mut Organization) -> Result<(), String>,
    ) -> anyhow::Result<ExitCode> {
        self.change(async |database, edit| database.edit_organization(edit, slug, change).await)
    }

    /// Makes a change and tells what is different.
    pub(super) fn change(
        &self,
        change: impl AsyncFnOnce(&mut Database, &Edit<'_>) -> Result<Change, DatabaseError>,
    ) -> anyhow::Result<ExitCode> {
        let changed = self.make(change)?;
        self.tell(&changed)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Makes a change.
    pub(super) fn make(
        &self,
        change: impl AsyncFnOnce(&mut Database, &Edit<'_>) -> Result<Change, DatabaseError>,
    ) -> anyhow::Result<Change> {
        let means = self.means()?;
        let policy = means.config.policy();
        block_on(async {
            let mut database = connect(&means.config).await?;
            Ok(change(&mut database, &means.edit(&policy)).await?)
        })
    }

    /// Tells what is different, and what is doubtful.
    pub(super) fn tell(&self, changed: &Change) -> anyhow::Result<()> {
        for warning in &changed.warnings {
            warn(warning)?;
        }
        if self.json {
            print_json(changed)?;
        } else {
            print(&render::change(changed))?;
        }
        Ok(())
    }
}
