//! `attrsync settings org add|rename|archive|list`.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::change::ChangeOptions;
use crate::{
    cli::{
        consent::Consent,
        options::ConfigOptions,
        output::{print, print_json},
        source::{block_on, connect},
    },
    store::document::Organization,
};

/// Add, rename or archive an organization
#[derive(Debug, Args)]
pub(super) struct OrgArgs {
    #[command(subcommand)]
    command: OrgCommand,
}

#[derive(Debug, Subcommand)]
enum OrgCommand {
    /// Add an organization; its events are judged from then on
    #[command(
        after_help = "Example:\n  attrsync settings org add acme --app-id 65f1c0de65f1c0de65f1c0de --reason 'signed up'"
    )]
    Add {
        /// The slug, as events send it
        slug: String,
        /// The app id, as events send it
        #[arg(long, value_name = "ID")]
        app_id: Option<String>,
        #[command(flatten)]
        options: ChangeOptions,
    },
    /// Change an organization's slug; events that send the old one are those of an unknown organization from then on
    #[command(after_help = "Example:\n  attrsync settings org rename acme acme-inc --reason 'a new name'")]
    Rename {
        /// The slug as it is
        slug: String,
        /// The slug as it shall be
        new: String,
        #[command(flatten)]
        consent: Consent,
        #[command(flatten)]
        options: ChangeOptions,
    },
    /// Archive an organization: its events are rejected from then on, its names are free
    #[command(after_help = "Example:\n  attrsync settings org archive acme --reason 'gone'")]
    Archive {
        /// The slug
        slug: String,
        #[command(flatten)]
        consent: Consent,
        #[command(flatten)]
        options: ChangeOptions,
    },
    /// List the organizations
    #[command(after_help = "Examples:\n  attrsync settings org list\n  attrsync settings org list --json")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigOptions,
    },
}

impl OrgArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            OrgCommand::Add { slug, app_id, options } => {
                let organization = Organization { app_id: app_id.clone(), ..Organization::new(slug) };
                options.change(async |database, edit| database.add_organization(edit, organization).await)
            }
            OrgCommand::Rename { slug, new, consent, options } => {
                options.ask(consent, &format!("rename {slug} to {new}; events with the old slug will be rejected"))?;
                options.edit(slug, |organization| {
                    organization.slug.clone_from(new);
                    Ok(())
                })
            }
            OrgCommand::Archive { slug, consent, options } => {
                options.ask(consent, &format!("archive {slug}; its events will be rejected"))?;
                options.change(async |database, edit| database.archive_organization(edit, slug).await)
            }
            OrgCommand::List { json, config } => list(*json, config),
        }
    }
}

fn list(json: bool, config: &ConfigOptions) -> anyhow::Result<ExitCode> {
    let config = config.load_for_work()?.config;
    let names = block_on(async { Ok(connect(&config).await?.names().await?) })?;
    let names = names.iter().map(|(slug, app_id)| (slug.as_str(), app_id.as_deref()));
    if json {
        let names: Vec<_> = names.map(|(slug, app_id)| serde_json::json!({"slug": slug, "appId": app_id})).collect();
        print_json(&names)?;
    } else {
        print(&names.map(|(slug, app_id)| format!("{slug}\t{}\n", app_id.unwrap_or_default())).collect::<String>())?;
    }
    Ok(ExitCode::SUCCESS)
}
