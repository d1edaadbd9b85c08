//! What others see of a worker at work: `attrsync healthcheck`, `/readyz`, and the metrics once events were judged.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::Command,
};

use crate::kit::{self, SOON, eventually, feed::Feed, process::Setup, topics::Topics};

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
        "attrsync_settings_stale 0",
        "attrsync_build_info{version=",
        "process_resident_memory_bytes ",
    ] {
        assert!(metrics.lines().any(|line| line.starts_with(part)), "{part}\n--- not in\n{metrics}");
    }
    let caught_up = |name: &str| {
        let line = |partition| format!("{name}{{topic=\"{}\",partition=\"{partition}\"}} 0", topics.input);
        let metrics = self::metrics(address);
        [0, 1].iter().all(|partition| metrics.lines().any(|found| found.trim_end_matches(".0") == line(partition)))
    };
    eventually("nothing waits", SOON, || caught_up("attrsync_lag_records") && caught_up("attrsync_behind_seconds"));
    worker.stop();
    assert_eq!(healthcheck(address, &[]), Some(1), "nobody is there any more");
}

/// The exit code of `attrsync healthcheck`.
pub(crate) fn healthcheck(address: SocketAddr, further: &[&str]) -> Option<i32> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attrsync"));
    command.args(["healthcheck", "--address", &address.to_string()]).args(further);
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
