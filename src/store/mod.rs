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
mod file;
mod freshness;
mod key_kind;
pub mod moment;
pub mod problem;
mod reread;
pub mod seal;
pub mod secret;
mod standard;
mod version;
mod watch;

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use crate::domain::{Policy, Snapshot};
use compile::Compiled;
use current::Current;
use database::follow::Follower;
pub use database::{
    Address, Author, Change, Database, DatabaseError, Edit, Export, Plan, Removal, Timeline,
    follow::DatabaseSource,
};
use file::Parsed;
use freshness::Freshness;
use problem::Problem;
use reread::Reread;
pub use seal::{MasterKeyError, MasterKeys};
use secret::Vault;
pub use watch::{Watch, log_unusable, log_warnings};

/// A settings file to begin with, and the settings of `attrsync dev`.
pub const EXAMPLE: &str = include_str!("../../settings.example.toml");

/// How the comment begins in which an exported file says the revision of the settings that it is.
pub const REVISION: &str = "# revision ";

/// More than any settings file has: room for ten thousand organizations.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Where a settings document is.
#[derive(Clone)]
pub enum Source {
    /// In a file.
    File(PathBuf),
    /// In the program.
    Embedded(&'static str),
    /// In a database.
    Database(DatabaseSource),
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
    /// The database can't be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
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
        /// What keeps organizations from being used.
        unusable: Vec<Problem>,
    },
    /// The new settings can't be used; the old ones go on.
    Refused(SettingsError),
}

/// The settings of a process: loaded once, then kept up to date by [`Settings::watch`].
pub struct Settings {
    source: Source,
    policy: Policy,
    current: Current,
    warnings: Vec<Problem>,
    unusable: Vec<Problem>,
    freshness: Freshness,
    /// What the document said when it was looked at last is refused.
    refusing: AtomicBool,
    kept: Kept,
    /// Told when somebody wants settings to be looked at, or the watch to end.
    wake: tokio::sync::Notify,
}

/// What it takes to keep settings up to date.
enum Kept {
    Document(Mutex<Reread>),
    /// Until a watch takes it.
    Database(Mutex<Option<Box<Follower>>>),
}

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
        let (mut limit, mut unusable) = (Duration::MAX, Vec::new());
        let (kept, snapshot, warnings) = if let Source::Database(database) = &source {
            limit = database.max_staleness;
            let (follower, snapshot, found) = Follower::load(database, &policy)?;
            unusable = found.unusable;
            let warnings: Vec<_> = database.address.doubt().into_iter().chain(found.warnings).collect();
            (Kept::Database(Mutex::new(Some(Box::new(follower)))), snapshot, warnings)
        } else {
            let vault = Vault { folder: source.folder(), environment };
            let (reread, Compiled { snapshot, warnings, .. }) = Reread::first(&source, vault, &policy)?;
            (Kept::Document(Mutex::new(reread)), snapshot, warnings)
        };
        Ok(Self {
            source,
            policy,
            current: Current::new(snapshot),
            warnings,
            unusable,
            freshness: Freshness::new(limit),
            refusing: AtomicBool::new(false),
            kept,
            wake: tokio::sync::Notify::new(),
        })
    }

    /// The snapshot that judges now. A batch takes it once and is judged by it whole.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        self.current.get()
    }

    /// For how much longer the snapshot may judge without a look at the database; a file's holds until it is replaced.
    #[must_use]
    pub fn fresh_for(&self) -> Duration {
        self.freshness.left()
    }

    /// For how long the database could not be looked at; `None`: it can be.
    #[must_use]
    pub fn out_of_reach_for(&self) -> Option<Duration> {
        self.freshness.failing_for()
    }

    /// Whether the document is refused as it is now, so that a process that begins now would not.
    #[must_use]
    pub fn refusing(&self) -> bool {
        self.refusing.load(Relaxed)
    }

    /// Has the database looked at once more, and waits for it a little, where there is time left to spend on that: an event
    /// of an organization that isn't there may be the first of a new one. The snapshot after it, if that is another than
    /// `judging`.
    #[must_use]
    pub fn look_again(&self, judging: &Snapshot) -> Option<Arc<Snapshot>> {
        if matches!(self.kept, Kept::Document(_)) || !self.freshness.await_look(|| self.wake.notify_one()) {
            return None;
        }
        Some(self.current.get()).filter(|current| current.version() != judging.version())
    }

    /// What is doubtful in the settings as they were loaded.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// What keeps organizations from being used, in the settings as they were loaded; of each the first thing.
    #[must_use]
    pub fn unusable(&self) -> &[Problem] {
        &self.unusable
    }

    /// Where the settings are, for people.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Looks for a change of a document, and takes it if it is whole and right.
    pub fn refresh(&self) -> Reload {
        let Kept::Document(reread) = &self.kept else { return Reload::Unchanged };
        self.current.tidy();
        // A poisoned lock is one whose holder panicked between two complete values: what it guards still fits together.
        let mut reread = reread.lock().unwrap_or_else(PoisonError::into_inner);
        let looked = reread.look(&self.source, &self.policy);
        if let Some(looked) = &looked {
            self.refusing.store(looked.is_err(), Relaxed);
        }
        match looked {
            None => Reload::Unchanged,
            Some(Err(error)) => Reload::Refused(error),
            Some(Ok(Compiled { snapshot, effective, warnings })) => {
                let changes = reread.effective.changes(&effective);
                if snapshot.version() == self.current.version() {
                    return Reload::Unchanged;
                }
                reread.effective = effective;
                self.current.set(snapshot);
                Reload::Applied { changes, warnings, unusable: Vec::new() }
            }
        }
    }
}

