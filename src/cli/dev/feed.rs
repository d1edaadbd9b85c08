//! Sends made-up traffic at a steady rate, from a thread of its own.
//!
//! The embedded broker keeps a few megabytes a partition and then forgets. So the feed never runs far ahead of the verdicts,
//! whatever rate was asked for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, Producer},
};

use crate::{
    config::{ClientRole, Config},
    domain::EventTime,
    traffic::{Event, Traffic},
};

/// The most events without a verdict.
const AHEAD: u64 = 2_000;
/// The longest wait before it is looked whether there is something to do.
const NAP: Duration = Duration::from_millis(20);
/// How long the last events may take to reach the broker.
const FLUSH: Duration = Duration::from_secs(10);

/// What is sent.
pub(super) struct Plan {
    /// Events a second; at least one.
    pub(super) rate: u32,
    /// How many in all; without end where absent.
    pub(super) events: Option<u64>,
    /// Where the traffic begins.
    pub(super) seed: u64,
}

/// A running feed. It ends with its plan, or when this is dropped: before the broker, which it would look for.
pub(super) struct Feed {
    progress: Arc<Progress>,
    thread: Option<thread::JoinHandle<()>>,
}

#[derive(Default)]
struct Progress {
    stop: AtomicBool,
    done: AtomicBool,
    seen: AtomicU64,
}

impl Feed {
    /// Starts sending.
    pub(super) fn start(config: &Config, plan: Plan) -> anyhow::Result<Self> {
        let mut client = config.kafka.client(ClientRole::Producer);
        let producer: BaseProducer = client.set("linger.ms", "1").create().context("no producer for the traffic")?;
        let topic = config.kafka.input.topics.first().cloned().context("no topic to send to")?;
        let progress = Arc::<Progress>::default();
        let sender = Sender { producer, topic, progress: Arc::clone(&progress) };
        let run = move || sender.run(&plan);
        let thread = thread::Builder::new().name("traffic".to_owned()).spawn(run).context("no thread")?;
        Ok(Self { progress, thread: Some(thread) })
    }

    /// Says how many verdicts have come.
    pub(super) fn seen(&self, verdicts: u64) {
        self.progress.seen.store(verdicts, Relaxed);
    }

    /// Whether everything has been sent.
    pub(super) fn done(&self) -> bool {
        self.progress.done.load(Relaxed)
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.progress.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the panic hook.
            _ = thread.join();
        }
    }
}

struct Sender {
    producer: BaseProducer,
    topic: String,
    progress: Arc<Progress>,
}

impl Sender {
    fn run(&self, plan: &Plan) {
        let (mut traffic, began) = (Traffic::new(plan.seed), Instant::now());
        for sent in 0..plan.events.unwrap_or(u64::MAX) {
            self.wait(began + due(sent, plan.rate), sent);
            if self.stopped() {
                return;
            }
            let now = EventTime::from_millis(jiff::Timestamp::now().as_millisecond());
            if let Err(error) = self.send(&traffic.next(now)) {
                tracing::error!(%error, "the traffic has ended");
                return;
            }
        }
        // An event that did not arrive is missed by the view, which says so.
        let _ = self.producer.flush(FLUSH);
        self.progress.done.store(true, Relaxed);
    }

    /// Waits for the time of the next event, and for the verdicts to catch up.
    fn wait(&self, due: Instant, sent: u64) {
        loop {
            let left = due.saturating_duration_since(Instant::now());
            let far_ahead = sent.saturating_sub(self.progress.seen.load(Relaxed)) >= AHEAD;
            if left.is_zero() && !far_ahead || self.stopped() {
                return;
            }
            self.producer.poll(if far_ahead { NAP } else { left.min(NAP) });
        }
    }

    fn stopped(&self) -> bool {
        self.progress.stop.load(Relaxed)
    }

    fn send(&self, event: &Event) -> Result<(), KafkaError> {
        let mut headers = OwnedHeaders::new();
        if let Some(event_type) = event.event_type {
            headers = headers.insert(Header { key: "ce_type", value: Some(event_type) });
        }
        let record = BaseRecord::<str, [u8]>::to(&self.topic).key(&event.key).payload(&event.value);
        let mut record = record.headers(headers);
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => record = back,
                Err((error, _)) => return Err(error),
            }
            self.producer.poll(NAP);
        }
    }
}

/// When an event is due, counted from the first.
fn due(number: u64, rate: u32) -> Duration {
    Duration::from_nanos(number.saturating_mul(1_000_000_000) / u64::from(rate))
}
