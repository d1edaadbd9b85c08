//! The exporter: one thread that sends what waits, every second or as soon as there is enough for a request, and metrics now and then.
//! A collector that is away or overloaded is tried again with growing pauses, while the queue fills and then drops; what it refuses for
//! good is dropped at once. At the end there is one more try, for which the process waits a second and no longer.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread,
    time::{Duration, Instant},
};

use prost::Message;

use super::{
    Span, Spans,
    collector::{Collector, Sent, Signal},
    encode::Teller,
    now,
    route::{LONGEST, PAUSE, Route},
    spans::REQUEST,
};
use crate::observe::metrics::Gather;

/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the end may take.
const LAST: Duration = Duration::from_secs(1);

/// Where to export to, and in whose name.
#[derive(Debug, Clone)]
pub struct Target {
    /// The collector's base, as in `http://127.0.0.1:4318`.
    pub endpoint: String,
    /// `service.name`.
    pub service: String,
    /// `service.instance.id`.
    pub instance: String,
    /// The consumer group.
    pub group: String,
    /// How often metrics are told; `None`: never.
    pub metrics: Option<Duration>,
}

/// A running exporter; it ends when this is dropped.
#[derive(Debug)]
pub struct Exporter {
    spans: Arc<Spans>,
    ended: Receiver<()>,
}

impl Exporter {
    /// Exports the spans that wait here and the metrics that `gather` makes.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(target: Target, spans: Arc<Spans>, gather: Gather) -> io::Result<Self> {
        let (done, ended) = channel();
        let waiting = Arc::clone(&spans);
        let work = move || {
            Work::new(target, waiting, gather).run();
            // Nobody waits any more where it took too long.
            _ = done.send(());
        };
        thread::Builder::new().name("telemetry".to_owned()).spawn(work)?;
        Ok(Self { spans, ended })
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.spans.end();
        // A panic there has been reported by the panic hook.
        if self.ended.recv_timeout(LAST) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the collector of telemetry does not answer; what waits for it is dropped");
        }
    }
}

struct Work {
    collector: Collector,
    teller: Teller,
    spans: Arc<Spans>,
    gather: Gather,
    /// What was taken from the queue and not by the collector.
    in_hand: Vec<Span>,
    traces: Route,
    /// `None`: metrics are not told.
    metrics: Option<Route>,
}

impl Work {
    fn new(target: Target, spans: Arc<Spans>, gather: Gather) -> Self {
        let Target { endpoint, service, instance, group, metrics } = target;
        Self {
            collector: Collector::new(&endpoint, PATIENCE),
            teller: Teller { service, instance, group, begun: now() },
            spans,
            gather,
            in_hand: Vec::new(),
            traces: Route::new(Signal::Traces, PAUSE),
            metrics: metrics.map(|every| Route::new(Signal::Metrics, every)),
        }
    }

    fn run(mut self) {
        while !self.spans.wait(self.wait(), self.traces.is_open()) {
            self.step(Instant::now());
        }
        self.last();
    }

    /// How long nothing is due.
    fn wait(&self) -> Duration {
        let metrics = self.metrics.as_ref().map_or(LONGEST, Route::wait);
        self.traces.wait().min(metrics)
    }

    /// Tells what is due, whatever became of the other.
    fn step(&mut self, now: Instant) {
        if self.traces.is_open() || self.traces.is_due(now) {
            self.tell_spans();
        }
        if self.metrics.as_ref().is_some_and(|route| route.is_due(now)) {
            self.tell_metrics();
        }
    }

    /// Tells the spans that waited when it began, until the collector doesn't take them. Those that come meanwhile are the next
    /// step's, or this one might have no end.
    fn tell_spans(&mut self) {
        self.traces.rest();
        let mut waited = self.in_hand.len() + self.spans.waiting();
        while waited > 0 && self.has_spans() {
            waited = waited.saturating_sub(self.in_hand.len());
            if !self.send_spans() {
                return;
            }
        }
    }

    /// What is left is told once more, if that is quick, and given up.
    fn last(&mut self) {
        let begun = Instant::now();
        self.collector = Collector::new(self.collector.endpoint(), LAST);
        while begun.elapsed() < LAST && self.has_spans() && self.send_spans() {}
        if begun.elapsed() < LAST {
            self.tell_metrics();
        }
        let left = self.in_hand.len() + self.spans.waiting();
        if left > 0 {
            self.spans.dropped(left);
            tracing::warn!(spans = left, "the collector of telemetry took no more; they are dropped");
        }
    }

    fn has_spans(&mut self) -> bool {
        if self.in_hand.is_empty() {
            self.in_hand = self.spans.take(REQUEST);
        }
        !self.in_hand.is_empty()
    }

    /// Whether the collector is done with what is in hand, one way or the other.
    fn send_spans(&mut self) -> bool {
        let body = self.teller.spans(&self.in_hand).encode_to_vec();
        let sent = self.traces.send(&self.collector, &body);
        self.count(&sent);
        let told = self.in_hand.len();
        let dropped = match sent {
            Sent::Taken(partial) => partial.rejected.min(told),
            Sent::Refused(_) => told,
            Sent::Later { .. } => return false,
        };
        self.spans.exported(told - dropped);
        self.spans.dropped(dropped);
        self.in_hand.clear();
        true
    }

