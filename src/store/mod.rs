//! Where settings come from, and the snapshot that judges.
//!
//! `file` reads a document, `compile` checks it and makes a snapshot, `watch` keeps the snapshot up to date. A document that
//! is broken never replaces one that works: [`Settings`] goes on with what it has and says so.

mod compile;
pub mod document;
mod effective;
mod file;
pub mod moment;
pub mod problem;
pub mod secret;
mod standard;
mod watch;

use std::{
    ffi::OsString,
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use sha2::{Digest, Sha256};

use crate::domain::{Policy, Snapshot};
use compile::Compiled;
use effective::Effective;
use file::Parsed;
use problem::Problem;
use secret::Vault;
pub use watch::{Watch, log_warnings};

/// A settings file to begin with, and the settings of `attrsync dev`.
pub const EXAMPLE: &str = include_str!("../../settings.example.toml");

/// More than any settings file has: room for ten thousand organizations.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Where a settings document is.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// In a file.
    File(PathBuf),
    /// In the program.
    Embedded(&'static str),
}

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
}

/// What came of looking for a change.
#[derive(Debug)]
pub enum Reload {
    /// The settings are as they were.
    Unchanged,
    /// New settings judge from now on.
    Applied {
        /// What is different: organizations, keys and fields by name.
        changes: Vec<String>,
        /// What is doubtful in the new settings.
        warnings: Vec<Problem>,
    },
    /// The new settings can't be used; the old ones go on.
    Refused(SettingsError),
}

/// The settings of a process: loaded once, then kept up to date by [`Settings::watch`].
pub struct Settings {
    source: Source,
    vault: Vault,
    policy: Policy,
    current: ArcSwap<Snapshot>,
    warnings: Vec<Problem>,
    seen: Mutex<Seen>,
}

/// What the last look saw.
#[derive(Debug, Default)]
struct Seen {
    /// The content that was compiled, or refused, last.
    decided: Fingerprint,
    /// A different content that was seen once: it is taken when it is seen again, so that a file that is being written is
    /// not taken for a shorter one.
    settling: Option<Fingerprint>,
    /// Which files the content refers to.
    secret_files: Vec<PathBuf>,
    effective: Effective,
}

/// A digest of a document and the secret files that it refers to.
type Fingerprint = [u8; 32];

impl Settings {
    /// Loads the settings.
    ///
    /// # Errors
    /// When the document can't be read, or anything is wrong with it.
    pub fn load(source: Source, policy: Policy) -> Result<Self, SettingsError> {
        Self::load_in(source, policy, |name| std::env::var_os(name))
    }

    fn load_in(
        source: Source,
        policy: Policy,
        environment: fn(&str) -> Option<OsString>,
    ) -> Result<Self, SettingsError> {
        let vault = Vault { folder: source.folder(), environment };
        let text = source.read()?;
        let parsed = source.parse(&text)?;
        let secret_files = parsed.document.secret_files();
        let decided = vault.fingerprint(Ok(&text), &secret_files);
        let Compiled { snapshot, effective, warnings } = source.compile(parsed, &vault, &policy)?;
        Ok(Self {
            source,
            vault,
            policy,
            current: ArcSwap::from_pointee(snapshot),
            warnings,
            seen: Mutex::new(Seen { decided, settling: None, secret_files, effective }),
        })
    }

    /// The snapshot that judges now. A batch takes it once and is judged by it whole.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// What is doubtful in the settings as they were loaded.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Where the settings are, for people.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Looks for a change, and takes it if it is whole and right.
    pub fn refresh(&self) -> Reload {
        // A poisoned lock is one whose holder panicked between two complete values: what it guards still fits together.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match self.look(&mut seen) {
            None => Reload::Unchanged,
            Some(Err(error)) => Reload::Refused(error),
            Some(Ok(Compiled { snapshot, effective, warnings })) => {
                let changes = seen.effective.changes(&effective);
                if snapshot.version() == self.current.load().version() {
                    return Reload::Unchanged;
                }
                seen.effective = effective;
                self.current.store(Arc::new(snapshot));
                Reload::Applied { changes, warnings }
            }
        }
    }

    /// The new document, where there is one that has come to rest.
    fn look(&self, seen: &mut Seen) -> Option<Result<Compiled, SettingsError>> {
        let text = self.source.read();
        let known = self.vault.fingerprint(text.as_ref(), &seen.secret_files);
        if known == seen.decided {
            seen.settling = None;
            return None;
        }
        if seen.settling.replace(known) != Some(known) {
            return None;
        }
        let parsed = text.and_then(|text| Ok((self.source.parse(&text)?, text)));
        // Before the secrets are opened: a secret that changes in between is then found changed by the next look.
        seen.decided = match &parsed {
            Ok((parsed, text)) => {
                seen.secret_files = parsed.document.secret_files();
                self.vault.fingerprint(Ok(text), &seen.secret_files)
            }
            Err(_) => known,
        };
        Some(parsed.and_then(|(parsed, _)| self.source.compile(parsed, &self.vault, &self.policy)))
    }
}

/// Reads no more than a settings file can have: what was named by mistake may have no end.
fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {MAX_BYTES} bytes")));
    }
    Ok(text)
}

impl Source {
    fn read(&self) -> Result<String, SettingsError> {
        match self {
            Source::Embedded(text) => Ok((*text).to_owned()),
            Source::File(path) => {
                read(path).map_err(|error| SettingsError::Unreadable { path: path.display().to_string(), error })
            }
        }
    }

    fn folder(&self) -> PathBuf {
        match self {
            Source::Embedded(_) => PathBuf::new(),
            Source::File(path) => path.parent().map(Into::into).unwrap_or_default(),
        }
    }

    fn parse(&self, text: &str) -> Result<Parsed, SettingsError> {
        file::parse(text).map_err(|problems| self.broken(problems))
    }

    fn compile(&self, parsed: Parsed, vault: &Vault, policy: &Policy) -> Result<Compiled, SettingsError> {
        compile::compile(parsed, vault, policy).map_err(|problems| self.broken(problems))
    }

    fn broken(&self, problems: Vec<Problem>) -> SettingsError {
        SettingsError::Broken { source_name: self.to_string(), problems }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(path) => path.display().fmt(f),
            Source::Embedded(_) => f.write_str("the sample settings"),
        }
    }
}

/// Where it is, and not what it says: an embedded document holds secrets, be they samples.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({self})")
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.current.load().version();
        f.debug_struct("Settings").field("source", &self.source).field("version", &version).finish_non_exhaustive()
    }
}

impl Vault {
    /// A digest of a document's text and of the secret files it refers to; of what kept them from being read otherwise.
    fn fingerprint(&self, text: Result<&String, &SettingsError>, secret_files: &[PathBuf]) -> Fingerprint {
        let mut digest = Sha256::new();
        let mut part = |part: &[u8]| {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        };
        match text {
            Ok(text) => part(text.as_bytes()),
            Err(error) => part(error.to_string().as_bytes()),
        }
        for file in secret_files {
            match self.open(&secret::Secret::File(file.clone())) {
                Ok(secret) => part(&secret),
                Err(message) => part(message.as_bytes()),
            }
        }
        digest.finalize().into()
    }
}

/// `settings.toml has 2 problems:` and a line for each.
fn listed(source_name: &str, problems: &[Problem]) -> String {
    let number = match problems.len() {
        1 => "a problem".to_owned(),
        many => format!("{many} problems"),
    };
    let lines: String = problems.iter().map(|problem| format!("\n  {problem}")).collect();
    format!("{source_name} has {number}:{lines}")
}

#[cfg(test)]
mod tests;
