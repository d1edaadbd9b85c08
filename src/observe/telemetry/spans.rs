//! Spans on their way to the exporter: a bounded queue, and how many were exported and dropped.

use std::{
    collections::VecDeque,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use crate::domain::{Reason, verdict::Outcome};

/// The most spans of one request.
pub(super) const REQUEST: usize = 512;

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
    /// Requests that weren't taken, or not as a whole.
    pub failures: u64,
}

/// The queue.
#[derive(Debug)]
pub struct Spans {
    limit: usize,
    queue: Mutex<Queue>,
    /// There is enough for a request, or there will be no more.
    due: Condvar,
    exported: AtomicU64,
    dropped: AtomicU64,
    failures: AtomicU64,
}

/// What the lock is over.
#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Span>,
    ended: bool,
}

impl Spans {
    /// A queue that holds so many.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        let none = || AtomicU64::new(0);
        let (queue, due) = (Mutex::default(), Condvar::new());
        Self { limit, queue, due, exported: none(), dropped: none(), failures: none() }
    }

    /// Takes what there is room for, and drops the rest. Whoever waits for them is woken once there is enough for a request.
    pub fn offer(&self, spans: &mut Vec<Span>) {
        if spans.is_empty() {
            return;
        }
        let mut queue = self.lock();
        let before = queue.waiting.len();
        let room = self.limit.saturating_sub(before).min(spans.len());
        queue.waiting.extend(spans.drain(..room));
        drop(queue);
        if before < self.enough() && before + room >= self.enough() {
            self.due.notify_one();
        }
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

    /// Waits so long, unless the end comes or, where `early`, there is enough for a request. Whether the end has come.
    pub(super) fn wait(&self, most: Duration, early: bool) -> bool {
        let goes_on = |queue: &mut Queue| {
            let enough = early && queue.waiting.len() >= self.enough();
            !queue.ended && !enough
        };
        let waited = self.due.wait_timeout_while(self.lock(), most, goes_on);
        let (queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        queue.ended
    }

    /// Nobody will offer more.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.due.notify_one();
    }

    /// The oldest, so many at most.
    pub(super) fn take(&self, most: usize) -> Vec<Span> {
        let mut queue = self.lock();
        let number = queue.waiting.len().min(most);
        queue.waiting.drain(..number).collect()
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// How many are worth a request before its time; a short queue is full before that.
    fn enough(&self) -> usize {
        self.limit.clamp(1, REQUEST)
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

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Moving spans does not panic half way.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::{
        sync::{Arc, mpsc::channel},
        thread,
        time::Instant,
    };

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

    /// Longer than any test may take.
    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn whoever_waits_is_woken_by_a_requests_worth_and_by_the_end() {
        let spans = Arc::new(Spans::new(2 * REQUEST));
        let (told, woken) = channel();
        let waiting = Arc::clone(&spans);
        thread::spawn(move || {
            // A test that has failed listens no more.
            _ = told.send(waiting.wait(2 * LONG, true));
            _ = told.send(waiting.wait(2 * LONG, false));
        });
        for offset in 0..REQUEST as i64 {
            assert!(woken.try_recv().is_err(), "woken by {offset} spans");
            spans.offer(&mut vec![span(offset)]);
        }
        assert_eq!(woken.recv_timeout(LONG), Ok(false), "by a request's worth");
        assert!(woken.try_recv().is_err(), "who doesn't want to be woken early is not");
        spans.end();
        assert_eq!(woken.recv_timeout(LONG), Ok(true), "by the end");
    }

    #[test]
    fn a_queue_shorter_than_a_request_wakes_when_it_is_full() {
        let spans = Spans::new(3);
        spans.offer(&mut (0..3).map(span).collect());
        let begun = Instant::now();
        assert!(!spans.wait(LONG, true) && begun.elapsed() < LONG);
    }
}
