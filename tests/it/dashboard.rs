//! The dashboard beside a worker on a real cluster: its totals are those of the topics, again after a restart, and whoever subscribes
//! and reads misses nothing, whatever others do.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, Read as _},
    thread,
    time::{Duration, Instant},
};

use rdkafka::Message as _;
use serde_json::Value;

use crate::kit::{
    self, SOON, dashboard::Dashboard, eventually, feed::Feed, group::Group, outputs, outputs::Told, print,
    process::Setup, topics::Topics,
};

/// `ATTRSYNC_TEST_VERDICTS=100000` is what the dashboard is made for; the tests of every day make do with less.
fn events() -> usize {
    std::env::var("ATTRSYNC_TEST_VERDICTS").map_or(4_000, |number| number.parse().unwrap())
}

/// Numbers by name.
type Counts = BTreeMap<String, u64>;

/// What is in the topics: a partial verdict is told in both and counts once.
fn counted(told: &[Told], name: impl Fn(&Value) -> Vec<String>) -> Counts {
    let mut counts = Counts::new();
    for told in told.iter().filter(|told| told.accepted || told.value["verdict"] != "partial") {
        for name in name(&told.value) {
            *counts.entry(name).or_default() += 1;
        }
    }
    counts
}

fn outcome(verdict: &Value) -> Vec<String> {
    vec![verdict["verdict"].as_str().unwrap().to_owned()]
}

/// The event's reason and those of what was rejected of it, each once.
fn reasons(verdict: &Value) -> Vec<String> {
    let rejected = verdict["rejected"].as_array().unwrap().iter().map(|refused| &refused["reason"]);
    let all: BTreeSet<_> = rejected.chain([&verdict["reason"]]).filter_map(Value::as_str).collect();
    all.into_iter().map(str::to_owned).collect()
}

fn organization(verdict: &Value) -> Vec<String> {
    verdict["organization"].as_str().map(str::to_owned).into_iter().collect()
}

/// Holds every total of the dashboard against the topics.
fn agrees(dashboard: &Dashboard, told: &[Told]) {
    let outcomes = counted(told, outcome);
    let all: u64 = outcomes.values().sum();
    eventually("everything is read", SOON, || {
        let overview = dashboard.get("/api/v1/overview");
        let total = |name: &str| overview["outcomes"][name]["total"].as_u64().unwrap();
        overview["reading"]["caughtUp"] == true && total("accepted") + total("partial") + total("rejected") >= all
    });
    let overview = dashboard.get("/api/v1/overview");
    for span in ["total", "lastDay"] {
        let counts = outcomes.keys().map(|name| (name.clone(), overview["outcomes"][name][span].as_u64().unwrap()));
        assert_eq!(counts.collect::<Counts>(), outcomes, "{span}");
    }
    let found = dashboard.get("/api/v1/reasons");
    let row =
        |row: &Value| (row["reason"]["code"].as_str().unwrap().to_owned(), row["verdicts"]["total"].as_u64().unwrap());
    assert_eq!(found["reasons"].as_array().unwrap().iter().map(row).collect::<Counts>(), counted(told, reasons));
    let found = dashboard.get("/api/v1/organizations");
    let sum = |row: &Value| {
        ["accepted", "partial", "rejected"].iter().map(|name| row["total"][name].as_u64().unwrap()).sum::<u64>()
    };
    let row = |row: &Value| (row["organization"].as_str().unwrap().to_owned(), sum(row));
    assert_eq!(
        found["organizations"].as_array().unwrap().iter().map(row).collect::<Counts>(),
        counted(told, organization)
    );
    assert_eq!(overview["unreadable"], 0);
}

/// Has a worker judge events of the mixture, and end.
fn judge_some(topics: &Topics) {
    let (setup, mut feed) = (Setup::new(topics, &[]), Feed::new(topics));
    let worker = setup.start("a");
    feed.mixture(events());
    feed.flush();
    Group::of(topics).reaches(feed.len());
    worker.stop();
}

#[test]
fn totals_are_those_of_the_topics_and_the_same_after_a_restart() {
    let broker = kit::broker();
    let topics = Topics::create(&broker.0, "dashboard", 3);
    let dashboard = Dashboard::start(&topics);
    judge_some(&topics);
    let told = outputs::committed(&topics);
    agrees(&dashboard, &told);
    eventually("the lag is nothing", SOON, || dashboard.get("/api/v1/overview")["lag"]["records"] == 0);
    dashboard.stop();
    let dashboard = Dashboard::start(&topics);
    let lines = dashboard.ask("/api/v1/verdicts/stream").lines().map(Result::unwrap);
    let mut news = lines.take_while(|line| line != ": nothing");
    agrees(&dashboard, &told);
    assert!(!news.any(|line| line.starts_with("id: ")), "what was told before is no news");

    let rejected = told.iter().rfind(|told| told.value["verdict"] == "rejected").unwrap();
    let (partition, offset) = rejected.source();
    let page = dashboard.get(&format!("/api/v1/verdicts/{}/{partition}/{offset}", topics.input));
    assert_eq!(page["verdict"], rejected.value, "a verdict is shown as it stands in its topic");
    assert_eq!(page["reason"]["code"], rejected.value["reason"]);
    dashboard.stop();
}

