//! A worker's reading as families, its shards added up where nobody asks for one alone.

use std::collections::BTreeMap;

use super::{Family, list};
use crate::{
    domain::{Reason, verdict::Outcome},
    observe::{Durations, Lag, Reading, SettingsReading, ShardReading, telemetry::TelemetryReading},
};

/// All that a reading tells.
pub(super) fn families(reading: &Reading) -> Vec<Family> {
    let shards = &reading.shards;
    let settings = reading.settings.as_ref().map(settings).unwrap_or_default();
    let telemetry = reading.telemetry.as_ref().map(telemetry).unwrap_or_default();
    let ready = Family::of(&list::READY, reading.missing().is_empty());
    [counts(shards), places(shards), vec![ready], settings, telemetry].concat()
}

fn counts(shards: &[ShardReading]) -> Vec<Family> {
    let sum = |of: fn(&ShardReading) -> u64| shards.iter().map(of).sum::<u64>();
    let by_channel = |of: fn(&ShardReading) -> [u64; 2]| {
        let all = shards.iter().map(of).fold([0, 0], |[a, r], [accepted, rejected]| [a + accepted, r + rejected]);
        ["accepted", "rejected"].into_iter().zip(all).map(|(channel, count)| ([channel.to_owned()], count))
    };
    let times = |of: fn(&ShardReading) -> &Durations| {
        let mut all = Durations::default();
        shards.iter().for_each(|shard| all.add(of(shard)));
        all
    };
    vec![
        Family::of(&list::RECORDS, sum(|shard| shard.records)),
        Family::of(&list::RECORD_BYTES, sum(|shard| shard.bytes)),
        Family::each(&list::EMITTED, by_channel(|shard| shard.emitted)),
        Family::each(&list::EMITTED_BYTES, by_channel(|shard| shard.emitted_bytes)),
        verdicts(shards),
        Family::of(&list::POISON, sum(ShardReading::poison)),
        Family::of(&list::BATCH_SECONDS, times(|shard| &shard.batches)),
        Family::of(&list::JUDGE_SECONDS, times(|shard| &shard.judging)),
        Family::of(&list::COMMIT_SECONDS, times(|shard| &shard.commits)),
        Family::of(&list::ABORTED, sum(|shard| shard.aborted)),
        Family::of(&list::REBUILT, sum(|shard| shard.rebuilt)),
        Family::of(&list::REJOINED, sum(|shard| shard.rejoined)),
        Family::of(&list::GONE, sum(|shard| shard.gone)),
        faults(shards),
    ]
}

fn places(shards: &[ShardReading]) -> Vec<Family> {
    let lags = || shards.iter().flat_map(|shard| &shard.lags);
    let place = |lag: &Lag| [lag.topic.clone(), lag.partition.to_string()];
    let numbered = || shards.iter().enumerate().map(|(number, shard)| ([number.to_string()], shard));
    vec![
        Family::each(&list::LAG, lags().map(|lag| (place(lag), lag.records))),
        Family::each(&list::BEHIND, lags().map(|lag| (place(lag), lag.behind))),
        Family::each(&list::IN_FLIGHT, numbered().map(|(label, shard)| (label, shard.in_flight))),
        Family::each(&list::FETCHED, numbered().map(|(label, shard)| (label, shard.fetched))),
        Family::each(&list::FETCHED_BYTES, numbered().map(|(label, shard)| (label, shard.fetched_bytes))),
        Family::each(&list::PARTITIONS, numbered().map(|(label, shard)| (label, shard.partitions))),
        Family::each(&list::HELD, numbered().map(|(label, shard)| (label, shard.held))),
        Family::each(&list::HEARTBEAT, numbered().map(|(label, shard)| (label, shard.silence))),
    ]
}

fn settings(settings: &SettingsReading) -> Vec<Family> {
    let reloads = [("applied", settings.applied), ("refused", settings.refused)];
    vec![
        Family::of(&list::SETTINGS_VERSION, settings.version),
        Family::of(&list::SETTINGS_AGE, settings.age),
        Family::each(&list::SETTINGS_RELOADS, reloads.map(|(result, count)| ([result.to_owned()], count))),
        Family::of(&list::SETTINGS_REFUSED, settings.refusing),
        Family::of(&list::SETTINGS_OUT_OF_REACH, settings.out_of_reach.unwrap_or_default()),
        Family::of(&list::SETTINGS_STALE, settings.stale),
        Family::of(&list::SETTINGS_ORGANIZATIONS, settings.organizations as u64),
        Family::of(&list::SETTINGS_UNUSABLE, settings.unusable as u64),
    ]
}

fn telemetry(telemetry: &TelemetryReading) -> Vec<Family> {
    let spans = [("exported", telemetry.exported), ("dropped", telemetry.dropped)];
    vec![
        Family::each(&list::SPANS, spans.map(|(result, count)| ([result.to_owned()], count))),
        Family::of(&list::EXPORT_FAILURES, telemetry.failures),
    ]
}

/// The verdicts of all shards together, by the labels' values. All that there can be are there from the beginning: the first of a series
/// that is born with it is no increase.
fn verdicts(shards: &[ShardReading]) -> Family {
    let labels = |outcome: Outcome, reason: Option<Reason>| [outcome.name(), reason.map_or("", Reason::code)];
    let every = Outcome::with_reasons().map(|(outcome, reason)| (labels(outcome, reason), 0));
    let mut all: BTreeMap<_, u64> = every.collect();
    for verdicts in shards.iter().flat_map(|shard| &shard.verdicts) {
        *all.entry(labels(verdicts.outcome, verdicts.reason)).or_default() += verdicts.count;
    }
    Family::each(&list::VERDICTS, all.into_iter().map(|(labels, count)| (labels.map(str::to_owned), count)))
}

fn faults(shards: &[ShardReading]) -> Family {
    let mut all = BTreeMap::<_, u64>::new();
    for (fault, count) in shards.iter().flat_map(|shard| &shard.faults) {
        *all.entry(*fault).or_default() += count;
    }
    Family::each(&list::FAULTS, all.into_iter().map(|(fault, count)| ([fault.to_owned()], count)))
}
