//! Traces and metrics by OpenTelemetry: a sender's trace goes on through the worker into the verdict's records, what a collector gets
//! holds nothing personal, and a collector that is away changes nothing for anybody.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use attrsync::domain::{EventTime, hex, verdict::Outcome};
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{KeyValue, any_value},
    trace::v1::Span,
};
use prost::Message as _;

use crate::kit::{
    SOON, broker, eventually,
    feed::{Feed, Input},
    group::Group,
    outputs::{self, hold_exactly_once},
    process::Setup,
    topics::Topics,
};

/// What a collector got.
#[derive(Default)]
struct Got {
    spans: Vec<Span>,
    /// Names of services and metrics.
    services: Vec<String>,
    metrics: Vec<String>,
    bytes: Vec<u8>,
}

/// A collector in this process, on a thread of its own.
struct Collector {
    address: SocketAddr,
    got: Arc<Mutex<Got>>,
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        any_value::Value::StringValue(text) => Some(text.clone()),
        any_value::Value::IntValue(number) => Some(number.to_string()),
        other => panic!("{key}: {other:?}"),
    }
}

async fn traces(State(got): State<Arc<Mutex<Got>>>, headers: HeaderMap, body: Bytes) {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let request = ExportTraceServiceRequest::decode(body.clone()).unwrap();
    let mut got = got.lock().unwrap();
    got.bytes.extend_from_slice(&body);
    for resource in request.resource_spans {
        got.services.extend(text(&resource.resource.unwrap().attributes, "service.name"));
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            // One whose answer came late is sent again.
            if got.spans.iter().all(|known| known.span_id != span.span_id) {
                got.spans.push(span);
            }
        }
    }
}

async fn metrics(State(got): State<Arc<Mutex<Got>>>, body: Bytes) {
    let request = ExportMetricsServiceRequest::decode(body).unwrap();
    let scopes = request.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
    got.lock().unwrap().metrics.extend(scopes.flat_map(|scope| scope.metrics).map(|metric| metric.name));
}

impl Collector {
    fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let got = Arc::<Mutex<Got>>::default();
        let router = Router::new()
            .route("/v1/traces", post(traces))
            .route("/v1/metrics", post(metrics))
            .with_state(Arc::clone(&got));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), router).await.unwrap();
            });
        });
        Self { address, got }
    }
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SENDER: &str = "00f067aa0ba902b7";
const EMAIL: &str = "somebody.personal@example.com";

/// An event without a proof, which is rejected, with this `traceparent`.
fn send(feed: &mut Feed, traceparent: &str) {
    let value = format!(r#"{{"organization":"acme","email":"{EMAIL}","plan":"Premium"}}"#);
    let headers = [("ce_type", &b"identify"[..]), ("traceparent", traceparent.as_bytes()), ("tracestate", b"v=1")];
    feed.send(0, Input { value: Some(value.as_bytes()), headers: &headers, outcome: Outcome::Rejected });
}

#[test]
fn a_senders_trace_goes_on_through_a_span_of_ours_into_the_verdict() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "telemetry", 1);
    let mut feed = Feed::new(&topics);
    let sampled = format!("00-{TRACE}-{SENDER}-01");
    let unsampled = format!("00-{TRACE}-{SENDER}-00");
    send(&mut feed, &sampled);
    send(&mut feed, &unsampled);
    feed.mixture(20);
    feed.flush();
    let collector = Collector::start();
    let endpoint = format!("telemetry.otlp_endpoint=http://{}", collector.address);
    let setup = Setup::new(&topics, &[&endpoint, "telemetry.metrics_interval_s=1"]);
    let before = EventTime::from_millis(jiff::Timestamp::now().as_millisecond());
    let worker = setup.start("a");
    Group::of(&topics).reaches(feed.len());
    eventually("the span and the metrics are exported", SOON, || {
        let got = collector.got.lock().unwrap();
        !got.spans.is_empty() && got.metrics.iter().any(|name| name == "attrsync_commit_duration_seconds")
    });
    worker.stop();

    let got = collector.got.lock().unwrap();
    assert_eq!(got.spans.len(), 1, "an event that its sender doesn't record has no span: {:?}", got.spans);
    let span = &got.spans[0];
    assert_eq!((hex::encode(&span.trace_id).as_str(), hex::encode(&span.parent_span_id).as_str()), (TRACE, SENDER));
    assert_eq!((span.name.as_str(), span.kind), (format!("process {}", topics.input).as_str(), 5));
    assert_eq!(span.flags, 0x301, "sampled, and the child of a span elsewhere");
    assert!(span.start_time_unix_nano / 1_000_000 >= before.millis().unsigned_abs());
    assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
    for (key, value) in [
        ("messaging.system", "kafka"),
        ("messaging.operation.type", "process"),
        ("messaging.destination.name", topics.input.as_str()),
        ("messaging.destination.partition.id", "0"),
        ("messaging.kafka.offset", "0"),
        ("messaging.consumer.group.name", topics.group.as_str()),
        ("attrsync.verdict", "rejected"),
        ("attrsync.reason", "proof_missing"),
    ] {
        assert_eq!(text(&span.attributes, key).as_deref(), Some(value), "{key}");
    }
    assert_eq!(got.services, ["attrsync"]);
    assert!(!String::from_utf8_lossy(&got.bytes).contains("personal"), "a span holds nothing that an event says");

    let told = outputs::committed(&topics);
    let parent = |offset| {
        let of = |told: &&outputs::Told| told.source() == (0, offset);
        told.iter().find(of).unwrap().headers.get("traceparent").cloned().unwrap()
    };
    assert_eq!(parent(0), format!("00-{TRACE}-{}-01", hex::encode(&span.span_id)), "the verdict's parent is our span");
    assert_ne!(hex::encode(&span.span_id), SENDER);
    assert_eq!(parent(1), unsampled, "passed on as it is");
}

#[test]
fn a_collector_that_takes_nothing_stops_nobody_and_is_waited_for_at_the_end_a_little() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "collectorless", 1);
    let mut feed = Feed::new(&topics);
    for _ in 0..300 {
        send(&mut feed, &format!("00-{TRACE}-{SENDER}-01"));
    }
    feed.flush();
    // It takes connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("telemetry.otlp_endpoint=http://{}", silent.local_addr().unwrap());
    let setup = Setup::new(&topics, &[&endpoint, "telemetry.queue_spans=100"]);
    let worker = setup.start("a");
    Group::of(&topics).reaches(feed.len());
    let begun = std::time::Instant::now();
    worker.logs("telemetry can't be exported");
    worker.stop();
    assert!(begun.elapsed() < SOON / 2, "the end waits for it a little, and no longer: {:?}", begun.elapsed());
    hold_exactly_once(&feed, &outputs::committed(&topics));
}
