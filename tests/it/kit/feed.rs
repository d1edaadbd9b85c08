//! What a test sends, and what it expects of it. A fresh topic and one producer: the n-th record of a partition has offset n.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use attrsync::{
    domain::{EventTime, verdict::Outcome},
    traffic::Traffic,
};
use rdkafka::{
    Message as _,
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, OwnedHeaders},
    producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer},
};

use super::{SOON, outputs, print, topics::Topics};

/// A producer of events, and the outcome expected at each partition and offset.
pub(crate) struct Feed {
    producer: ThreadedProducer<DefaultProducerContext>,
    topic: String,
    traffic: Traffic,
    pub(crate) expected: Vec<Vec<Outcome>>,
}

/// One record to send.
#[derive(Clone, Copy)]
pub(crate) struct Input<'i> {
    pub(crate) value: Option<&'i [u8]>,
    pub(crate) headers: &'i [(&'i str, &'i [u8])],
    /// What has to become of it.
    pub(crate) outcome: Outcome,
}

impl Feed {
    pub(crate) fn new(topics: &Topics) -> Self {
        Self::with_batches(topics, 1_000_000)
    }

    /// One that sends so many bytes at a time, before they are compressed.
    pub(crate) fn with_batches(topics: &Topics, bytes: u32) -> Self {
        let mut config = topics.client();
        config.set("enable.idempotence", "true").set("linger.ms", "5").set("compression.type", "lz4");
        config.set("batch.size", bytes.to_string());
        let partitions = usize::try_from(topics.partitions).unwrap();
        Self {
            producer: config.create().unwrap(),
            topic: topics.input.clone(),
            traffic: Traffic::new(17),
            expected: vec![Vec::new(); partitions],
        }
    }

    /// Sends so many events of the mixture, to each partition in turn.
    pub(crate) fn mixture(&mut self, events: usize) {
        for _ in 0..events {
            let now = EventTime::from_millis(jiff::Timestamp::now().as_millisecond());
            let event = self.traffic.next(now);
            let partition = (0..self.expected.len()).min_by_key(|at| self.expected[*at].len()).unwrap();
            let header = event.event_type.map(|name| ("ce_type", name.as_bytes()));
            self.send(
                partition,
                Input { value: Some(&event.value), headers: header.as_slice(), outcome: event.outcome },
            );
        }
    }

    /// Sends so many events of the mixture a second, for as long as `more` of how many were sent; all of them are there then.
    pub(crate) fn steady(topics: &Topics, rate: usize, more: impl Fn(usize) -> bool) -> Self {
        let mut feed = Self::new(topics);
        let begun = Instant::now();
        while more(feed.len()) {
            feed.mixture(rate / 60);
            let due = Duration::from_secs_f64(feed.len() as f64 / rate as f64);
            std::thread::park_timeout(due.saturating_sub(begun.elapsed()));
        }
        feed.flush();
        feed
    }

    /// Sends one record. Its key is its number in its partition, which is its offset, see [`Self::kept`].
    pub(crate) fn send(&mut self, partition: usize, input: Input<'_>) {
        let number = self.expected[partition].len().to_string();
        self.expected[partition].push(input.outcome);
        let headers = input.headers.iter().map(|(key, value)| Header { key, value: Some(*value) });
        let mut record = BaseRecord::<[u8], [u8]>::to(&self.topic).partition(partition.try_into().unwrap());
        record.key = Some(number.as_bytes());
        record.payload = input.value;
        record.headers = Some(headers.fold(OwnedHeaders::new(), OwnedHeaders::insert));
        while let Err((error, back)) = self.producer.send(record) {
            assert_eq!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull));
            std::thread::park_timeout(Duration::from_millis(5));
            record = back;
        }
    }

    /// Waits until everything is there.
    pub(crate) fn flush(&self) {
        self.producer.flush(SOON).unwrap();
    }

    /// Takes what has to become of each offset from what the topic keeps, once brokers came and went: where leaders move, even an
    /// idempotent producer of librdkafka may send a record twice (its issue 4953), and all that follow it have other offsets.
    /// None of what was sent is missing there.
    pub(crate) fn kept(mut self, topics: &Topics) -> Self {
        self.flush();
        let none = vec![Vec::new(); self.expected.len()];
        let sent = std::mem::replace(&mut self.expected, none);
        let mut missing: Vec<HashSet<usize>> = sent.iter().map(|outcomes| (0..outcomes.len()).collect()).collect();
        outputs::each(topics, &topics.input, |record| {
            let partition = usize::try_from(record.partition()).unwrap();
            let number = std::str::from_utf8(record.key().unwrap()).unwrap().parse().unwrap();
            assert_eq!(record.offset(), i64::try_from(self.expected[partition].len()).unwrap(), "offsets have no gap");
            self.expected[partition].push(sent[partition][number]);
            missing[partition].remove(&number);
        });
        assert!(missing.iter().all(HashSet::is_empty), "the feed has lost {missing:?}");
        let doubled = self.len() - sent.iter().map(Vec::len).sum::<usize>();
        if doubled > 0 {
            print(&format!("{doubled} records of the feed are there twice"));
        }
        self
    }

    /// The offset after the last record of each partition: what a group has committed that told everything.
    pub(crate) fn ends(&self) -> Vec<i64> {
        self.expected.iter().map(|outcomes| i64::try_from(outcomes.len()).unwrap()).collect()
    }

    /// How many records were sent.
    pub(crate) fn len(&self) -> usize {
        self.expected.iter().map(Vec::len).sum()
    }
}
