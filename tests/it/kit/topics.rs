//! The topics and the group of one test, named after it and never used again.

use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer as _},
};

use super::{SOON, eventually};

/// As many replicas as the cluster is told to have (KIP-464).
const BY_DEFAULT: i32 = -1;

/// Where one test's records go.
#[derive(Clone)]
pub(crate) struct Topics {
    pub(crate) brokers: String,
    pub(crate) input: String,
    pub(crate) accepted: String,
    pub(crate) rejected: String,
    pub(crate) group: String,
    pub(crate) partitions: i32,
}

impl Topics {
    /// Makes them, each with so many partitions.
    pub(crate) fn create(brokers: &str, test: &str, partitions: i32) -> Self {
        Self::create_with(brokers, test, partitions, &[])
    }

    /// Makes them, the outputs with these settings.
    pub(crate) fn create_with(brokers: &str, test: &str, partitions: i32, outputs: &[(&str, &str)]) -> Self {
        let topics = Self::named(brokers, test, partitions);
        topics.add(&topics.input, &[]);
        topics.add(&topics.accepted, outputs);
        topics.add(&topics.rejected, outputs);
        topics
    }

    /// Makes one more topic.
    pub(crate) fn add(&self, name: &str, settings: &[(&str, &str)]) {
        let new = NewTopic::new(name, self.partitions, TopicReplication::Fixed(BY_DEFAULT));
        let new = settings.iter().fold(new, |topic, (key, value)| topic.set(key, value));
        let made = block_on(self.admin().create_topics([&new], &AdminOptions::new())).unwrap();
        made.into_iter().for_each(|topic| _ = topic.unwrap());
        self.told(name, self.partitions);
    }

    /// Waits until clients are told of so many partitions: a broker knows of a topic a moment after the controller that made it.
    pub(crate) fn told(&self, name: &str, partitions: i32) {
        let consumer: BaseConsumer = self.client().create().unwrap();
        eventually(&format!("clients are told of {name}"), SOON, || {
            let told = consumer.fetch_metadata(Some(name), SOON).unwrap();
            told.topics()[0].partitions().len() == usize::try_from(partitions).unwrap()
        });
    }

    /// Adds partitions to the input, until there are so many; the topics as they are then.
    pub(crate) fn grow(&self, partitions: i32) -> Self {
        let new = NewPartitions::new(&self.input, partitions.try_into().unwrap());
        let made = block_on(self.admin().create_partitions([&new], &AdminOptions::new())).unwrap();
        made.into_iter().for_each(|topic| _ = topic.unwrap());
        self.told(&self.input, partitions);
        Self { partitions, ..self.clone() }
    }

    /// Deletes the records of the input before these offsets, as retention does.
    pub(crate) fn delete_before(&self, offsets: &[(i32, i64)]) {
        let mut all = TopicPartitionList::new();
        for (partition, offset) in offsets {
            all.add_partition_offset(&self.input, *partition, Offset::Offset(*offset)).unwrap();
        }
        let options = AdminOptions::new().operation_timeout(Some(SOON));
        let deleted = block_on(self.admin().delete_records(&all, &options)).unwrap();
        deleted.elements().iter().for_each(|one| one.error().unwrap());
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        self.client().create().unwrap()
    }

    /// Names alone, for a cluster that makes topics by itself.
    pub(crate) fn named(brokers: &str, test: &str, partitions: i32) -> Self {
        let now = jiff::Timestamp::now().as_microsecond();
        let name = |part: &str| format!("it-{test}-{now:x}.{part}");
        Self {
            brokers: brokers.to_owned(),
            input: name("events"),
            accepted: name("accepted"),
            rejected: name("rejected"),
            group: name("group"),
            partitions,
        }
    }

    /// What every client of this test needs.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        config
    }
}

/// Runs a future of the admin client to its end.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
