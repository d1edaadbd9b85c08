//! The embedded broker: librdkafka's mock cluster on a loopback port of its own. It ends with the process and keeps nothing.

use anyhow::Context;
use rdkafka::{mocking::MockCluster, producer::DefaultProducerContext};

use crate::config::Config;

/// Partitions of each topic.
const PARTITIONS: i32 = 4;

/// A running broker.
pub(super) struct Broker(MockCluster<'static, DefaultProducerContext>);

impl Broker {
    /// Starts one.
    pub(super) fn start() -> anyhow::Result<Self> {
        Ok(Self(MockCluster::new(1).context("the embedded broker cannot be started")?))
    }

    /// Where it listens, as `host:port`.
    pub(super) fn address(&self) -> String {
        self.0.bootstrap_servers()
    }

    /// The topics in and out.
    pub(super) fn create_topics(&self, config: &Config) -> anyhow::Result<()> {
        let kafka = &config.kafka;
        for topic in kafka.input.topics.iter().chain([&kafka.accepted_topic, &kafka.rejected_topic]) {
            self.0.create_topic(topic, PARTITIONS, 1).with_context(|| format!("topic {topic} cannot be made"))?;
        }
        Ok(())
    }
}
