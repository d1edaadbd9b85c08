//! The cluster and the topics of a run.

use std::time::{Duration, Instant};

use anyhow::ensure;

use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer},
};

pub(crate) const PARTITIONS: i32 = 4;
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What every client needs.
pub(crate) fn client() -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers());
    config
}

pub(crate) fn brokers() -> String {
    std::env::var("ATTRSYNC_TEST_KAFKA").expect("ATTRSYNC_TEST_KAFKA names a Kafka, see the head of main.rs")
}

/// A name that was never used before.
pub(crate) fn fresh(what: &str) -> String {
    format!("bench-{what}-{:x}", jiff::Timestamp::now().as_microsecond())
}

/// Makes a topic; one that exists is left as it is.
pub(crate) fn create(topic: &str) -> anyhow::Result<()> {
    // Nothing goes before it was read, however much it is.
    let kept = NewTopic::new(topic, PARTITIONS, TopicReplication::Fixed(1)).set("retention.bytes", "-1");
    for made in block_on(admin()?.create_topics([&kept], &AdminOptions::new()))? {
        ensure!(matches!(made, Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists))), "creating {topic}: {made:?}");
    }
    records(topic).map(|_| ())
}

/// Deletes topics.
pub(crate) fn delete(topics: &[&str]) -> anyhow::Result<()> {
    for deleted in block_on(admin()?.delete_topics(topics, &AdminOptions::new()))? {
        deleted.map_err(|(topic, code)| anyhow::anyhow!("deleting {topic}: {code}"))?;
    }
    Ok(())
}

fn admin() -> anyhow::Result<AdminClient<DefaultClientContext>> {
    Ok(client().create()?)
}

fn block_on<T>(future: impl Future<Output = KafkaResult<T>>) -> anyhow::Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread().build()?.block_on(future)?)
}

/// How many records a topic has. It may take a moment until every partition of one that was just made has a leader, or of any where the broker
/// has just started.
pub(crate) fn records(topic: &str) -> anyhow::Result<i64> {
    let (consumer, begun): (BaseConsumer, _) = (client().create()?, Instant::now());
    let end = |partition| loop {
        match consumer.fetch_watermarks(topic, partition, PATIENCE) {
            Ok((_, end)) => return Ok(end),
            Err(error) => ensure!(begun.elapsed() < PATIENCE, "where {topic}/{partition} ends: {error}"),
        }
        std::thread::park_timeout(Duration::from_millis(100));
    };
    (0..PARTITIONS).map(end).sum()
}

/// A reader of committed records of these topics from their beginning, which tells their ends. It fetches `ahead` records or more.
pub(crate) fn reader(topics: &[&str], ahead: i64) -> anyhow::Result<BaseConsumer> {
    let mut config: ClientConfig = client();
    config.set("group.id", "bench").set("enable.auto.commit", "false").set("isolation.level", "read_committed");
    config.set("enable.partition.eof", "true").set("fetch.queue.backoff.ms", "10");
    config.set("queued.min.messages", ahead.max(1).to_string());
    let consumer: BaseConsumer = config.create()?;
    let mut all = TopicPartitionList::new();
    for topic in topics {
        for partition in 0..PARTITIONS {
            all.add_partition_offset(topic, partition, Offset::Beginning)?;
        }
    }
    consumer.assign(&all)?;
    Ok(consumer)
}

/// Sends events to each partition in turn, so that the n-th has offset n / partitions.
pub(crate) struct Sender {
    producer: ThreadedProducer<DefaultProducerContext>,
    topic: String,
    sent: i64,
}

impl Sender {
    pub(crate) fn to(topic: &str) -> anyhow::Result<Self> {
        let mut config = client();
        config.set("enable.idempotence", "true").set("linger.ms", "5").set("compression.type", "lz4");
        Ok(Self { producer: config.create()?, topic: topic.to_owned(), sent: 0 })
    }

    /// Sends one of this value and time.
    pub(crate) fn send(&mut self, value: &[u8], timestamp: i64) -> anyhow::Result<()> {
        let partition = i32::try_from(self.sent % i64::from(PARTITIONS))?;
        let record = BaseRecord::<[u8], [u8]>::to(&self.topic).partition(partition).payload(value);
        let mut record = record.timestamp(timestamp);
        while let Err((error, back)) = self.producer.send(record) {
            ensure!(error == KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), "sending: {error}");
            std::thread::park_timeout(Duration::from_millis(1));
            record = back;
        }
        self.sent += 1;
        Ok(())
    }

    pub(crate) fn flush(&self) -> anyhow::Result<()> {
        Ok(self.producer.flush(PATIENCE)?)
    }
}

/// A group seen from outside.
pub(crate) struct Group(BaseConsumer, String);

impl Group {
    pub(crate) fn of(group: &str, topic: &str) -> anyhow::Result<Self> {
        // What is committed already, while the next transaction is open: an answer that waits for a moment without any may take seconds
        // (KIP-447), and the worker is far beyond the end of a window by then.
        let client = client().set("group.id", group).set("isolation.level", "read_uncommitted").create()?;
        Ok(Self(client, topic.to_owned()))
    }

    /// How many it has committed of each partition.
    pub(crate) fn offsets(&self) -> anyhow::Result<Vec<i64>> {
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_range(&self.1, 0, PARTITIONS - 1);
        let found = self.0.committed_offsets(partitions, PATIENCE)?;
        let offset = |offset| if let Offset::Offset(offset) = offset { offset } else { 0 };
        Ok(found.elements().iter().map(|found| offset(found.offset())).collect())
    }
}
