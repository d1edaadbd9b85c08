//! The exporter: one thread that sends what waits, every second or as soon as there is much of it, and metrics now and then. A
//! collector that is away or overloaded is tried again with growing pauses, while the queue fills and then drops; what it refuses for
//! good is dropped at once. At the end there is one more try, for which the process waits a second and no longer.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use prost::Message;
use ureq::Agent;

use super::{Span, Spans, encode::Teller, now};
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

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Sent {
    Taken,
    /// It may be taken later.
    Later(String),
    /// It never will.
    Refused(String),
}

struct Work {
    agent: Agent,
    teller: Teller,
    target: Target,
    spans: Arc<Spans>,
    gather: Gather,
    /// What was taken from the queue and not by the collector.
    in_hand: Vec<Span>,
    pause: Duration,
    told_at: Instant,
    failing: bool,
}

impl Work {
    fn new(target: Target, spans: Arc<Spans>, gather: Gather) -> Self {
        let Target { service, instance, group, .. } = target.clone();
        let teller = Teller { service, instance, group, begun: now() };
        Self {
            agent: agent(PATIENCE),
            teller,
            target,
            spans,
            gather,
            in_hand: Vec::new(),
            pause: PAUSE,
            told_at: Instant::now(),
            failing: false,
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
        self.agent = agent(LAST);
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
        let sent = self.send("/v1/traces", &body);
        match sent {
            Sent::Taken => self.spans.exported(self.in_hand.len()),
            Sent::Refused(_) => self.spans.dropped(self.in_hand.len()),
            Sent::Later(_) => return false,
        }
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
        !matches!(self.send("/v1/metrics", &body), Sent::Later(_))
    }

    fn send(&mut self, path: &str, body: &[u8]) -> Sent {
        let sent = post(&self.agent, &format!("{}{path}", self.target.endpoint.trim_end_matches('/')), body);
        if sent != Sent::Taken {
            self.spans.failed();
        }
        self.log(&sent);
        sent
    }

    /// The beginning and the end of an outage; each refusal.
    fn log(&mut self, sent: &Sent) {
        match sent {
            Sent::Taken if self.failing => tracing::info!("the collector of telemetry answers again"),
            Sent::Later(why) if !self.failing => {
                tracing::warn!(why, endpoint = self.target.endpoint, "telemetry can't be exported; the worker goes on");
            }
            Sent::Refused(why) => tracing::warn!(why, endpoint = self.target.endpoint, "telemetry was refused"),
            _ => {}
        }
        self.failing = matches!(sent, Sent::Later(_));
    }
}

fn agent(patience: Duration) -> Agent {
    Agent::config_builder().timeout_global(Some(patience)).http_status_as_error(false).max_redirects(0).build().into()
}

/// Which answers allow another try is OTLP's to say.
fn post(agent: &Agent, url: &str, body: &[u8]) -> Sent {
    match agent.post(url).header("content-type", "application/x-protobuf").send(body) {
        Err(error) => Sent::Later(error.to_string()),
        Ok(answer) => match answer.status().as_u16() {
            200..=299 => Sent::Taken,
            status @ (429 | 502 | 503 | 504) => Sent::Later(format!("status {status}")),
            status => Sent::Refused(format!("status {status}")),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpListener,
        thread::JoinHandle,
    };

    use super::{super::spans::tests::span, *};

    /// Answers one request after the other with these statuses, and tells how many it had.
    fn collector(statuses: &'static [u16]) -> (String, JoinHandle<usize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let serve = move || {
            for status in statuses {
                let (mut stream, _) = listener.accept().unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    head.push(byte[0]);
                }
                let head = String::from_utf8(head).unwrap().to_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
                stream.read_exact(&mut vec![0; length.parse().unwrap()]).unwrap();
                write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            }
            statuses.len()
        };
        (address, thread::spawn(serve))
    }

    fn work(endpoint: String) -> Work {
        let owned = str::to_owned;
        let target = Target { endpoint, service: owned("s"), instance: owned("i"), group: owned("g"), metrics: None };
        Work::new(target, Arc::new(Spans::new(10)), Arc::new(Vec::new))
    }

    #[test]
    fn what_an_overloaded_collector_does_not_take_is_kept_and_what_it_refuses_is_dropped() {
        let (address, served) = collector(&[503, 200, 400]);
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
        assert_eq!(served.join().unwrap(), 3);
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
