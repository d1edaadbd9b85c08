//! What the lists of an organization's own things have in common: of which organization, and in which form.

use clap::Args;

use crate::{
    cli::{
        options::ConfigOptions,
        source::{block_on, connect},
    },
    store::{MasterKeys, document::Organization},
};

/// The options of such a list.
#[derive(Debug, Args)]
pub(super) struct ListOptions {
    /// The organization's slug
    organization: String,

    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,

    #[command(flatten)]
    config: ConfigOptions,
}

impl ListOptions {
    /// The organization. Without master keys nothing opens, and nothing can be shown.
    pub(super) fn read(&self) -> anyhow::Result<Organization> {
        let config = self.config.load_for_work()?.config;
        block_on(async { Ok(connect(&config).await?.organization(&self.organization, &MasterKeys::default()).await?) })
    }
}
