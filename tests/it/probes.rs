//! What others see of a worker at work: `attrsync healthcheck`, `/readyz`, and the metrics before and after events were judged.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
};

use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use crate::{
    binary::program,
    kit::{self, SOON, dashboard::Dashboard, eventually, feed::Feed, group::Group, process::Setup, topics::Topics},
};

#[test]
fn a_worker_tells_that_it_is_ready_and_what_it_judged() {
    let broker = kit::broker();
    let topics = Topics::create(&broker.0, "probes", 2);
    let mut feed = Feed::new(&topics);
    feed.mixture(500);
    feed.flush();

    // A port that was free a moment ago: the listener is dropped at once.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(healthcheck(address, &["--ready"]), Some(1), "nobody is there yet");
    let setup = Setup::new(&topics, &[&format!("admin.address={address}")]);
    let worker = setup.start("a");
    eventually("the worker is ready", SOON, || healthcheck(address, &["--ready"]) == Some(0));
    assert_eq!(healthcheck(address, &[]), Some(0));
    let revoked = "attrsync_verdicts_total{verdict=\"rejected\",reason=\"key_revoked\"} 0";
    assert!(has_line(&metrics(address), revoked), "from the beginning: its first value is an increase");

    let records = format!("attrsync_records_total {}", feed.len());
    eventually("every record is counted", SOON, || has_line(&metrics(address), &records));
    // One shard may have judged everything before the other one had its partition.
    let assigned = "attrsync_partitions_assigned{shard=\"1\"} 1";
    eventually("the second shard has a partition", SOON, || has_line(&metrics(address), assigned));
    let metrics = metrics(address);
    for part in [
        "attrsync_verdicts_total{verdict=\"accepted\",reason=\"\"} ",
        "attrsync_verdicts_total{verdict=\"rejected\",reason=\"signature_invalid\"} ",
        "attrsync_emitted_records_total{channel=\"rejected\"} ",
        "attrsync_judge_duration_seconds_count ",
        "attrsync_commit_duration_seconds_count ",
        "attrsync_faults_total{fault=\"unreachable\"} 0",
        "attrsync_ready 1",
        "attrsync_settings_stale 0",
        "attrsync_settings_refused 0",
        "attrsync_build_info{version=",
        "process_resident_memory_bytes ",
        "process_start_time_seconds ",
    ] {
        assert!(metrics.lines().any(|line| line.starts_with(part)), "{part}\n--- not in\n{metrics}");
    }
    eventually("nothing waits", SOON, || caught_up(address, &topics));
    worker.stop();
    assert_eq!(healthcheck(address, &[]), Some(1), "nobody is there any more");
}

/// Whether no event waits in any partition, as the worker says.
fn caught_up(address: SocketAddr, topics: &Topics) -> bool {
    let metrics = metrics(address);
    let none = |name: &str, partition: i32| {
        let line = format!("{name}{{topic=\"{}\",partition=\"{partition}\"}} 0", topics.input);
        metrics.lines().any(|found| found.trim_end_matches(".0") == line)
    };
    let names = ["attrsync_lag_records", "attrsync_behind_seconds"];
    (0..topics.partitions).all(|partition| names.iter().all(|name| none(name, partition)))
}

/// Begins a transaction with so many events.
fn transaction(sender: &BaseProducer, (topics, partition): (&Topics, i32), events: usize) {
    sender.begin_transaction().unwrap();
    for _ in 0..events {
        let event = r#"{"organization": "acme", "type": "boot"}"#;
        let record = BaseRecord::<[u8], str>::to(&topics.input).partition(partition).payload(event);
        sender.send(record).map_err(|(error, _)| error).unwrap();
    }
    sender.flush(SOON).unwrap();
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the native call is the library's own; a test has the time")]
fn what_transactions_leave_at_the_end_of_a_partition_is_no_lag() {
    let broker = kit::broker();
    let topics = Topics::create(&broker.0, "markers", 2);
    let mut config = topics.client();
    config.set("transactional.id", format!("{}-sender", topics.input));
    let sender: BaseProducer = config.create().unwrap();
    sender.init_transactions(SOON).unwrap();
    // Partition 0: an event, a marker, aborted 2..5, a marker. Partition 1: aborted alone.
    transaction(&sender, (&topics, 0), 1);
    sender.commit_transaction(SOON).unwrap();
    for partition in [0, 1] {
        transaction(&sender, (&topics, partition), 3);
        sender.abort_transaction(SOON).unwrap();
    }

    let dashboard = Dashboard::start(&topics);
    let waiting = || dashboard.get("/api/v1/overview")["lag"]["records"].as_u64();
    eventually("an event waits, seen from outside", SOON, || waiting() > Some(0));
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let setup = Setup::new(&topics, &[&format!("admin.address={address}")]);
    let worker = setup.start("a");
    eventually("the worker is ready", SOON, || healthcheck(address, &["--ready"]) == Some(0));
    eventually("the event is judged", SOON, || has_line(&metrics(address), "attrsync_records_total 1"));
    eventually("nothing waits", SOON, || caught_up(address, &topics));
    eventually("nothing waits, seen from outside", SOON, || waiting() == Some(0));
    assert_eq!(Group::of(&topics).committed(), [1, 0], "though the partitions end later");
    worker.stop();
    dashboard.stop();
}

/// The exit code of `attrsync healthcheck`.
pub(crate) fn healthcheck(address: SocketAddr, further: &[&str]) -> Option<i32> {
    let mut command = program();
    // A worker that is busy answers late, and answers all the same.
    command.args(["healthcheck", "--timeout-ms", "60000", "--address", &address.to_string()]).args(further);
    command.output().unwrap().status.code()
}

pub(crate) fn metrics(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    write!(stream, "GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn has_line(text: &str, line: &str) -> bool {
    text.lines().any(|found| found == line)
}
