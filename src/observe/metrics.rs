//! The metrics: every name once, with its meaning, and how a [`Reading`] becomes OpenMetrics text. docs/METRICS.md is made from
//! the same list. Labels are shards, topics, partitions and the closed lists of verdicts and reasons; never anything that a
//! sender chose.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
    sync::Arc,
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, MetricEncoder, NoLabelSet, text},
    metrics::MetricType,
    registry::Registry,
};

use super::{Durations, Reading, ShardReading};
use crate::domain::Reason;

/// Takes a reading when somebody asks.
pub type Reader = Arc<dyn Fn() -> Reading + Send + Sync>;

/// The media type of what [`Metrics::text`] returns.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A metric's name and meaning.
#[derive(Debug)]
pub struct Metric {
    /// The name as it is scraped, without the suffixes of counters and histograms.
    pub name: &'static str,
    /// Its kind.
    pub kind: MetricType,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it tells, without a full stop.
    pub help: &'static str,
}

macro_rules! metrics {
    ($($constant:ident $name:literal $kind:ident [$($label:literal),*] $help:literal)*) => {
        $(
            #[doc = concat!("`", $name, "`: ", $help, ".")]
            pub const $constant: Metric =
                Metric { name: $name, kind: MetricType::$kind, labels: &[$($label),*], help: $help };
        )*

        /// Every metric there is.
        pub const ALL: &[&Metric] = &[$(&$constant),*];
    };
}

metrics! {
    RECORDS "attrsync_records" Counter []
        "Records judged and committed"
    BYTES "attrsync_record_bytes" Counter []
        "Bytes of the values of these records"
    VERDICTS "attrsync_verdicts" Counter ["verdict", "reason"]
        "Verdicts by outcome (accepted, partial, rejected) and, for rejected events, by reason (docs/REASONS.md); the reason is empty otherwise"
    BATCH_SECONDS "attrsync_batch_duration_seconds" Histogram []
        "Seconds from a batch's first record to the end of its commit"
    COMMIT_SECONDS "attrsync_commit_duration_seconds" Histogram []
        "Seconds that commits took"
    ABORTED "attrsync_transactions_aborted" Counter []
        "Batches given up and judged again, for a fault or a rebalance"
    REBUILT "attrsync_producers_rebuilt" Counter []
        "Producers replaced after a fatal error or an unknown outcome"
    REJOINED "attrsync_consumers_rejoined" Counter []
        "Consumers replaced after a fatal error: fenced by another of their name, as a rule"
    LAG "attrsync_lag_records" Gauge ["topic", "partition"]
        "Records between the committed offset and the last stable one, of each partition assigned to this process"
    PARTITIONS "attrsync_partitions_assigned" Gauge ["shard"]
        "Partitions that a shard reads"
    HEARTBEAT "attrsync_heartbeat_age_seconds" Gauge ["shard"]
        "Seconds since a shard's loop was last alive"
    SETTINGS_VERSION "attrsync_settings_version" Gauge []
        "Version of the settings that judge"
    SETTINGS_AGE "attrsync_settings_age_seconds" Gauge []
        "Seconds that these settings have judged"
    SETTINGS_OUT_OF_REACH "attrsync_settings_out_of_reach_seconds" Gauge []
        "Seconds for which the database of settings could not be looked at; 0 while it can be"
    SETTINGS_UNUSABLE "attrsync_settings_unusable_organizations" Gauge []
        "Organizations whose settings can't be used: a secret that doesn't open, say; the log says why"
}

/// The metrics of a process.
pub struct Metrics(Registry);

impl Metrics {
    /// The metrics of what `read` tells.
    #[must_use]
    pub fn new(read: Reader) -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Readings(read)));
        Self(registry)
    }

    /// All of them now, as OpenMetrics text.
    ///
    /// # Errors
    /// None in practice: writing to memory does not fail.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.0)?;
        Ok(text)
    }
}

/// Encodes a fresh reading at each scrape.
struct Readings(Reader);

impl fmt::Debug for Readings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Readings")
    }
}

impl Collector for Readings {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let reading = (self.0)();
        let shards = &reading.shards;
        let sum = |of: fn(&ShardReading) -> u64| shards.iter().map(of).sum::<u64>();
        let mut page = Page(&mut encoder);

