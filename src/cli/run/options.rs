//! The configuration as the worker takes it.

use std::{num::NonZeroUsize, time::Duration};

use crate::{
    config::{self, ClientRole, Config},
    worker::{Delivery, Options, Outputs, Retry, Timeouts, TopicLimits},
};

/// What the worker is told.
pub(in crate::cli) fn worker(config: &Config) -> Options {
    let Config { kafka, worker, .. } = config;
    let millis = Duration::from_millis;
    Options {
        inputs: kafka.input.topics.clone(),
        outputs: Outputs {
            accepted: kafka.accepted_topic.clone(),
            rejected: kafka.rejected_topic.clone(),
            // The group is what distinguishes two deployments that read the same topics.
            source: source(&kafka.group_id),
            max_bytes: config.output_bytes(),
            topics: TopicLimits::Unknown,
        },
        group: kafka.group_id.clone(),
        instance: kafka.instance.clone(),
        static_membership: kafka.static_membership,
        transactional_id_prefix: kafka.transactional_id_prefix.clone(),
        delivery: match worker.delivery {
            config::Delivery::ExactlyOnce => Delivery::ExactlyOnce,
            config::Delivery::AtLeastOnce => Delivery::AtLeastOnce,
        },
        shards: usize::try_from(worker.shards).ok().and_then(NonZeroUsize::new),
        commit_interval: millis(worker.commit_interval_ms),
        batch_records: worker.batch_records,
        unusable_wait: config.settings.on_unusable == config::OnUnusable::Wait,
        fetch_queue_bytes: usize::try_from(worker.fetch_queue_bytes).unwrap_or(usize::MAX),
        timeouts: Timeouts {
            message: millis(worker.message_timeout_ms),
            transaction: millis(worker.transaction_timeout_ms),
            session: millis(worker.session_timeout_ms),
        },
        retry: Retry {
            tries: worker.fault_tries,
            pause: millis(worker.fault_backoff_ms),
            longest: millis(worker.fault_backoff_max_ms),
        },
        spans: None,
        consumer: kafka.client(ClientRole::Consumer),
        producer: kafka.client(ClientRole::Producer),
    }
}

/// The deployment as a URI reference, which `ce_source` has to be: what a group's name may hold and a URI's path may not is escaped
/// (RFC 3986 §2.1, §3.3).
fn source(group: &str) -> String {
    let escaped = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ if b"-._~!$&'()*+,;=:@/".contains(&byte) => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    group.bytes().map(escaped).fold("/attrsync/".to_owned(), |source, part| source + &part)
}

#[cfg(test)]
mod tests {
    use super::source;

    #[test]
    fn a_source_is_a_uri_reference_whatever_the_group_is_called() {
        assert_eq!(source("team-a.profiles_2~x"), "/attrsync/team-a.profiles_2~x");
        assert_eq!(source("a b:c/ü\n%|"), "/attrsync/a%20b:c/%C3%BC%0A%25%7C");
    }
}
