//! What the shards count: atomics, one set a shard, that whoever renders them reads. A shard counts a batch in a plain
//! [`Tally`] and adds it once the batch is committed, so that nothing is counted twice when a batch is aborted and judged
//! again, and the hot path touches no shared memory.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use super::{
    fault::{Fault, Remedy},
    histogram::Histogram,
    kind::Kind,
};
use crate::{
    domain::{Reason, verdict::Outcome},
    emit::Channel,
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

    /// How often the partitions of any shard were assigned anew.
    pub(super) fn assignments(&self) -> u64 {
        self.shards.iter().map(|shard| shard.assignments.load(Relaxed)).sum()
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
    emitted: [AtomicU64; CHANNELS],
    emitted_bytes: [AtomicU64; CHANNELS],
    batch: Histogram,
    judging: Histogram,
    commit: Histogram,
    aborted: AtomicU64,
    rebuilt: AtomicU64,
    rejoined: AtomicU64,
    gone: AtomicU64,
    faults: [AtomicU64; Kind::ALL.len()],
    in_flight: AtomicU64,
    partitions: AtomicU64,
    assignments: AtomicU64,
    held: AtomicU64,
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

    /// Records written by each way out, accepted and rejected.
    #[must_use]
    pub fn emitted(&self) -> [u64; 2] {
        [0, 1].map(|channel| self.emitted[channel].load(Relaxed))
    }

    /// Bytes of their values.
    #[must_use]
    pub fn emitted_bytes(&self) -> [u64; 2] {
        [0, 1].map(|channel| self.emitted_bytes[channel].load(Relaxed))
    }

    /// How long batches took to be judged: what is left of their time without waiting for records and without their commits.
    #[must_use]
    pub fn judge_time(&self) -> &Histogram {
        &self.judging
    }

    /// How long their commits took.
    #[must_use]
    pub fn commit_time(&self) -> &Histogram {
        &self.commit
    }

    /// Batches given up and judged again with the same producer and consumer.
    #[must_use]
    pub fn aborted(&self) -> u64 {
        self.aborted.load(Relaxed)
    }

    /// Producers given up, and tries to replace one that failed.
    #[must_use]
    pub fn rebuilt(&self) -> u64 {
        self.rebuilt.load(Relaxed)
    }

    /// Consumers given up.
    #[must_use]
    pub fn rejoined(&self) -> u64 {
        self.rejoined.load(Relaxed)
    }

    /// Offsets that were deleted before they were read.
    #[must_use]
    pub fn gone(&self) -> u64 {
        self.gone.load(Relaxed)
    }

    /// Faults by what they are; all there are, also those that never happened.
    pub fn faults(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Kind::ALL.iter().zip(&self.faults).map(|(kind, count)| (kind.name(), count.load(Relaxed)))
    }

    /// Records of the batch in hand, to the next sixteen.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Relaxed)
    }

    /// Partitions assigned and not read for the time being.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.held.load(Relaxed)
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
    pub(super) fn committed(&self, tally: &Tally, times: &Times) {
        self.add(tally);
        self.batch.observe(times.batch);
        self.judging.observe(times.judging);
        self.commit.observe(times.commit);
    }

    /// Adds the counts of a committed batch, of which nobody knows how long it took.
    pub(super) fn add(&self, tally: &Tally) {
        self.records.fetch_add(tally.records, Relaxed);
        self.bytes.fetch_add(tally.bytes, Relaxed);
        for (totals, counts) in [
            (&self.verdicts[..], &tally.verdicts[..]),
            (&self.emitted, &tally.emitted),
            (&self.emitted_bytes, &tally.emitted_bytes),
        ] {
            for (total, count) in totals.iter().zip(counts) {
                total.fetch_add(*count, Relaxed);
            }
        }
        for (total, count) in self.reasons.0.iter().zip(tally.reasons).filter(|(_, count)| *count > 0) {
            total.fetch_add(count, Relaxed);
        }
    }

    /// Counts a fault by what it is and by what it leads to.
    pub(super) fn count(&self, fault: &Fault) {
        self.faults[Kind::of(fault) as usize].fetch_add(1, Relaxed);
        match fault.remedy() {
            Remedy::Rewind => self.aborted.fetch_add(1, Relaxed),
            Remedy::Rebuild => self.rebuilt.fetch_add(1, Relaxed),
            Remedy::Rejoin => self.rejoined.fetch_add(1, Relaxed),
            Remedy::Wait | Remedy::End => 0,
        };
    }

    pub(super) fn add_gone(&self, offsets: u64) {
        self.gone.fetch_add(offsets, Relaxed);
    }

    pub(super) fn set_in_flight(&self, records: usize) {
        self.in_flight.store(records as u64, Relaxed);
    }

    pub(super) fn set_held(&self, partitions: usize) {
        self.held.store(partitions as u64, Relaxed);
    }

    pub(super) fn set_partitions(&self, partitions: usize) {
        self.partitions.store(partitions as u64, Relaxed);
        self.assignments.fetch_add(1, Relaxed);
        self.joined.store(true, Relaxed);
    }

    /// It has no place in the group any more.
    pub(super) fn left(&self) {
        self.partitions.store(0, Relaxed);
        self.joined.store(false, Relaxed);
    }
}

