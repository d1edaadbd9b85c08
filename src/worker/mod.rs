//! The worker: `judge` and the loop around it, from records to committed verdicts.
//!
//! - [`judge()`] is the pure path from a record to its verdict.
//! - [`start`] makes a thread for each shard, and [`shard`] is the loop that it runs, one [`batch`] after the other.
//! - [`watch`] looks after partitions that the group gave to nobody.
//! - [`transaction`] is the only way out: verdicts and offsets together, or neither.
//! - [`fault`] is everything that can go wrong on our side, and what is done about each; [`progress`] is where a fault goes
//!   back to.
//!
//! A worker knows nothing of configuration files, HTTP or signals: [`Options`] in, [`Stats`] out, a [`Stopper`] to end it.

mod batch;
#[cfg(test)]
mod cost;
mod fault;
mod histogram;
mod holding;
pub mod judge;
mod judging;
mod kind;
mod limit;
mod options;
mod progress;
mod shard;
mod start;
mod stats;
mod stop;
mod traces;
mod transaction;
mod tries;
mod watch;

pub use self::{
    fault::Fault,
    histogram::Histogram,
    judge::judge,
    options::{Delivery, Options, Outputs, Retry, Timeouts, TopicLimits},
    start::{Stopper, Worker},
    stats::{ShardStats, Stats},
};
pub(crate) use self::{
    transaction::{Outbox, Transaction},
    tries::{Tries, millis},
};

/// The names under which faults are counted.
pub fn fault_names() -> impl Iterator<Item = &'static str> {
    kind::Kind::ALL.iter().map(|kind| kind.name())
}
