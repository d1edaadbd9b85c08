//! The cluster and the topics of a run.

use std::time::Duration;

use attrsync::{
    domain::EventTime,
    traffic::{Kind, Traffic},
};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseRecord, DefaultProducerContext, ThreadedProducer},
};

pub(crate) const PARTITIONS: i32 = 4;
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What every client needs.
pub(crate) fn client() -> ClientConfig {
    let brokers =
        std::env::var("ATTRSYNC_TEST_KAFKA").expect("ATTRSYNC_TEST_KAFKA names a Kafka, see the head of main.rs");
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    config
}

/// A name that was never used before.
pub(crate) fn fresh(what: &str) -> String {
    format!("bench-{what}-{:x}", jiff::Timestamp::now().as_microsecond())
}

/// Makes a topic; one that exists is left as it is.
pub(crate) fn create(topic: &str) {
    let admin: AdminClient<DefaultClientContext> = client().create().unwrap();
    let topics = [NewTopic::new(topic, PARTITIONS, TopicReplication::Fixed(1))];
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for made in runtime.block_on(admin.create_topics(&topics, &AdminOptions::new())).unwrap() {
        assert!(matches!(made, Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists))), "{made:?}");
    }
    // It may take a moment until every partition has a leader.
    let consumer: BaseConsumer = client().create().unwrap();
    while consumer.fetch_watermarks(topic, PARTITIONS - 1, PATIENCE).is_err() {}
}

/// How many records a topic has.
pub(crate) fn records(topic: &str) -> i64 {
    let consumer: BaseConsumer = client().create().unwrap();
    let ends = |partition| consumer.fetch_watermarks(topic, partition, PATIENCE).unwrap().1;
    (0..PARTITIONS).map(ends).sum()
}

/// Sends standard events, and writes down when each was sent.
pub(crate) struct Sender {
    producer: ThreadedProducer<DefaultProducerContext>,
    traffic: Traffic,
    topic: String,
    sent: i64,
}

impl Sender {
    pub(crate) fn to(topic: &str) -> Self {
        let mut config = client();
        config.set("enable.idempotence", "true").set("linger.ms", "5").set("compression.type", "lz4");
        Self { producer: config.create().unwrap(), traffic: Traffic::new(1), topic: topic.to_owned(), sent: 0 }
    }

    /// Sends one; they go to each partition in turn, so that the n-th has offset n / partitions.
    pub(crate) fn send(&mut self) {
        let now = EventTime::from_millis(jiff::Timestamp::now().as_millisecond());
        let event = self.traffic.make(Kind::Signed, now);
        self.send_value(&event.value, now.millis());
    }

    /// Sends one of this value and time, likewise.
    pub(crate) fn send_value(&mut self, value: &[u8], timestamp: i64) {
        let partition = i32::try_from(self.sent % i64::from(PARTITIONS)).unwrap();
        let record = BaseRecord::<[u8], [u8]>::to(&self.topic).partition(partition).payload(value);
        let mut record = record.timestamp(timestamp);
        while let Err((error, back)) = self.producer.send(record) {
            assert_eq!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull));
            std::thread::park_timeout(Duration::from_millis(1));
            record = back;
        }
        self.sent += 1;
    }

    pub(crate) fn flush(&self) {
        use rdkafka::producer::Producer as _;
        self.producer.flush(PATIENCE).unwrap();
    }
}

/// A group seen from outside.
pub(crate) struct Group(BaseConsumer, String);

impl Group {
    pub(crate) fn of(group: &str, topic: &str) -> Self {
        Self(client().set("group.id", group).create().unwrap(), topic.to_owned())
    }

    /// How many records it has committed.
    pub(crate) fn committed(&self) -> i64 {
        self.offsets().iter().sum()
    }

    /// How many it has committed of each partition.
    pub(crate) fn offsets(&self) -> Vec<i64> {
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_range(&self.1, 0, PARTITIONS - 1);
        let found = self.0.committed_offsets(partitions, PATIENCE).unwrap();
        let offset = |offset| if let Offset::Offset(offset) = offset { offset } else { 0 };
        found.elements().iter().map(|found| offset(found.offset())).collect()
    }
}