/// Where the time of a batch went.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// All of it.
    pub(super) batch: Duration,
    /// Without waiting for records and without the commit.
    pub(super) judging: Duration,
    /// The commit.
    pub(super) commit: Duration,
}

/// The counts of one batch, not yet committed.
#[derive(Debug)]
pub(super) struct Tally {
    records: u64,
    bytes: u64,
    verdicts: [u64; OUTCOMES],
    reasons: [u64; REASONS],
    emitted: [u64; CHANNELS],
    emitted_bytes: [u64; CHANNELS],
}

impl Tally {
    pub(super) fn new() -> Self {
        let (verdicts, reasons) = ([0; OUTCOMES], [0; REASONS]);
        Self { records: 0, bytes: 0, verdicts, reasons, emitted: [0; CHANNELS], emitted_bytes: [0; CHANNELS] }
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

    /// Counts one record written, its value of so many bytes.
    pub(super) fn emitted(&mut self, channel: Channel, bytes: usize) {
        self.emitted[channel as usize] += 1;
        self.emitted_bytes[channel as usize] += bytes as u64;
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }
}

const OUTCOMES: usize = Outcome::ALL.len();
const CHANNELS: usize = Channel::Rejected as usize + 1;
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
        tally.emitted(Channel::Accepted, 100);
        tally.emitted(Channel::Rejected, 40);
        tally.emitted(Channel::Rejected, 50);
        let [batch, judging, commit] = [60, 20, 5].map(Duration::from_millis);
        shard.committed(&tally, &Times { batch, judging, commit });
        assert_eq!((shard.records(), shard.bytes()), (3, 15));
        assert_eq!((shard.emitted(), shard.emitted_bytes()), ([1, 2], [100, 90]));
        assert_eq!(
            [shard.batch_time().sum(), shard.judge_time().sum(), shard.commit_time().sum()],
            [batch, judging, commit]
        );
        assert_eq!(Outcome::ALL.map(|outcome| shard.verdicts(outcome)), [1, 0, 2]);
        assert_eq!(
            [Reason::EmptyRecord, Reason::Locked, Reason::EventRejected].map(|reason| shard.rejected(reason)),
            [1, 0, 1]
        );
        assert_eq!(stats.shards()[0].records(), 0);
    }

    #[test]
    fn a_shard_is_silent_since_its_last_beat_and_joined_from_its_first_assignment_even_of_nothing_until_it_leaves() {
        let stats = Stats::new(1);
        let shard = &stats.shards()[0];
        stats.beat(0);
        assert!(stats.silence(shard) <= stats.started.elapsed());
        assert!(!shard.joined());
        shard.set_partitions(0);
        assert!(shard.joined());
        shard.set_partitions(2);
        shard.left();
        assert_eq!(stats.assignments(), 2);
        assert_eq!((shard.joined(), shard.partitions()), (false, 0));
    }
}
