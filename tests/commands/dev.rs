//! `attrsync dev`: the embedded broker, the traffic, the worker and the view, all real.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use attrsync::{domain::EventTime, traffic::Traffic};
use rdkafka::{
    ClientConfig,
    producer::{BaseProducer, BaseRecord, Producer},
};

use crate::{Desk, NOW, Ran};

/// What anything here is waited for at most. Generous: the machine may be busy with other tests.
const SOON: Duration = Duration::from_secs(60);

/// A running `dev`; it ends with this.
struct Running {
    child: Child,
    /// What it prints, until nobody reads it any more.
    lines: Option<Receiver<String>>,
}

/// Reads line by line, until nobody takes the lines any more: the pipe is closed then.
fn lines(out: ChildStdout) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        let mut read = BufReader::new(out).lines().map(Result::unwrap);
        while read.next().is_some_and(|line| sender.send(line).is_ok()) {}
    });
    lines
}

impl Running {
    fn start(desk: &Desk, arguments: &[&str]) -> Self {
        let mut command = desk.bare(&[&["dev"], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = lines(child.stdout.take().unwrap());
        Self { child, lines: Some(lines) }
    }

    /// The next line, if one comes before this time is over and it prints any more at all.
    fn line(&self, end: Instant) -> Option<String> {
        match self.lines.as_ref()?.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("not within {SOON:?}: it prints what is waited for"),
        }
    }

    /// The next line that holds this.
    fn until(&self, what: &str) -> String {
        let end = Instant::now() + SOON;
        let found = std::iter::from_fn(|| self.line(end)).find(|line| line.contains(what));
        found.unwrap_or_else(|| panic!("no line with {what:?}"))
    }

    /// Presses ctrl-C; the exit code, and what was printed after.
    fn interrupt(mut self) -> (Option<i32>, String) {
        let sent = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let end = Instant::now() + SOON;
        let rest: Vec<_> = std::iter::from_fn(|| self.line(end)).collect();
        (self.ended(), rest.join("\n"))
    }

    /// The exit code, once there is one.
    fn ended(&mut self) -> Option<i32> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(begun.elapsed() < SOON, "not within {SOON:?}: it ends");
            thread::park_timeout(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Gone already where the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn every_event_gets_the_verdict_that_it_was_made_for() {
    const EVENTS: usize = 600;
    let ran: Ran = Desk::new()
        .bare(&["dev", "--events", &EVENTS.to_string(), "--rate", "2000", "--seed", "5"])
        .output()
        .unwrap()
        .into();
    // On a busy machine the worker may have to try something again. Nothing worse is to be said.
    let said: Vec<_> = ran.err.lines().filter(|line| !line.contains(" WARN ")).collect();
    assert_eq!((ran.code, said.as_slice()), (Some(0), &[][..]));
    let (mut traffic, now) = (Traffic::new(5), EventTime::from_millis(NOW));
    let mut expected = BTreeMap::new();
    for event in std::iter::repeat_with(|| traffic.next(now)).take(EVENTS) {
        *expected.entry(event.outcome.name()).or_insert(0) += 1;
    }
    let (head, shown) = ran.out.split_once("three seconds.\n\n").unwrap();
    assert!(head.contains("127.0.0.1:") && head.contains("no transactions"), "{head}");
    for (name, number) in &expected {
        let lines =
            shown.lines().filter(|line| ["✓", "~", "✗"].iter().any(|mark| line.contains(&format!(" {mark} {name}"))));
        assert_eq!(lines.count(), *number, "{name}");
        assert!(shown.contains(&format!("{number} {name}")), "{name}");
    }
    assert!(shown.contains("600 verdicts"), "{shown}");
}

#[test]
fn others_can_send_to_it_and_edited_settings_count_at_once() {
    let desk = Desk::new();
    desk.write("mine.toml", "[[organizations]]\nslug = \"mine\"\nenforcement = \"observe\"\n");
    let dev = Running::start(&desk, &["--no-traffic", "--settings", "mine.toml"]);
    let broker = dev.until("broker").split([' ', ',']).find(|word| word.starts_with("127.")).unwrap().to_owned();
    assert!(dev.until("attrsync explain").ends_with(" --settings mine.toml"));
    dev.until("three seconds");
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", &broker).create().unwrap();
    let send = |user: &str| {
        let event = format!(
            r#"{{"type":"identify","payload":{{"organization":"mine","userId":"{user}","plan":"x","\u001b[31m":1}}}}"#
        );
        producer.send(BaseRecord::<str, str>::to("events").payload(&event)).map_err(|(error, _)| error).unwrap();
        producer.flush(Duration::from_secs(20)).unwrap();
    };
    send("first");
    let line = dev.until(" first ");
    assert!(line.contains("✓ accepted unverified would be rejected: proof_missing; dropped"), "{line}");
    assert!(line.contains("\\u{1b}[31m plan") && !line.contains('\u{1b}'), "{line}");
    desk.write(
        "mine.toml",
        "[[organizations]]\nslug = \"mine\"\nenforcement = \"observe\"\nattributes.plan.type = \"text\"\n",
    );
    for number in 0.. {
        assert!(number < 200, "the edited settings never counted");
        send(&format!("u{number}"));
        if dev.until(&format!(" u{number} ")).contains("set plan") {
            break;
        }
    }
    let (code, rest) = dev.interrupt();
    assert!(code == Some(0) && rest.contains("verdicts ("), "{code:?} {rest}");
}

#[test]
fn it_tells_where_its_dashboard_is_and_what_that_answers() {
    let desk = Desk::new();
    let dev = Running::start(&desk, &["--rate", "200", "--dashboard-address", "127.0.0.1:0"]);
    let line = dev.until("dashboard ");
    let address = line.split("http://").nth(1).unwrap().trim_end_matches('/').to_owned();
    assert!(dev.until("attrsync explain").ends_with(" --settings settings.example.toml"));
    dev.until("settings.example.toml is in the repository");
    dev.until("✗ rejected");
    let ask = |path: &str| {
        let mut stream = TcpStream::connect(&address).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    };
    assert!(ask("/").contains("/assets/main.js"));
    let rejected = || {
        let overview: serde_json::Value = serde_json::from_str(&ask("/api/v1/overview")).unwrap();
        overview["outcomes"]["rejected"]["total"].as_u64().unwrap()
    };
    // It reads by itself, and may be behind the terminal for a moment.
    let begun = Instant::now();
    while rejected() == 0 {
        assert!(begun.elapsed() < SOON, "no rejection is counted");
    }
    drop(dev);
    let without = Running::start(&desk, &["--no-traffic", "--no-dashboard"]);
    assert!(without.until("dashboard ").ends_with(" none"));
}

#[test]
fn a_reader_that_leaves_ends_it() {
    let desk = Desk::new();
    let mut dev = Running::start(&desk, &["--rate", "100"]);
    dev.until("✓ accepted");
    dev.lines.take();
    assert_eq!(dev.ended(), Some(0));
}

#[test]
fn what_cannot_be_done_is_told() {
    let desk = Desk::new();
    let ran: Ran = desk.bare(&["dev", "--settings", "none.toml"]).output().unwrap().into();
    assert!(ran.code == Some(2) && ran.err.contains("none.toml cannot be read"), "{}", ran.err);
    for arguments in [
        &["dev", "--rate", "0"][..],
        &["dev", "--events", "0"],
        &["dev", "--no-traffic", "--events", "1"],
        &["dev", "--dashboard-address", "0.0.0.0:0"],
    ] {
        let ran: Ran = desk.bare(arguments).output().unwrap().into();
        assert_eq!(ran.code, Some(2), "{arguments:?}");
    }
}
