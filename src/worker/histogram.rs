//! Durations counted by upper bound, as Prometheus reads them.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Durations counted by upper bound.
#[derive(Debug, Default)]
pub struct Histogram {
    counts: [AtomicU64; Histogram::BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Histogram {
    /// The upper bounds of the buckets; one more bucket has none. From a batch of a few events to a commit that hangs.
    pub const BOUNDS: [Duration; 16] = {
        const fn micros(micros: u64) -> Duration {
            Duration::from_micros(micros)
        }
        [
            micros(100),
            micros(250),
            micros(500),
            micros(1_000),
            micros(2_500),
            micros(5_000),
            micros(10_000),
            micros(25_000),
            micros(50_000),
            micros(75_000),
            micros(100_000),
            micros(250_000),
            micros(500_000),
            micros(1_000_000),
            micros(5_000_000),
            micros(15_000_000),
        ]
    };

    /// How many durations fell into each bucket (not cumulative); the last one has no upper bound.
    #[must_use]
    pub fn counts(&self) -> [u64; Self::BOUNDS.len() + 1] {
        std::array::from_fn(|at| self.counts[at].load(Relaxed))
    }

    /// The sum of all durations.
    #[must_use]
    pub fn sum(&self) -> Duration {
        Duration::from_micros(self.micros.load(Relaxed))
    }

    pub(super) fn observe(&self, duration: Duration) {
        let bucket = Self::BOUNDS.partition_point(|bound| *bound < duration);
        self.counts[bucket].fetch_add(1, Relaxed);
        self.micros.fetch_add(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_into_the_first_bucket_that_holds_it() {
        let histogram = Histogram::default();
        for micros in [0, 100, 101, 5_000_001, 15_000_000, 15_000_001] {
            histogram.observe(Duration::from_micros(micros));
        }
        assert_eq!(histogram.counts(), [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1]);
        assert_eq!(histogram.sum(), Duration::from_micros(35_000_203));
    }
}
