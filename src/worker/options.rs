//! What a worker is told: plain values that the configuration is turned into, so that the loop knows nothing of files,
//! environments and flags, and a test can build a worker by hand.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use rdkafka::ClientConfig;

use super::fault::Fault;
use crate::observe::telemetry::Spans;

/// What a worker is told.
#[derive(Clone)]
pub struct Options {
    /// The topics to read events from.
    pub inputs: Vec<String>,
    /// Where accepted and rejected verdicts go.
    pub outputs: Outputs,
    /// The consumer group.
    pub group: String,
    /// The name of this process within the group, the same after each restart.
    pub instance: String,
    /// Whether the shards are static members of the group (KIP-345).
    pub static_membership: bool,
    /// The first part of every transactional id.
    pub transactional_id_prefix: String,
    /// How verdicts are delivered.
    pub delivery: Delivery,
    /// The number of shards; `None`: one a core. Never more than there are partitions.
    pub shards: Option<NonZeroUsize>,
    /// The most time from a batch's first record to its commit.
    pub commit_interval: Duration,
    /// The most records of a batch.
    pub batch_records: usize,
    /// Bytes of fetched records that may wait, over all shards.
    pub fetch_queue_bytes: usize,
    /// The timeouts that have to stand in a relation.
    pub timeouts: Timeouts,
    /// How faults are tried again.
    pub retry: Retry,
    /// Whether events of an organization whose settings can't be used wait, and hold what comes after them in their
    /// partition; else they are rejected.
    pub unusable_wait: bool,
    /// Where the spans of events go, where they are exported.
    pub spans: Option<Arc<Spans>>,
    /// Properties of the consumers: the brokers, and what the operator passes through.
    pub consumer: ClientConfig,
    /// Properties of the producers, likewise.
    pub producer: ClientConfig,
}

impl Options {
    /// The brokers to begin with, as they were given.
    pub(super) fn brokers(&self) -> String {
        self.consumer.get("bootstrap.servers").unwrap_or_default().to_owned()
    }

    /// How long a shard's loop may be silent while it does nothing but wait for what these options allow: a pause after a fault, or a
    /// batch whose records are sent, whose offsets are added and which is committed or aborted, each as slowly as may be. Beyond
    /// this it hangs.
    #[must_use]
    pub fn longest_silence(&self) -> Duration {
        longest_silence(self.timeouts, self.retry)
    }
}

/// Where verdicts go, and what bounds them.
#[derive(Debug, Clone)]
pub struct Outputs {
    /// The topic of accepted and partial verdicts.
    pub accepted: String,
    /// The topic of rejected and partial verdicts.
    pub rejected: String,
    /// `ce_source` of every record: a URI reference that names this deployment.
    pub source: String,
    /// The most bytes of one output record; a verdict beyond it becomes a rejection that says so.
    pub max_bytes: usize,
    /// Whether the topics may take less than that.
    pub topics: TopicLimits,
}

/// What is known of the output topics' own limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicLimits {
    /// Nothing: they are asked.
    Unknown,
    /// They take any record. The embedded broker of `dev` has no limit, and could not be asked for one.
    None,
}

/// How verdicts are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Verdicts and offsets in one Kafka transaction.
    ExactlyOnce,
    /// Verdicts first, by an idempotent producer, then offsets: a fault between the two repeats verdicts.
    AtLeastOnce,
}

/// Three timeouts, each of which has to be over before the next one strikes.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// How long the producer tries to deliver one record (`message.timeout.ms`).
    pub message: Duration,
    /// How long the broker leaves a transaction open (`transaction.timeout.ms`).
    pub transaction: Duration,
    /// How long the group waits for a silent member (`session.timeout.ms`).
    pub session: Duration,
}

impl Timeouts {
    /// A record is given up before its transaction, and a transaction before its owner's partitions go to another: else
    /// the broker would abort what the worker still sends, or the next owner would wait for a transaction that nobody ends.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let named = [
            ("message_timeout_ms", self.message),
            ("transaction_timeout_ms", self.transaction),
            ("session_timeout_ms", self.session),
        ];
        match named.windows(2).find(|pair| pair[0].1 >= pair[1].1) {
            Some(pair) => Err(Fault::Timeouts {
                shorter: pair[0].0,
                shorter_ms: pair[0].1.as_millis(),
                longer: pair[1].0,
                longer_ms: pair[1].1.as_millis(),
            }),
            None => Ok(()),
        }
    }
}

/// How a fault is tried again.
#[derive(Debug, Clone, Copy)]
pub struct Retry {
    /// How many tries in a row may fail.
    pub tries: u32,
    /// The pause before the first try; each later one is twice as long.
    pub pause: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Retry {
    /// The pause before a try, counted from 0.
    pub(super) fn pause_before(&self, attempt: u32) -> Duration {
        self.pause.saturating_mul(1 << attempt.min(16)).min(self.longest)
    }
}

/// What a shard may be silent for whatever its options.
const SILENT: Duration = Duration::from_secs(90);

fn longest_silence(Timeouts { message, transaction, .. }: Timeouts, retry: Retry) -> Duration {
    let batch = message + 3 * transaction + SILENT / 3;
    SILENT.max(batch).max(retry.longest + SILENT / 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeouts(message: u64, transaction: u64, session: u64) -> Timeouts {
        let [message, transaction, session] = [message, transaction, session].map(Duration::from_millis);
        Timeouts { message, transaction, session }
    }

    #[test]
    fn each_timeout_has_to_be_over_before_the_next_strikes() {
        assert!(timeouts(10_000, 15_000, 30_000).check().is_ok());
        let error = timeouts(15_000, 15_000, 30_000).check().unwrap_err().to_string();
        assert!(
            error.contains("message_timeout_ms (15000)") && error.contains("transaction_timeout_ms (15000)"),
            "{error}"
        );
        let error = timeouts(10_000, 31_000, 30_000).check().unwrap_err().to_string();
        assert!(
            error.contains("transaction_timeout_ms (31000)") && error.contains("session_timeout_ms (30000)"),
            "{error}"
        );
    }

    #[test]
    fn a_shard_may_be_silent_for_as_long_as_its_options_let_it_wait() {
        let retry = Retry { tries: 10, pause: Duration::from_millis(100), longest: Duration::from_secs(5) };
        assert_eq!(longest_silence(timeouts(10_000, 15_000, 30_000), retry), Duration::from_secs(90));
        let patient = Retry { longest: Duration::from_secs(600), ..retry };
        assert!(longest_silence(timeouts(10_000, 15_000, 30_000), patient) > Duration::from_secs(600));
        assert!(longest_silence(timeouts(60_000, 90_000, 120_000), retry) > Duration::from_secs(60 + 3 * 90));
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let retry = Retry { tries: 10, pause: Duration::from_millis(100), longest: Duration::from_secs(5) };
        let pauses = [0, 1, 5, 6, 40].map(|attempt| retry.pause_before(attempt).as_millis());
        assert_eq!(pauses, [100, 200, 3_200, 5_000, 5_000]);
    }
}
