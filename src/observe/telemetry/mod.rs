//! OpenTelemetry: spans and metrics to a collector, as OTLP over HTTP with protobuf. Off unless `telemetry.otlp_endpoint` is set.
//!
//! - [`spans`] is the queue between the shards and the exporter. It is bounded; what doesn't fit is dropped and counted. A shard takes
//!   its lock once a batch, and only when the batch has spans; the one that makes a request full wakes the exporter.
//! - [`encode`] makes OTLP's messages, pure.
//! - [`collector`] sends a request and reads what became of it.
//! - [`route`] is the way of one signal to it: spans and metrics have pauses of their own.
//! - [`export`] is the one thread that speaks to the collector. Nobody waits for it.
//!
//! OpenTelemetry's own messages are used, and not its SDK: the SDK can neither take histograms that were counted elsewhere nor tell
//! how much it dropped, and has global state that tests would share.
//!
//! # Which spans
//! One for each event whose sender records its trace (`traceparent` with the flag "sampled"), a child of the sender's span, of kind
//! consumer and named `process TOPIC`, as the semantic conventions for messaging have it; the verdict's records name it as their
//! parent. No span for a batch: it would have to link the traces of unrelated senders to each other, and times of batches are metrics.
//! An event that is judged again after a fault has one span, that of the try that was committed.
//!
//! A span tells position, group, outcome and reason; nothing that an event says.

mod collector;
mod encode;
mod export;
mod route;
mod spans;

pub use export::{Exporter, Target};
pub(crate) use spans::now;
pub use spans::{Span, Spans, TelemetryReading};
