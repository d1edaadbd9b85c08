//! The exporter: one thread that sends what waits, every second or as soon as there is much of it, and metrics now and then. A
//! collector that is away or overloaded is tried again with growing pauses, while the queue fills and then drops; what it refuses for
//! good is dropped at once. At the end there is one more try, for which the process waits a second and no longer.

use std::{
    io, mem,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use prost::Message;

use super::{
    Span, Spans,
    collector::{Collector, Partial, Sent, Signal},
    encode::Teller,
    now,
};
use crate::observe::metrics::Gather;

/// The most spans of one request.
const SPANS: usize = 512;
/// How often it is looked for spans.
const PAUSE: Duration = Duration::from_millis(1_000);
/// The longest pause after failures.
const LONGEST: Duration = Duration::from_secs(30);
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
    end: Option<Sender<()>>,
    ended: Receiver<()>,
}

impl Exporter {
    /// Exports the spans that wait here and the metrics that `gather` makes.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(target: Target, spans: Arc<Spans>, gather: Gather) -> io::Result<Self> {
        let ((end, asked), (done, ended)) = (channel(), channel());
        let work = move || {
            Work::new(target, spans, gather).run(&asked);
            // Nobody waits any more where it took too long.
            _ = done.send(());
        };
        thread::Builder::new().name("telemetry".to_owned()).spawn(work)?;
        Ok(Self { end: Some(end), ended })
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.end.take();
        // A panic there has been reported by the panic hook.
        if self.ended.recv_timeout(LAST) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the collector of telemetry does not answer; what waits for it is dropped");
        }
    }
}

struct Work {
    collector: Collector,
    teller: Teller,
    target: Target,
    spans: Arc<Spans>,
    gather: Gather,
    /// What was taken from the queue and not by the collector.
    in_hand: Vec<Span>,
    pause: Duration,
    told_at: Instant,
    failing: bool,
    /// Whether a remark of the collector's has been logged: one of the first, not one for each request.
    remarked: bool,
}

impl Work {
    fn new(target: Target, spans: Arc<Spans>, gather: Gather) -> Self {
        let Target { service, instance, group, .. } = target.clone();
        let teller = Teller { service, instance, group, begun: now() };
        Self {
            collector: Collector::new(&target.endpoint, PATIENCE),
            teller,
            target,
            spans,
            gather,
            in_hand: Vec::new(),
            pause: PAUSE,
            told_at: Instant::now(),
            failing: false,
            remarked: false,
        }
    }

    fn run(mut self, asked: &Receiver<()>) {
        while asked.recv_timeout(self.pause) == Err(RecvTimeoutError::Timeout) {
            self.step();
        }
        self.last();
    }

    /// Sends everything that waits, until the collector doesn't take it.
    fn step(&mut self) {
        let mut all_taken = self.tell_metrics();
        while all_taken && self.has_spans() {
            all_taken = self.tell_spans();
        }
        self.pause = if all_taken { PAUSE } else { (2 * self.pause).min(LONGEST) };
    }

    /// What is left is told once more, if that is quick, and given up.
    fn last(&mut self) {
        let begun = Instant::now();
        self.collector = Collector::new(&self.target.endpoint, LAST);
        while begun.elapsed() < LAST && self.has_spans() && self.tell_spans() {}
        if begun.elapsed() < LAST && self.target.metrics.is_some() {
            self.send_metrics();
        }
        let left = self.in_hand.len() + self.spans.waiting();
        if left > 0 {
            self.spans.dropped(left);
            tracing::warn!(spans = left, "the collector of telemetry took no more; they are dropped");
        }
    }

    fn has_spans(&mut self) -> bool {
        if self.in_hand.is_empty() {
            self.in_hand = self.spans.take(SPANS);
        }
        !self.in_hand.is_empty()
    }

    /// Whether the collector is done with them, one way or the other.
    fn tell_spans(&mut self) -> bool {
        let body = self.teller.spans(&self.in_hand).encode_to_vec();
        let told = self.in_hand.len();
        let dropped = match self.send(Signal::Traces, &body) {
            Sent::Taken(partial) => partial.rejected.min(told),
            Sent::Refused(_) => told,
            Sent::Later(_) => return false,
        };
        self.spans.exported(told - dropped);
        self.spans.dropped(dropped);
        self.in_hand.clear();
        true
    }

