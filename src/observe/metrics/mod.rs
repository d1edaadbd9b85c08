//! The metrics: every name once, with its meaning and when to look at it. What stands in [`list`] is all there is; a
//! [`Family`] is one of them with its values, whoever made it, and [`page`] writes families as OpenMetrics text. docs/METRICS.md is
//! made from the same list.
//!
//! Labels are shards, topics, partitions and closed lists of words: verdicts, reasons, faults. Never anything that a sender chose.
//! Families are made when somebody asks; nothing here is on the path of an event.

pub mod list;
mod page;
mod process;
pub mod reference;
mod worker;

use std::{fmt, sync::Arc, time::Duration};

use prometheus_client::{metrics::MetricType, registry::Registry};

pub(crate) use process::begin;

use super::{Durations, Reading};

/// Takes a reading when somebody asks.
pub type Reader = Arc<dyn Fn() -> Reading + Send + Sync>;

/// Makes families when somebody asks.
pub type Gather = Arc<dyn Fn() -> Vec<Family> + Send + Sync>;

/// The media type of what [`Metrics::text`] returns.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A metric's name and meaning.
#[derive(Debug)]
pub struct Metric {
    /// The name, without the suffixes of counters, histograms and information.
    pub name: &'static str,
    /// Its kind.
    pub kind: MetricType,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it tells, without a full stop.
    pub help: &'static str,
    /// When to look at it, without a full stop.
    pub when: &'static str,
}

impl Metric {
    /// The names under which it is scraped.
    #[must_use]
    pub fn series(&self) -> Vec<String> {
        let suffixes: &[&str] = match self.kind {
            MetricType::Counter => &["_total"],
            MetricType::Histogram => &["_bucket", "_sum", "_count"],
            MetricType::Info => &["_info"],
            _ => &[""],
        };
        suffixes.iter().map(|suffix| format!("{}{suffix}", self.name)).collect()
    }

    /// What its values are counted in.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        if self.name.ends_with("_seconds") {
            "seconds"
        } else if self.name.ends_with("_bytes") {
            "bytes"
        } else {
            "1"
        }
    }
}

/// A metric with its values.
#[derive(Debug, Clone)]
pub struct Family {
    /// Which.
    pub metric: &'static Metric,
    /// One for each set of labels; none where nothing is known.
    pub samples: Vec<Sample>,
}

/// A value, and what it is the value of.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The labels' values, in the order of the metric's labels.
    pub labels: Vec<String>,
    /// The value.
    pub value: Value,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number.
    Whole(u64),
    /// Any number.
    Real(f64),
    /// Durations, of a histogram.
    Times(Durations),
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Whole(number)
    }
}

impl From<bool> for Value {
    fn from(holds: bool) -> Self {
        Self::Whole(holds.into())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

impl From<Duration> for Value {
    fn from(duration: Duration) -> Self {
        Self::Real(duration.as_secs_f64())
    }
}

impl From<Durations> for Value {
    fn from(durations: Durations) -> Self {
        Self::Times(durations)
    }
}

impl Family {
    /// A metric without labels.
    pub(crate) fn of(metric: &'static Metric, value: impl Into<Value>) -> Self {
        Self::each(metric, [([], value)])
    }

    /// A metric with a value for each of these labels.
    pub(crate) fn each<const N: usize, V: Into<Value>>(
        metric: &'static Metric,
        samples: impl IntoIterator<Item = ([String; N], V)>,
    ) -> Self {
        let sample = |(labels, value): ([String; N], V)| Sample { labels: labels.into(), value: value.into() };
        Self { metric, samples: samples.into_iter().map(sample).collect() }
    }
}

/// The families of a worker, and of the process that it is in.
#[must_use]
pub fn of_worker(read: Reader) -> Gather {
    Arc::new(move || with_process(worker::families(&read())))
}

/// What these families are among, and those of the process that they are in.
pub(crate) fn with_process(mut families: Vec<Family>) -> Vec<Family> {
    families.extend(process::families());
    families
}

/// The metrics of a process.
pub struct Metrics(Registry);

impl Metrics {
    /// The metrics that `gather` makes.
    #[must_use]
    pub fn new(gather: Gather) -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(page::Pages(gather)));
        Self(registry)
    }

    /// All of them now, as OpenMetrics text.
    ///
    /// # Errors
    /// None in practice: writing to memory does not fail.
    pub fn text(&self) -> Result<String, fmt::Error> {
        page::text(&self.0)
    }
}

#[cfg(test)]
mod tests;