/// A settings file that is to be written into a database.
pub struct FileSettings {
    name: String,
    parsed: Parsed,
    vault: Vault,
    /// The revision that it was exported at, where it says so.
    revision: Option<i64>,
    /// Organizations and their keys that may be honoured again although they were revoked.
    unrevoked: BTreeSet<(String, String)>,
}

impl FileSettings {
    /// Reads a file. What is wrong with what it says is told when it is used.
    ///
    /// # Errors
    /// When it can't be read, or is no TOML.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let source = Source::File(path.to_owned());
        let text = source.read()?;
        let parsed = source.parse(&text)?;
        let vault = Vault { folder: source.folder(), environment: |name| std::env::var_os(name) };
        let (revision, unrevoked) = (revision_of(&text), BTreeSet::new());
        Ok(Self { name: source.to_string(), parsed, vault, revision, unrevoked })
    }

    /// Lets it take back that these keys were revoked: each an organization's slug and a key's id.
    #[must_use]
    pub fn unrevoking(mut self, keys: impl IntoIterator<Item = (String, String)>) -> Self {
        self.unrevoked.extend(keys);
        self
    }

    /// The organizations that it names.
    #[must_use]
    pub fn document(&self) -> &document::Document {
        &self.parsed.document
    }
}

/// What a file says of the revision that it was exported at, in the comments at its top.
fn revision_of(text: &str) -> Option<i64> {
    let comments = text.lines().take_while(|line| line.starts_with('#'));
    comments.filter_map(|line| line.strip_prefix(REVISION)).find_map(|number| number.trim().parse().ok())
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
            // A database is followed, not read as a text.
            Source::Database(_) => Ok(String::new()),
            Source::File(path) => {
                read(path).map_err(|error| SettingsError::Unreadable { path: path.display().to_string(), error })
            }
        }
    }

    fn folder(&self) -> PathBuf {
        match self {
            Source::Embedded(_) | Source::Database(_) => PathBuf::new(),
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
            Source::Database(database) => database.address.fmt(f),
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
        let version = self.current.version();
        f.debug_struct("Settings").field("source", &self.source).field("version", &version).finish_non_exhaustive()
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
