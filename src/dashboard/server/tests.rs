//! The server by real requests: what it answers, what it refuses, and what it never does with a text of an event.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use rdkafka::ClientConfig;
use serde_json::{Value, json};

use super::{
    super::{History, Limits, answers, lock},
    *,
};
use crate::{dashboard::board::samples, domain::verdict::Outcome, observe::metrics::list};

/// A server without readers; what is fed is fed by hand.
struct Running {
    server: Server,
    shared: Arc<Shared>,
}

/// An answer.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl Running {
    fn start() -> Self {
        Self::with(None, 4)
    }

    fn with(token: Option<Token>, subscribers: usize) -> Self {
        Self::at(PACE, token, subscribers)
    }

    fn at(pace: Pace, token: Option<Token>, subscribers: usize) -> Self {
        let limits = Limits { organizations: 10, attributes: 10, verdicts: 100, verdicts_bytes: 1 << 20 };
        let shared = Arc::new(Shared::new(limits, now()));
        for progress in [&shared.accepted, &shared.rejected] {
            let mut progress = lock(progress);
            (progress.read_back, progress.caught_up) = (true, true);
        }
        let mut options = Options {
            address: ([127, 0, 0, 1], 0).into(),
            token,
            accepted: "a".to_owned(),
            rejected: "r".to_owned(),
            inputs: Vec::new(),
            group: "g".to_owned(),
            history: History::Whole,
            limits,
            subscribers,
            consumer: ClientConfig::new(),
        };
        Self { server: start_at(&mut options, Arc::clone(&shared), pace).unwrap(), shared }
    }

    fn feed(&self, verdict: &Value) {
        samples::feed(&mut lock(&self.shared.board), verdict, now());
        _ = self.shared.stream.send(Arc::new(samples::keep(verdict, now())));
    }

    fn send(&self, line: &str, headers: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.server.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(stream, "{line} HTTP/1.1\r\n{headers}\r\n").unwrap();
        stream
    }

    fn ask(&self, line: &str, headers: &str) -> Answer {
        let mut answer = String::new();
        self.send(line, &format!("{headers}Connection: close\r\n")).read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        Answer { status: head[9..12].parse().unwrap(), head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), "Host: localhost\r\n")
    }
}

#[test]
fn every_view_is_answered_as_it_is_described() {
    let running = Running::start();
    let mut partial = samples::verdict(Outcome::Partial, 2);
    partial["rejected"] = json!([{"attribute": "roles", "company": null, "reason": "locked"}]);
    [samples::verdict(Outcome::Rejected, 1), partial, samples::verdict(Outcome::Accepted, 3)]
        .iter()
        .for_each(|verdict| running.feed(verdict));
    let document = openapi::document();
    let paths = document["paths"].as_object().unwrap();
    for (path, operations) in
        paths.iter().filter(|(path, operations)| operations.get("get").is_some() && !path.ends_with("stream"))
    {
        let asked = path.replace("{organization}", "acme").replace("{topic}/{partition}/{offset}", "events/0/1");
        let answer = running.get(&asked);
        assert_eq!(answer.status, 200, "{asked}: {}", answer.body);
        let mut schema = operations["get"]["responses"]["200"]["content"]["application/json"]["schema"].clone();
        schema["components"] = document["components"].clone();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<_> = validator.iter_errors(&answer.json()).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{asked}: {errors:?}");
    }
    assert_eq!(running.get("/api/v1/overview").json()["outcomes"]["rejected"]["total"], 1);
    assert_eq!(running.get("/api/v1/organizations/acme").json()["reasons"].as_array().unwrap().len(), 2);
    assert_eq!(running.get("/api/v1/verdicts?reason=locked").json()["verdicts"][0]["source"]["offset"], 2);
}

#[test]
fn what_can_not_be_answered_is_refused_with_the_way_out() {
    let running = Running::start();
    for (path, status, part) in [
        ("/api/v1/verdicts?organisation=acme", 400, "organization"),
        ("/api/v1/verdicts?limit=0", 400, "1 to 200"),
        ("/api/v1/verdicts?limit=x", 400, "invalid digit"),
        ("/api/v1/verdicts?before=12", 400, "`next` of another page"),
        ("/api/v1/verdicts?verdict=bad", 400, "accepted, partial or rejected"),
        ("/api/v1/verdicts?user=sha256:x", 400, "64 hexadecimal digits"),
        ("/api/v1/verdicts/stream?limit=1", 400, "unknown field"),
        ("/api/v1/verdicts/events/0/x", 400, "offset"),
        ("/api/v1/verdicts/events/0/7", 404, "newest"),
        ("/api/v1/verdicts/%FF/0/7", 400, "UTF-8"),
        ("/api/v1/organizations/nobody", 404, "exactly"),
        ("/api/v1/organizations/%FF", 400, "UTF-8"),
        ("/api/v1/session", 405, "POST"),
        ("/api/v2", 404, "openapi"),
    ] {
        let answer = running.get(path);
        assert_eq!(answer.status, status, "{path}");
        let head = &answer.head;
        assert!(
            head.contains("content-type: application/problem+json") && head.contains("cache-control: no-store"),
            "{path}: {head}"
        );
        let problem = answer.json();
        assert!(problem["detail"].as_str().unwrap().contains(part) && problem["status"] == status, "{path}: {problem}");
    }
    let posted = running.ask("POST /api/v1/overview", "Host: localhost\r\nContent-Length: 0\r\n");
    assert!(posted.status == 405 && posted.body.contains("only be read"), "{}", posted.body);
    for organization in 0..20 {
        let mut verdict = samples::verdict(Outcome::Accepted, organization);
        verdict["organization"] = format!("organization-{organization}").into();
        running.feed(&verdict);
    }
    let other = running.get("/api/v1/organizations/nobody");
    assert!(other.status == 404 && other.body.contains("dashboard.organizations"), "{}", other.body);
}

