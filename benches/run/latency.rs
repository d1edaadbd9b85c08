//! From an event being due to its verdict being visible to readers of committed records.
//!
//! The sender keeps to a schedule, and an event's time counts from when it was **due**, not from when it was sent: where the sender is
//! held up, by the client, the broker or the scheduler, the wait of all events that were due meanwhile is in the figures. That is the
//! correction for coordinated omission that loses nothing; none has to be made up afterwards.
//!
//! The highest rate is what the same sender, broker, worker and reader carry together when the sender keeps a window of events in flight: over
//! a backlog a worker alone is faster, for nobody sends or reads beside it.

use std::{
    fmt::Write as _,
    process::ExitCode,
    sync::atomic::{
        AtomicI64,
        Ordering::{Acquire, Relaxed, Release},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use attrsync::domain::verdict::Outcome;
use hdrhistogram::Histogram;
use rdkafka::{Message as _, consumer::BaseConsumer, error::KafkaError};

use crate::{
    check::{header, position},
    cluster::{self, PATIENCE, Sender},
    document,
    events::{self, Events as _, Repeated},
    input::number,
    machine::Machine,
    peers::mixes::{Maker, Mix},
    print, progress,
    worker::Running,
};

/// The first seconds are left out: processes start, groups form.
const WARM_UP: Duration = Duration::from_secs(5);
/// Events that are made before anything is measured.
const DIFFERENT: i64 = 20_000;
/// What is in flight where the highest rate is looked for: half a second's worth and more.
const IN_FLIGHT: i64 = 100_000;
/// How long that is looked for.
const SEARCH: Duration = Duration::from_secs(15);
/// The longest time that is told from longer ones.
const MOST: Duration = Duration::from_secs(600);

/// What can be asked of it.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Events a second, one run each.
    #[arg(default_values_t = [1_000, 20_000], value_name = "PER_SECOND", value_parser = clap::value_parser!(i64).range(1..))]
    rates: Vec<i64>,
    /// Then so many percent of the highest rate; 0: not.
    #[arg(long, default_value_t = 80, value_parser = clap::value_parser!(i64).range(0..=100))]
    share: i64,
    /// The highest rate, where it need not be looked for.
    #[arg(long, value_name = "PER_SECOND")]
    highest: Option<i64>,
    /// Seconds of each run; the first five are left out.
    #[arg(long, default_value_t = 40)]
    seconds: u64,
    /// Writes no document.
    #[arg(long)]
    no_write: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { rates: vec![20_000], share: 0, highest: None, seconds: 60, no_write: true }
    }
}

/// What was measured at one rate.
struct Measured {
    about: String,
    latency: Histogram<u64>,
    /// The most that the sender was behind its schedule.
    sender_late: Duration,
    per_second: f64,
}

/// Measures at each rate, and tells it.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let machine = Machine::look();
    let events = Repeated::new(Maker::new(Mix::Hs256), DIFFERENT);
    let mut failed = 0;
    let mut all = Vec::new();
    let mut runs: Vec<_> = options.rates.iter().map(|rate| (*rate, format!("{rate}"))).collect();
    if options.share > 0 {
        let highest = match options.highest {
            Some(told) => told,
            None => highest(&events)?,
        };
        let rate = (highest * options.share / 100).max(1);
        runs.push((rate, format!("{rate}, {} % of the highest, {highest}", options.share)));
    }
    for (rate, about) in runs {
        let pace = Pace::Schedule { per_second: rate, events: rate * i64::try_from(options.seconds)? };
        match measure(&events, pace) {
            Ok(measured) => {
                let measured = Measured { about, ..measured };
                progress(&measured.told());
                all.push(measured);
            }
            Err(error) => {
                progress(&format!("{rate} events/s: FAILED: {error:#}"));
                failed += 1;
            }
        }
    }
    let text = table(&all, &machine, options);
    print(&text);
    if !options.no_write && failed == 0 {
        document::write("latency", &text)?;
        progress("docs/BENCHMARKS.md has it now");
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn highest(events: &Repeated<Maker>) -> anyhow::Result<i64> {
    let measured = measure(events, Pace::InFlight).context("looking for the highest rate")?;
    progress(&format!("highest rate: {:.0} events/s with sender and reader beside the worker", measured.per_second));
    Ok(measured.per_second as i64)
}

fn table(all: &[Measured], machine: &Machine, options: &Options) -> String {
    let mut text = format!(
        "{}.\n{} s each, the first {} left out; milliseconds.\n\n| events/s | p50 | p99 | p99.9 | most | the sender behind its schedule, at most |\n|---|---|---|---|---|---|\n",
        machine.told(),
        options.seconds,
        WARM_UP.as_secs(),
    );
    for Measured { about, latency, sender_late, .. } in all {
        let at = |quantile| millis(latency.value_at_quantile(quantile));
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "| {about} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} |",
            at(0.5),
            at(0.99),
            at(0.999),
            millis(latency.max()),
            sender_late.as_secs_f64() * 1e3,
        );
    }
    text
}

fn millis(micros: u64) -> f64 {
    micros as f64 / 1e3
}

impl Measured {
    fn told(&self) -> String {
        let at = |quantile| millis(self.latency.value_at_quantile(quantile));
        format!(
            "{} events/s: p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms, at most {:.1} ms; {:.0} verdicts/s seen; the sender was {:.1} ms late at most",
            self.about,
            at(0.5),
            at(0.99),
            at(0.999),
            millis(self.latency.max()),
            self.per_second,
            self.sender_late.as_secs_f64() * 1e3,
        )
    }
}

/// When events are sent.
#[derive(Clone, Copy)]
enum Pace {
    /// So many a second, so many in all.
    Schedule { per_second: i64, events: i64 },
    /// As fast as verdicts come back, for a time.
    InFlight,
}