        page.counter(&RECORDS, sum(|shard| shard.records))?;
        page.counter(&BYTES, sum(|shard| shard.bytes))?;
        let verdicts = verdicts(shards);
        page.counters(&VERDICTS, verdicts.iter().map(|(labels, count)| (labels.map(str::to_owned), *count)))?;
        page.histogram(&BATCH_SECONDS, shards.iter().map(|shard| &shard.batches))?;
        page.histogram(&COMMIT_SECONDS, shards.iter().map(|shard| &shard.commits))?;
        page.counter(&ABORTED, sum(|shard| shard.aborted))?;
        page.counter(&REBUILT, sum(|shard| shard.rebuilt))?;
        page.counter(&REJOINED, sum(|shard| shard.rejoined))?;

        let lags = shards.iter().flat_map(|shard| &shard.lags);
        page.gauges(&LAG, lags.map(|lag| ([lag.topic.clone(), lag.partition.to_string()], lag.records)))?;
        let numbered = || shards.iter().enumerate().map(|(number, shard)| ([number.to_string()], shard));
        page.gauges(&PARTITIONS, numbered().map(|(label, shard)| (label, shard.partitions)))?;
        page.gauges(&HEARTBEAT, numbered().map(|(label, shard)| (label, shard.silence.as_secs_f64())))?;

        let settings = reading.settings;
        page.gauges(&SETTINGS_VERSION, settings.iter().map(|settings| ([], settings.version)))?;
        page.gauges(&SETTINGS_AGE, settings.iter().map(|settings| ([], settings.age.as_secs_f64())))?;
        let out_of_reach = settings.iter().map(|settings| settings.out_of_reach.unwrap_or_default());
        page.gauges(&SETTINGS_OUT_OF_REACH, out_of_reach.map(|time| ([], time.as_secs_f64())))?;
        page.gauges(&SETTINGS_UNUSABLE, settings.iter().map(|settings| ([], settings.unusable as u64)))
    }
}

/// The verdicts of all shards together, by the labels' values.
fn verdicts(shards: &[ShardReading]) -> BTreeMap<[&'static str; 2], u64> {
    let mut all = BTreeMap::new();
    for verdicts in shards.iter().flat_map(|shard| &shard.verdicts) {
        let labels = [verdicts.outcome.name(), verdicts.reason.map_or("", Reason::code)];
        *all.entry(labels).or_default() += verdicts.count;
    }
    all
}

/// A page of metrics as it is written.
struct Page<'p, 'e>(&'p mut DescriptorEncoder<'e>);

impl Page<'_, '_> {
    fn counter(&mut self, metric: &Metric, count: u64) -> fmt::Result {
        self.counters(metric, std::iter::once(([], count)))
    }

    fn counters<const N: usize>(
        &mut self,
        metric: &Metric,
        counts: impl Iterator<Item = ([String; N], impl EncodeCounterValue)>,
    ) -> fmt::Result {
        self.series(metric, counts, |encoder, count| encoder.encode_counter::<NoLabelSet, _, f64>(count, None))
    }

    fn gauges<const N: usize>(
        &mut self,
        metric: &Metric,
        values: impl Iterator<Item = ([String; N], impl EncodeGaugeValue)>,
    ) -> fmt::Result {
        #[expect(clippy::redundant_closure_for_method_calls, reason = "the method itself is of one lifetime only")]
        self.series(metric, values, |encoder, value| encoder.encode_gauge(value))
    }

    /// One line for each value, under one description; neither where there is no value.
    fn series<const N: usize, V>(
        &mut self,
        metric: &Metric,
        values: impl Iterator<Item = ([String; N], V)>,
        encode: impl Fn(&mut MetricEncoder<'_>, &V) -> fmt::Result,
    ) -> fmt::Result {
        let mut values = values.peekable();
        if values.peek().is_none() {
            return Ok(());
        }
        let mut encoder = self.0.encode_descriptor(metric.name, metric.help, None, metric.kind)?;
        for (labels, value) in values {
            let labels: Vec<_> = metric.labels.iter().copied().zip(labels.iter().map(String::as_str)).collect();
            match labels.as_slice() {
                [] => encode(&mut encoder, &value)?,
                labels => encode(&mut encoder.encode_family(&labels)?, &value)?,
            }
        }
        Ok(())
    }

    fn histogram<'d>(&mut self, metric: &Metric, parts: impl Iterator<Item = &'d Durations>) -> fmt::Result {
        let mut all = Durations::default();
        for part in parts {
            all.add(part);
        }
        let bounds = all.bounds_ms.iter().map(|bound| *bound as f64 / 1_000.0).chain([f64::INFINITY]);
        let buckets: Vec<_> = bounds.zip(all.counts.iter().copied()).collect();
        let mut encoder = self.0.encode_descriptor(metric.name, metric.help, None, metric.kind)?;
        encoder.encode_histogram::<NoLabelSet>(all.sum.as_secs_f64(), all.counts.iter().sum(), &buckets, None)
    }
}

