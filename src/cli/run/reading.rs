//! What the worker counts, as the probes and metrics take it.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Instant,
};

use crate::{
    domain::{Reason, verdict::Outcome},
    observe::{Durations, Lag, Reading, SettingsReading, ShardReading, Verdicts, metrics::Reader, telemetry::Spans},
    store::{Reload, Settings},
    worker::{Histogram, ShardStats, Stats},
};

/// What became of the changes of settings, and when those that judge were taken.
#[derive(Debug, Clone)]
pub(super) struct Changes(Arc<Mutex<Known>>);

#[derive(Debug, Clone, Copy)]
struct Known {
    taken: Instant,
    applied: u64,
    refused: u64,
}

impl Changes {
    /// None so far.
    pub(super) fn none() -> Self {
        Self(Arc::new(Mutex::new(Known { taken: Instant::now(), applied: 0, refused: 0 })))
    }

    /// Notes what a look came to.
    pub(super) fn note(&self, reload: &Reload) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match reload {
            Reload::Unchanged => {}
            Reload::Applied { .. } => *known = Known { taken: Instant::now(), applied: known.applied + 1, ..*known },
            Reload::Refused(_) => known.refused += 1,
        }
    }

    fn known(&self) -> Known {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is read.
pub(super) struct Sources {
    /// The counts, once there are any.
    pub(super) stats: Arc<OnceLock<Arc<Stats>>>,
    pub(super) settings: Arc<Settings>,
    pub(super) changes: Changes,
    /// The spans, where they are exported.
    pub(super) spans: Option<Arc<Spans>>,
}

impl Sources {
    /// Reads all of them.
    pub(super) fn reader(self) -> Reader {
        Arc::new(move || Reading {
            shards: self.stats.get().map(|stats| shards(stats)).unwrap_or_default(),
            settings: Some(reading(&self.settings, &self.changes)),
            telemetry: self.spans.as_ref().map(|spans| spans.reading()),
        })
    }
}

fn reading(settings: &Settings, changes: &Changes) -> SettingsReading {
    let (current, known) = (settings.current(), changes.known());
    SettingsReading {
        version: current.version(),
        age: known.taken.elapsed(),
        out_of_reach: settings.out_of_reach_for(),
        stale: settings.fresh_for().is_zero(),
        organizations: current.len(),
        unusable: current.unusable().slugs.len(),
        applied: known.applied,
        refused: known.refused,
        refusing: settings.refusing(),
    }
}

fn shards(stats: &Stats) -> Vec<ShardReading> {
    stats.shards().iter().map(|counts| shard(stats, counts)).collect()
}

fn shard(stats: &Stats, counts: &ShardStats) -> ShardReading {
    let fetched = counts.lags().fetched();
    ShardReading {
        records: counts.records(),
        bytes: counts.bytes(),
        emitted: counts.emitted(),
        emitted_bytes: counts.emitted_bytes(),
        verdicts: verdicts(counts),
        batches: durations(counts.batch_time()),
        judging: durations(counts.judge_time()),
        commits: durations(counts.commit_time()),
        aborted: counts.aborted(),
        rebuilt: counts.rebuilt(),
        rejoined: counts.rejoined(),
        gone: counts.gone(),
        faults: counts.faults().collect(),
        in_flight: counts.in_flight(),
        fetched: fetched.records,
        fetched_bytes: fetched.bytes,
        partitions: counts.partitions(),
        held: counts.held(),
        lags: counts.lags().get().into_iter().map(lag).collect(),
        joined: counts.joined(),
        silence: stats.silence(counts),
    }
}

/// All verdicts; a reason for which nothing was rejected is left out.
fn verdicts(counts: &ShardStats) -> Vec<Verdicts> {
    let counted = |(outcome, reason): (Outcome, Option<Reason>)| {
        let count = reason.map_or_else(|| counts.verdicts(outcome), |reason| counts.rejected(reason));
        Verdicts { outcome, reason, count }
    };
    Outcome::with_reasons().map(counted).filter(|told| told.reason.is_none() || told.count > 0).collect()
}

fn durations(histogram: &Histogram) -> Durations {
    Durations { bounds: Histogram::BOUNDS.to_vec(), counts: histogram.counts().to_vec(), sum: histogram.sum() }
}

fn lag(lag: crate::source::kafka::Lag) -> Lag {
    Lag { topic: lag.topic, partition: lag.partition, records: lag.records, behind: lag.behind }
}
