//! What a dashboard is told by whoever starts it.

use std::{net::SocketAddr, time::Duration};

use rdkafka::ClientConfig;

use super::{board::Limits, server::access::Token};

/// What a dashboard is told.
#[derive(Debug)]
pub struct Options {
    /// Where it listens.
    pub address: SocketAddr,
    /// What readers must show; without one it answers on loopback alone.
    pub token: Option<Token>,
    /// The topic of accepted verdicts.
    pub accepted: String,
    /// The topic of rejected verdicts.
    pub rejected: String,
    /// The topics of events, for the lag.
    pub inputs: Vec<String>,
    /// The worker's group, for the lag.
    pub group: String,
    /// How much is read back at the start.
    pub history: History,
    /// What is kept.
    pub limits: Limits,
    /// The most subscribers of the stream.
    pub subscribers: usize,
    /// What the operator says of consumers.
    pub consumer: ClientConfig,
}

/// How much of the topics is read back at the start.
#[derive(Debug, Clone, Copy)]
pub enum History {
    /// Everything: for the embedded broker, which keeps little and can't look up a time.
    Whole,
    /// What was written within this time, and of each topic so many records at most. Both begin at one time: where one has more, neither is
    /// read from before that one can be.
    Window {
        /// The time.
        time: Duration,
        /// The records.
        records: u64,
    },
}
