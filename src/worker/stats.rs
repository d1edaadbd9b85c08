//! What the shards count: atomics, one set a shard, that `observe` reads and renders. A shard counts a batch in a plain
//! [`Tally`] and adds it once the batch is committed, so that nothing is counted twice when a batch is aborted and judged
//! again, and the hot path touches no shared memory.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use super::fault::{Fault, Remedy};
use crate::{
    domain::{Reason, verdict::Outcome},
    source::kafka::Lags,
};

/// The counts of all shards of this process.
#[derive(Debug)]
pub struct Stats {
    started: Instant,
    shards: Box<[ShardStats]>,
}

impl Stats {
    /// Counts at zero for so many shards.
    #[must_use]
    pub fn new(shards: usize) -> Self {
        Self { started: Instant::now(), shards: (0..shards).map(|_| ShardStats::default()).collect() }
    }

    /// The counts of each shard.
    #[must_use]
    pub fn shards(&self) -> &[ShardStats] {
        &self.shards
    }

    /// How long ago a shard's loop was last alive: what `/livez` judges by.
    #[must_use]
    pub fn silence(&self, shard: &ShardStats) -> Duration {
        Duration::from_millis(self.millis().saturating_sub(shard.beat.load(Relaxed)))
    }

    /// Notes that a shard's loop is alive.
    pub(super) fn beat(&self, shard: usize) {
        self.shards[shard].beat.store(self.millis(), Relaxed);
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// What one shard counted since the process began.
#[derive(Debug, Default)]
pub struct ShardStats {
    records: AtomicU64,
    bytes: AtomicU64,
    verdicts: [AtomicU64; OUTCOMES],
    reasons: Counts,
    batch: Histogram,
    commit: Histogram,
    aborted: AtomicU64,
    rebuilt: AtomicU64,
    rejoined: AtomicU64,
    partitions: AtomicU64,
    joined: AtomicBool,
    beat: AtomicU64,
    lags: Arc<Lags>,
}

impl ShardStats {
    /// Records judged and committed.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records.load(Relaxed)
    }

    /// Bytes of their values.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Verdicts of this outcome.
    #[must_use]
    pub fn verdicts(&self, outcome: Outcome) -> u64 {
        self.verdicts[outcome as usize].load(Relaxed)
    }

    /// Events rejected as a whole for this reason.
    #[must_use]
    pub fn rejected(&self, reason: Reason) -> u64 {
        self.reasons.0[reason as usize].load(Relaxed)
    }

    /// How long batches took, from their first record to the end of their commit; its count is that of the batches.
    #[must_use]
    pub fn batch_time(&self) -> &Histogram {
        &self.batch
    }

    /// How long their commits took.
    #[must_use]
    pub fn commit_time(&self) -> &Histogram {
        &self.commit
    }

    /// Batches given up and judged again.
    #[must_use]
    pub fn aborted(&self) -> u64 {
        self.aborted.load(Relaxed)
    }

    /// Producers replaced after a fatal error or an unknown outcome.
    #[must_use]
    pub fn rebuilt(&self) -> u64 {
        self.rebuilt.load(Relaxed)
    }

    /// Consumers replaced after a fatal error.
    #[must_use]
    pub fn rejoined(&self) -> u64 {
        self.rejoined.load(Relaxed)
    }

    /// Partitions assigned now.
    #[must_use]
    pub fn partitions(&self) -> u64 {
        self.partitions.load(Relaxed)
    }

    /// Whether it has taken its place in the group, with partitions or without: what `/readyz` judges by.
    #[must_use]
    pub fn joined(&self) -> bool {
        self.joined.load(Relaxed)
    }

    /// The lag of each partition assigned, as of librdkafka's latest statistics.
    #[must_use]
    pub fn lags(&self) -> &Arc<Lags> {
        &self.lags
    }

    /// Adds a committed batch.
    pub(super) fn committed(&self, tally: &Tally, batch: Duration, commit: Duration) {
        self.records.fetch_add(tally.records, Relaxed);
        self.bytes.fetch_add(tally.bytes, Relaxed);
        for (total, count) in self.verdicts.iter().zip(tally.verdicts) {
            total.fetch_add(count, Relaxed);
        }
        for (total, count) in self.reasons.0.iter().zip(tally.reasons).filter(|(_, count)| *count > 0) {
            total.fetch_add(count, Relaxed);
        }
        self.batch.observe(batch);
        self.commit.observe(commit);
    }

    /// Counts a fault by what it leads to.
    pub(super) fn count(&self, fault: &Fault) {
        match fault.remedy() {
            Remedy::Rewind => self.aborted.fetch_add(1, Relaxed),
            Remedy::Rebuild => self.rebuilt.fetch_add(1, Relaxed),
            Remedy::Rejoin => self.rejoined.fetch_add(1, Relaxed),
            Remedy::Wait | Remedy::End => 0,
        };
    }

    pub(super) fn set_partitions(&self, partitions: usize) {
        self.partitions.store(partitions as u64, Relaxed);
        self.joined.store(true, Relaxed);
    }
}

/// The counts of one batch, not yet committed.
#[derive(Debug)]
pub(super) struct Tally {
    records: u64,
    bytes: u64,
    verdicts: [u64; OUTCOMES],
    reasons: [u64; REASONS],
}

impl Tally {
    pub(super) fn new() -> Self {
        Self { records: 0, bytes: 0, verdicts: [0; OUTCOMES], reasons: [0; REASONS] }
    }

