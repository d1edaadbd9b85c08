//! OTLP's messages: what spans and families become on their way out.

use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value},
    metrics::v1::{
        AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics,
        ScopeMetrics, Sum, metric::Data, number_data_point,
    },
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, SpanFlags, span::SpanKind},
};
use prometheus_client::metrics::MetricType;

use super::Span;
use crate::{
    domain::Reason,
    observe::{
        Durations,
        metrics::{Family, Sample, Value},
    },
};

/// What every span is: sampled, or there would be none, and the child of a span that is known to be another process's.
const FLAGS: u32 = 1 | SpanFlags::ContextHasIsRemoteMask as u32 | SpanFlags::ContextIsRemoteMask as u32;

/// Who tells.
#[derive(Debug, Clone)]
pub(super) struct Teller {
    /// `service.name`.
    pub(super) service: String,
    /// `service.instance.id`.
    pub(super) instance: String,
    /// The consumer group.
    pub(super) group: String,
    /// When it began, in nanoseconds since 1970.
    pub(super) begun: u64,
}

impl Teller {
    fn resource(&self) -> Resource {
        let attributes = vec![
            text("service.name", &self.service),
            text("service.version", env!("CARGO_PKG_VERSION")),
            text("service.instance.id", &self.instance),
        ];
        Resource { attributes, ..Resource::default() }
    }

    /// A request that tells these spans.
    pub(super) fn spans(&self, spans: &[Span]) -> ExportTraceServiceRequest {
        let spans = spans.iter().map(|span| self.span(span)).collect();
        let scope_spans = vec![ScopeSpans { scope: Some(scope()), spans, ..ScopeSpans::default() }];
        let resource = Some(self.resource());
        ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }],
        }
    }

    /// The semantic conventions for messaging, and Kafka's; `attrsync.` is ours.
    fn span(&self, span: &Span) -> opentelemetry_proto::tonic::trace::v1::Span {
        let mut attributes = vec![
            text("messaging.system", "kafka"),
            text("messaging.operation.type", "process"),
            text("messaging.operation.name", "process"),
            text("messaging.destination.name", &span.topic),
            text("messaging.destination.partition.id", &span.partition.to_string()),
            text("messaging.consumer.group.name", &self.group),
            attribute("messaging.kafka.offset", any_value::Value::IntValue(span.offset)),
            text("attrsync.verdict", span.outcome.name()),
        ];
        attributes.extend(span.reason.map(|reason| text("attrsync.reason", Reason::code(reason))));
        opentelemetry_proto::tonic::trace::v1::Span {
            trace_id: span.trace.to_vec(),
            span_id: span.id.to_vec(),
            parent_span_id: span.parent.to_vec(),
            flags: FLAGS,
            name: format!("process {}", span.topic),
            kind: SpanKind::Consumer.into(),
            start_time_unix_nano: span.begun,
            end_time_unix_nano: span.ended,
            attributes,
            ..Default::default()
        }
    }

    /// A request that tells these families as they are now.
    pub(super) fn metrics(&self, families: &[Family], now: u64) -> ExportMetricsServiceRequest {
        let told = families.iter().filter(|family| !family.samples.is_empty());
        let metrics = told.map(|family| self.metric(family, now)).collect();
        let scope_metrics = vec![ScopeMetrics { scope: Some(scope()), metrics, ..ScopeMetrics::default() }];
        let resource = Some(self.resource());
        ExportMetricsServiceRequest {
            resource_metrics: vec![ResourceMetrics { resource, scope_metrics, ..ResourceMetrics::default() }],
        }
    }

    /// Named as Prometheus scrapes them, suffixes and all: a translation that adds suffixes finds them there, and one that adds none has
    /// none to add. So what asks for a name finds it either way in. The label `job` is the service's name then, and `up`, which a scrape
    /// makes, is missing.
    fn metric(&self, Family { metric, samples }: &Family, now: u64) -> Metric {
        let cumulative = AggregationTemporality::Cumulative.into();
        let numbers = || samples.iter().map(|sample| self.number(metric.labels, sample, now)).collect();
        let data = match metric.kind {
            MetricType::Counter => {
                Data::Sum(Sum { data_points: numbers(), aggregation_temporality: cumulative, is_monotonic: true })
            }
            MetricType::Histogram => Data::Histogram(Histogram {
                data_points: samples.iter().filter_map(|sample| self.histogram(sample, now)).collect(),
                aggregation_temporality: cumulative,
            }),
            _ => Data::Gauge(Gauge { data_points: numbers() }),
        };
        let unit = match metric.unit() {
            "seconds" => "s",
            "bytes" => "By",
            // Prometheus takes a gauge in "1" for a ratio, and names it so.
            _ => "",
        };
        let name = match metric.kind {
            MetricType::Histogram => metric.name.to_owned(),
            // One series each.
            _ => metric.series().concat(),
        };
        let (description, unit) = (metric.help.to_owned(), unit.to_owned());
        Metric { name, description, unit, data: Some(data), ..Metric::default() }
    }

    fn number(&self, names: &[&str], Sample { labels, value }: &Sample, now: u64) -> NumberDataPoint {
        let value = match value {
            Value::Whole(number) => i64::try_from(*number).map_or_else(
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "what passes 2^63 is a version, compared and not counted"
                )]
                |_| number_data_point::Value::AsDouble(*number as f64),
                number_data_point::Value::AsInt,
            ),
            Value::Real(number) => number_data_point::Value::AsDouble(*number),
            Value::Times(times) => number_data_point::Value::AsDouble(times.sum.as_secs_f64()),
        };
        NumberDataPoint {
            attributes: names.iter().zip(labels).map(|(name, label)| text(name, label)).collect(),
            start_time_unix_nano: self.begun,
            time_unix_nano: now,
            value: Some(value),
            ..NumberDataPoint::default()
        }
    }

    fn histogram(&self, sample: &Sample, now: u64) -> Option<HistogramDataPoint> {
        let Value::Times(Durations { bounds, counts, sum }) = &sample.value else { return None };
        Some(HistogramDataPoint {
            start_time_unix_nano: self.begun,
            time_unix_nano: now,
            count: counts.iter().sum(),
            sum: Some(sum.as_secs_f64()),
            bucket_counts: counts.clone(),
            explicit_bounds: bounds.iter().map(std::time::Duration::as_secs_f64).collect(),
            ..HistogramDataPoint::default()
        })
    }
}

