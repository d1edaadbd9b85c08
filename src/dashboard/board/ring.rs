//! Counts by time: a ring of equal spans, the newest of which moves on with what is counted. A span that has fallen out is gone;
//! one that comes late finds its place, or none.

/// `SPANS` counts of `SPAN_MS` milliseconds each.
#[derive(Debug, Clone)]
pub(crate) struct Ring<const SPANS: usize, const SPAN_MS: i64> {
    /// The number of the newest span, counted from the epoch.
    newest: i64,
    counts: [u32; SPANS],
}

/// The last minute, by second.
pub(crate) type Minute = Ring<60, 1_000>;
/// The last hour, by minute.
pub(crate) type Hour = Ring<60, 60_000>;
/// The last day, by ten minutes.
pub(crate) type Day = Ring<144, 600_000>;

impl<const SPANS: usize, const SPAN_MS: i64> Default for Ring<SPANS, SPAN_MS> {
    fn default() -> Self {
        Self { newest: i64::MIN, counts: [0; SPANS] }
    }
}

#[expect(clippy::cast_possible_wrap, clippy::cast_possible_truncation, reason = "SPANS is small")]
impl<const SPANS: usize, const SPAN_MS: i64> Ring<SPANS, SPAN_MS> {
    /// Counts one at this time.
    pub(crate) fn add(&mut self, at: i64) {
        self.add_at(at.div_euclid(SPAN_MS), 1);
    }

    fn add_at(&mut self, span: i64, number: u32) {
        self.move_on(span);
        if self.newest.saturating_sub(span) < SPANS as i64
            && let Some(count) = self.counts.get_mut(Self::place(span))
        {
            *count = count.saturating_add(number);
        }
    }

    fn place(span: i64) -> usize {
        span.rem_euclid(SPANS as i64) as usize
    }

    /// Makes this span the newest, if it is newer, and empties those between.
    fn move_on(&mut self, span: i64) {
        if span <= self.newest {
            return;
        }
        let first = self.newest.saturating_add(1).max(span - SPANS as i64 + 1);
        for between in first..=span {
            if let Some(count) = self.counts.get_mut(Self::place(between)) {
                *count = 0;
            }
        }
        self.newest = span;
    }

    /// The counts up to now, the oldest first.
    pub(crate) fn until(&self, now: i64) -> Vec<u32> {
        let last = now.div_euclid(SPAN_MS);
        (last - SPANS as i64 + 1..=last).map(|span| self.count(span)).collect()
    }

    fn count(&self, span: i64) -> u32 {
        let known = span <= self.newest && self.newest.saturating_sub(span) < SPANS as i64;
        self.counts.get(Self::place(span)).copied().filter(|_| known).unwrap_or_default()
    }

    /// The sum of the newest `spans` up to now.
    pub(crate) fn sum(&self, now: i64, spans: usize) -> u64 {
        let last = now.div_euclid(SPAN_MS);
        let spans = spans.min(SPANS) as i64;
        (last - spans + 1..=last).map(|span| u64::from(self.count(span))).sum()
    }

    /// The sum of all spans up to now.
    pub(crate) fn whole(&self, now: i64) -> u64 {
        self.sum(now, SPANS)
    }

    /// Adds another's counts.
    pub(crate) fn absorb(&mut self, other: &Self) {
        if other.newest == i64::MIN {
            return;
        }
        for span in other.newest - SPANS as i64 + 1..=other.newest {
            match other.count(span) {
                0 => {}
                number => self.add_at(span, number),
            }
        }
    }

    /// When the first of the counts up to now begins.
    pub(crate) fn begin(now: i64) -> i64 {
        (now.div_euclid(SPAN_MS) - SPANS as i64 + 1) * SPAN_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Small = Ring<4, 10>;

    fn ring(times: &[i64]) -> Small {
        let mut ring = Small::default();
        times.iter().for_each(|at| ring.add(*at));
        ring
    }

    #[test]
    fn what_is_older_than_the_ring_is_gone_and_what_is_late_finds_its_place() {
        let ring = ring(&[100, 105, 110, 131, 101, 90]);
        assert_eq!(ring.until(139), [3, 1, 0, 1]);
        assert_eq!(ring.until(149), [1, 0, 1, 0]);
        assert_eq!(ring.until(10_000), [0; 4]);
        assert_eq!((ring.sum(139, 4), ring.sum(139, 2), ring.sum(139, 100), ring.whole(139)), (5, 1, 5, 5));
        assert_eq!(Small::begin(139), 100);
    }

    #[test]
    fn a_jump_far_ahead_empties_it_without_walking_there() {
        let mut ring = ring(&[5]);
        ring.add(i64::MAX / 2);
        assert_eq!(ring.until(i64::MAX / 2), [0, 0, 0, 1]);
    }

    #[test]
    fn absorbing_adds_span_by_span_whichever_is_newer() {
        for (mut one, other) in [(ring(&[100, 110]), ring(&[110, 120])), (ring(&[110, 120]), ring(&[100, 110]))] {
            one.absorb(&other);
            one.absorb(&Small::default());
            assert_eq!(one.until(129), [0, 1, 2, 1]);
        }
    }
}
