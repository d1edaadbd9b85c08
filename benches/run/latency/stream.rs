//! A stream of events through a worker: a thread that sends, and this one, which reads the verdicts and takes the time.

use std::{
    sync::atomic::{
        AtomicI64,
        Ordering::{Acquire, Release},
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
    events::{self, Events as _, Repeated},
    input::number,
    machine,
    peers::mixes::Maker,
    worker::Running,
};

/// The first seconds are left out: processes start, groups form.
pub(super) const WARM_UP: Duration = Duration::from_secs(5);
/// What is in flight where the highest rate is looked for: some commit intervals' worth. With more, batches are fuller than a
/// schedule's.
const IN_FLIGHT: i64 = 20_000;
/// How long that is looked for.
const SEARCH: Duration = Duration::from_secs(15);
/// The longest time that is told from longer ones.
const MOST: Duration = Duration::from_secs(600);

/// What was measured at one pace.
pub(super) struct Measured {
    /// Microseconds from due to visible.
    pub(super) latency: Histogram<u64>,
    /// The most that the sender was behind its schedule.
    pub(super) sender_late: Duration,
    /// What the machine's host took from the cores meanwhile.
    pub(super) stolen: Duration,
    /// Verdicts that were seen a second, after the warm-up and while events were sent.
    pub(super) per_second: f64,
}

/// When events are sent.
#[derive(Clone, Copy)]
pub(super) enum Pace {
    /// So many a second, so many in all.
    Schedule { per_second: i64, events: i64 },
    /// As fast as verdicts come back, for a time.
    InFlight,
}

impl Pace {
    /// When the n-th event is due, where there is a schedule.
    fn due(self, number: i64) -> Option<Duration> {
        let Self::Schedule { per_second, .. } = self else { return None };
        Some(Duration::from_secs_f64(number as f64 / per_second as f64))
    }

    /// How many events should have been sent by now.
    fn wanted(self, elapsed: Duration, seen: i64) -> i64 {
        match self {
            Self::Schedule { per_second, events } => {
                ((elapsed.as_secs_f64() * per_second as f64) as i64).saturating_add(1).min(events)
            }
            Self::InFlight => seen + IN_FLIGHT,
        }
    }

    /// Whether nothing more is to be sent.
    fn is_over(self, elapsed: Duration, sent: i64) -> bool {
        match self {
            Self::Schedule { events, .. } => sent >= events,
            Self::InFlight => elapsed >= SEARCH,
        }
    }

    /// Whether a verdict that is seen now counts for the rate: what is left when nothing more is sent is worked off faster.
    fn counts(self, elapsed: Duration) -> bool {
        match self {
            Self::Schedule { .. } => true,
            Self::InFlight => elapsed < SEARCH,
        }
    }
}

/// What sender and reader share.
struct Stream<'s> {
    events: &'s Repeated<Maker>,
    input: String,
    pace: Pace,
    begun: Instant,
    /// Verdicts so far; once the reader has ended, more than there ever were.
    seen: AtomicI64,
    /// How many there will be, once the sender is done.
    total: AtomicI64,
}

const ENDED: i64 = i64::MAX / 2;

/// Sends at a pace and reads the verdicts.
pub(super) fn measure(events: &Repeated<Maker>, pace: Pace) -> anyhow::Result<Measured> {
    let input = cluster::fresh("stream");
    cluster::create(&input)?;
    let settings = tempfile::NamedTempFile::with_suffix(".toml")?;
    std::fs::write(&settings, events.settings())?;
    let mut worker = Running::attrsync(&input, settings.path(), &[])?;
    let (seen, total) = (AtomicI64::new(0), AtomicI64::new(i64::MAX));
    let stolen = machine::stolen();
    let stream = Stream { events, input, pace, begun: Instant::now(), seen, total };
    let (sent, read) = std::thread::scope(|scope| {
        let sending = scope.spawn(|| stream.send());
        let read = stream.read(&mut worker);
        stream.seen.store(ENDED, Release);
        (sending.join(), read)
    });
    let stolen = machine::stolen().saturating_sub(stolen);
    let stopped = worker.stop();
    let deleted = cluster::delete(&[&stream.input]);
    // What the sender says of itself explains what the reader missed.
    let sender_late = sent.map_err(|_| anyhow::anyhow!("the sender panicked"))?.context("the sender")?;
    let (latency, per_second) = read?;
    stopped.and(deleted)?;
    Ok(Measured { latency, sender_late, stolen, per_second })
}

