//! How far a job is, for whoever shows it, and the wish that it end.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use super::Chunk;

/// How far a job is.
#[derive(Debug, Default)]
pub struct Counter {
    records: AtomicU64,
    size: AtomicU64,
    stopped: AtomicBool,
}

impl Counter {
    /// Records that were worked through.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records.load(Relaxed)
    }

    /// How much of the history they are, in the source's measure.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size.load(Relaxed)
    }

    /// Asks the job to end after the chunks in hand.
    pub fn stop(&self) {
        self.stopped.store(true, Relaxed);
    }

    /// Whether it was asked to.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.stopped.load(Relaxed)
    }

    pub(super) fn add(&self, chunk: Chunk) {
        self.records.fetch_add(chunk.records, Relaxed);
        self.size.fetch_add(chunk.size, Relaxed);
    }
}
