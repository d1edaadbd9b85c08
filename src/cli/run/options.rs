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
            source: format!("/attrsync/{}", kafka.group_id),
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
