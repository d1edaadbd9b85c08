//! `attrsync settings export`: the settings in the database as a settings file, as they are or as they were.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use crate::{
    cli::{
        moment::moment,
        options::ConfigOptions,
        output::{FAULT, print, print_json, warn},
        source::{block_on, connect, master_keys},
    },
    domain::EventTime,
    store::{Export, MasterKeys, REVISION},
};

/// Print the settings in the database as a settings file
///
/// Without --secrets each secret is `{ stored = true }`: the one that the database has. Such a file can be changed and applied
/// to the same database. Its first line is a comment with the revision of the settings that it is.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  attrsync settings export > settings.toml\n  attrsync settings export acme --at 7d"
)]
pub(super) struct ExportArgs {
    /// One organization alone
    organization: Option<String>,
    /// As they were at this time: a date, RFC 3339, or how long ago, as in 7d
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<EventTime>,
    /// Show secrets in clear
    #[arg(long)]
    secrets: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigOptions,
}

impl ExportArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let config = self.config.load_for_work()?.config;
        let keys = if self.secrets { master_keys(&config)? } else { MasterKeys::default() };
        let export = block_on(async {
            let mut database = connect(&config).await?;
            Ok(database.export(&keys, self.at, self.organization.as_deref()).await?)
        })?;
        if let (Some(slug), true) = (&self.organization, export.document.organizations.is_empty()) {
            bail!("there is no organization `{}`", slug.escape_debug());
        }
        let Export { revision, document, .. } = &export;
        if self.json {
            print_json(document)?;
        } else {
            print(&format!("{REVISION}{revision}\n{}", toml::to_string(document)?))?;
        }
        if !self.secrets || export.problems.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        for problem in export.problems {
            warn(problem)?;
        }
        Ok(ExitCode::from(FAULT))
    }
}