impl Stream<'_> {
    /// Sends what is due and looks again after a millisecond; says how late it was at most.
    fn send(&self) -> anyhow::Result<Duration> {
        let (mut sender, mut sent, mut late) = (Sender::to(&self.input)?, 0, Duration::ZERO);
        loop {
            let (elapsed, seen) = (self.begun.elapsed(), self.seen.load(Acquire));
            if self.pace.is_over(elapsed, sent) || seen == ENDED {
                break;
            }
            let wanted = self.pace.wanted(elapsed, seen);
            while sent < wanted {
                sender.send(self.events.value(sent), events::time_ms(sent))?;
                let due = self.pace.due(sent).filter(|due| *due > WARM_UP);
                late = late.max(due.map_or(Duration::ZERO, |due| self.begun.elapsed().saturating_sub(due)));
                sent += 1;
            }
            std::thread::park_timeout(Duration::from_millis(1));
        }
        sender.flush()?;
        self.total.store(sent, Release);
        Ok(late)
    }

    /// Reads all verdicts; the time that each took, and how many a second were seen of those that count.
    fn read(&self, worker: &mut Running) -> anyhow::Result<(Histogram<u64>, f64)> {
        let accepted = worker.topics.accepted.clone();
        let consumer = cluster::reader(&[&accepted, &worker.topics.rejected], 100_000)?;
        let mut latency = Histogram::new_with_bounds(1, u64::try_from(MOST.as_micros())?, 3)?;
        let (mut seen, mut last) = (0, Duration::ZERO);
        // When the warm-up ended and when the last one that counts was seen, and how many there were by then.
        let (mut from, mut to) = ((Duration::ZERO, 0), (Duration::ZERO, 0));
        while seen < self.total.load(Acquire) {
            let number = self.next(&consumer, &accepted)?;
            let at = self.begun.elapsed();
            let Some(number) = number else {
                worker.still_runs()?;
                anyhow::ensure!(at - last < PATIENCE, "no verdict came for {} s; {}", PATIENCE.as_secs(), worker.log());
                continue;
            };
            (seen, last) = (seen + 1, at);
            self.seen.store(seen, Release);
            if at < WARM_UP {
                from = (at, seen);
            }
            if self.pace.counts(at) {
                to = (at, seen);
            }
            if let Some(due) = self.pace.due(number).filter(|due| *due > WARM_UP) {
                latency.saturating_record(u64::try_from(at.saturating_sub(due).as_micros())?);
            }
        }
        Ok((latency, (to.1 - from.1) as f64 / (to.0 - from.0).as_secs_f64()))
    }

    /// The number of the next event whose verdict is there. One with two records counts by the accepted one.
    fn next(&self, consumer: &BaseConsumer, accepted: &str) -> anyhow::Result<Option<i64>> {
        let message = match consumer.poll(Duration::from_millis(100)) {
            None | Some(Err(KafkaError::PartitionEOF(_))) => return Ok(None),
            Some(message) => message?,
        };
        let id = header(&message, "ce_id").context("no ce_id")?;
        let (partition, offset) = position(id, &self.input).with_context(|| format!("ce_id {id:?}"))?;
        let number = number(partition, offset);
        let counts = message.topic() == accepted || self.events.outcome(number) == Outcome::Rejected;
        Ok(counts.then_some(number))
    }
}
