//! A worker on librdkafka's mock cluster, which answers requests with the errors that a test wants. The mock knows no
//! transactions: what these tests hold is what the worker does about an error, never what becomes visible.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use attrsync::{
    config::{Config, DEFAULTS},
    store::{EXAMPLE, Settings, Source},
    worker::{Delivery, Fault, Options, Outputs, Retry, Stats, Stopper, Timeouts, TopicLimits, Worker},
};
use rdkafka::{
    mocking::{MockCluster, MockCoordinator},
    producer::DefaultProducerContext,
    types::{RDKafkaApiKey, RDKafkaRespErr},
};

use super::{SOON, eventually, feed::Feed, topics::Topics};

/// The broker that leads every partition and coordinates the group.
const DATA: i32 = 1;
/// The broker that coordinates the transactions and does nothing else.
pub(crate) const COORDINATOR: i32 = 2;

/// A cluster of its own for one test, with its topics.
pub(crate) struct Mock {
    pub(crate) cluster: MockCluster<'static, DefaultProducerContext>,
    pub(crate) topics: Topics,
}

impl Mock {
    pub(crate) fn new(test: &str) -> Self {
        let cluster = MockCluster::new(2).unwrap();
        let topics = Topics::named(&cluster.bootstrap_servers(), test, 1);
        for topic in [&topics.input, &topics.accepted, &topics.rejected] {
            cluster.create_topic(topic, topics.partitions, 1).unwrap();
            cluster.partition_leader(topic, 0, Some(DATA)).unwrap();
        }
        cluster.coordinator(MockCoordinator::Group(topics.group.clone()), DATA).unwrap();
        cluster.coordinator(MockCoordinator::Transaction(format!("{}-a-0", topics.group)), COORDINATOR).unwrap();
        Self { cluster, topics }
    }

    /// The next requests of this kind are answered with these errors, one each.
    pub(crate) fn inject(&self, request: RDKafkaApiKey, errors: &[RDKafkaRespErr]) {
        self.cluster.request_errors(request, errors);
    }

    /// What a worker of this cluster is told: one shard, and timeouts that no busy machine reaches, since each would be one more
    /// thing to get over.
    pub(crate) fn options(&self, delivery: Delivery) -> Options {
        let Topics { input, accepted, rejected, group, .. } = &self.topics;
        let millis = Duration::from_millis;
        Options {
            unusable_wait: false,
            inputs: vec![input.clone()],
            outputs: Outputs {
                accepted: accepted.clone(),
                rejected: rejected.clone(),
                source: "/attrsync/test".to_owned(),
                max_bytes: 1_000_000,
                topics: TopicLimits::None,
            },
            group: group.clone(),
            instance: "a".to_owned(),
            static_membership: false,
            transactional_id_prefix: group.clone(),
            delivery,
            shards: NonZeroUsize::new(1),
            commit_interval: millis(50),
            batch_records: 5_000,
            fetch_queue_bytes: 4 << 20,
            timeouts: Timeouts { message: millis(30_000), transaction: millis(40_000), session: millis(50_000) },
            retry: Retry { tries: 5, pause: millis(20), longest: millis(500) },
            spans: None,
            consumer: self.topics.client(),
            producer: self.topics.client(),
        }
    }

    /// Starts a worker that delivers exactly once.
    pub(crate) fn start(&self) -> Running {
        Running::start(&self.options(Delivery::ExactlyOnce))
    }

    pub(crate) fn feed(&self) -> Feed {
        Feed::new(&self.topics)
    }
}

/// A worker within this process.
pub(crate) struct Running {
    worker: Worker,
    stats: Arc<Stats>,
    stopper: Stopper,
}

/// What a shard did about faults.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Remedies {
    /// Batches aborted and read again.
    pub(crate) aborted: u64,
    /// Producers replaced.
    pub(crate) rebuilt: u64,
    /// Consumers replaced.
    pub(crate) rejoined: u64,
}

impl Running {
    pub(crate) fn start(options: &Options) -> Self {
        let config: Config = toml::from_str(DEFAULTS).unwrap();
        let settings = Arc::new(Settings::load(Source::Embedded(EXAMPLE), config.policy()).unwrap());
        let stopper = Stopper::default();
        let worker = Worker::start(options, &settings, &stopper).unwrap();
        Self { stats: worker.stats(), worker, stopper }
    }

    /// Waits until it has its partition; its producer is open by then.
    pub(crate) fn joins(&self) {
        eventually("the worker has its partition", SOON, || self.stats.shards()[0].partitions() == 1);
    }

    /// Waits until so many records are judged and committed.
    pub(crate) fn judges(&self, records: usize) {
        eventually(&format!("{records} records are judged"), SOON, || self.records() >= records);
        assert_eq!(self.records(), records, "a batch is counted once it is committed, and then once");
    }

    fn records(&self) -> usize {
        usize::try_from(self.stats.shards()[0].records()).unwrap()
    }

    /// What was done so far.
    pub(crate) fn remedies(&self) -> Remedies {
        let shard = &self.stats.shards()[0];
        Remedies { aborted: shard.aborted(), rebuilt: shard.rebuilt(), rejoined: shard.rejoined() }
    }

    /// Waits until it has ended by itself.
    pub(crate) fn ended(self) -> Fault {
        eventually("the worker ends by itself", SOON, || self.stopper.asked());
        self.worker.join().expect_err("it ends by a fault")
    }

    /// Ends it in good order.
    pub(crate) fn stop(self) {
        self.stopper.stop();
        self.worker.join().unwrap();
    }
}
