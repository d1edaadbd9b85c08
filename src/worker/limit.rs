//! How large a record the output topics take. A record beyond it would fail every batch that it is in, so the encoder has to
//! know before (see [`crate::emit::encode`]).

use std::{thread, time::Duration};

use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, ConfigResource, ResourceSpecifier},
    client::DefaultClientContext,
    error::KafkaResult,
};

/// What a broker takes unless its operator says otherwise: `max.message.bytes` of a topic.
const BY_DEFAULT: usize = 1_048_588;
/// What Kafka adds to the key, headers and value of one record: the frames of record and batch, and a length for each
/// header.
const FRAME: usize = 2_048;

/// The most bytes that the smaller of these topics takes of one record. Where they can't be asked (it needs the right to
/// describe their configuration) it is what brokers take by default.
pub(super) fn record_bytes(properties: &ClientConfig, topics: [&str; 2], timeout: Duration) -> usize {
    let limit = match ask(properties, topics, timeout) {
        Ok(described) => described.iter().filter_map(limit).min(),
        Err(error) => {
            tracing::warn!(%error, assumed = BY_DEFAULT, "the output topics can't be asked for max.message.bytes");
            None
        }
    };
    limit.unwrap_or(BY_DEFAULT).saturating_sub(FRAME)
}

fn limit(resource: &ConfigResource) -> Option<usize> {
    resource.get("max.message.bytes")?.value.as_ref()?.parse().ok()
}

/// Asks from a thread of its own: the admin client answers by a future, and whoever calls may be within a runtime that
/// must not be blocked by another.
fn ask(properties: &ClientConfig, topics: [&str; 2], timeout: Duration) -> KafkaResult<Vec<ConfigResource>> {
    let admin: AdminClient<DefaultClientContext> = properties.create()?;
    let resources = topics.map(ResourceSpecifier::Topic);
    let options = AdminOptions::new().request_timeout(Some(timeout));
    let asking = || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().ok()?;
        Some(runtime.block_on(admin.describe_configs(&resources, &options)))
    };
    let answer = thread::scope(|scope| scope.spawn(asking).join());
    let described = answer.ok().flatten().unwrap_or(Err(rdkafka::error::KafkaError::Canceled))?;
    // A topic that may not be described has no answer of its own, and then counts as one by default.
    Ok(described.into_iter().filter_map(Result::ok).collect())
}