impl Pace {
    /// When the n-th event is due.
    fn due(per_second: i64, number: i64) -> Duration {
        Duration::from_secs_f64(number as f64 / per_second as f64)
    }

    /// How many events should have been sent by now; none: no more are to be.
    fn wanted(self, elapsed: Duration, seen: i64, sent: i64) -> Option<i64> {
        match self {
            Self::Schedule { events, .. } if sent >= events => None,
            Self::Schedule { per_second, events } => {
                Some(((elapsed.as_secs_f64() * per_second as f64) as i64 + 1).min(events))
            }
            Self::InFlight if elapsed >= SEARCH => None,
            Self::InFlight => Some(seen + IN_FLIGHT),
        }
    }
}

/// What sender and reader tell each other.
#[derive(Default)]
struct Shared {
    seen: AtomicI64,
    /// How many there will be, once the sender is done.
    total: AtomicI64,
}

fn measure(events: &Repeated<Maker>, pace: Pace) -> anyhow::Result<Measured> {
    let input = cluster::fresh("stream");
    cluster::create(&input)?;
    let settings = tempfile::NamedTempFile::with_suffix(".toml")?;
    std::fs::write(&settings, events.settings())?;
    let mut worker = Running::attrsync(&input, settings.path(), &[])?;
    let shared = Shared { total: AtomicI64::new(i64::MAX), ..Shared::default() };
    let begun = Instant::now();
    let (sender_late, read) = std::thread::scope(|scope| {
        let sending = scope.spawn(|| send(events, &input, pace, &shared, begun));
        let read = Reader { worker: &mut worker, input: &input, events, shared: &shared, begun }.read(pace);
        // So that a sender that waits for verdicts ends, too.
        shared.seen.store(i64::MAX / 2, Release);
        (sending.join(), read)
    });
    let stopped = worker.stop();
    worker.topics.delete();
    let deleted = cluster::delete(&[&input]);
    // What the sender says of itself explains what the reader missed.
    let sender_late = sender_late.map_err(|_| anyhow::anyhow!("the sender panicked"))?.context("the sender")?;
    let (latency, per_second) = read?;
    stopped.and(deleted)?;
    Ok(Measured { about: String::new(), latency, sender_late, per_second })
}

/// Sends what is due, looks again after a millisecond; says how late it was at most.
fn send(
    events: &Repeated<Maker>,
    input: &str,
    pace: Pace,
    shared: &Shared,
    begun: Instant,
) -> anyhow::Result<Duration> {
    let (mut sender, mut sent, mut late) = (Sender::to(input)?, 0, Duration::ZERO);
    while let Some(wanted) = pace.wanted(begun.elapsed(), shared.seen.load(Acquire), sent) {
        while sent < wanted && shared.seen.load(Relaxed) <= sent {
            sender.send(events.value(sent), events::time_ms(sent))?;
            if let (Pace::Schedule { per_second, .. }, elapsed) = (pace, begun.elapsed())
                && elapsed > WARM_UP
            {
                late = late.max(elapsed.saturating_sub(Pace::due(per_second, sent)));
            }
            sent += 1;
        }
        if shared.seen.load(Relaxed) > sent {
            break;
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
    sender.flush()?;
    shared.total.store(sent, Release);
    Ok(late)
}

struct Reader<'r> {
    worker: &'r mut Running,
    input: &'r str,
    events: &'r Repeated<Maker>,
    shared: &'r Shared,
    begun: Instant,
}

impl Reader<'_> {
    /// Reads all verdicts; the time that each took, and how many were seen a second after the warm-up.
    fn read(mut self, pace: Pace) -> anyhow::Result<(Histogram<u64>, f64)> {
        let topics = [self.worker.topics.accepted.clone(), self.worker.topics.rejected.clone()];
        let consumer = cluster::reader(&[&topics[0], &topics[1]], 100_000)?;
        let mut latency = Histogram::new_with_bounds(1, u64::try_from(MOST.as_micros())?, 3)?;
        let (mut seen, mut from, mut last) = (0, (Duration::ZERO, 0), Instant::now());
        while seen < self.shared.total.load(Acquire) {
            let Some(number) = self.next(&consumer, &topics[0], last)? else { continue };
            last = Instant::now();
            let at = last - self.begun;
            seen += 1;
            self.shared.seen.store(seen, Release);
            if at < WARM_UP {
                from = (at, seen);
            }
            if let Pace::Schedule { per_second, .. } = pace {
                let due = Pace::due(per_second, number);
                if due > WARM_UP {
                    latency.saturating_record(u64::try_from(at.saturating_sub(due).as_micros())?);
                }
            }
        }
        Ok((latency, (seen - from.1) as f64 / (self.begun.elapsed() - from.0).as_secs_f64()))
    }

    /// The number of the next event whose verdict is there. One with two records counts by its first.
    fn next(&mut self, consumer: &BaseConsumer, accepted: &str, last: Instant) -> anyhow::Result<Option<i64>> {
        let message = match consumer.poll(Duration::from_millis(100)) {
            None | Some(Err(KafkaError::PartitionEOF(_))) => {
                self.worker.still_runs()?;
                anyhow::ensure!(last.elapsed() < PATIENCE, "no verdict came for {} s", PATIENCE.as_secs());
                return Ok(None);
            }
            Some(message) => message?,
        };
        let id = header(&message, "ce_id").context("no ce_id")?;
        let (partition, offset) = position(id, self.input).with_context(|| format!("ce_id {id:?}"))?;
        let number = number(partition, offset);
        let first = message.topic() == accepted || self.events.outcome(number) == Outcome::Rejected;
        Ok(first.then_some(number))
    }
}
