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

/// The most bytes of one record that the operator's own properties of the producer leave room for: librdkafka refuses a larger one,
/// and one that is larger than its queue never finds room in it.
pub(super) fn passed(properties: &ClientConfig) -> usize {
    let number = |name, unit: usize| properties.get(name)?.trim().parse::<usize>().ok()?.checked_mul(unit);
    let limits = [number("message.max.bytes", 1), number("queue.buffering.max.kbytes", 1024)];
    limits.into_iter().flatten().min().map_or(usize::MAX, |limit| limit.saturating_sub(FRAME))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_to_fit_in_what_the_operator_gives_the_producer() {
        let limit = |given: &[(&str, &str)]| {
            let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            passed(&given.collect())
        };
        assert_eq!(limit(&[]), usize::MAX);
        assert_eq!(limit(&[("message.max.bytes", "1000000")]), 1_000_000 - FRAME);
        assert_eq!(
            limit(&[("message.max.bytes", "1000000"), ("queue.buffering.max.kbytes", "512")]),
            512 * 1024 - FRAME
        );
    }
}
