//! Sends made-up traffic at a steady rate, from a thread of its own: for `dev` and `traffic`.
//!
//! The embedded broker of `dev` keeps a few megabytes a partition and then forgets. So a feed can be told never to run far ahead
//! of the verdicts, whatever rate was asked for.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args;
use rdkafka::{
    ClientContext,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode},
    message::{DeliveryResult, Header, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, Producer, ProducerContext},
};

use crate::{
    config::{ClientRole, Config},
    domain::EventTime,
    source::kafka::{Complaints, lacking},
    traffic::{Event, Traffic},
};

/// The longest wait before it is looked whether there is something to do.
const NAP: Duration = Duration::from_millis(20);
/// How long the last events may take to arrive where somebody waits for the end.
const FLUSH: Duration = Duration::from_secs(10);
/// How much longer than an event may take to arrive its report may take to be heard.
const LATE: Duration = Duration::from_secs(2);

/// What is sent, as it is asked for on the command line.
#[derive(Debug, Args)]
pub(super) struct FeedOptions {
    /// Events a second
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) rate: u32,

    /// End after this many events, with a summary
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) events: Option<u64>,

    /// Where the traffic begins: the same seed makes the same events
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl FeedOptions {
    /// The plan of that.
    pub(super) fn plan(&self) -> Plan {
        Plan { rate: self.rate, events: self.events, seed: self.seed, ahead: None }
    }
}

/// What is sent.
pub(super) struct Plan {
    /// Events a second; at least one.
    pub(super) rate: u32,
    /// How many in all; without end where absent.
    pub(super) events: Option<u64>,
    /// Where the traffic begins.
    pub(super) seed: u64,
    /// The most events without a verdict, for whoever says what was [`seen`](Feed::seen).
    pub(super) ahead: Option<u64>,
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
    arrived: AtomicU64,
    fault: OnceLock<KafkaError>,
    complaints: Complaints,
}

/// Is told by the producer what became of each event.
struct Deliveries(Arc<Progress>);

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        if level as i32 <= RDKafkaLogLevel::Warning as i32 {
            tracing::warn!(target: "librdkafka", facility, "{message}");
        } else {
            tracing::debug!(target: "librdkafka", facility, "{message}");
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.complaints.hear(&error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _: ()) {
        match result {
            Ok(_) => _ = self.0.arrived.fetch_add(1, Relaxed),
            // The first is told; those after it are its echo.
            Err((error, _)) => _ = self.0.fault.set(error.clone()),
        }
    }
}

impl Feed {
    /// Starts sending.
    pub(super) fn start(config: &Config, plan: Plan) -> anyhow::Result<Self> {
        let progress = Arc::<Progress>::default();
        let mut client = config.kafka.client(ClientRole::Producer);
        client.set("linger.ms", "1").set("message.timeout.ms", config.worker.message_timeout_ms.to_string());
        let producer = client.create_with_context(Deliveries(Arc::clone(&progress)));
        let producer = producer.context("no producer for the traffic")?;
        let topic = config.kafka.input.topics.first().cloned().context("no topic to send to")?;
        let patience = Duration::from_millis(config.worker.message_timeout_ms) + LATE;
        let sender = Sender { producer, topic, progress: Arc::clone(&progress), patience };
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

    /// Why the first event that did not arrive didn't.
    pub(super) fn fault(&self) -> Option<String> {
        let fault = self.progress.fault.get()?;
        let told = match fault.rdkafka_error_code() {
            Some(
                RDKafkaErrorCode::MessageTimedOut | RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight,
            ) => self.progress.complaints.last().map(|complaint| complaint.to_string()),
            Some(code) => Some(format!("{fault}{}", lacking(code))),
            None => None,
        };
        Some(told.unwrap_or_else(|| fault.to_string()))
    }

    /// Sends no more, waits for what is on its way, and says how many events arrived.
    pub(super) fn end(&mut self) -> u64 {
        self.progress.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the panic hook.
            _ = thread.join();
        }
        self.progress.arrived.load(Relaxed)
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.end();
    }
}

struct Sender {
    producer: BaseProducer<Deliveries>,
    topic: String,
    progress: Arc<Progress>,
    /// How long the last events may take.
    patience: Duration,
}

impl Sender {
    fn run(&self, plan: &Plan) {
        let (mut traffic, began) = (Traffic::new(plan.seed), Instant::now());
        for sent in 0..plan.events.unwrap_or(u64::MAX) {
            self.wait(began + due(sent, plan.rate), plan.ahead.map(|ahead| sent.saturating_sub(ahead)));
            if self.stopped() {
                break;
            }
            let now = EventTime::from_millis(jiff::Timestamp::now().as_millisecond());
            if let Err(error) = self.send(&traffic.next(now)) {
                tracing::error!(%error, "the traffic has ended");
                _ = self.progress.fault.set(error);
                break;
            }
        }
        // An event that did not arrive is told by `fault`, or missed by the view of `dev`.
        let patience = if self.stopped() { self.patience.min(FLUSH) } else { self.patience };
        let _ = self.producer.flush(patience);
        self.progress.done.store(true, Relaxed);
    }

    /// Waits for the time of the next event, and until at least `behind` verdicts were seen.
    fn wait(&self, due: Instant, behind: Option<u64>) {
        loop {
            let left = due.saturating_duration_since(Instant::now());
            let far_ahead = behind.is_some_and(|behind| behind > self.progress.seen.load(Relaxed));
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
