//! Verdicts as they come, for other people's dashboards: server-sent events.
//!
//! Every subscriber reads from one bounded queue. Nobody waits for one who is slow: once what comes next for it has left the
//! queue, it is told how much it missed, in a last event, and dropped. One who doesn't read at all is dropped by its connection, once
//! the system's buffers are full. Until then nobody can tell it from one who reads, so that every stream ends some time, and whoever is
//! there subscribes again.

use std::{borrow::Cow, fmt::Write as _, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use futures_util::stream::unfold;
use tokio::{
    sync::{
        OwnedSemaphorePermit,
        broadcast::{
            Receiver,
            error::{RecvError, TryRecvError},
        },
    },
    time::{Instant, timeout_at},
};

use super::{App, problem::Problem};
use crate::dashboard::{
    board::{filter::Filter, told::Kept},
    metrics::Counts,
};

/// What a stream says that has no verdict to tell.
const NOTHING: &str = ": nothing\n\n";
/// What a stream says last whose time is over.
const OVER: &str = ": the time of this stream is over; subscribe again\n\n";
/// The most bytes that are put together before they are sent.
const CHUNK: usize = 32 * 1024;

/// One subscriber.
struct Subscriber {
    verdicts: Receiver<Arc<Kept>>,
    filter: Filter,
    /// What there is to say before the first verdict.
    greeting: Option<&'static str>,
    over: bool,
    /// When its time is over.
    end: Instant,
    /// When the last bytes were handed out.
    handed: Instant,
    /// How long after that it is told that the stream is there.
    keep_alive: Duration,
    counts: Arc<Counts>,
    _place: OwnedSemaphorePermit,
}

/// Answers with a stream.
pub(super) fn subscribe(app: &App, filter: Filter) -> Result<Response, Problem> {
    let Ok(place) = Arc::clone(&app.places).try_acquire_owned() else {
        app.shared.counts.refused();
        let detail =
            "all places of the stream are taken (dashboard.subscribers); try again later, or share one subscription";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail));
    };
    let verdicts = app.shared.stream.subscribe();
    // The answer begins at once: a client knows that from here on it misses nothing.
    let greeting = Some(": verdicts from now on\n\n");
    let (handed, counts) = (Instant::now(), Arc::clone(&app.shared.counts));
    let (end, keep_alive) = (handed + app.pace.stream, app.pace.keep_alive);
    let subscriber =
        Subscriber { verdicts, filter, greeting, over: false, end, handed, keep_alive, counts, _place: place };
    let chunks = unfold(subscriber, |mut subscriber| async move {
        let chunk = subscriber.next().await?;
        subscriber.handed = Instant::now();
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(chunk)), subscriber))
    });
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(chunks)).into_response())
}

impl Subscriber {
    /// The next bytes; `None` once the last event has been sent.
    async fn next(&mut self) -> Option<String> {
        if self.over {
            return None;
        }
        if let Some(greeting) = self.greeting.take() {
            return Some(greeting.to_owned());
        }
        if Instant::now() >= self.end {
            self.over = true;
            return Some(OVER.to_owned());
        }
        // One moment for all of what the filter refuses: however much comes for others, this one is told in time that it is there.
        let due = self.handed + self.keep_alive;
        let mut chunk = String::new();
        while chunk.is_empty() {
            match timeout_at(due, self.verdicts.recv()).await {
                Err(_) => chunk.push_str(NOTHING),
                Ok(Ok(kept)) => {
                    self.push(&mut chunk, &kept);
                    // Where the next one is there each time, the wait never ends by itself.
                    if chunk.is_empty() && Instant::now() >= due {
                        chunk.push_str(NOTHING);
                    }
                }
                Ok(Err(RecvError::Lagged(missed))) => self.end(&mut chunk, missed),
                // Who sends lives as long as the server, which ends its connections.
                Ok(Err(RecvError::Closed)) => return None,
            }
        }
        self.more(&mut chunk);
        Some(chunk)
    }

