//! Where the configuration says that settings are, as `store` takes it.

use std::{sync::Arc, time::Duration};

use anyhow::Context;

use super::output::Usage;
use crate::{
    config::{Config, SettingsSource, without_userinfo},
    domain::EventTime,
    store::{Address, Database, DatabaseSource, MasterKeys, Source},
};

/// Connects to the database that the configuration names.
pub(super) async fn connect(config: &Config) -> anyhow::Result<Database> {
    Ok(Database::connect(&database(config)?).await?)
}

/// The database that the configuration names; nobody has been asked whether it is there.
pub(super) fn database(config: &Config) -> anyhow::Result<Address> {
    match &config.settings.source {
        SettingsSource::Postgres(url) => address(url),
        SettingsSource::File(path) => Err(Usage::new(format!(
            "the settings are in the file {}; name a database with --set settings.source=postgres://USER@HOST/DATABASE, or in \
             ATTRSYNC__SETTINGS__SOURCE, or edit that file: a worker takes a change up by itself",
            without_userinfo(&path.to_string_lossy())
        ))
        .into()),
    }
}

/// Runs what a command has to wait for.
pub(super) fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
}

/// The source of settings, as they are, or in a database as they were.
pub(super) fn source(config: &Config, at: Option<EventTime>) -> anyhow::Result<Source> {
    match &config.settings.source {
        SettingsSource::File(path) if at.is_none() => Ok(Source::File(path.clone())),
        SettingsSource::File(_) => {
            let wrong = "a file says only what settings are; what they were is in a database (settings.source)";
            Err(Usage::new(wrong).into())
        }
        SettingsSource::Postgres(url) => Ok(Source::Database(DatabaseSource {
            address: address(url)?,
            master_keys: Arc::new(master_keys(config)?),
            max_staleness: Duration::from_secs(config.settings.max_staleness_s),
            at,
        })),
    }
}

/// The address of the database at a URL.
fn address(url: &str) -> anyhow::Result<Address> {
    Address::new(url).context(Usage::new("settings.source can't be used"))
}

/// The master keys.
pub(super) fn master_keys(config: &Config) -> anyhow::Result<MasterKeys> {
    let settings = &config.settings;
    let keys = MasterKeys::new(&settings.master_keys.0, &settings.master_key);
    keys.context(Usage::new("settings.master_keys can't be used"))
}
