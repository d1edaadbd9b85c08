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
    #[error("the settings file {} cannot be read: {error}", shown(.path))]
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

/// A path for people. What was named by mistake may be the URL of a database or a login without its scheme, of which nothing is said.
fn shown(path: &str) -> &str {
    let is_login = path.rsplit_once('@').is_some_and(|(login, _)| login.contains(':'));
    if is_login || path.contains("://") { "that was named" } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_login_is_told_that_was_named_in_place_of_a_file() {
        let told = |path: &str| {
            let error = io::ErrorKind::NotFound.into();
            SettingsError::Unreadable { path: path.to_owned(), error }.to_string()
        };
        for path in [
            "postgres://ada:geheim@db/x",
            "ada:geheim@db/x",
            "postgres://db/x?password=geheim",
            "postgres://ada:geheim",
        ] {
            assert!(told(path).starts_with("the settings file that was named cannot be read: "), "{}", told(path));
        }
        for path in ["settings.toml", "a@b.toml", "C:settings.toml"] {
            assert!(told(path).starts_with(&format!("the settings file {path} cannot be read: ")), "{}", told(path));
        }
    }
}