    /// Tells the metrics as they are now, where they are told.
    fn tell_metrics(&mut self) {
        let Some(route) = &mut self.metrics else { return };
        let body = self.teller.metrics(&(self.gather)(), now()).encode_to_vec();
        let sent = route.send(&self.collector, &body);
        self.count(&sent);
    }

    fn count(&self, sent: &Sent) {
        if !sent.is_whole() {
            self.spans.failed();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::{
        super::{
            collector::tests::{collector, partial, plain},
            spans::tests::span,
        },
        *,
    };

    fn target(endpoint: String) -> Target {
        let owned = str::to_owned;
        Target { endpoint, service: owned("s"), instance: owned("i"), group: owned("g"), metrics: None }
    }

    fn work(target: Target) -> Work {
        Work::new(target, Arc::new(Spans::new(10)), Arc::new(Vec::new))
    }

    /// When every pause is over.
    fn later() -> Instant {
        Instant::now() + LONGEST
    }

    #[test]
    fn what_an_overloaded_collector_does_not_take_is_kept_and_what_it_refuses_is_dropped() {
        let (address, paths) = collector([503, 200, 400].map(plain).to_vec());
        let mut work = work(target(address));
        work.spans.offer(&mut vec![span(1)]);
        work.step(later());
        assert_eq!((work.in_hand.len(), work.spans.reading().exported), (1, 0));
        work.step(later());
        assert_eq!((work.in_hand.len(), work.spans.reading().exported), (0, 1));
        work.spans.offer(&mut vec![span(2)]);
        work.step(later());
        let reading = work.spans.reading();
        assert_eq!((reading.exported, reading.dropped, reading.failures), (1, 1, 2));
        assert_eq!(paths.try_iter().collect::<Vec<_>>(), ["/v1/traces"; 3]);
    }

    #[test]
    fn what_a_collector_takes_but_for_a_part_is_dropped_in_part_and_told_no_more() {
        let (address, _paths) = collector(vec![partial(2, "of another time"), partial(0, "use gRPC"), partial(9, "")]);
        let mut work = work(target(address));
        for count in [3, 1, 1] {
            work.spans.offer(&mut (0..count).map(span).collect());
            work.step(later());
            assert!(work.in_hand.is_empty(), "the collector is done with them");
        }
        let reading = work.spans.reading();
        assert_eq!((reading.exported, reading.dropped, reading.failures), (2, 3, 2));
    }

    #[test]
    fn a_signal_that_is_not_taken_holds_up_no_other() {
        let begun = Instant::now();
        let (address, paths) = collector([200, 503, 200, 503, 503, 200].map(plain).to_vec());
        let mut work = work(Target { metrics: Some(PAUSE), ..target(address) });
        for (exported, in_hand) in [(1, 0), (2, 0), (2, 1)] {
            work.spans.offer(&mut vec![span(1)]);
            work.step(later());
            assert_eq!((work.spans.reading().exported, work.in_hand.len()), (exported, in_hand));
        }
        assert_eq!(paths.try_iter().collect::<Vec<_>>(), ["/v1/traces", "/v1/metrics"].repeat(3));
        assert_eq!(work.spans.reading().failures, 3);
        work.step(begun);
        assert_eq!(work.spans.reading().failures, 3, "nobody would answer, and nothing is due");
    }

    #[test]
    fn the_end_waits_a_second_for_a_collector_that_says_nothing() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let spans = Arc::new(Spans::new(10));
        spans.offer(&mut vec![span(1)]);
        let target = target(format!("http://{}", silent.local_addr().unwrap()));
        let exporter = Exporter::start(target, spans, Arc::new(Vec::new)).unwrap();
        // It speaks to the collector now.
        let (_stream, _) = silent.accept().unwrap();
        let begun = Instant::now();
        drop(exporter);
        assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    }

    #[test]
    fn a_requests_worth_of_spans_waits_for_no_pause() {
        const REQUESTS: usize = 20;
        let (address, paths) = collector(vec![plain(200); REQUESTS]);
        let spans = Arc::new(Spans::new(REQUEST));
        let begun = Instant::now();
        let _exporter = Exporter::start(target(address), Arc::clone(&spans), Arc::new(Vec::new)).unwrap();
        for _ in 0..REQUESTS {
            spans.offer(&mut (0..REQUEST as i64).map(span).collect());
            // They are out of the queue once they are told, so that the next ones find room.
            assert_eq!(paths.recv_timeout(PATIENCE), Ok("/v1/traces".to_owned()));
        }
        while spans.reading().exported < (REQUESTS * REQUEST) as u64 {
            assert!(begun.elapsed() < PAUSE * REQUESTS as u32 / 2, "{:?}", spans.reading());
            thread::yield_now();
        }
        assert_eq!(spans.reading().dropped, 0);
    }

    #[test]
    fn a_collector_that_is_away_costs_the_spans_that_no_room_is_for() {
        // A port that was free a moment ago: the listener is dropped at once.
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut work = work(target(format!("http://{nobody}")));
        work.spans.offer(&mut (0..15).map(span).collect());
        work.step(later());
        assert_eq!((work.in_hand.len(), work.spans.reading().dropped), (10, 5));
        work.last();
        assert_eq!(work.spans.reading().dropped, 15);
    }
}
