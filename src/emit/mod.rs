//! 5. Verdicts to records ([`encode`], pure), and the producer that sends them ([`producer`], I/O).
//!
//! The accepted topic carries accepted and partial verdicts whole. The rejected topic carries rejected and partial ones
//! without a value of any attribute, unless the operator asks for those of rejected ones ([`view`]). Key, headers and value are decided here once, for every way out to Kafka.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod encode;
mod headers;
mod json;
mod key;
pub mod names;
pub mod producer;
pub mod schema;
pub mod trace;
mod view;

pub use encode::{Channel, Encoded, Encoder, Output};
