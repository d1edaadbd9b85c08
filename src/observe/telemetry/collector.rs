//! One request to the collector, and what its answer means. Which answers allow another try, and what the collector can say of a request
//! that it took, is OTLP's to say.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::{
    metrics::v1::ExportMetricsServiceResponse, trace::v1::ExportTraceServiceResponse,
};
use prost::Message;
use ureq::{Agent, Body, http::Response};

use crate::domain::visible::visible;

/// The most bytes of an answer that are read.
const ANSWER_BYTES: u64 = 1 << 16;
/// The most characters of a remark that are kept.
const REMARK_CHARS: usize = 200;

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    Traces,
    Metrics,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sent {
    /// Taken, and what was said of it.
    Taken(Partial),
    /// It may be taken later, after this time at the earliest.
    Later { why: String, after: Duration },
    /// It never will.
    Refused(String),
}

/// What the collector says of a request that it took.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Partial {
    /// Spans or points that it didn't take.
    pub(super) rejected: usize,
    /// Why, or what it has to say beside; empty where it is nothing.
    pub(super) remark: String,
}

impl Sent {
    /// Whether the collector took all of it.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self, Self::Taken(Partial { rejected: 0, .. }))
    }
}

impl Signal {
    /// Below the collector's base.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Metrics => "/v1/metrics",
        }
    }

    /// What an answer says of a request that was taken. One that can't be read says nothing: the request was taken all the same.
    fn partial(self, answer: &[u8]) -> Partial {
        let said = match self {
            Self::Traces => ExportTraceServiceResponse::decode(answer)
                .ok()
                .and_then(|answer| answer.partial_success)
                .map(|partial| (partial.rejected_spans, partial.error_message)),
            Self::Metrics => ExportMetricsServiceResponse::decode(answer)
                .ok()
                .and_then(|answer| answer.partial_success)
                .map(|partial| (partial.rejected_data_points, partial.error_message)),
        };
        let (rejected, remark) = said.unwrap_or_default();
        Partial { rejected: usize::try_from(rejected).unwrap_or_default(), remark: fit_for_a_log(&remark) }
    }
}

/// The collector.
pub(super) struct Collector {
    agent: Agent,
    endpoint: String,
}

impl Collector {
    /// The collector with this base, and how long a request may take.
    pub(super) fn new(endpoint: &str, patience: Duration) -> Self {
        Self { agent: agent(patience), endpoint: endpoint.trim_end_matches('/').to_owned() }
    }

    /// Its base.
    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Sends a request.
    pub(super) fn post(&self, signal: Signal, body: &[u8]) -> Sent {
        let url = format!("{}{}", self.endpoint, signal.path());
        match self.agent.post(url.as_str()).header("content-type", "application/x-protobuf").send(body) {
            Err(error) => Sent::Later { why: error.to_string(), after: Duration::ZERO },
            Ok(mut answer) => match answer.status().as_u16() {
                200..=299 => Sent::Taken(signal.partial(&read(&mut answer))),
                status @ (429 | 502 | 503 | 504) => {
                    Sent::Later { why: format!("status {status}"), after: retry_after(&answer) }
                }
                status => Sent::Refused(format!("status {status}")),
            },
        }
    }
}

fn agent(patience: Duration) -> Agent {
    Agent::config_builder()
        .timeout_global(Some(patience))
        .http_status_as_error(false)
        .max_redirects(0)
        // The collector stands beside the worker; a proxy of the environment is the way to others.
        .proxy(None)
        .build()
        .into()
}

/// How long the collector asks to be left alone, where it says so in seconds.
fn retry_after(answer: &Response<Body>) -> Duration {
    let seconds = || answer.headers().get("retry-after")?.to_str().ok()?.trim().parse::<u64>().ok();
    Duration::from_secs(seconds().unwrap_or_default())
}

/// The body of an answer; nothing of one that is too long or breaks off.
fn read(answer: &mut Response<Body>) -> Vec<u8> {
    answer.body_mut().with_config().limit(ANSWER_BYTES).read_to_vec().unwrap_or_default()
}

/// The beginning of a text that comes from outside, with what is not seen spelled out.
fn fit_for_a_log(text: &str) -> String {
    visible(&text.chars().take(REMARK_CHARS).collect::<String>())
}

#[cfg(test)]
pub(super) mod tests {
    use std::{
        env,
        io::{Read, Write},
        net::{TcpListener, TcpStream},
        process::Command,
        sync::mpsc::{Receiver, channel},
        thread,
    };

