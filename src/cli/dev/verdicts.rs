//! The verdict topics, read as any subscriber reads them.

use std::time::Duration;

use anyhow::Context;
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
};
use serde::Deserialize;

use crate::{
    config::{ClientRole, Config},
    domain::verdict::Outcome,
};

/// How long to wait for the next verdict.
const WAIT: Duration = Duration::from_millis(50);
/// How long the broker may take to say which partitions there are.
const LOOKUP: Duration = Duration::from_secs(10);

/// A reader of both topics.
pub(super) struct Verdicts {
    consumer: BaseConsumer,
    rejected_topic: String,
}

/// A verdict as far as it is shown. In the rejected topic there are no values, and so no `attributes`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Verdict {
    pub(super) verdict: String,
    pub(super) reason: Option<String>,
    pub(super) event: Event,
    pub(super) organization: Option<String>,
    pub(super) user: User,
    pub(super) verification: Verification,
    #[serde(default)]
    pub(super) attributes: serde_json::Map<String, serde_json::Value>,
    #[serde(default)]
    pub(super) companies: Option<Vec<serde_json::Value>>,
    pub(super) rejected: Vec<Refused>,
    pub(super) dropped: Vec<Refused>,
    pub(super) hint: Option<Hint>,
}

/// Which event it is.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    pub(super) time: String,
}

/// Whom it concerns.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    pub(super) user_id: Option<String>,
    pub(super) email: Option<String>,
    pub(super) anonymous_id: Option<String>,
}

/// How it was proven.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Verification {
    pub(super) method: String,
    pub(super) status: Option<String>,
    pub(super) would_reject: Option<String>,
}

/// What was rejected or dropped.
#[derive(Debug, Deserialize)]
pub(super) struct Refused {
    pub(super) attribute: String,
    pub(super) reason: String,
}

/// What the diagnosis found.
#[derive(Debug, Deserialize)]
pub(super) struct Hint {
    pub(super) message: String,
}

impl Verdicts {
    /// Reads both topics from their beginning. Partitions are taken, not asked for in a group: that would wait for a
    /// rebalance.
    pub(super) fn subscribe(config: &Config) -> anyhow::Result<Self> {
        let mut client = config.kafka.client(ClientRole::Consumer);
        client.set("group.id", "attrsync-dev-view").set("enable.auto.commit", "false").set("fetch.wait.max.ms", "20");
        let consumer: BaseConsumer = client.create().context("no consumer for the verdicts")?;
        let mut partitions = TopicPartitionList::new();
        for topic in [&config.kafka.accepted_topic, &config.kafka.rejected_topic] {
            let metadata =
                consumer.fetch_metadata(Some(topic), LOOKUP).context("the embedded broker does not answer")?;
            for partition in metadata.topics().iter().flat_map(rdkafka::metadata::MetadataTopic::partitions) {
                partitions.add_partition_offset(topic, partition.id(), Offset::Beginning)?;
            }
        }
        consumer.assign(&partitions)?;
        Ok(Self { consumer, rejected_topic: config.kafka.rejected_topic.clone() })
    }

    /// Waits a moment for the next verdict. A partial one comes on both topics and is told once.
    pub(super) fn next(&self) -> anyhow::Result<Option<Verdict>> {
        let Some(message) = self.consumer.poll(WAIT) else { return Ok(None) };
        let message = message.context("the verdicts cannot be read")?;
        let verdict: Verdict = serde_json::from_slice(message.payload().unwrap_or_default())?;
        let told = message.topic() == self.rejected_topic && verdict.verdict == Outcome::Partial.name();
        Ok((!told).then_some(verdict))
    }
}
