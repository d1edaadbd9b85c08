//! A reading: all that is told of a worker at one moment, as plain values. Whoever runs the worker takes it; metrics and
//! probes are made of it alone, so that a test can make one up.

use std::time::Duration;

use super::telemetry::TelemetryReading;
use crate::domain::{Reason, reason::Stage, verdict::Outcome};

/// A worker at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    /// Each shard, in their order.
    pub shards: Vec<ShardReading>,
    /// The settings that judge; `None` before they are loaded.
    pub settings: Option<SettingsReading>,
    /// What was exported, where anything is.
    pub telemetry: Option<TelemetryReading>,
}

/// One shard: what it counted since the process began, and how it stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShardReading {
    /// Records judged and committed.
    pub records: u64,
    /// Bytes of their values.
    pub bytes: u64,
    /// Records written, accepted and rejected.
    pub emitted: [u64; 2],
    /// Bytes of their values.
    pub emitted_bytes: [u64; 2],
    /// Their verdicts, by outcome and reason.
    pub verdicts: Vec<Verdicts>,
    /// How long batches took, from their first record to the end of their commit.
    pub batches: Durations,
    /// How long batches took to be judged, without waiting for records and without their commits.
    pub judging: Durations,
    /// How long their commits took.
    pub commits: Durations,
    /// Batches given up and judged again.
    pub aborted: u64,
    /// Producers replaced.
    pub rebuilt: u64,
    /// Consumers replaced.
    pub rejoined: u64,
    /// Records that were deleted before they were read.
    pub gone: u64,
    /// Faults, by what they are.
    pub faults: Vec<(&'static str, u64)>,
    /// Records of the batch in hand, to the next sixteen.
    pub in_flight: u64,
    /// Records fetched that wait.
    pub fetched: u64,
    /// Their bytes.
    pub fetched_bytes: u64,
    /// Partitions that it reads now.
    pub partitions: u64,
    /// Those of them that are held.
    pub held: u64,
    /// The lag of each of them, as far as it is known.
    pub lags: Vec<Lag>,
    /// Whether it has taken its place in the group, with partitions or without.
    pub joined: bool,
    /// How long ago its loop was last alive.
    pub silence: Duration,
}

/// The verdicts of one outcome and reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdicts {
    /// What became of the events.
    pub outcome: Outcome,
    /// Why they were rejected as a whole.
    pub reason: Option<Reason>,
    /// How many.
    pub count: u64,
}

/// Durations, counted by upper bound.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Durations {
    /// The upper bounds of the buckets, rising.
    pub bounds: Vec<Duration>,
    /// How many fell into each bucket, not cumulated; one more than there are bounds.
    pub counts: Vec<u64>,
    /// The sum of all.
    pub sum: Duration,
}

/// How far a partition's reader is behind its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lag {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// Records between the position and the last stable offset.
    pub records: u64,
    /// How long the events judged now have waited.
    pub behind: Duration,
}

/// The settings that judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SettingsReading {
    /// Their version.
    pub version: u64,
    /// How long they have judged.
    pub age: Duration,
    /// How long their source could not be looked at; `None`: it can be.
    pub out_of_reach: Option<Duration>,
    /// Whether they are too old to judge.
    pub stale: bool,
    /// Organizations in them.
    pub organizations: usize,
    /// Organizations whose settings can't be used.
    pub unusable: usize,
    /// Changes that were taken.
    pub applied: u64,
    /// Changes that were refused.
    pub refused: u64,
    /// Whether what their source says now is refused.
    pub refusing: bool,
}

impl Reading {
    /// The shards whose loop was last alive longer ago than `limit`.
    #[must_use]
    pub fn silent(&self, limit: Duration) -> Vec<usize> {
        self.shards_where(|shard| shard.silence > limit)
    }

    /// What is missing before events are judged; nothing once the worker is ready.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        if self.settings.is_none() {
            missing.push("settings".to_owned());
        }
        if let Some(since) = self.settings.and_then(|settings| settings.out_of_reach) {
            missing.push(format!("a look at the settings, for {} s", since.as_secs()));
        } else if self.settings.is_some_and(|settings| settings.stale) {
            missing.push("settings that are not too old".to_owned());
        }
        if self.shards.is_empty() {
            missing.push("shards".to_owned());
        }
        let waiting = self.shards_where(|shard| !shard.joined);
        missing.extend(waiting.into_iter().map(|shard| format!("assignment of shard {shard}")));
        missing
    }

    fn shards_where(&self, holds: impl Fn(&ShardReading) -> bool) -> Vec<usize> {
        self.shards.iter().enumerate().filter(|(_, shard)| holds(shard)).map(|(number, _)| number).collect()
    }
}

impl ShardReading {
    /// Records rejected while they were read.
    pub(super) fn poison(&self) -> u64 {
        let unread = |verdicts: &&Verdicts| verdicts.reason.is_some_and(|reason| reason.stage() == Stage::Decode);
        self.verdicts.iter().filter(unread).map(|verdicts| verdicts.count).sum()
    }
}

impl Durations {
    /// Adds durations counted by the same bounds.
    pub(super) fn add(&mut self, other: &Self) {
        if self.counts.is_empty() {
            *self = other.clone();
            return;
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.sum += other.sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(joined: bool, silence_s: u64) -> ShardReading {
        ShardReading { joined, silence: Duration::from_secs(silence_s), ..ShardReading::default() }
    }

    #[test]
    fn a_worker_is_ready_with_settings_and_every_shard_in_the_group() {
        assert_eq!(Reading::default().missing(), ["settings", "shards"]);
        let settings = Some(SettingsReading { version: 1, ..SettingsReading::default() });
        let reading = Reading { settings, shards: vec![shard(true, 0), shard(false, 0)], telemetry: None };
        assert_eq!(reading.missing(), ["assignment of shard 1"]);
        let reading = Reading { settings, shards: vec![shard(true, 0)], telemetry: None };
        assert!(reading.missing().is_empty());
        let out_of_reach = Some(Duration::from_secs(12));
        let settings = Some(SettingsReading { out_of_reach, ..SettingsReading::default() });
        let reading = Reading { settings, shards: vec![shard(true, 0)], telemetry: None };
        assert_eq!(reading.missing(), ["a look at the settings, for 12 s"]);
        let settings = Some(SettingsReading { stale: true, ..SettingsReading::default() });
        let reading = Reading { settings, shards: vec![shard(true, 0)], telemetry: None };
        assert_eq!(reading.missing(), ["settings that are not too old"]);
    }

    #[test]
    fn a_shard_that_is_silent_for_too_long_is_named() {
        let reading = Reading { shards: vec![shard(true, 5), shard(true, 31)], ..Reading::default() };
        assert_eq!(reading.silent(Duration::from_secs(30)), [1]);
    }
}
