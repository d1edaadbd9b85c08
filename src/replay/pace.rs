//! How fast a job may go, so that a worker beside it isn't slowed: so many records a second, and so much of a core.
//!
//! Both are kept by all threads together: each record has its turn, and whoever takes one that hasn't come waits for it. They look up
//! every now and then, so that a job that is stopped ends. Time that nobody used is lost but for a moment of it: a cluster that comes
//! back isn't flooded with what could have been sent while it was away.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};

use super::Counter;

/// The longest wait at once.
const SLICE: Duration = Duration::from_millis(50);
/// How many records are worked through between two looks at the CPU's clock.
const LOOK_EVERY: u64 = 64;

/// As much of the time that nobody used may be made up for.
const CREDIT: Duration = Duration::from_secs(1);

/// How fast a job may go.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Limits {
    /// Records a second.
    pub rate: Option<f64>,
    /// Percent of one core, all threads of the process together.
    pub cpu: Option<f64>,
}

/// The pace of a job.
#[derive(Debug)]
pub(super) struct Pace {
    limits: Limits,
    begun: Instant,
    cpu_before: Duration,
    records: AtomicU64,
    rate: Lost,
    cpu: Lost,
}

/// The time that nobody used and that isn't made up for, in nanoseconds.
#[derive(Debug, Default)]
struct Lost(AtomicU64);

impl Lost {
    /// How long it is until something is due that was due so long after the beginning if no time had been lost.
    fn early(&self, due: Duration, elapsed: Duration) -> Duration {
        let idle = elapsed.saturating_sub(due).saturating_sub(CREDIT);
        let idle = u64::try_from(idle.as_nanos()).unwrap_or(u64::MAX);
        let lost = Duration::from_nanos(self.0.fetch_max(idle, Relaxed).max(idle));
        due.saturating_add(lost).saturating_sub(elapsed)
    }
}

impl Pace {
    /// A job that begins now.
    pub(super) fn new(limits: Limits) -> Self {
        let (rate, cpu) = (Lost::default(), Lost::default());
        Self { limits, begun: Instant::now(), cpu_before: cpu_time(), records: AtomicU64::new(0), rate, cpu }
    }

    /// Whether anything holds it back.
    pub(super) fn is_limited(&self) -> bool {
        self.limits != Limits::default()
    }

    /// The turn of the next record: how many come before it.
    pub(super) fn turn(&self) -> u64 {
        self.records.fetch_add(1, Relaxed)
    }

    /// Waits until a turn has come, unless that takes longer than this; whether it has, or nobody waits for it any more.
    pub(super) fn wait(&self, turn: u64, most: Option<Duration>, counter: &Counter) -> bool {
        let began = Instant::now();
        loop {
            let early = self.early(turn, self.begun.elapsed());
            if early.is_zero() || counter.stopped() {
                return true;
            }
            if most.is_some_and(|most| early > most.saturating_sub(began.elapsed())) {
                return false;
            }
            thread::park_timeout(early.min(SLICE));
        }
    }

    /// How long it is until so many records and so much CPU may have been spent. What each limit loses is its own: while one holds the
    /// job back, the other's time goes by.
    fn early(&self, records: u64, elapsed: Duration) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 records")]
        let by_rate = self.limits.rate.map(|rate| self.rate.early(seconds(records as f64 / rate), elapsed));
        let look = self.limits.cpu.filter(|_| records.is_multiple_of(LOOK_EVERY));
        let by_cpu = look.map(|percent| {
            let spent = cpu_time().saturating_sub(self.cpu_before);
            self.cpu.early(seconds(spent.as_secs_f64() * 100.0 / percent), elapsed)
        });
        by_rate.max(by_cpu).unwrap_or_default()
    }
}

/// A limit that is next to nothing waits for ever.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

/// What the process has taken of the CPU.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_says_when_each_record_is_due() {
        let pace = Pace::new(Limits { rate: Some(50.0), cpu: None });
        let early = |pace: &Pace, records| pace.early(records, Duration::ZERO);
        assert_eq!([0, 1, 100].map(|records| early(&pace, records).as_millis()), [0, 20, 2_000]);
        assert_eq!(early(&Pace::new(Limits::default()), 1_000_000), Duration::ZERO);
        assert_eq!(early(&Pace::new(Limits { rate: Some(1e-300), cpu: None }), 1), Duration::MAX);
    }

    #[test]
    fn time_that_nobody_used_is_made_up_for_by_a_second_at_most() {
        let pace = Pace::new(Limits { rate: Some(50.0), cpu: None });
        let after = Duration::from_secs(600);
        // As many as in a second at once, and then one after the other.
        assert_eq!([0, 1, 50].map(|records| pace.early(records, after)), [Duration::ZERO; 3]);
        assert_eq!([51, 100].map(|records| pace.early(records, after).as_millis()), [20, 1_000]);
        assert_eq!(pace.early(51, after + Duration::from_millis(20)), Duration::ZERO);
    }

    #[test]
    fn a_turn_that_is_further_off_than_somebody_can_wait_is_told_at_once() {
        let counter = Counter::new(Limits { rate: Some(0.001), cpu: None });
        let (now, later) = (counter.turn().unwrap(), counter.turn().unwrap());
        let began = Instant::now();
        assert!(counter.wait_for(now, Some(Duration::ZERO)) && counter.wait_for(now, None));
        assert!(!counter.wait_for(later, Some(Duration::from_secs(60))));
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
        counter.stop();
        assert!(counter.wait_for(later, None), "nobody waits any more");
        assert_eq!(Counter::new(Limits::default()).turn(), None);
    }

    #[test]
    fn what_was_spent_of_the_cpu_says_when_to_go_on() {
        let pace = Pace::new(Limits { rate: None, cpu: Some(10.0) });
        while cpu_time() - pace.cpu_before < Duration::from_millis(20) {
            std::hint::black_box(0);
        }
        assert!(pace.early(0, Duration::ZERO) >= Duration::from_millis(200));
    }
}
