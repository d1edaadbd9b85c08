//! How far a job is, for whoever shows it, how fast it may go, and the wish that it end.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use super::{Chunk, Limits, pace::Pace};

/// How far a job is.
#[derive(Debug)]
pub struct Counter {
    records: AtomicU64,
    /// Records of a job that is held back, as they are worked through: its chunks take long.
    let_go: AtomicU64,
    size: AtomicU64,
    stopped: AtomicBool,
    pace: Pace,
}

impl Counter {
    /// Of a job that begins now, and goes no faster than this.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let (records, let_go, size, stopped) = Default::default();
        Self { records, let_go, size, stopped, pace: Pace::new(limits) }
    }

    /// Waits until the next record may be worked through.
    pub(super) fn wait(&self) {
        if let Some(turn) = self.turn() {
            self.wait_for(turn, None);
            self.let_go.fetch_add(1, Relaxed);
        }
    }

    /// The turn of the next record; none where nothing holds the job back.
    pub(super) fn turn(&self) -> Option<u64> {
        self.pace.is_limited().then(|| self.pace.turn())
    }

    /// Waits until a turn has come, unless that takes longer than this; whether it has.
    pub(super) fn wait_for(&self, turn: u64, most: Option<Duration>) -> bool {
        self.pace.wait(turn, most, self)
    }

    /// Records that were worked through; of a job that is held back, those that are in hand too.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records.load(Relaxed).max(self.let_go.load(Relaxed))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_is_held_back_is_seen_to_go_on_within_a_chunk() {
        let counter = Counter::new(Limits { rate: Some(1e6), cpu: None });
        (0..3).for_each(|_| counter.wait());
        assert_eq!(counter.records(), 3);
        counter.add(Chunk { turn: None, records: 3, size: 100 });
        assert_eq!((counter.records(), counter.size()), (3, 100));
        let free = Counter::new(Limits::default());
        free.wait();
        assert_eq!(free.records(), 0, "whole chunks are counted where they come fast");
    }
}
