//! The settings of a process: the snapshot that judges, and what keeps it up to date.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use super::{
    SettingsError, Source, compile::Compiled, current::Current, database::follower::Follower, freshness::Freshness,
    problem::Problem, reread::Reread,
};
use crate::domain::{Policy, Snapshot};

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
    pub(super) current: Current,
    warnings: Vec<Problem>,
    unusable: Vec<Problem>,
    pub(super) freshness: Freshness,
    /// What the document said when it was looked at last is refused.
    refusing: AtomicBool,
    pub(super) kept: Kept,
    /// Told when somebody wants settings to be looked at, or the watch to end.
    pub(super) wake: tokio::sync::Notify,
}

/// What it takes to keep settings up to date.
pub(super) enum Kept {
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
        // What is loaded is as old as its beginning.
        let begun = Instant::now();
        let (mut limit, mut unusable) = (Duration::MAX, Vec::new());
        let (kept, snapshot, warnings) = if let Source::Database(database) = &source {
            limit = database.max_staleness;
            let (follower, snapshot, found) = Follower::load(database, &policy)?;
            unusable = found.unusable;
            let warnings: Vec<_> = database.address.doubt().into_iter().chain(found.warnings).collect();
            (Kept::Database(Mutex::new(Some(Box::new(follower)))), snapshot, warnings)
        } else {
            let (reread, Compiled { snapshot, warnings, .. }) = Reread::first(&source, &policy)?;
            (Kept::Document(Mutex::new(reread)), snapshot, warnings)
        };
        Ok(Self {
            source,
            policy,
            current: Current::new(snapshot),
            warnings,
            unusable,
            freshness: Freshness::since(begun, limit),
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

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.current.version();
        f.debug_struct("Settings").field("source", &self.source).field("version", &version).finish_non_exhaustive()
    }
}