#[test]
fn every_answer_forbids_what_the_page_does_not_need() {
    let running = Running::start();
    for path in ["/", "/assets/main.js", "/api/v1/overview", "/nothing"] {
        let head = running.get(path).head;
        for part in [
            "content-security-policy: default-src 'none'; script-src 'self';",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "frame-ancestors 'none'",
        ] {
            assert!(head.contains(part), "{path} lacks {part}: {head}");
        }
        assert!(!head.contains("unsafe-") && !head.contains("access-control-allow"), "{head}");
    }
}

#[test]
fn another_host_or_a_missing_token_gets_nothing() {
    let running = Running::start();
    let answer = running.ask("GET /api/v1/overview", "Host: evil.example\r\n");
    assert!(answer.status == 421 && answer.body.contains("token_file"), "{}", answer.body);

    let folder = tempfile::tempdir().unwrap();
    let (file, secret) = (folder.path().join("token"), "a-token-of-at-least-32-characters");
    std::fs::write(&file, secret).unwrap();
    let running = Running::with(Some(Token::read(&file).unwrap()), 1);
    for path in ["/api/v1/overview", "/api/v1/verdicts/stream", "/api/v1/verdicts/events/0/1"] {
        let answer = running.ask(&format!("GET {path}"), "Host: any.example\r\nAuthorization: Bearer wrong\r\n");
        assert!(answer.status == 401 && answer.head.contains("www-authenticate: bearer"), "{path}");
    }
    assert_eq!(running.ask("GET /", "Host: any.example\r\n").status, 200, "the page asks for the token");
    let bearer = format!("Host: any.example\r\nAuthorization: Bearer {secret}\r\n");
    assert_eq!(running.ask("GET /api/v1/overview", &bearer).status, 200);
    let session = running.ask("POST /api/v1/session", &format!("{bearer}Content-Length: 0\r\n"));
    assert!(session.status == 204 && session.head.contains("httponly; samesite=strict"), "{}", session.head);
    let cookie = session
        .head
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: "))
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let shown = format!("Host: any.example\r\nCookie: {cookie}\r\n");
    assert_eq!(running.ask("GET /api/v1/overview", &shown).status, 200);
    let again = running.ask("POST /api/v1/session", &format!("{shown}Content-Length: 0\r\n"));
    assert!(again.status == 401 && !again.head.contains("set-cookie"), "a cookie gets no other: {}", again.head);
}

#[test]
fn a_subscriber_gets_verdicts_as_they_come_and_places_are_bounded() {
    let running = Running::with(None, 1);
    let mut lines = BufReader::new(
        running.send("GET /api/v1/verdicts/stream?organization=acme&reason=signature_invalid", "Host: localhost\r\n"),
    )
    .lines();
    let mut until = |part: &str| lines.by_ref().map(Result::unwrap).find(|line| line.contains(part)).unwrap();
    until(": verdicts from now on");
    assert_eq!(running.get("/api/v1/verdicts/stream").status, 503);
    running.feed(&samples::verdict(Outcome::Accepted, 1));
    running.feed(&samples::verdict(Outcome::Rejected, 2));
    assert_eq!(until("id: "), "id: events/0/2");
    let data: Value = serde_json::from_str(&until("data: ")["data: ".len()..]).unwrap();
    assert_eq!(data["reason"], "signature_invalid");
}

#[test]
fn a_subscriber_whose_filter_takes_nothing_stays_while_others_get_verdicts() {
    let pace = Pace { stall: Duration::from_secs(5), keep_alive: Duration::from_millis(100), ..PACE };
    let running = Running::at(pace, None, 1);
    let stream = running.send("GET /api/v1/verdicts/stream?organization=nobody", "Host: localhost\r\n");
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with(": verdicts")));
    let begun = std::time::Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while begun.elapsed() < pace.stall * 3 / 2 {
                running.feed(&samples::verdict(Outcome::Accepted, 1));
                std::thread::park_timeout(Duration::from_millis(10));
            }
        });
        while begun.elapsed() < pace.stall * 5 / 4 {
            assert!(lines.any(|line| line == ": nothing"), "it was cut off after {:?}", begun.elapsed());
        }
    });
    assert_eq!(running.shared.counts.dropped_so_far(), 0);
}

