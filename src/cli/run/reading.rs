//! What the worker counts, as the probes and metrics take it.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    domain::{Reason, verdict::Outcome},
    observe::{Durations, Lag, Reading, SettingsReading, ShardReading, Verdicts, metrics::Reader},
    store::Settings,
    worker::{Histogram, ShardStats, Stats},
};

/// When the settings that judge were taken.
#[derive(Debug, Clone)]
pub(super) struct Taken(Arc<Mutex<Instant>>);

impl Taken {
    pub(super) fn now() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    /// Notes that others judge from now on.
    pub(super) fn anew(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn age(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

/// Reads the counts, once there are any, and the settings.
pub(super) fn reader(stats: Arc<OnceLock<Arc<Stats>>>, settings: Arc<Settings>, taken: Taken) -> Reader {
    Arc::new(move || Reading {
        shards: stats.get().map(|stats| shards(stats)).unwrap_or_default(),
        settings: Some(reading(&settings, &taken)),
    })
}

fn reading(settings: &Settings, taken: &Taken) -> SettingsReading {
    let current = settings.current();
    SettingsReading {
        version: current.version(),
        age: taken.age(),
        out_of_reach: settings.out_of_reach_for(),
        unusable: current.unusable().slugs.len(),
    }
}

fn shards(stats: &Stats) -> Vec<ShardReading> {
    stats.shards().iter().map(|counts| shard(stats, counts)).collect()
}

fn shard(stats: &Stats, counts: &ShardStats) -> ShardReading {
    ShardReading {
        records: counts.records(),
        bytes: counts.bytes(),
        verdicts: verdicts(counts),
        batches: durations(counts.batch_time()),
        commits: durations(counts.commit_time()),
        aborted: counts.aborted(),
        rebuilt: counts.rebuilt(),
        rejoined: counts.rejoined(),
        partitions: counts.partitions(),
        lags: counts.lags().get().into_iter().map(lag).collect(),
        joined: counts.joined(),
        silence: stats.silence(counts),
    }
}

/// Accepted and partial verdicts have no reason, a rejected one has exactly one.
fn verdicts(counts: &ShardStats) -> Vec<Verdicts> {
    let whole = [Outcome::Accepted, Outcome::Partial].map(|outcome| (outcome, None, counts.verdicts(outcome)));
    let rejected = Reason::ALL.iter().map(|reason| (Outcome::Rejected, Some(*reason), counts.rejected(*reason)));
    let all = whole.into_iter().chain(rejected.filter(|(.., count)| *count > 0));
    all.map(|(outcome, reason, count)| Verdicts { outcome, reason, count }).collect()
}

fn durations(histogram: &Histogram) -> Durations {
    Durations { bounds_ms: Histogram::BOUNDS_MS.to_vec(), counts: histogram.counts().to_vec(), sum: histogram.sum() }
}

fn lag(lag: crate::source::kafka::Lag) -> Lag {
    Lag { topic: lag.topic, partition: lag.partition, records: lag.records }
}