/// docs/METRICS.md.
#[must_use]
pub fn markdown() -> String {
    let mut page = "\
# Metrics

Generated from `src/observe/metrics.rs`. Served at `/metrics` of `admin.address` as OpenMetrics text. Counters have the suffix
`_total`, histograms `_bucket`, `_sum` and `_count`. No label ever holds what a sender chose.

| metric | kind | labels | what it tells |
|---|---|---|---|
"
    .to_owned();
    for Metric { name, kind, labels, help } in ALL {
        let labels = labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        // Writing to a String cannot fail.
        _ = writeln!(page, "| `{name}` | {} | {labels} | {help} |", kind.as_str());
    }
    page
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        domain::verdict::Outcome,
        observe::{Lag, SettingsReading, Verdicts},
    };

    fn reading() -> Reading {
        let durations =
            |sum| Durations { bounds_ms: vec![5, 100], counts: vec![1, 2, 1], sum: Duration::from_millis(sum) };
        let shard = |topic: &str| ShardReading {
            records: 10,
            bytes: 7_000,
            verdicts: vec![
                Verdicts { outcome: Outcome::Accepted, reason: None, count: 8 },
                Verdicts { outcome: Outcome::Rejected, reason: Some(Reason::TokenExpired), count: 2 },
            ],
            batches: durations(500),
            commits: durations(100),
            aborted: 1,
            rebuilt: 0,
            rejoined: 1,
            partitions: 1,
            lags: vec![Lag { topic: topic.to_owned(), partition: 3, records: 12 }],
            joined: true,
            silence: Duration::from_millis(250),
        };
        let settings = SettingsReading { version: 7, age: Duration::from_secs(60), ..SettingsReading::default() };
        Reading { shards: vec![shard("events"), shard("boots")], settings: Some(settings) }
    }

    #[test]
    fn a_reading_becomes_metrics_with_the_shards_added_up() {
        let text = Metrics::new(Arc::new(reading)).text().unwrap();
        for line in [
            "# TYPE attrsync_records counter",
            "attrsync_records_total 20",
            "attrsync_record_bytes_total 14000",
            r#"attrsync_verdicts_total{verdict="accepted",reason=""} 16"#,
            r#"attrsync_verdicts_total{verdict="rejected",reason="token_expired"} 4"#,
            r#"attrsync_batch_duration_seconds_bucket{le="0.005"} 2"#,
            r#"attrsync_batch_duration_seconds_bucket{le="0.1"} 6"#,
            r#"attrsync_batch_duration_seconds_bucket{le="+Inf"} 8"#,
            "attrsync_batch_duration_seconds_count 8",
            "attrsync_batch_duration_seconds_sum 1.0",
            "attrsync_transactions_aborted_total 2",
            "attrsync_producers_rebuilt_total 0",
            "attrsync_consumers_rejoined_total 2",
            r#"attrsync_lag_records{topic="boots",partition="3"} 12"#,
            r#"attrsync_partitions_assigned{shard="0"} 1"#,
            r#"attrsync_heartbeat_age_seconds{shard="1"} 0.25"#,
            "attrsync_settings_version 7",
            "attrsync_settings_age_seconds 60.0",
            "# EOF",
        ] {
            assert!(text.lines().any(|written| written == line), "{line}\n--- not in\n{text}");
        }
    }

    #[test]
    fn every_metric_is_described_and_no_other() {
        let text = Metrics::new(Arc::new(reading)).text().unwrap();
        let described: Vec<_> =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
        let known: Vec<_> = ALL.iter().map(|metric| metric.name).collect();
        assert_eq!(described, known);
    }

    #[test]
    fn a_worker_that_has_not_begun_has_metrics_too() {
        let text = Metrics::new(Arc::new(Reading::default)).text().unwrap();
        assert!(text.contains("attrsync_records_total 0") && text.ends_with("# EOF\n"), "{text}");
    }
}