    /// Counts one verdict over a value of so many bytes.
    pub(super) fn count(&mut self, outcome: Outcome, reason: Option<Reason>, bytes: usize) {
        self.records += 1;
        self.bytes += bytes as u64;
        self.verdicts[outcome as usize] += 1;
        if let Some(reason) = reason {
            self.reasons[reason as usize] += 1;
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }
}

/// Durations counted by upper bound.
#[derive(Debug, Default)]
pub struct Histogram {
    counts: [AtomicU64; Histogram::BOUNDS_MS.len() + 1],
    micros: AtomicU64,
}

impl Histogram {
    /// The upper bounds of the buckets in milliseconds; one more bucket has none.
    pub const BOUNDS_MS: [u64; 11] = [5, 10, 25, 50, 75, 100, 250, 500, 1_000, 5_000, 15_000];

    /// How many durations fell into each bucket (not cumulative); the last one has no upper bound.
    #[must_use]
    pub fn counts(&self) -> [u64; Self::BOUNDS_MS.len() + 1] {
        std::array::from_fn(|at| self.counts[at].load(Relaxed))
    }

    /// The sum of all durations.
    #[must_use]
    pub fn sum(&self) -> Duration {
        Duration::from_micros(self.micros.load(Relaxed))
    }

    fn observe(&self, duration: Duration) {
        let bucket = Self::BOUNDS_MS.partition_point(|bound| Duration::from_millis(*bound) < duration);
        self.counts[bucket].fetch_add(1, Relaxed);
        self.micros.fetch_add(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }
}

const OUTCOMES: usize = Outcome::Rejected as usize + 1;
const REASONS: usize = Reason::ALL.len();

/// A counter for each reason. A type of its own because the standard library derives `Default` for short arrays only.
#[derive(Debug)]
struct Counts([AtomicU64; REASONS]);

impl Default for Counts {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_committed_tally_is_added_once_and_by_outcome_and_reason() {
        let stats = Stats::new(2);
        let mut tally = Tally::new();
        tally.count(Outcome::Accepted, None, 10);
        tally.count(Outcome::Rejected, Some(Reason::EmptyRecord), 0);
        tally.count(Outcome::Rejected, Some(Reason::EventRejected), 5);
        let shard = &stats.shards()[1];
        shard.committed(&tally, Duration::from_millis(60), Duration::from_millis(5));
        assert_eq!((shard.records(), shard.bytes()), (3, 15));
        assert_eq!(
            [Outcome::Accepted, Outcome::Partial, Outcome::Rejected].map(|outcome| shard.verdicts(outcome)),
            [1, 0, 2]
        );
        assert_eq!(
            [Reason::EmptyRecord, Reason::Locked, Reason::EventRejected].map(|reason| shard.rejected(reason)),
            [1, 0, 1]
        );
        assert_eq!(stats.shards()[0].records(), 0);
    }

    #[test]
    fn a_duration_falls_into_the_first_bucket_that_holds_it() {
        let histogram = Histogram::default();
        for millis in [0, 5, 6, 15_000, 15_001] {
            histogram.observe(Duration::from_millis(millis));
        }
        assert_eq!(histogram.counts(), [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(histogram.sum(), Duration::from_millis(30_012));
    }

    #[test]
    fn a_shard_is_silent_since_its_last_beat_and_joined_once_it_was_assigned_even_nothing() {
        let stats = Stats::new(1);
        let shard = &stats.shards()[0];
        stats.beat(0);
        assert!(stats.silence(shard) <= stats.started.elapsed());
        assert!(!shard.joined());
        shard.set_partitions(0);
        assert!(shard.joined());
    }
}
