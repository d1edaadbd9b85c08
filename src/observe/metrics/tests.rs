//! A reading by hand, and the text that comes of it.

use super::*;
use crate::{
    domain::{Reason, verdict::Outcome},
    observe::{Lag, SettingsReading, ShardReading, Verdicts, telemetry::TelemetryReading},
};

fn reading() -> Reading {
    let durations = |sum| Durations {
        bounds: [5, 100].map(Duration::from_millis).to_vec(),
        counts: vec![1, 2, 1],
        sum: Duration::from_millis(sum),
    };
    let verdicts = |outcome, reason, count| Verdicts { outcome, reason, count };
    let shard = |topic: &str| ShardReading {
        records: 10,
        bytes: 7_000,
        emitted: [8, 2],
        emitted_bytes: [9_000, 500],
        verdicts: vec![
            verdicts(Outcome::Accepted, None, 7),
            verdicts(Outcome::Rejected, Some(Reason::TokenExpired), 2),
            verdicts(Outcome::Rejected, Some(Reason::MalformedJson), 1),
        ],
        batches: durations(500),
        judging: durations(200),
        commits: durations(100),
        aborted: 1,
        rejoined: 1,
        gone: 50,
        faults: vec![("aborted", 1), ("fenced", 1)],
        in_flight: 32,
        fetched: 400,
        fetched_bytes: 280_000,
        partitions: 1,
        lags: vec![Lag { topic: topic.to_owned(), partition: 3, records: 12, behind: Duration::from_millis(1_500) }],
        joined: true,
        silence: Duration::from_millis(250),
        ..ShardReading::default()
    };
    let settings =
        SettingsReading { version: 7, age: Duration::from_secs(60), refused: 1, ..SettingsReading::default() };
    let telemetry = TelemetryReading { exported: 5, dropped: 2, failures: 1 };
    Reading { shards: vec![shard("events"), shard("boots")], settings: Some(settings), telemetry: Some(telemetry) }
}

fn text(read: impl Fn() -> Reading + Send + Sync + 'static) -> String {
    Metrics::new(of_worker(Arc::new(read))).text().unwrap()
}

#[test]
fn a_reading_becomes_metrics_with_the_shards_added_up() {
    let text = text(reading);
    for line in [
        "# TYPE attrsync_records counter",
        "attrsync_records_total 20",
        "attrsync_record_bytes_total 14000",
        r#"attrsync_emitted_records_total{channel="rejected"} 4"#,
        r#"attrsync_emitted_bytes_total{channel="accepted"} 18000"#,
        r#"attrsync_verdicts_total{verdict="accepted",reason=""} 14"#,
        r#"attrsync_verdicts_total{verdict="rejected",reason="token_expired"} 4"#,
        "attrsync_poison_records_total 2",
        r#"attrsync_batch_duration_seconds_bucket{le="0.005"} 2"#,
        r#"attrsync_batch_duration_seconds_bucket{le="0.1"} 6"#,
        r#"attrsync_batch_duration_seconds_bucket{le="+Inf"} 8"#,
        "attrsync_batch_duration_seconds_count 8",
        "attrsync_batch_duration_seconds_sum 1.0",
        "attrsync_judge_duration_seconds_sum 0.4",
        "attrsync_transactions_aborted_total 2",
        "attrsync_producers_rebuilt_total 0",
        "attrsync_consumers_rejoined_total 2",
        "attrsync_gone_records_total 100",
        r#"attrsync_faults_total{fault="fenced"} 2"#,
        r#"attrsync_lag_records{topic="boots",partition="3"} 12"#,
        r#"attrsync_behind_seconds{topic="events",partition="3"} 1.5"#,
        r#"attrsync_in_flight_records{shard="0"} 32"#,
        r#"attrsync_fetched_bytes{shard="1"} 280000"#,
        r#"attrsync_partitions_assigned{shard="0"} 1"#,
        r#"attrsync_partitions_held{shard="0"} 0"#,
        r#"attrsync_heartbeat_age_seconds{shard="1"} 0.25"#,
        "attrsync_ready 1",
        "attrsync_settings_version 7",
        "attrsync_settings_age_seconds 60.0",
        "attrsync_settings_stale 0",
        "attrsync_settings_refused 0",
        r#"attrsync_telemetry_spans_total{result="dropped"} 2"#,
        "attrsync_telemetry_failures_total 1",
        r#"attrsync_settings_reloads_total{result="refused"} 1"#,
        concat!(
            "attrsync_build_info{version=\"",
            env!("CARGO_PKG_VERSION"),
            "\",commit=\"",
            env!("ATTRSYNC_COMMIT"),
            "\"} 1"
        ),
        "# EOF",
    ] {
        assert!(text.lines().any(|written| written == line), "{line}\n--- not in\n{text}");
    }
}

#[test]
fn every_metric_of_a_worker_is_described_and_no_other() {
    let text = text(reading);
    let described: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let known: Vec<_> = [list::WORKER, list::PROCESS].concat().iter().map(|metric| metric.name).collect();
    assert_eq!(described, known);
}

#[test]
fn names_follow_the_conventions_and_each_is_there_once() {
    let mut names = std::collections::BTreeSet::new();
    for metric in list::all() {
        let Metric { name, labels, help, when, .. } = metric;
        assert!(names.insert(name), "{name} is there twice");
        let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        assert!(plain(name) && labels.iter().all(|label| plain(label)), "{name}");
        assert!(["attrsync_", "process_"].iter().any(|prefix| name.starts_with(prefix)), "{name}");
        assert!(
            !["_total", "_info", "_ms", "_count", "_sum", "_bucket"].iter().any(|end| name.ends_with(end)),
            "{name}"
        );
        assert!(!help.ends_with('.') && !when.ends_with('.') && !help.is_empty() && !when.is_empty(), "{name}");
    }
}

#[test]
fn a_worker_that_has_not_begun_has_metrics_too_and_every_verdict_at_zero() {
    let text = text(Reading::default);
    for line in ["attrsync_records_total 0", "attrsync_ready 0", "# EOF"] {
        assert!(text.lines().any(|written| written == line), "{line}\n--- not in\n{text}");
    }
    for metric in list::WORKER.iter().filter(|metric| matches!(metric.kind, MetricType::Histogram)) {
        for end in [r#"_bucket{le="+Inf"} 0"#, "_count 0"] {
            let line = format!("{}{end}", metric.name);
            assert!(text.lines().any(|written| written == line), "{line}\n--- not in\n{text}");
        }
    }
    let zero = |labels: &str| text.contains(&format!("attrsync_verdicts_total{{{labels}}} 0\n"));
    assert!(zero(r#"verdict="accepted",reason="""#) && zero(r#"verdict="partial",reason="""#));
    for reason in Reason::ALL {
        assert!(zero(&format!(r#"verdict="rejected",reason="{}""#, reason.code())), "{reason:?}");
    }
}

#[test]
fn a_worker_is_ready_without_partitions_and_not_before_it_has_its_place_in_the_group() {
    let ready = |joined| {
        let shard = ShardReading { joined, ..ShardReading::default() };
        let settings = Some(SettingsReading { version: 1, refusing: true, ..SettingsReading::default() });
        let text = text(move || Reading { shards: vec![shard.clone()], settings, telemetry: None });
        assert!(text.contains("attrsync_settings_refused 1\n"));
        text.contains("attrsync_ready 1\n")
    };
    assert!(ready(true) && !ready(false));
}
