//! The thread that keeps settings up to date, and what it logs.

use std::{
    fmt,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{RecvTimeoutError, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use super::{
    DatabaseError, DatabaseSource, Reload, Settings, Source,
    database::{
        follow::{Following, follow},
        follower::{Follower, Found},
    },
    freshness::Look,
    problem::Problem,
    settings::Kept,
};
use crate::domain::Snapshot;

/// A running watch; it ends when this is dropped.
pub struct Watch {
    end: Option<Box<dyn FnOnce() + Send>>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

/// What hears of every look that did not find everything unchanged.
type Told = Box<dyn FnMut(&Reload) + Send>;

impl Settings {
    /// Looks for a change every so often, in a thread of its own, and logs what it finds. A change of a file counts once two
    /// looks in a row saw it; a database tells of its changes by itself. `told` hears of every look that did not find
    /// everything unchanged.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn watch(
        self: &Arc<Self>,
        every: Duration,
        told: impl FnMut(&Reload) + Send + 'static,
    ) -> std::io::Result<Watch> {
        let thread = std::thread::Builder::new().name("settings".to_owned());
        let (settings, told) = (Arc::clone(self), Box::new(told));
        let taken = match &self.kept {
            Kept::Document(_) => None,
            Kept::Database(follower) => follower.lock().unwrap_or_else(PoisonError::into_inner).take(),
        };
        if let (Some(follower), Source::Database(source)) = (taken, self.source()) {
            let ended = Arc::new(AtomicBool::new(false));
            let followed =
                Followed { settings, ended: Arc::clone(&ended), told, look: None, outage: Outage::default() };
            let source = source.clone();
            let thread = thread.spawn(move || followed.run(*follower, &source, every))?;
            let settings = Arc::clone(self);
            let end = move || {
                ended.store(true, Ordering::Release);
                settings.wake.notify_one();
            };
            return Ok(Watch { end: Some(Box::new(end)), thread: Some(thread) });
        }
        let (end, ended) = channel::<()>();
        let thread = thread.spawn(move || {
            let mut told: Told = told;
            while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                settings.tell(&settings.refresh(), &mut told);
            }
        })?;
        Ok(Watch { end: Some(Box::new(move || drop(end))), thread: Some(thread) })
    }

    fn tell(&self, reload: &Reload, told: &mut Told) {
        if !matches!(reload, Reload::Unchanged) {
            self.log(reload);
            told(reload);
        }
    }

    fn log(&self, reload: &Reload) {
        let version = self.current.version();
        match reload {
            Reload::Unchanged => {}
            Reload::Applied { changes, warnings, unusable } => {
                let organizations = self.current.get().len();
                tracing::info!(version, organizations, changes = changes.join("; "), "settings reloaded");
                log_warnings(warnings);
                log_unusable(unusable);
            }
            Reload::Refused(error) => {
                tracing::error!(version, "{error}\nthe settings in use stay as they are until this is mended");
            }
        }
    }
}

/// Settings that follow a database.
struct Followed {
    settings: Arc<Settings>,
    ended: Arc<AtomicBool>,
    told: Told,
    /// The look that has begun and not ended.
    look: Option<Look>,
    outage: Outage,
}

/// Whether the database is out of reach, which is told once.
#[derive(Default, PartialEq, Eq)]
enum Outage {
    #[default]
    None,
    Told,
}

impl Followed {
    fn run(mut self, follower: Follower, source: &DatabaseSource, every: Duration) {
        if let Err(error) = follow(follower, source, every, &mut self) {
            tracing::error!(%error, "the settings can't be followed any more");
        }
    }

    /// Logs the beginning and the end of an outage.
    fn note(&mut self, error: Option<&DatabaseError>) {
        let left_s = self.settings.fresh_for().as_secs();
        match (error, &self.outage) {
            (Some(error), Outage::None) => {
                tracing::warn!(%error, left_s, "the settings can't be looked at; those in use judge on for so long");
                self.outage = Outage::Told;
            }
            (None, Outage::Told) => {
                tracing::info!("the settings can be looked at again");
                self.outage = Outage::None;
            }
            _ => {}
        }
    }
}

impl Following for Followed {
    fn begin(&mut self) -> Arc<Snapshot> {
        self.look = Some(self.settings.freshness.look_begins());
        self.settings.current()
    }

    fn end(&mut self, looked: Result<Option<(Snapshot, Found)>, DatabaseError>) {
        let confirmed = looked.is_ok();
        let mut reload = Reload::Unchanged;
        let error = match looked {
            Ok(None) => None,
            Ok(Some((snapshot, Found { changes, warnings, unusable }))) => {
                let differs = snapshot.version() != self.settings.current.version();
                // Also where it says what the one before said: an organization leaves by what was read of it last, and one that was
                // read again would stay for ever.
                self.settings.current.set(snapshot);
                if differs {
                    reload = Reload::Applied { changes, warnings, unusable };
                }
                None
            }
            Err(error) => Some(error),
        };
        // After the snapshot was set: whoever waits for the look finds it.
        if let Some(look) = self.look.take() {
            self.settings.freshness.look_ends(&look, confirmed);
        }
        self.note(error.as_ref());
        self.settings.current.tidy();
        self.settings.tell(&reload, &mut self.told);
    }

    async fn wanted(&self) {
        if !self.settings.freshness.is_wanted() && !self.ended() {
            self.settings.wake.notified().await;
        }
    }

    async fn over(&self) {
        // Who wants a look meanwhile is found once this one has ended.
        while !self.ended() {
            self.settings.wake.notified().await;
        }
    }

    fn ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }
}

/// Logs what is doubtful in settings.
pub fn log_warnings(warnings: &[Problem]) {
    for warning in warnings {
        tracing::warn!("settings: {warning}");
    }
}

/// Logs what keeps organizations from being used; of each the first thing.
pub fn log_unusable(problems: &[Problem]) {
    for problem in problems {
        tracing::error!("settings: {problem}; the organization can't be used until this is mended");
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            end();
        }
        if let Some(thread) = self.thread.take() {
            // A watch that panicked has been reported by the panic hook.
            let _ = thread.join();
        }
    }
}
