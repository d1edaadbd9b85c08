//! Spans on their way to the exporter: a bounded queue, and how many were exported and dropped.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use crate::domain::{Reason, verdict::Outcome};

/// The span of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The sender's trace.
    pub trace: [u8; 16],
    /// The sender's span.
    pub parent: [u8; 8],
    /// Its own id.
    pub id: [u8; 8],
    /// When it began, in nanoseconds since 1970.
    pub begun: u64,
    /// When it ended, likewise.
    pub ended: u64,
    /// Where the record is.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// What became of the event.
    pub outcome: Outcome,
    /// Why it was rejected as a whole.
    pub reason: Option<Reason>,
}

/// Now, in nanoseconds since 1970.
pub(crate) fn now() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or_default()
}

/// What was exported, and what wasn't.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TelemetryReading {
    /// Spans that the collector took.
    pub exported: u64,
    /// Spans that were given up.
    pub dropped: u64,
    /// Requests that failed.
    pub failures: u64,
}

/// The queue.
#[derive(Debug)]
pub struct Spans {
    limit: usize,
    waiting: Mutex<VecDeque<Span>>,
    exported: AtomicU64,
    dropped: AtomicU64,
    failures: AtomicU64,
}

impl Spans {
    /// A queue that holds so many.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        let none = || AtomicU64::new(0);
        Self { limit, waiting: Mutex::default(), exported: none(), dropped: none(), failures: none() }
    }

    /// Takes what there is room for, and drops the rest.
    pub fn offer(&self, spans: &mut Vec<Span>) {
        if spans.is_empty() {
            return;
        }
        let mut waiting = self.lock();
        let room = self.limit.saturating_sub(waiting.len()).min(spans.len());
        waiting.extend(spans.drain(..room));
        drop(waiting);
        self.dropped.fetch_add(spans.len() as u64, Relaxed);
        spans.clear();
    }

    /// What was exported and dropped so far.
    #[must_use]
    pub fn reading(&self) -> TelemetryReading {
        TelemetryReading {
            exported: self.exported.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            failures: self.failures.load(Relaxed),
        }
    }

    /// The oldest, so many at most.
    pub(super) fn take(&self, most: usize) -> Vec<Span> {
        let mut waiting = self.lock();
        let number = waiting.len().min(most);
        waiting.drain(..number).collect()
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.lock().len()
    }

    pub(super) fn exported(&self, spans: usize) {
        self.exported.fetch_add(spans as u64, Relaxed);
    }

    pub(super) fn dropped(&self, spans: usize) {
        self.dropped.fetch_add(spans as u64, Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Span>> {
        // Moving spans does not panic half way.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn span(offset: i64) -> Span {
        Span {
            trace: [7; 16],
            parent: [8; 8],
            id: [9; 8],
            begun: 1_000,
            ended: 2_500,
            topic: "events".to_owned(),
            partition: 3,
            offset,
            outcome: Outcome::Rejected,
            reason: Some(Reason::TokenExpired),
        }
    }

    #[test]
    fn what_does_not_fit_is_dropped_and_counted() {
        let spans = Spans::new(3);
        spans.offer(&mut (0..2).map(span).collect());
        let mut more: Vec<_> = (2..6).map(span).collect();
        spans.offer(&mut more);
        assert_eq!((more.len(), spans.waiting(), spans.reading().dropped), (0, 3, 3));
        assert_eq!(spans.take(2).iter().map(|span| span.offset).collect::<Vec<_>>(), [0, 1], "the oldest first");
        spans.offer(&mut vec![span(6)]);
        assert_eq!(spans.take(9).iter().map(|span| span.offset).collect::<Vec<_>>(), [2, 6]);
    }
}
