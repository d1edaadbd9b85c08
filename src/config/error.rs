//! Why a configuration is refused: every problem at once, each with the key, the value, where it came from and the way out.
//! Values pass through [`super::redact`]; texts of files are never quoted.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use toml::Value;

use super::{layers::Origin, redact};

/// A configuration that cannot be used, and all that is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("the configuration cannot be used{}", listed(.problems))]
pub struct ConfigError {
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A file cannot be read. What was named by mistake may be a login.
    #[error("{} cannot be read: {reason}", redact::without_userinfo(&path.to_string_lossy()))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file is no TOML.
    #[error("{}:{line}: not TOML: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// What the parser says, without the text.
        message: String,
    },
    /// A key that is not known. Its value is not printed: nobody can say that it is no secret.
    #[error("unknown key {} ({origin}){way_out}", redact::without_userinfo(key))]
    Unknown {
        /// The key.
        key: String,
        /// Where it stands.
        origin: Origin,
        /// What was meant, perhaps.
        way_out: String,
    },
    /// A value that cannot be used, or several that contradict each other.
    #[error("{given}: {problem}")]
    Refused {
        /// The keys with their values and origins.
        given: String,
        /// What is wrong, and the way out.
        problem: String,
    },
}

impl Problem {
    /// A file that cannot be read.
    pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), reason: reason(error) }
    }

    /// A value that cannot be used.
    pub(super) fn refused(key: &str, value: Option<&Value>, origin: &Origin, problem: impl Into<String>) -> Self {
        Self::Refused { given: given(key, value, origin), problem: problem.into() }
    }
}

/// `key = value (origin)`.
pub(super) fn given(key: &str, value: Option<&Value>, origin: &Origin) -> String {
    match value {
        Some(value) => format!("{key} = {} ({origin})", redact::shown(key, value)),
        None => format!("{key} ({origin})"),
    }
}

/// What the system says, without the number it adds.
#[must_use]
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

fn listed(problems: &[Problem]) -> String {
    problems.iter().fold(String::new(), |mut text, problem| {
        _ = write!(text, "\n  {problem}");
        text
    })
}
