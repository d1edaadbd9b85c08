//! OTLP's messages: what spans and families become on their way out.

use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value},
    metrics::v1::{
        AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics,
        ScopeMetrics, Sum, metric::Data, number_data_point,
    },
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, span::SpanKind},
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

    /// Named as Prometheus scrapes them, so that alerts and dashboards fit both ways in.
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
            other => other,
        };
        let (name, description) = (metric.name.to_owned(), metric.help.to_owned());
        Metric { name, description, unit: unit.to_owned(), data: Some(data), ..Metric::default() }
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
    use std::time::Duration;

    use super::*;
    use crate::observe::{metrics::list, telemetry::spans::tests::span};

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
}
