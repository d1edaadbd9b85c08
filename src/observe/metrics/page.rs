//! Families as OpenMetrics text.

use std::{fmt, iter, time::Duration};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text},
    metrics::MetricType,
    registry::Registry,
};

use super::{Durations, Family, Gather, Metric, Value};

/// Everything that is registered, as text.
pub(super) fn text(registry: &Registry) -> Result<String, fmt::Error> {
    let mut text = String::new();
    text::encode(&mut text, registry)?;
    Ok(text)
}

/// Encodes fresh families at each scrape.
pub(super) struct Pages(pub(super) Gather);

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pages")
    }
}

impl Collector for Pages {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        (self.0)().iter().try_for_each(|family| write(&mut encoder, family))
    }
}

/// A line for each value, under one description; neither where there is no value.
fn write(encoder: &mut DescriptorEncoder<'_>, Family { metric, samples }: &Family) -> fmt::Result {
    if samples.is_empty() {
        return Ok(());
    }
    let mut encoder = encoder.encode_descriptor(metric.name, metric.help, None, metric.kind)?;
    for sample in samples {
        let labels: Vec<_> = metric.labels.iter().copied().zip(sample.labels.iter().map(String::as_str)).collect();
        match (metric.kind, labels.as_slice()) {
            (MetricType::Info, labels) => encoder.encode_info(&labels)?,
            (_, []) => value(&mut encoder, metric, &sample.value)?,
            (_, labels) => value(&mut encoder.encode_family(&labels)?, metric, &sample.value)?,
        }
    }
    Ok(())
}

fn value(encoder: &mut MetricEncoder<'_>, metric: &Metric, value: &Value) -> fmt::Result {
    match (metric.kind, value) {
        (_, Value::Times(durations)) => histogram(encoder, durations),
        (MetricType::Counter, Value::Whole(count)) => encoder.encode_counter::<NoLabelSet, _, f64>(count, None),
        (MetricType::Counter, Value::Real(count)) => encoder.encode_counter::<NoLabelSet, _, f64>(count, None),
        (_, Value::Whole(number)) => encoder.encode_gauge(number),
        (_, Value::Real(number)) => encoder.encode_gauge(number),
    }
}

fn histogram(encoder: &mut MetricEncoder<'_>, durations: &Durations) -> fmt::Result {
    let bounds = durations.bounds.iter().map(Duration::as_secs_f64).chain([f64::INFINITY]);
    // Nothing is counted before there are shards, and OpenMetrics wants the last bucket of every histogram.
    let counts = durations.counts.iter().copied().chain(iter::repeat(0));
    let buckets: Vec<_> = bounds.zip(counts).collect();
    encoder.encode_histogram::<NoLabelSet>(durations.sum.as_secs_f64(), durations.counts.iter().sum(), &buckets, None)
}
