//! How long settings may still judge, and the wish to have them looked at. A database is asked for changes all the time; what
//! it answered last holds for a limited time, so that a revoked key can't live on in a worker that has lost its database.

use std::{
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// The most that a shard waits for a look.
const PATIENCE: Duration = Duration::from_millis(250);
/// What is kept back of the time for which settings may judge: what is being judged when it ends still has to be finished.
const MARGIN: Duration = Duration::from_millis(300);
/// The share of time that may go into waiting for looks: events of organizations that don't exist must not hold up those of
/// others.
const SHARE: f64 = 0.05;
/// What may be used up at once, after a quiet time.
const MOST_SAVED: Duration = Duration::from_millis(500);
/// What a look counts for at least: it costs the database something, too.
const LEAST: Duration = Duration::from_millis(5);

/// When the settings were last known to be those of their source.
pub(super) struct Freshness {
    begun: Instant,
    limit: Duration,
    /// The most that a shard waits for a look.
    patience: Duration,
    confirmed_ms: AtomicU64,
    looks: Mutex<Looks>,
    looked: Condvar,
}

/// Looks at the source, counted.
struct Looks {
    begun: u64,
    ended: u64,
    /// Somebody waits for one that hasn't begun.
    wanted: bool,
    /// The last one failed.
    failing: bool,
    /// Seconds that may be waited; below zero after more than that.
    saved: f64,
    saved_at: Instant,
}

impl Freshness {
    /// Settings that were looked at then, and hold for `limit` after each look.
    pub(super) fn since(begun: Instant, limit: Duration) -> Self {
        let now = Instant::now();
        let looks =
            Looks { begun: 0, ended: 0, wanted: false, failing: false, saved: MOST_SAVED.as_secs_f64(), saved_at: now };
        let (confirmed_ms, looks, looked) = (AtomicU64::new(0), Mutex::new(looks), Condvar::new());
        Self { begun, limit, patience: PATIENCE, confirmed_ms, looks, looked }
    }

    /// How much longer the settings may judge without another look.
    pub(super) fn left(&self) -> Duration {
        self.limit.saturating_sub(self.age()).saturating_sub(MARGIN)
    }

    /// For how long looks have failed; `None`: the last one hasn't.
    pub(super) fn failing_for(&self) -> Option<Duration> {
        self.lock().failing.then(|| self.age())
    }

    /// How long ago they were last known to be those of their source.
    pub(super) fn age(&self) -> Duration {
        self.begun.elapsed().saturating_sub(Duration::from_millis(self.confirmed_ms.load(Ordering::Acquire)))
    }

    /// A look begins; what it finds is as old as this.
    pub(super) fn look_begins(&self) -> Look {
        let mut looks = self.lock();
        looks.begun += 1;
        looks.wanted = false;
        Look { number: looks.begun, at: self.begun.elapsed() }
    }

    /// A look has ended, and the settings are those of the source when it began, or it failed.
    pub(super) fn look_ends(&self, look: &Look, confirmed: bool) {
        if confirmed {
            let millis = u64::try_from(look.at.as_millis()).unwrap_or(u64::MAX);
            self.confirmed_ms.fetch_max(millis, Ordering::AcqRel);
        }
        let mut looks = self.lock();
        (looks.ended, looks.failing) = (look.number, !confirmed);
        drop(looks);
        self.looked.notify_all();
    }

    /// Whether somebody waits for a look.
    pub(super) fn is_wanted(&self) -> bool {
        self.lock().wanted
    }

    /// Waits for a look that begins after now, where there is time left for it; `wake` tells whoever looks. Whether there
    /// was one.
    pub(super) fn await_look(&self, wake: impl FnOnce()) -> bool {
        let began = Instant::now();
        let mut looks = self.lock();
        let earned = began.duration_since(looks.saved_at).as_secs_f64() * SHARE;
        (looks.saved, looks.saved_at) = (MOST_SAVED.as_secs_f64().min(looks.saved + earned), began);
        if looks.saved < LEAST.as_secs_f64() {
            return false;
        }
        let number = looks.begun + 1;
        looks.wanted = true;
        wake();
        let waited = self.looked.wait_timeout_while(looks, self.patience, |looks| looks.ended < number);
        let (mut looks, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        looks.saved -= began.elapsed().max(LEAST).as_secs_f64();
        !timeout.timed_out()
    }

    fn lock(&self) -> MutexGuard<'_, Looks> {
        // Each change of what it guards is complete in itself.
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A look that has begun.
pub(super) struct Look {
    number: u64,
    at: Duration,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn settings_age_from_when_the_last_look_that_succeeded_began() {
        let freshness = Freshness::since(Instant::now(), Duration::from_secs(100));
        assert!(freshness.left() > Duration::from_secs(90));
        let old = Freshness::since(Instant::now() - Duration::from_secs(150), Duration::from_secs(100));
        assert_eq!(old.left(), Duration::ZERO);
        let look = old.look_begins();
        old.look_ends(&look, false);
        assert_eq!(old.left(), Duration::ZERO);
        old.look_ends(&look, true);
        assert!(old.left() > Duration::from_secs(90));
    }

    #[test]
    fn a_wish_is_answered_by_a_look_that_begins_after_it() {
        // As long as a busy machine may take for it.
        let patience = Duration::from_secs(60);
        let freshness = Arc::new(Freshness { patience, ..Freshness::since(Instant::now(), Duration::MAX) });
        let under_way = freshness.look_begins();
        let looking = Arc::clone(&freshness);
        let answered = freshness.await_look(move || {
            std::thread::spawn(move || {
                looking.look_ends(&under_way, true);
                assert!(looking.is_wanted());
                let look = looking.look_begins();
                looking.look_ends(&look, true);
            });
        });
        assert!(answered);
    }

    #[test]
    fn waiting_for_looks_takes_a_small_share_of_time() {
        let freshness = Freshness::since(Instant::now(), Duration::MAX);
        let mut waits = 0;
        let looks = (0..1000).filter(|_| freshness.await_look(|| waits += 1)).count();
        assert_eq!(looks, 0, "nobody looks");
        // Two use up what is saved; whatever takes its time beside them earns one more in five seconds.
        assert!((1..10).contains(&waits), "{waits}");
    }
}
