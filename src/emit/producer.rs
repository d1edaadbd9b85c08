//! The producer of one shard (I/O): takes records over from the encoder and hands them to librdkafka, which copies them,
//! batches, compresses and sends them from threads of its own. It is polled by the thread that owns it; what librdkafka reports there
//! is written down in the [`Context`].
//!
//! Timestamps are left to the moment of sending: an event's own time is the sender's, and must decide neither how long a verdict
//! is kept nor whether the broker accepts it. It is in `ce_time` and in the value. The partitioner is the Java client's
//! murmur2, so that any client finds a key in the same partition.

use std::{
    ffi::CString,
    ops::Deref,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use rdkafka::{
    ClientConfig, ClientContext, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::ConsumerGroupMetadata,
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    message::DeliveryResult,
    producer::{BaseProducer, Producer as _, ProducerContext},
};

use super::{Channel, Output};
use crate::native::{self, CallError, HeaderList, Outgoing, Topic};

/// By how much a call may be late.
const LATE: Duration = Duration::from_secs(1);

/// The most bytes of a batch: librdkafka's own default.
const BATCH_BYTES: usize = 1_000_000;

/// What is asked of a producer beyond what the operator passes through.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// The client's name in logs and in the broker's view.
    pub(crate) client: String,
    /// The transactional id; without one the producer is idempotent only.
    pub(crate) transactional: Option<String>,
    /// The most bytes of one record.
    pub(crate) max_bytes: usize,
    /// How long one record's delivery is tried.
    pub(crate) message_timeout: Duration,
    /// How long the broker leaves a transaction open.
    pub(crate) transaction_timeout: Duration,
}

/// The properties of a producer, `passed` being the operator's: defaults that they can override, and on top those without
/// which exactly-once or the order of keys would not hold.
pub(crate) fn properties(identity: &Identity, passed: &ClientConfig) -> ClientConfig {
    let mut config = passed.clone();
    for (name, value) in defaults(identity) {
        if passed.get(name).is_none() {
            config.set(name, value);
        }
    }
    // librdkafka fills a batch up to this, and doesn't part one that the topic refuses for its size: it would be refused for ever.
    // What isn't a number is librdkafka's to refuse.
    if let Ok(size) = passed.get("batch.size").map_or(Ok(BATCH_BYTES), |size| size.trim().parse()) {
        config.set("batch.size", size.min(identity.max_bytes).to_string());
    }
    config
        .set("client.id", &identity.client)
        .set("enable.idempotence", "true")
        .set("partitioner", "murmur2_random")
        .set("message.timeout.ms", identity.message_timeout.as_millis().to_string())
        // Delivered records are counted by librdkafka itself; a report for each would be the dearest part of sending.
        .set("delivery.report.only.error", "true");
    if let Some(id) = &identity.transactional {
        config.set("transactional.id", id);
        config.set("transaction.timeout.ms", identity.transaction_timeout.as_millis().to_string());
    }
    native::hear_warnings(&mut config);
    config
}