    /// Adds what is there already: one write for many verdicts.
    fn more(&mut self, chunk: &mut String) {
        while !self.over && chunk.len() < CHUNK {
            match self.verdicts.try_recv() {
                Ok(kept) => self.push(chunk, &kept),
                Err(TryRecvError::Lagged(missed)) => self.end(chunk, missed),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    /// A verdict is one line of JSON, which escapes line ends: none of its values begins a line of the stream.
    fn push(&self, chunk: &mut String, kept: &Kept) {
        if self.filter.takes(kept) {
            let place = &kept.source;
            // Writing to a String cannot fail. The topic is Kafka's, which allows no line end in one; whoever writes it
            // into a verdict by hand gets it cut, at either of the two that begin a line of a stream.
            let topic = place.topic.split(['\r', '\n']).next().unwrap_or_default();
            _ = write!(
                chunk,
                "id: {topic}/{}/{}\nevent: verdict\ndata: {}\n\n",
                place.partition,
                place.offset,
                marked(kept)
            );
        }
    }

    fn end(&mut self, chunk: &mut String, missed: u64) {
        self.over = true;
        self.counts.dropped();
        let why = "you read more slowly than verdicts come; subscribe again, or filter";
        let data = serde_json::json!({ "missed": missed, "message": why });
        _ = write!(chunk, "event: dropped\ndata: {data}\n\n");
    }
}

/// A verdict, with what there is to say of it beside what stands in its topic.
fn marked(kept: &Kept) -> Cow<'_, str> {
    let mut marks = String::new();
    if kept.shortened {
        marks.push_str(",\"shortened\":true");
    }
    if let Some(replay) = &kept.replay {
        _ = write!(marks, ",\"replay\":{}", serde_json::Value::from(&**replay));
    }
    match kept.json.trim_end().strip_suffix('}') {
        Some(open) if !marks.is_empty() => format!("{open}{marks}}}").into(),
        _ => (*kept.json).into(),
    }
}

/// One who took nothing for so long was dropped by its connection; one who reads takes something with every keep-alive.
impl Drop for Subscriber {
    fn drop(&mut self) {
        if !self.over && self.handed.elapsed() > 2 * self.keep_alive {
            self.counts.dropped();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::{Semaphore, broadcast::Sender};

    use super::*;
    use crate::{dashboard::board::samples, domain::verdict::Outcome};

    const KEEP_ALIVE: Duration = Duration::from_secs(5);

    fn subscriber(stream: &Sender<Arc<Kept>>, filter: Filter) -> Subscriber {
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        let (handed, counts) = (Instant::now(), Arc::default());
        let (verdicts, keep_alive, end) = (stream.subscribe(), KEEP_ALIVE, handed + 100 * KEEP_ALIVE);
        Subscriber { verdicts, filter, greeting: None, over: false, end, handed, keep_alive, counts, _place: place }
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
    }

    #[test]
    fn a_subscriber_gets_what_its_filter_takes_in_order() {
        runtime().block_on(async {
            let stream = Sender::new(8);
            let filter = Filter { verdict: Some(Outcome::Rejected), ..Filter::default() };
            let mut subscriber = subscriber(&stream, filter);
            for (outcome, offset) in
                [(Outcome::Accepted, 1), (Outcome::Rejected, 2), (Outcome::Accepted, 3), (Outcome::Rejected, 4)]
            {
                assert!(stream.send(Arc::new(samples::kept(outcome, offset))).is_ok());
            }
            let chunk = subscriber.next().await.unwrap();
            let ids: Vec<_> = chunk.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
            assert_eq!(ids, ["events/0/2", "events/0/4"]);
        });
    }

    #[test]
    fn one_whose_filter_takes_nothing_is_told_that_the_stream_is_there_however_much_comes() {
        runtime().block_on(async {
            let stream = Sender::new(8);
            let nobody = Filter { organization: Some("nobody".into()), ..Filter::default() };
            let mut subscriber = subscriber(&stream, nobody);
            subscriber.keep_alive = Duration::from_millis(50);
            let steady = async {
                for offset in 0.. {
                    _ = stream.send(Arc::new(samples::kept(Outcome::Accepted, offset)));
                    tokio::task::yield_now().await;
                }
            };
            let told = async {
                for _ in 0..3 {
                    assert_eq!(subscriber.next().await.as_deref(), Some(NOTHING));
                    subscriber.handed = Instant::now();
                }
            };
            tokio::select! {
                () = steady => unreachable!("it sends for ever"),
                told = tokio::time::timeout(Duration::from_secs(10), told) => told.unwrap(),
            }
            // One that is overdue is told even where the next verdict is there each time.
            subscriber.handed -= KEEP_ALIVE;
            assert!(stream.send(Arc::new(samples::kept(Outcome::Accepted, 0))).is_ok());
            assert_eq!(subscriber.next().await.as_deref(), Some(NOTHING));
        });
    }

    #[test]
    fn one_who_is_slow_is_told_what_it_missed_and_dropped() {
        runtime().block_on(async {
            let stream = Sender::new(4);
            let mut slow = subscriber(&stream, Filter::default());
            (0..10).for_each(|offset| assert!(stream.send(Arc::new(samples::kept(Outcome::Rejected, offset))).is_ok()));
            let last = slow.next().await.unwrap();
            assert!(last.starts_with("event: dropped\ndata: {") && last.contains("\"missed\":6"), "{last}");
            assert_eq!(slow.next().await, None);
            let counts = Arc::clone(&slow.counts);
            drop(slow);
            assert_eq!(counts.dropped_so_far(), 1);
        });
    }

    #[test]
    fn one_who_takes_nothing_counts_as_dropped_and_one_who_leaves_does_not() {
        runtime().block_on(async {
            let stream = Sender::new(4);
            for (silence, dropped) in [(Duration::ZERO, 0), (Duration::from_secs(15), 1)] {
                let mut gone = subscriber(&stream, Filter::default());
                gone.handed -= silence;
                let counts = Arc::clone(&gone.counts);
                drop(gone);
                assert_eq!(counts.dropped_so_far(), dropped, "{silence:?}");
            }
        });
    }

    #[test]
    fn a_verdict_that_was_shortened_or_replayed_says_so_and_no_other_does() {
        let of = |kept: &Kept| {
            let stream = Sender::new(1);
            let mut chunk = String::new();
            subscriber(&stream, Filter::default()).push(&mut chunk, kept);
            let data = chunk.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
            serde_json::from_str::<serde_json::Value>(data).unwrap()
        };
        let told = |verdict: &serde_json::Value| of(&samples::keep(verdict, 0));
        let mut verdict = samples::verdict(Outcome::Partial, 1);
        verdict["rejected"] = serde_json::json!([{"attribute": "roles", "company": null, "reason": "locked"}]);
        assert_eq!(told(&verdict), verdict);
        verdict["attributes"] = serde_json::json!({"about": {"value": "x".repeat(100_000), "verified": true}});
        let mut expected = verdict.clone();
        expected["attributes"]["about"]["value"] = serde_json::Value::Null;
        expected["shortened"] = true.into();
        assert_eq!(told(&verdict), expected);
        let mut again = samples::keep(&verdict, 0);
        again.replay = Some("one\"\n".into());
        expected["replay"] = "one\"\n".into();
        assert_eq!(of(&again), expected);
    }

    #[test]
    fn no_value_of_an_event_begins_a_line_of_the_stream() {
        let mut verdict = samples::verdict(Outcome::Rejected, 1);
        verdict["user"]["userId"] = "x\n\nevent: forged\ndata: {}\r\n".into();
        for end in ["\n", "\r", "\r\n"] {
            verdict["source"]["topic"] = format!("events{end}event: forged").into();
            let stream = Sender::new(1);
            let mut chunk = String::new();
            subscriber(&stream, Filter::default()).push(&mut chunk, &samples::keep(&verdict, 0));
            let lines = || chunk.split(['\r', '\n']);
            assert!(!lines().any(|line| line.contains("forged") && !line.starts_with("data: {\"")), "{chunk}");
            assert_eq!(lines().filter(|line| line.starts_with("event: ")).count(), 1, "{chunk}");
        }
    }
}
