//! The Grafana dashboard, deploy/grafana/attrsync.json: made from the panels below, so that none of its queries goes unchecked. After a
//! change `ATTRSYNC_UPDATE=1 cargo test --test deploy` writes it anew.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::{holds, read};

const FILE: &str = "deploy/grafana/attrsync.json";
/// Grafana's grid has so many columns.
const COLUMNS: u32 = 24;

/// How a panel shows its values.
#[derive(Clone, Copy)]
enum Shape {
    /// One figure, red from here on.
    Figure { red: f64 },
    /// Lines over time.
    Lines,
    /// Areas on top of each other.
    Areas,
}

use Shape::{Areas, Figure, Lines};

/// A panel.
struct Panel {
    title: &'static str,
    about: &'static str,
    shape: Shape,
    unit: &'static str,
    /// Queries and their legends.
    queries: &'static [(&'static str, &'static str)],
}

macro_rules! panels {
    ($($title:literal $shape:expr, $unit:literal $about:literal { $($query:literal as $legend:literal)* })*) => {
        &[$(Panel { title: $title, about: $about, shape: $shape, unit: $unit, queries: &[$(($query, $legend)),*] }),*]
    };
}

/// The rows, from what is looked at first to what explains it.
const ROWS: &[(&str, &[Panel])] = &[
    (
        "Health",
        panels! {
            "Workers" Figure { red: f64::INFINITY }, "none" "Workers that answer."
                { r#"count(up{job="attrsync-worker"} == 1) or vector(0)"# as "" }
            "Time behind" Figure { red: 60.0 }, "s" "How long the events judged now have waited; the worst partition."
                { r#"max(attrsync_behind_seconds{instance=~"$instance"})"# as "" }
            "Events waiting" Figure { red: 10_000.0 }, "short" "The lag over all partitions."
                { r#"sum(attrsync_lag_records{instance=~"$instance"})"# as "" }
            "Rejected" Figure { red: 0.2 }, "percentunit" "The share of rejected events in the last quarter of an hour."
                { r#"sum(rate(attrsync_verdicts_total{verdict="rejected",instance=~"$instance"}[15m])) / sum(rate(attrsync_verdicts_total{instance=~"$instance"}[15m]))"# as "" }
            "Faults in an hour" Figure { red: 10.0 }, "short" "Faults of ours; each was tried again."
                { r#"sum(increase(attrsync_faults_total{instance=~"$instance"}[1h]))"# as "" }
            "Settings out of reach" Figure { red: 60.0 }, "s" "How long the database of settings could not be looked at; the worst worker."
                { r#"max(attrsync_settings_out_of_reach_seconds{instance=~"$instance"})"# as "" }
        },
    ),
    (
        "Throughput",
        panels! {
            "Events judged" Lines, "ops" "Records judged and committed in a second."
                { r#"sum by (instance) (rate(attrsync_records_total{instance=~"$instance"}[$__rate_interval]))"# as "{{instance}}" }
            "Bytes in and out" Lines, "Bps" "Values of the records read and written."
                { r#"sum(rate(attrsync_record_bytes_total{instance=~"$instance"}[$__rate_interval]))"# as "in"
                  r#"sum by (channel) (rate(attrsync_emitted_bytes_total{instance=~"$instance"}[$__rate_interval]))"# as "{{channel}}" }
            "Judging one event" Lines, "s" "Time of a shard per event, without waiting and commits."
                { r#"sum by (instance) (rate(attrsync_judge_duration_seconds_sum{instance=~"$instance"}[$__rate_interval])) / sum by (instance) (rate(attrsync_records_total{instance=~"$instance"}[$__rate_interval]))"# as "{{instance}}" }
            "CPU" Lines, "none" "Cores in use."
                { r#"sum by (instance) (rate(process_cpu_seconds_total{job="attrsync-worker",instance=~"$instance"}[$__rate_interval]))"# as "{{instance}}" }
            "Memory" Lines, "bytes" "Resident memory, and what of it are fetched records that wait."
                { r#"process_resident_memory_bytes{job="attrsync-worker",instance=~"$instance"}"# as "{{instance}}"
                  r#"sum by (instance) (attrsync_fetched_bytes{instance=~"$instance"})"# as "{{instance}} fetched" }
            "Records in hand" Lines, "short" "Fetched and waiting, and those of the batch in hand."
                { r#"sum by (instance) (attrsync_fetched_records{instance=~"$instance"})"# as "{{instance}} fetched"
                  r#"sum by (instance) (attrsync_in_flight_records{instance=~"$instance"})"# as "{{instance}} in flight" }
        },
    ),
    (
        "Lag",
        panels! {
            "Time behind" Lines, "s" "How long the events judged now have waited."
                { r#"max by (topic, partition) (attrsync_behind_seconds{instance=~"$instance"})"# as "{{topic}}/{{partition}}" }
            "Events waiting" Areas, "short" "Told by the workers, for the partitions that they read."
                { r#"sum by (topic, partition) (attrsync_lag_records{instance=~"$instance"})"# as "{{topic}}/{{partition}}" }
            "Events waiting, seen from outside" Areas, "short" "Told by the dashboard, from the group's committed offsets: it is there without workers too."
                { r#"max by (topic, partition) (attrsync_group_lag_records)"# as "{{topic}}/{{partition}}" }
            "Partitions" Lines, "none" "Assigned, and held for settings."
                { r#"sum by (instance) (attrsync_partitions_assigned{instance=~"$instance"})"# as "{{instance}}"
                  r#"sum by (instance) (attrsync_partitions_held{instance=~"$instance"})"# as "{{instance}} held" }
        },
    ),
    (
        "Verdicts",
        panels! {
            "Verdicts" Areas, "ops" "By outcome."
                { r#"sum by (verdict) (rate(attrsync_verdicts_total{instance=~"$instance"}[$__rate_interval]))"# as "{{verdict}}" }
            "Reasons" Areas, "ops" "Why events were rejected; docs/REASONS.md says what each means."
                { r#"sum by (reason) (rate(attrsync_verdicts_total{verdict="rejected",instance=~"$instance"}[$__rate_interval]))"# as "{{reason}}" }
            "Share rejected" Lines, "percentunit" "Of all events."
                { r#"sum(rate(attrsync_verdicts_total{verdict="rejected",instance=~"$instance"}[$__rate_interval])) / sum(rate(attrsync_verdicts_total{instance=~"$instance"}[$__rate_interval]))"# as "rejected" }
            "Poison records" Lines, "ops" "Records that can't be read as an event."
                { r#"sum(rate(attrsync_poison_records_total{instance=~"$instance"}[$__rate_interval]))"# as "poison" }
        },
    ),
    (
        "Settings",
        panels! {
            "Age" Lines, "s" "How long the settings have judged; it falls with each change."
                { r#"attrsync_settings_age_seconds{instance=~"$instance"}"# as "{{instance}}" }
            "Versions" Lines, "none" "How many there are at a time: more than one only while a change is under way."
                { r#"count(count by (version) (count_values("version", attrsync_settings_version{instance=~"$instance"})))"# as "versions" }
            "Out of reach" Lines, "s" "How long the database could not be looked at; workers pause after settings.max_staleness_s."
                { r#"attrsync_settings_out_of_reach_seconds{instance=~"$instance"}"# as "{{instance}}" }
            "Changes and organizations" Lines, "none" "Changes found in an hour, and organizations that can't be used."
                { r#"sum by (result) (increase(attrsync_settings_reloads_total{instance=~"$instance"}[1h]))"# as "{{result}}"
                  r#"max(attrsync_settings_unusable_organizations{instance=~"$instance"})"# as "unusable" }
        },
    ),
    (
        "Kafka",
        panels! {
            "Faults" Areas, "ops" "By what they are; ARCHITECTURE.md says what is done about each."
                { r#"sum by (fault) (rate(attrsync_faults_total{instance=~"$instance"}[$__rate_interval]))"# as "{{fault}}" }
            "Remedies in an hour" Lines, "short" "Batches aborted, producers rebuilt, consumers rejoined."
                { r#"sum(increase(attrsync_transactions_aborted_total{instance=~"$instance"}[1h]))"# as "aborted"
                  r#"sum(increase(attrsync_producers_rebuilt_total{instance=~"$instance"}[1h]))"# as "rebuilt"
                  r#"sum(increase(attrsync_consumers_rejoined_total{instance=~"$instance"}[1h]))"# as "rejoined" }
            "Commits" Lines, "s" "How long commits take."
                { r#"histogram_quantile(0.5, sum by (le) (rate(attrsync_commit_duration_seconds_bucket{instance=~"$instance"}[$__rate_interval])))"# as "p50"
                  r#"histogram_quantile(0.99, sum by (le) (rate(attrsync_commit_duration_seconds_bucket{instance=~"$instance"}[$__rate_interval])))"# as "p99" }
            "Batches" Lines, "s" "From a batch's first record to the end of its commit."
                { r#"histogram_quantile(0.5, sum by (le) (rate(attrsync_batch_duration_seconds_bucket{instance=~"$instance"}[$__rate_interval])))"# as "p50"
                  r#"histogram_quantile(0.99, sum by (le) (rate(attrsync_batch_duration_seconds_bucket{instance=~"$instance"}[$__rate_interval])))"# as "p99" }
            "Heartbeats" Lines, "s" "Since each shard's loop was last alive."
                { r#"attrsync_heartbeat_age_seconds{instance=~"$instance"}"# as "{{instance}}/{{shard}}" }
            "Spans" Lines, "ops" "Exported to the collector of OpenTelemetry, and dropped; requests that failed."
                { r#"sum by (result) (rate(attrsync_telemetry_spans_total{instance=~"$instance"}[$__rate_interval]))"# as "{{result}}"
                  r#"sum(rate(attrsync_telemetry_failures_total{instance=~"$instance"}[$__rate_interval]))"# as "failed requests" }
            "Versions of the program" Lines, "none" "Which are running."
                { r#"count by (version, commit) (attrsync_build_info{instance=~"$instance"})"# as "{{version}} {{commit}}" }
        },
    ),
    (
        "The page about verdicts",
        panels! {
            "Records read" Lines, "ops" "By the dashboard of attrsync."
                { r#"sum by (channel) (rate(attrsync_dashboard_read_records_total[$__rate_interval]))"# as "{{channel}}"
                  r#"sum(increase(attrsync_dashboard_consumers_rebuilt_total[1h]))"# as "rebuilt in an hour" }
            "Subscribers" Lines, "none" "Of its stream, and those dropped or refused in an hour."
                { r#"sum(attrsync_dashboard_subscribers)"# as "subscribers"
                  r#"sum(increase(attrsync_dashboard_subscribers_dropped_total[1h]))"# as "dropped"
                  r#"sum(increase(attrsync_dashboard_subscribers_refused_total[1h]))"# as "refused" }
        },
    ),
];

fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

impl Panel {
    fn size(&self) -> (u32, u32) {
        if let Figure { .. } = self.shape { (4, 4) } else { (12, 8) }
    }

    fn json(&self, place: &Value) -> Value {
        let target = |(at, (query, legend)): (usize, &(&str, &str))| {
            let id = char::from(b'A' + u8::try_from(at).unwrap()).to_string();
            json!({ "refId": id, "datasource": datasource(), "expr": query, "legendFormat": legend, "range": true })
        };
        let targets: Vec<_> = self.queries.iter().enumerate().map(target).collect();
        let (kind, custom, options) = self.look();
        let steps = match self.shape {
            Figure { red } if red.is_finite() => {
                json!([{ "color": "green", "value": null }, { "color": "red", "value": red }])
            }
            Figure { .. } => json!([{ "color": "red", "value": null }, { "color": "green", "value": 1 }]),
            Lines | Areas => json!([{ "color": "green", "value": null }]),
        };
        let defaults = json!({ "unit": self.unit, "min": 0, "custom": custom, "thresholds": { "mode": "absolute", "steps": steps } });
        json!({
            "type": kind, "title": self.title, "description": self.about, "datasource": datasource(), "gridPos": place,
            "fieldConfig": { "defaults": defaults, "overrides": [] }, "options": options, "targets": targets
        })
    }

    /// The kind of panel, and what Grafana calls its options.
    fn look(&self) -> (&'static str, Value, Value) {
        let over_time = json!({
            "legend": { "displayMode": "list", "placement": "bottom", "showLegend": true },
            "tooltip": { "mode": "multi", "sort": "desc" }
        });
        match self.shape {
            Figure { .. } => {
                let reduce = json!({ "calcs": ["lastNotNull"], "fields": "", "values": false });
                ("stat", json!({}), json!({ "colorMode": "value", "graphMode": "area", "reduceOptions": reduce }))
            }
            Lines => ("timeseries", json!({ "drawStyle": "line", "lineWidth": 1, "fillOpacity": 0 }), over_time),
            Areas => {
                let stacking = json!({ "mode": "normal", "group": "A" });
                let custom = json!({ "drawStyle": "line", "lineWidth": 1, "fillOpacity": 30, "stacking": stacking });
                ("timeseries", custom, over_time)
            }
        }
    }
}

/// Rows from top to bottom, in each its panels from left to right.
fn panels() -> Vec<Value> {
    let (mut panels, mut top) = (Vec::new(), 0);
    for (title, row) in ROWS {
        let place = json!({ "x": 0, "y": top, "w": COLUMNS, "h": 1 });
        panels.push(json!({ "type": "row", "title": title, "collapsed": false, "panels": [], "gridPos": place }));
        top += 1;
        let (mut left, mut height) = (0, 0);
        for panel in *row {
            let (width, own) = panel.size();
            if left + width > COLUMNS {
                (left, top) = (0, top + height);
            }
            panels.push(panel.json(&json!({ "x": left, "y": top, "w": width, "h": own })));
            (left, height) = (left + width, own);
        }
        top += height;
    }
    for (id, panel) in panels.iter_mut().enumerate() {
        panel["id"] = json!(id + 1);
    }
    panels
}

fn dashboard() -> Value {
    let variables = json!([
        { "name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "current": {}, "hide": 0 },
        {
            "name": "instance", "label": "Worker", "type": "query", "datasource": datasource(), "refresh": 2, "sort": 1,
            "query": { "query": "label_values(attrsync_records_total, instance)", "refId": "instance" },
            "includeAll": true, "allValue": ".*", "multi": true, "current": { "text": "All", "value": "$__all" }, "hide": 0
        }
    ]);
    json!({
        "uid": "attrsync", "title": "attrsync", "tags": ["attrsync", "kafka"], "schemaVersion": 39, "version": 1,
        "description": "Whether events are judged, how late, and what is rejected for which reason. docs/METRICS.md explains each metric.",
        "editable": true, "graphTooltip": 1, "refresh": "30s", "time": { "from": "now-6h", "to": "now" }, "timezone": "",
        "templating": { "list": variables }, "annotations": { "list": [] }, "links": [], "panels": panels()
    })
}

#[test]
fn the_dashboard_is_the_one_that_is_described() {
    let generated = serde_json::to_string_pretty(&dashboard()).unwrap() + "\n";
    if std::env::var_os("ATTRSYNC_UPDATE").is_some() {
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE), &generated).unwrap();
    }
    assert!(read(FILE) == generated, "{FILE} is another; ATTRSYNC_UPDATE=1 cargo test --test deploy writes it");
}

#[test]
fn panels_ask_for_what_the_program_tells() {
    for panel in ROWS.iter().flat_map(|(_, row)| *row) {
        for (query, legend) in panel.queries {
            holds(panel.title, query, &["version"]);
            let labels = legend.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap());
            for label in labels {
                assert!(query.contains(label) || panel.queries.len() == 1, "{}: no {label} in {query}", panel.title);
            }
        }
    }
}

#[test]
fn every_metric_of_a_worker_and_the_dashboard_is_seen_or_alerts() {
    use attrsync::observe::metrics::list;
    let told = dashboard().to_string() + &read("deploy/prometheus/alerts.yml");
    // Told for whoever asks: neither a line over time nor an alert says more than the others.
    let aside = ["attrsync_emitted_records", "attrsync_settings_organizations", "attrsync_dashboard_caught_up"];
    for metric in [list::WORKER, list::DASHBOARD].concat() {
        let shown = metric.series().iter().any(|name| told.contains(name.as_str()));
        assert!(shown != aside.contains(&metric.name), "{}", metric.name);
    }
}
