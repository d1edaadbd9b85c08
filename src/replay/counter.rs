//! How far a job is, for whoever shows it, how fast it may go, and the wish that it end.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use super::{Chunk, Limits, pace::Pace};

/// How far a job is.
#[derive(Debug)]
pub struct Counter {
    records: AtomicU64,
    size: AtomicU64,
    stopped: AtomicBool,
    pace: Pace,
}

impl Counter {
    /// Of a job that begins now, and goes no faster than this.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let (records, size, stopped) = Default::default();
        Self { records, size, stopped, pace: Pace::new(limits) }
    }

    /// Waits until the next record may be worked through.
    pub(super) fn wait(&self) {
        self.pace.wait(self);
    }

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
