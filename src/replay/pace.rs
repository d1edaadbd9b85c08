//! How fast a job may go, so that a worker beside it isn't slowed: so many records a second, and so much of a core.
//!
//! Both are kept over the whole job, and by all threads together: each record has its turn, and whoever takes one that hasn't come
//! waits for it. They look up every now and then, so that a job that is stopped ends.

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
}

impl Pace {
    /// A job that begins now.
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, begun: Instant::now(), cpu_before: cpu_time(), records: AtomicU64::new(0) }
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
            let early = self.due(turn).saturating_sub(self.begun.elapsed());
            if early.is_zero() || counter.stopped() {
                return true;
            }
            if most.is_some_and(|most| early > most.saturating_sub(began.elapsed())) {
                return false;
            }
            thread::park_timeout(early.min(SLICE));
        }
    }

    /// When, since the beginning, so many records and so much CPU may have been spent.
    fn due(&self, records: u64) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 records")]
        let by_rate = self.limits.rate.map_or(Duration::ZERO, |rate| seconds(records as f64 / rate));
        let look = self.limits.cpu.filter(|_| records.is_multiple_of(LOOK_EVERY));
        let by_cpu = look.map_or(Duration::ZERO, |percent| {
            seconds(cpu_time().saturating_sub(self.cpu_before).as_secs_f64() * 100.0 / percent)
        });
        by_rate.max(by_cpu)
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
        assert_eq!([0, 1, 100].map(|records| pace.due(records).as_millis()), [0, 20, 2_000]);
        assert_eq!(Pace::new(Limits::default()).due(1_000_000), Duration::ZERO);
        assert_eq!(Pace::new(Limits { rate: Some(1e-300), cpu: None }).due(1), Duration::MAX);
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
        assert!(pace.due(0) >= Duration::from_millis(200));
    }
}