fn scope() -> InstrumentationScope {
    let (name, version) = ("attrsync".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    InstrumentationScope { name, version, ..InstrumentationScope::default() }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, any_value::Value::StringValue(value.to_owned()))
}

fn attribute(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Arc, time::Duration};

    use super::*;
    use crate::observe::{
        metrics::{self, Metrics, list},
        telemetry::spans::tests::span,
    };

    fn teller() -> Teller {
        let owned = str::to_owned;
        Teller { service: owned("attrsync"), instance: owned("a"), group: owned("g"), begun: 5 }
    }

    #[test]
    fn a_span_is_told_by_the_conventions_for_messaging() {
        let request = teller().spans(&[span(41)]);
        let told = &request.resource_spans[0].scope_spans[0].spans[0];
        assert_eq!((told.name.as_str(), told.kind), ("process events", 5));
        assert_eq!((told.trace_id.as_slice(), told.parent_span_id.as_slice()), (&[7; 16][..], &[8; 8][..]));
        assert_eq!(told.flags, 0x301, "sampled; whether the parent is remote is known; it is");
        let attributes: Vec<_> = told.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
        assert_eq!(
            attributes,
            [
                "messaging.system",
                "messaging.operation.type",
                "messaging.operation.name",
                "messaging.destination.name",
                "messaging.destination.partition.id",
                "messaging.consumer.group.name",
                "messaging.kafka.offset",
                "attrsync.verdict",
                "attrsync.reason"
            ]
        );
    }

    #[test]
    fn families_are_told_as_sums_gauges_and_histograms() {
        let times =
            Durations { bounds: vec![Duration::from_millis(5)], counts: vec![1, 2], sum: Duration::from_millis(30) };
        let families = [
            Family::of(&list::RECORDS, 7_u64),
            Family::each(&list::LAG, [(["events".to_owned(), "3".to_owned()], 12_u64)]),
            Family::of(&list::COMMIT_SECONDS, times),
            Family::each::<0, u64>(&list::MAX_FDS, []),
        ];
        let request = teller().metrics(&families, 9);
        let metrics = &request.resource_metrics[0].scope_metrics[0].metrics;
        assert_eq!(metrics.len(), 3, "what is not known is not told");
        let Some(Data::Sum(sum)) = &metrics[0].data else { panic!("{:?}", metrics[0]) };
        assert!(sum.is_monotonic && sum.data_points[0].value == Some(number_data_point::Value::AsInt(7)));
        let Some(Data::Gauge(gauge)) = &metrics[1].data else { panic!("{:?}", metrics[1]) };
        assert_eq!(gauge.data_points[0].attributes, [text("topic", "events"), text("partition", "3")]);
        let Some(Data::Histogram(histogram)) = &metrics[2].data else { panic!("{:?}", metrics[2]) };
        let point = &histogram.data_points[0];
        assert_eq!((point.count, point.explicit_bounds.as_slice(), metrics[2].unit.as_str()), (3, &[0.005][..], "s"));
    }

    /// Every metric there is, with a value.
    fn all() -> Vec<Family> {
        let times = Durations { bounds: Vec::new(), counts: vec![1], sum: Duration::from_millis(30) };
        let value = |kind| match kind {
            MetricType::Histogram => Value::Times(times.clone()),
            _ => Value::Whole(1),
        };
        let labels = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let family = |metric: &'static metrics::Metric| Family {
            metric,
            samples: vec![Sample { labels: labels(metric.labels), value: value(metric.kind) }],
        };
        list::all().map(family).collect()
    }

    /// What Prometheus and OpenTelemetry's collector call the series of a metric, with the suffixes that they add unless they are told
    /// otherwise (github.com/prometheus/otlptranslator): that of the unit where the name doesn't have it, `total` last in a sum that
    /// only grows, `ratio` last in a gauge in "1".
    fn translated(metric: &Metric, with_suffixes: bool) -> Vec<String> {
        let mut words: Vec<_> = metric.name.split('_').collect();
        let unit = match metric.unit.as_str() {
            "s" => "seconds",
            "By" => "bytes",
            "1" => "",
            other => other,
        };
        if with_suffixes && !unit.is_empty() && !words.contains(&unit) {
            words.push(unit);
        }
        let last = match &metric.data {
            Some(Data::Sum(sum)) if sum.is_monotonic => Some("total"),
            Some(Data::Gauge(_)) if metric.unit == "1" => Some("ratio"),
            _ => None,
        };
        if let Some(last) = last.filter(|_| with_suffixes) {
            words.retain(|word| *word != last);
            words.push(last);
        }
        let series: &[&str] = match metric.data {
            Some(Data::Histogram(_)) => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        series.iter().map(|end| format!("{}{end}", words.join("_"))).collect()
    }

    /// The names of the series that stand in what is scraped.
    fn scraped(text: &str) -> BTreeSet<String> {
        let series = text.lines().filter(|line| !line.starts_with('#'));
        series.filter_map(|line| line.split(['{', ' ']).next()).map(str::to_owned).collect()
    }

    #[test]
    fn every_metric_is_translated_into_the_names_that_are_scraped() {
        let families = all();
        let request = teller().metrics(&families, 9);
        let told = &request.resource_metrics[0].scope_metrics[0].metrics;
        assert_eq!(told.len(), families.len());
        for metric in told {
            assert_ne!(metric.unit, "1", "{} would be a ratio", metric.name);
        }
        let page = scraped(&Metrics::new(Arc::new(move || families.clone())).text().unwrap());
        for with_suffixes in [true, false] {
            let names: BTreeSet<_> = told.iter().flat_map(|metric| translated(metric, with_suffixes)).collect();
            assert_eq!(names, page, "with suffixes: {with_suffixes}");
        }
    }
}
