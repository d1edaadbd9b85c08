//! The way of one signal to the collector: when it is tried next, and what is logged of it. Each signal has its own, so that one that
//! isn't taken neither holds up the other nor hides what becomes of it.

use std::{
    mem,
    time::{Duration, Instant},
};

use super::collector::{Collector, Partial, Sent, Signal};

/// The pause between two tries where all is well; it doubles with each failure.
pub(super) const PAUSE: Duration = Duration::from_millis(1_000);
/// The longest pause after failures.
pub(super) const LONGEST: Duration = Duration::from_secs(30);

/// How the collector stood to a signal last.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Status {
    Taking,
    Away,
    Refusing(String),
}

/// The way of one signal.
pub(super) struct Route {
    signal: Signal,
    /// The least time between two tries.
    every: Duration,
    pause: Duration,
    due: Instant,
    status: Status,
    /// Whether the collector has made a remark.
    remarked: bool,
}

impl Route {
    /// A way that is tried once in this time at most, and for the first time after it.
    pub(super) fn new(signal: Signal, every: Duration) -> Self {
        let due = Instant::now() + every;
        Self { signal, every, pause: PAUSE, due, status: Status::Taking, remarked: false }
    }

    /// Sends a request, and takes down what became of it.
    pub(super) fn send(&mut self, collector: &Collector, body: &[u8]) -> Sent {
        let sent = collector.post(self.signal, body);
        self.pause = match &sent {
            Sent::Later { after, .. } => (2 * self.pause).max(*after).min(LONGEST),
            _ => PAUSE,
        };
        self.rest();
        self.log(&sent, collector.endpoint());
        sent
    }

    /// Puts the next try off by a pause.
    pub(super) fn rest(&mut self) {
        self.due = Instant::now() + self.pause.max(self.every);
    }

    /// Whether it is time for a try.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.due <= now
    }

    /// Whether a request may go before it is due: not where a pause has to be kept.
    pub(super) fn is_open(&self) -> bool {
        self.status != Status::Away
    }

    /// How long it is until the next try.
    pub(super) fn wait(&self) -> Duration {
        self.due.saturating_duration_since(Instant::now())
    }

    /// Tells what is new: neither each try of an outage nor each refusal is.
    fn log(&mut self, sent: &Sent, endpoint: &str) {
        let path = self.signal.path();
        if self.is_news(sent) {
            match sent {
                Sent::Taken(_) => tracing::info!(path, "the collector of telemetry takes it again"),
                Sent::Later { why, .. } => {
                    tracing::warn!(why, endpoint, path, "telemetry can't be exported; the worker goes on");
                }
                Sent::Refused(why) => tracing::warn!(why, endpoint, path, "telemetry is refused and dropped"),
            }
        }
        if let Some(Partial { rejected, remark }) = self.first_remark(sent) {
            tracing::warn!(
                rejected,
                remark,
                endpoint,
                path,
                "the collector of telemetry has a remark; more are not logged"
            );
        }
    }

    /// Whether the collector stands otherwise to this signal than it did.
    fn is_news(&mut self, sent: &Sent) -> bool {
        let status = match sent {
            Sent::Taken(_) => Status::Taking,
            // Why is said of the first alone: an outage has many faces.
            Sent::Later { .. } => Status::Away,
            Sent::Refused(why) => Status::Refusing(why.clone()),
        };
        let news = self.status != status;
        self.status = status;
        news
    }

    /// A remark, if it is the first: the next requests may have one each.
    fn first_remark<'s>(&mut self, sent: &'s Sent) -> Option<&'s Partial> {
        let Sent::Taken(partial) = sent else { return None };
        let first = *partial != Partial::default() && !mem::replace(&mut self.remarked, true);
        first.then_some(partial)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::collector::tests::{collector, plain},
        *,
    };

    fn route() -> Route {
        Route::new(Signal::Traces, PAUSE)
    }

    #[test]
    fn pauses_grow_up_to_a_bound_and_are_no_shorter_than_the_collector_asks() {
        let answers = vec![
            plain(503),
            (429, "retry-after: 7\r\n", Vec::new()),
            (503, "retry-after: 3600\r\n", Vec::new()),
            plain(503),
            plain(200),
            plain(400),
        ];
        let (address, _paths) = collector(answers);
        let (collector, mut route) = (Collector::new(&address, LONGEST), route());
        for seconds in [2, 7, 30, 30, 1, 1] {
            let before = Instant::now();
            route.send(&collector, b"x");
            let pause = Duration::from_secs(seconds);
            assert_eq!((route.pause, route.is_open()), (pause, pause == PAUSE));
            assert!(!route.is_due(before + pause - Duration::from_nanos(1)) && route.wait() <= pause);
            assert!(route.is_due(Instant::now() + pause));
        }
    }

    #[test]
    fn what_is_told_now_and_then_is_tried_no_more_often_after_a_failure() {
        let (address, _paths) = collector(vec![plain(503)]);
        let every = Duration::from_secs(60);
        let mut route = Route::new(Signal::Metrics, every);
        let before = Instant::now();
        route.send(&Collector::new(&address, LONGEST), b"x");
        assert!(!route.is_due(before + every - Duration::from_nanos(1)) && route.is_due(Instant::now() + every));
    }

    #[test]
    fn neither_each_try_of_an_outage_nor_each_refusal_is_news() {
        let later = |why: &str| Sent::Later { why: why.to_owned(), after: Duration::ZERO };
        let refused = |why: &str| Sent::Refused(why.to_owned());
        let taken = || Sent::Taken(Partial::default());
        let mut route = route();
        for (sent, news) in [
            (taken(), false),
            (later("connection refused"), true),
            (later("status 503"), false),
            (refused("status 404"), true),
            (refused("status 404"), false),
            (refused("status 413"), true),
            (taken(), true),
            (taken(), false),
        ] {
            assert_eq!(route.is_news(&sent), news, "{sent:?}");
        }
    }

    #[test]
    fn the_first_remark_alone_is_told() {
        let mut route = route();
        let taken = |rejected, remark: &str| Sent::Taken(Partial { rejected, remark: remark.to_owned() });
        let told = [taken(0, ""), taken(0, "use gRPC"), taken(3, "too old")].map(|sent| {
            let remark = route.first_remark(&sent);
            remark.map(|partial| partial.remark.clone())
        });
        assert_eq!(told, [None, Some("use gRPC".to_owned()), None]);
    }
}
