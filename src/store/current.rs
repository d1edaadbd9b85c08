//! The place where the snapshot that judges is swapped. Shards take it from here; one that holds the last reference to an
//! older one would have to free it in the middle of its work, so older ones are kept until nobody else has them, and freed by
//! whoever swaps.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::domain::Snapshot;

/// The snapshot that judges, and those before it.
pub(super) struct Current {
    snapshot: ArcSwap<Snapshot>,
    retired: Mutex<Vec<Arc<Snapshot>>>,
}

impl Current {
    pub(super) fn new(snapshot: Snapshot) -> Self {
        Self { snapshot: ArcSwap::from_pointee(snapshot), retired: Mutex::default() }
    }

    pub(super) fn get(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    pub(super) fn version(&self) -> u64 {
        self.snapshot.load().version()
    }

    /// Lets another snapshot judge.
    pub(super) fn set(&self, snapshot: Snapshot) {
        let old = self.snapshot.swap(Arc::new(snapshot));
        self.retired.lock().unwrap_or_else(PoisonError::into_inner).push(old);
        self.tidy();
    }

    /// Frees the snapshots that nobody judges by any more.
    pub(super) fn tidy(&self) {
        self.retired.lock().unwrap_or_else(PoisonError::into_inner).retain(|old| Arc::strong_count(old) > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Policy;

    #[test]
    fn an_old_snapshot_is_freed_by_who_swaps_and_not_by_who_judged_by_it() {
        let current = Current::new(Snapshot::new(1, Policy::default(), Vec::new()));
        let judging = current.get();
        current.set(Snapshot::new(2, Policy::default(), Vec::new()));
        let old = Arc::downgrade(&judging);
        drop(judging);
        assert!(old.upgrade().is_some());
        current.tidy();
        assert!(old.upgrade().is_none());
        assert_eq!(current.version(), 2);
    }
}