#[test]
fn the_place_of_a_subscriber_that_reads_nothing_is_free_again_once_its_time_is_over() {
    let pace = Pace { keep_alive: Duration::from_millis(100), stream: Duration::from_millis(500), ..PACE };
    let running = Running::at(pace, None, 1);
    let mut silent = BufReader::new(running.send("GET /api/v1/verdicts/stream", "Host: localhost\r\n")).lines();
    assert!(silent.any(|line| line.unwrap().starts_with(": verdicts")));
    let begun = std::time::Instant::now();
    let told = loop {
        // One that is let in is read to its end.
        let answer = running.get("/api/v1/verdicts/stream");
        if answer.status == 200 {
            break answer.body;
        }
        assert!(answer.status == 503 && begun.elapsed() < Duration::from_secs(20), "its place stays taken");
    };
    assert!(told.contains(": verdicts from now on") && told.contains("subscribe again"), "{told}");
    drop(silent);
}

#[test]
fn markup_and_escapes_in_events_are_answered_as_json_and_as_nothing_else() {
    const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\u{1b}[2J\u{202e}\r\nSet-Cookie: a=b";
    let running = Running::start();
    let mut verdict = samples::verdict(Outcome::Partial, 5);
    verdict["organization"] = HOSTILE.into();
    verdict["event"]["type"] = HOSTILE.into();
    verdict["event"]["id"] = HOSTILE.into();
    verdict["user"] = json!({"userId": HOSTILE, "email": HOSTILE, "anonymousId": HOSTILE});
    verdict["verification"]["keyId"] = HOSTILE.into();
    verdict["attributes"] = json!({HOSTILE: {"value": HOSTILE, "verified": true}});
    verdict["rejected"] = json!([{"attribute": HOSTILE, "company": HOSTILE, "reason": HOSTILE}]);
    verdict["dropped"] = json!([{"attribute": HOSTILE, "company": null, "reason": "not_configured"}]);
    running.feed(&verdict);
    let slug: String = HOSTILE.bytes().map(|byte| format!("%{byte:02X}")).collect();
    for path in [
        "/api/v1/overview",
        "/api/v1/reasons",
        "/api/v1/organizations",
        "/api/v1/verdicts",
        "/api/v1/verdicts/events/0/5",
        &format!("/api/v1/organizations/{slug}"),
        &format!("/api/v1/verdicts?user={slug}"),
    ] {
        let answer = running.get(path);
        assert_eq!(answer.status, 200, "{path}");
        assert!(
            answer.head.contains("content-type: application/json") && !answer.head.contains("set-cookie"),
            "{}",
            answer.head
        );
        assert!(!answer.body.contains(['\u{1b}', '\r', '\n']), "{path}");
        answer.json();
    }
    assert!(running.get("/api/v1/verdicts").body.contains("onerror"), "it looks at something");
}

#[test]
fn a_probe_is_answered_without_a_token_and_says_what_is_still_read() {
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "0123456789abcdef0123456789abcdef").unwrap();
    let running = Running::with(Some(Token::read(token.path()).unwrap()), 4);
    lock(&running.shared.accepted).caught_up = false;
    lock(&running.shared.rejected).read_back = false;
    let alive = running.ask("GET /livez", "Host: 10.1.2.3\r\n");
    assert_eq!((alive.status, alive.json()), (200, json!({"ok": true, "missing": []})));
    let ready = running.ask("GET /readyz", "Host: 10.1.2.3\r\n");
    assert_eq!((ready.status, ready.json()), (503, json!({"ok": false, "missing": ["rejected verdicts"]})));
}

#[test]
fn metrics_tell_of_reading_and_subscribers_to_whoever_may_read() {
    let running = Running::with(None, 1);
    *running.shared.lag() = answers::Looked::Found(answers::Lag {
        records: 7,
        at: now(),
        unknown: 0,
        partitions: vec![answers::PartitionLag { topic: "events".to_owned(), partition: 2, records: 7 }],
    });
    let mut stream = BufReader::new(running.send("GET /api/v1/verdicts/stream", "Host: localhost\r\n"));
    let mut line = String::new();
    while !line.starts_with(": verdicts") {
        line.clear();
        assert!(stream.read_line(&mut line).unwrap() > 0, "the stream ended");
    }
    assert_eq!(running.get("/api/v1/verdicts/stream").status, 503);
    let text = running.get("/metrics").body;
    for line in [
        "attrsync_group_lag_records{topic=\"events\",partition=\"2\"} 7",
        "attrsync_dashboard_caught_up 1",
        "attrsync_dashboard_subscribers 1",
        "attrsync_dashboard_subscribers_refused_total 1",
        "attrsync_dashboard_subscribers_dropped_total 0",
        "# EOF",
    ] {
        assert!(text.contains(&format!("{line}\n")), "{line}\n--- not in\n{text}");
    }
    let described: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let known = [list::DASHBOARD, list::PROCESS].concat();
    assert_eq!(described, known.iter().map(|metric| metric.name).collect::<Vec<_>>());
    assert_eq!(running.ask("GET /metrics", "Host: evil.example\r\n").status, 421);
}
