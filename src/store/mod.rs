//! Where settings come from, and the snapshot that judges.
//!
//! A settings document is in a file ([`mod@file`]) or in a database ([`database`]); [`compile`] checks it and makes what judges,
//! by the same rules wherever it came from. [`Settings`] holds the snapshot and keeps it up to date ([`watch`]): a file is read
//! again ([`reread`]), a database is followed. A document that is broken never replaces one that works.

mod compile;
mod current;
pub mod database;
pub mod difference;
pub mod document;
mod effective;
mod error;
mod file;
mod file_settings;
mod freshness;
mod key_kind;
pub mod moment;
pub mod problem;
mod reread;
mod revoke;
pub mod seal;
pub mod secret;
mod settings;
mod source;
mod standard;
mod version;
mod watch;

pub use self::{
    database::{
        Address, Author, Change, Database, DatabaseError, DatabaseSource, Edit, Export, Plan, Removal, Timeline,
    },
    error::SettingsError,
    file_settings::{FileSettings, REVISION},
    revoke::{keys_of_set, revoke},
    seal::{MasterKeyError, MasterKeys},
    settings::{Reload, Settings},
    source::Source,
    watch::{Watch, log_unusable, log_warnings},
};

/// A settings file to begin with, and the settings of `attrsync dev`.
pub const EXAMPLE: &str = include_str!("../../settings.example.toml");

#[cfg(test)]
mod tests;
