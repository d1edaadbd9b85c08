//! What the worker counts, as the probes and metrics take it.

use std::{
    sync::{Arc, OnceLock},
    time::Instant,
};

use crate::{
    domain::{Reason, verdict::Outcome},
    observe::{Durations, Lag, Reading, SettingsReading, ShardReading, Verdicts, metrics::Reader},
    store::Settings,
    worker::{Histogram, ShardStats, Stats},
};

/// Reads the counts, once there are any, and the settings.
pub(super) fn reader(stats: Arc<OnceLock<Arc<Stats>>>, settings: Arc<Settings>) -> Reader {
    let begun = Instant::now();
    Arc::new(move || Reading {
        shards: stats.get().map(|stats| shards(stats)).unwrap_or_default(),
        settings: Some(SettingsReading { version: settings.current().version(), age: begun.elapsed() }),
    })
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