    use opentelemetry_proto::tonic::collector::{
        metrics::v1::ExportMetricsPartialSuccess, trace::v1::ExportTracePartialSuccess,
    };
    use ureq::Proxy;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    /// An answer: its status, further headers, and its body.
    pub(crate) type Answer = (u16, &'static str, Vec<u8>);

    /// An answer that is its status alone.
    pub(crate) fn plain(status: u16) -> Answer {
        (status, "", Vec::new())
    }

    /// Spans are taken but for so many.
    pub(crate) fn partial(rejected_spans: i64, remark: &str) -> Answer {
        let partial_success = Some(ExportTracePartialSuccess { rejected_spans, error_message: remark.to_owned() });
        (200, "", ExportTraceServiceResponse { partial_success }.encode_to_vec())
    }

    /// Answers one request after the other, and tells the path of each before that.
    pub(crate) fn collector(answers: Vec<Answer>) -> (String, Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (told, paths) = channel();
        thread::spawn(move || {
            for (status, headers, body) in answers {
                let (mut stream, _) = listener.accept().unwrap();
                // Not every test listens.
                _ = told.send(path_of_request(&mut stream));
                let length = body.len();
                write!(stream, "HTTP/1.1 {status} x\r\n{headers}content-length: {length}\r\n").unwrap();
                stream.write_all(b"connection: close\r\n\r\n").unwrap();
                stream.write_all(&body).unwrap();
            }
        });
        (address, paths)
    }

    fn path_of_request(stream: &mut TcpStream) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        stream.read_exact(&mut vec![0; length.parse().unwrap()]).unwrap();
        head.split(' ').nth(1).unwrap().to_owned()
    }

    fn taken(rejected: usize, remark: &str) -> Sent {
        Sent::Taken(Partial { rejected, remark: remark.to_owned() })
    }

    #[test]
    fn an_answer_is_read_as_otlp_has_it() {
        let text = str::to_owned;
        let later = |status, after_s| Sent::Later { why: text(status), after: Duration::from_secs(after_s) };
        for (answer, sent) in [
            (plain(200), taken(0, "")),
            (plain(301), Sent::Refused(text("status 301"))),
            (plain(400), Sent::Refused(text("status 400"))),
            (plain(503), later("status 503", 0)),
            ((429, "retry-after: 7\r\n", Vec::new()), later("status 429", 7)),
            ((503, "retry-after: Fri, 31 Dec 1999 23:59:59 GMT\r\n", Vec::new()), later("status 503", 0)),
            (partial(3, "of another time"), taken(3, "of another time")),
            (partial(0, "use gRPC"), taken(0, "use gRPC")),
            (partial(-1, ""), taken(0, "")),
            // What can't be read, and what is too long to be.
            ((200, "", vec![0xff; 20]), taken(0, "")),
            (partial(1, &"x".repeat(1 << 16)), taken(0, "")),
        ] {
            let (address, _paths) = collector(vec![answer]);
            assert_eq!(Collector::new(&address, PATIENCE).post(Signal::Traces, b"x"), sent);
        }
        let partial = ExportMetricsPartialSuccess { rejected_data_points: 4, error_message: text("too old") };
        let answer = ExportMetricsServiceResponse { partial_success: Some(partial) }.encode_to_vec();
        assert_eq!(Sent::Taken(Signal::Metrics.partial(&answer)), taken(4, "too old"));
    }

    #[test]
    fn a_remark_is_short_and_has_nothing_that_a_terminal_acts_on() {
        assert_eq!(fit_for_a_log("\u{1b}[2J\r\n\"ä\" \u{202e}"), "\\u{1b}[2J\\r\\n\"ä\" \\u{202e}");
        assert_eq!(fit_for_a_log(&"ä".repeat(1_000)), "ä".repeat(REMARK_CHARS));
    }

    /// The variable that has the test look at the environment of a process of its own.
    const CHILD: &str = "ATTRSYNC_TEST_PROXY";

    #[test]
    fn no_proxy_of_the_environment_is_asked() {
        if env::var_os(CHILD).is_some() {
            assert!(Proxy::try_from_env().is_some() && agent(PATIENCE).config().proxy().is_none());
            return;
        }
        let name = "observe::telemetry::collector::tests::no_proxy_of_the_environment_is_asked";
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", name]).env(CHILD, "1").env("ALL_PROXY", "http://127.0.0.1:9");
        let told = String::from_utf8(child.output().unwrap().stdout).unwrap();
        assert!(told.contains("1 passed"), "{told}");
    }
}
