//! Why settings can't be used.

use std::io;

use super::{
    DatabaseError,
    problem::{Problem, listed},
};

/// Why settings can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file can't be read.
    #[error("the settings file {path} cannot be read: {error}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// The document is wrong.
    #[error("{}", listed(.source_name, .problems))]
    Broken {
        /// Where the document is.
        source_name: String,
        /// Everything that is wrong with it.
        problems: Vec<Problem>,
    },
    /// The database can't be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}