fn defaults(identity: &Identity) -> [(&'static str, String); 5] {
    [
        ("compression.type", "lz4".to_owned()),
        // A commit sends at once what waits, and a full batch doesn't wait either. Longer than the interval between commits: an
        // idempotent producer of librdkafka has one request at a time on its way to a partition, and polls without a pause
        // while records whose time is up wait for the one before. librdkafka refuses what isn't below the timeout.
        ("linger.ms", (identity.message_timeout.as_millis() / 2).to_string()),
        // Room for what Kafka adds to a record; with a limit of a million bytes still within the broker's default.
        ("message.max.bytes", (identity.max_bytes + 40_000).to_string()),
        // Bounds the memory of what is in flight; a full queue makes the loop wait. The largest record has to fit in.
        ("queue.buffering.max.kbytes", (identity.max_bytes / 512).max(32_768).to_string()),
        ("reconnect.backoff.max.ms", "2000".to_owned()),
    ]
}

/// The names of both channels' topics, as librdkafka takes them.
pub(crate) struct Topics {
    accepted: CString,
    rejected: CString,
}

impl Topics {
    /// Fails on a name with U+0000, which no topic can have.
    pub(crate) fn new(accepted: &str, rejected: &str) -> KafkaResult<Self> {
        Ok(Self { accepted: CString::new(accepted)?, rejected: CString::new(rejected)? })
    }
}

/// A producer to the topics of both channels.
pub(crate) struct Producer {
    client: Arc<BaseProducer<Context>>,
    accepted: Topic<Context>,
    rejected: Topic<Context>,
}

impl Producer {
    /// One that has sent nothing yet.
    pub(crate) fn new(config: &ClientConfig, topics: &Topics) -> KafkaResult<Self> {
        let client = Arc::new(config.create_with_context(Context::default())?);
        let topic = |name| Topic::new(Arc::clone(&client), name).map_err(KafkaError::MessageProduction);
        Ok(Self { accepted: topic(&topics.accepted)?, rejected: topic(&topics.rejected)?, client })
    }

    /// Waits until a broker answers, at most so long. A transactional producer asks for its coordinator the moment it is to be
    /// initialized, and where no broker is connected by then, not again for half a second.
    pub(crate) fn connect(&self, topics: &Topics, timeout: Duration) {
        // What keeps a broker from answering is told by the call that needs one.
        let _ = self.client.client().fetch_metadata(topics.accepted.to_str().ok(), timeout);
    }

    /// Adds offsets of a group to the transaction, which librdkafka tries for `timeout`. It may never come back (its issues 5456 and
    /// 5511): while the group has no coordinator, as where a broker is restarted, it asks for it three times and then waits for
    /// an answer that nobody sends. Then the call is lost a little later, and nothing must be called on this producer any more.
    pub(crate) fn send_offsets(
        &self,
        offsets: &TopicPartitionList,
        member: &Arc<ConsumerGroupMetadata>,
        timeout: Duration,
    ) -> Result<(), CallError> {
        let (client, offsets, member) = (Arc::clone(&self.client), offsets.clone(), Arc::clone(member));
        let send = move || client.send_offsets_to_transaction(&offsets, &member, timeout);
        match native::within(timeout + LATE, send) {
            Some(sent) => sent.map_err(CallError::from),
            None => Err(CallError::unanswered()),
        }
    }

    /// Sends one record. While librdkafka's queue is full what waits in it is sent at once and the record offered again: the queue
    /// empties as records are delivered or, at the latest after the message timeout, given up.
    pub(crate) fn send(&self, output: &Output<'_>) -> Result<(), RDKafkaErrorCode> {
        let topic = match output.channel {
            Channel::Accepted => &self.accepted,
            Channel::Rejected => &self.rejected,
        };
        let record = Outgoing { key: output.key, value: output.value };
        let mut headers = HeaderList::of(output.headers.iter());
        loop {
            match topic.send(record, headers) {
                Ok(()) => return Ok(()),
                Err((RDKafkaErrorCode::QueueFull, back)) => headers = back,
                Err((code, _)) => return Err(code),
            }
            // Otherwise it would wait for its time to be up, or for a batch to be full.
            native::flush(&self.client, Duration::from_millis(1));
            self.poll(Duration::ZERO);
        }
    }
}

/// All else is librdkafka's own.
impl Deref for Producer {
    type Target = BaseProducer<Context>;

    fn deref(&self) -> &Self::Target {
        &self.client
    }
}

/// What was reported to one producer.
#[derive(Default)]
pub(crate) struct Context {
    log: native::Log,
    failed: AtomicBool,
    first_failure: Mutex<Option<RDKafkaErrorCode>>,
}

impl Context {
    /// Whether the delivery of any record failed since this was last asked.
    pub(crate) fn take_failure(&self) -> Option<RDKafkaErrorCode> {
        if !self.failed.swap(false, Relaxed) {
            return None;
        }
        self.first_failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// See [`native::Log::misled`].
    pub(crate) fn misled(&self) -> bool {
        self.log.misled()
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.log.pass_on(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "the producer reports an error");
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let Err((error, _)) = result else { return };
        let purged = [RDKafkaErrorCode::PurgeQueue, RDKafkaErrorCode::PurgeInflight];
        let Some(code) = error.rdkafka_error_code().filter(|code| !purged.contains(code)) else { return };
        self.first_failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(code);
        self.failed.store(true, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch_size(given: Option<&str>, max_bytes: usize) -> Option<String> {
        let second = Duration::from_secs(1);
        let identity = Identity {
            client: "c".to_owned(),
            transactional: None,
            max_bytes,
            message_timeout: second,
            transaction_timeout: second,
        };
        let mut passed = ClientConfig::new();
        if let Some(given) = given {
            passed.set("batch.size", given);
        }
        properties(&identity, &passed).get("batch.size").map(str::to_owned)
    }

    #[test]
    fn no_batch_is_larger_than_a_record_may_be() {
        assert_eq!(batch_size(None, 2_000_000).as_deref(), Some("1000000"));
        assert_eq!(batch_size(None, 96_000).as_deref(), Some("96000"));
        assert_eq!(batch_size(Some(" 500000 "), 96_000).as_deref(), Some("96000"));
        assert_eq!(batch_size(Some("5000"), 96_000).as_deref(), Some("5000"));
        assert_eq!(batch_size(Some("much"), 96_000).as_deref(), Some("much"));
    }
}