/// When each record of a topic was written, and the outcome that it tells.
fn written(topics: &Topics, topic: &str) -> Vec<(i64, String)> {
    let mut written = Vec::new();
    outputs::each(topics, topic, |record| {
        let verdict: Value = serde_json::from_slice(record.payload().unwrap()).unwrap();
        written.push((record.timestamp().to_millis().unwrap(), outcome(&verdict).remove(0)));
    });
    written
}

#[test]
fn a_history_that_is_cut_begins_at_one_time_in_both_topics() {
    let broker = kit::broker();
    let topics = Topics::create(&broker.0, "cut", 3);
    judge_some(&topics);
    let [accepted, rejected] = [&topics.accepted, &topics.rejected].map(|topic| written(&topics, topic));
    let (longer, shorter) = (accepted.len().max(rejected.len()), accepted.len().min(rejected.len()));
    let most = longer.midpoint(shorter);
    assert!(longer > most && most > shorter, "one of the two is cut: {longer}, {shorter}");
    let dashboard = Dashboard::with(&topics, &[&format!("dashboard.window_records={most}")]);
    eventually("everything is read", SOON, || dashboard.get("/api/v1/overview")["reading"]["caughtUp"] == true);

    let overview = dashboard.get("/api/v1/overview");
    let from = overview["reading"]["from"].as_i64().unwrap();
    assert_eq!(overview["reading"]["cut"], true);
    let since = |topic: &[(i64, String)]| topic.iter().filter(|(at, _)| *at >= from).count();
    assert!((1..=most).contains(&since(&accepted)) && (1..=most).contains(&since(&rejected)), "{from}");
    for (topic, name) in [(&accepted, "accepted"), (&accepted, "partial"), (&rejected, "rejected")] {
        let expected = topic.iter().filter(|(at, outcome)| *at >= from && outcome == name).count();
        assert_eq!(overview["outcomes"][name]["total"], expected, "{name}");
    }
    dashboard.stop();
}

#[test]
fn a_topic_of_events_that_is_not_there_is_told() {
    let broker = kit::broker();
    let topics = Topics::named(&broker.0, "no-input", 1);
    [&topics.accepted, &topics.rejected].iter().for_each(|name| topics.add(name, &[]));
    let dashboard = Dashboard::start(&topics);
    let finding = format!("there is no topic {}", topics.input);
    eventually("it is told, and no lag", SOON, || {
        let overview = dashboard.get("/api/v1/overview");
        overview["lag"].is_null() && overview["status"]["findings"].to_string().contains(&finding)
    });
    dashboard.stop();
}

/// Sends so many events, five thousand a second.
fn steadily(feed: &mut Feed, number: usize) {
    const SLICE: usize = 100;
    const RATE: f64 = 5_000.0;
    let begun = Instant::now();
    while feed.len() < number {
        feed.mixture(SLICE.min(number - feed.len()));
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 events")]
        let due = Duration::from_secs_f64(feed.len() as f64 / RATE);
        thread::park_timeout(due.saturating_sub(begun.elapsed()));
    }
    feed.flush();
}

#[test]
fn subscribers_that_read_miss_nothing_while_others_stall() {
    const READING: usize = 40;
    const STALLED: usize = 10;
    let broker = kit::broker();
    let topics = Topics::create(&broker.0, "subscribers", 2);
    let mut feed = Feed::new(&topics);
    let dashboard = Dashboard::start(&topics);
    eventually("the topics are read", SOON, || dashboard.get("/api/v1/overview")["reading"]["caughtUp"] == true);
    let begun = |mut stream: std::io::BufReader<std::net::TcpStream>| {
        let greeting = |line: &String| line.starts_with(": verdicts from now on");
        assert!(stream.by_ref().lines().map(Result::unwrap).any(|line| greeting(&line)));
        stream
    };
    let stalled: Vec<_> = (0..STALLED).map(|_| begun(dashboard.ask("/api/v1/verdicts/stream"))).collect();
    let reading: Vec<_> = (0..READING).map(|_| begun(dashboard.ask("/api/v1/verdicts/stream"))).collect();

    let setup = Setup::new(&topics, &[]);
    let worker = setup.start("a");
    let number = events();
    thread::scope(|scope| {
        let readers: Vec<_> = reading
            .into_iter()
            .map(|stream| {
                scope.spawn(move || {
                    let ids = stream.lines().map(Result::unwrap).filter(|line| line.starts_with("id: "));
                    ids.take(number).collect::<BTreeSet<_>>().len()
                })
            })
            .collect();
        steadily(&mut feed, number);
        for reader in readers {
            assert_eq!(reader.join().unwrap(), number, "each verdict once");
        }
    });
    print(&format!("{READING} subscribers got {number} verdicts each while {STALLED} stalled"));
    worker.stop();
    agrees(&dashboard, &outputs::committed(&topics));
    drop(stalled);
    dashboard.stop();
}
