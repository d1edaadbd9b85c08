//! What others see of a worker: logs, metrics, health. The pipeline never waits for any of it, and none of it knows the
//! pipeline: it is given a [`Reading`] when somebody asks.

pub mod admin;
pub(crate) mod bounded;
pub mod log;
pub mod metrics;
mod reading;
pub(crate) mod serve;
pub mod telemetry;

pub use reading::{Durations, Lag, Reading, SettingsReading, ShardReading, Verdicts};