    /// Whether there were none to tell, or the collector is done with them.
    fn tell_metrics(&mut self) -> bool {
        if self.target.metrics.is_none_or(|every| self.told_at.elapsed() < every) {
            return true;
        }
        self.told_at = Instant::now();
        self.send_metrics()
    }

    fn send_metrics(&mut self) -> bool {
        let body = self.teller.metrics(&(self.gather)(), now()).encode_to_vec();
        !matches!(self.send(Signal::Metrics, &body), Sent::Later(_))
    }

    fn send(&mut self, signal: Signal, body: &[u8]) -> Sent {
        let sent = self.collector.post(signal, body);
        if !sent.is_whole() {
            self.spans.failed();
        }
        self.log(&sent);
        sent
    }

    /// The beginning and the end of an outage; each refusal; the first remark.
    fn log(&mut self, sent: &Sent) {
        let endpoint = self.collector.endpoint();
        match sent {
            Sent::Taken(_) if self.failing => tracing::info!("the collector of telemetry answers again"),
            Sent::Later(why) if !self.failing => {
                tracing::warn!(why, endpoint, "telemetry can't be exported; the worker goes on");
            }
            Sent::Refused(why) => tracing::warn!(why, endpoint, "telemetry was refused"),
            _ => {}
        }
        if let Sent::Taken(partial) = sent
            && *partial != Partial::default()
            && !mem::replace(&mut self.remarked, true)
        {
            let Partial { rejected, remark } = partial;
            tracing::warn!(rejected, remark, endpoint, "the collector of telemetry has a remark; more are not logged");
        }
        self.failing = matches!(sent, Sent::Later(_));
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

    fn work(endpoint: String) -> Work {
        let owned = str::to_owned;
        let target = Target { endpoint, service: owned("s"), instance: owned("i"), group: owned("g"), metrics: None };
        Work::new(target, Arc::new(Spans::new(10)), Arc::new(Vec::new))
    }

    #[test]
    fn what_an_overloaded_collector_does_not_take_is_kept_and_what_it_refuses_is_dropped() {
        let (address, paths) = collector([503, 200, 400].map(plain).to_vec());
        let mut work = work(address);
        work.spans.offer(&mut vec![span(1)]);
        work.step();
        assert_eq!((work.in_hand.len(), work.pause), (1, 2 * PAUSE));
        work.step();
        assert_eq!((work.spans.reading().exported, work.pause), (1, PAUSE));
        work.spans.offer(&mut vec![span(2)]);
        work.step();
        let reading = work.spans.reading();
        assert_eq!((reading.exported, reading.dropped, reading.failures), (1, 1, 2));
        assert_eq!(paths.try_iter().collect::<Vec<_>>(), ["/v1/traces"; 3]);
    }

    #[test]
    fn what_a_collector_takes_but_for_a_part_is_dropped_in_part_and_told_no_more() {
        let (address, _paths) = collector(vec![partial(2, "of another time"), partial(0, "use gRPC"), partial(9, "")]);
        let mut work = work(address);
        for count in [3, 1, 1] {
            work.spans.offer(&mut (0..count).map(span).collect());
            work.step();
            assert!(work.in_hand.is_empty(), "the collector is done with them");
        }
        let reading = work.spans.reading();
        assert_eq!((reading.exported, reading.dropped, reading.failures), (2, 3, 2));
    }

    #[test]
    fn the_end_waits_a_second_for_a_collector_that_says_nothing() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let work = work(format!("http://{}", silent.local_addr().unwrap()));
        work.spans.offer(&mut vec![span(1)]);
        let exporter = Exporter::start(work.target.clone(), Arc::clone(&work.spans), Arc::new(Vec::new)).unwrap();
        // It speaks to the collector now.
        let (_stream, _) = silent.accept().unwrap();
        let begun = Instant::now();
        drop(exporter);
        assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    }

    #[test]
    fn a_collector_that_is_away_costs_the_spans_that_no_room_is_for() {
        // A port that was free a moment ago: the listener is dropped at once.
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut work = work(format!("http://{nobody}"));
        work.spans.offer(&mut (0..15).map(span).collect());
        work.step();
        assert_eq!((work.in_hand.len(), work.spans.reading().dropped), (10, 5));
        work.last();
        assert_eq!(work.spans.reading().dropped, 15);
    }
}
