//! What deploy/ ships for those who watch attrsync: alerts, their runbook and a Grafana dashboard. Every name in them is one that the
//! program tells: metrics with their suffixes, labels, and the values of labels that are closed lists. `promtool` checks and tests the
//! rules themselves, see scripts/test.

mod alerts;
#[path = "../common/binary.rs"]
mod binary;
mod grafana;
mod promql;

use std::{collections::BTreeMap, fs, path::Path};

use attrsync::{
    domain::{Reason, verdict::Outcome},
    observe::metrics::list,
};

/// Labels that whoever scrapes adds; `namespace` where there is one.
const SCRAPED: [&str; 3] = ["job", "instance", "namespace"];
/// Series that Prometheus makes itself.
const BUILT_IN: [&str; 1] = ["up"];

/// A file of the project.
fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every series by its name, with its labels.
fn series() -> BTreeMap<String, Vec<&'static str>> {
    let mut all: BTreeMap<_, _> = BUILT_IN.map(|name| (name.to_owned(), Vec::new())).into();
    for metric in list::all() {
        for name in metric.series() {
            let bucket = name.ends_with("_bucket").then_some("le");
            all.insert(name, metric.labels.iter().copied().chain(bucket).collect());
        }
    }
    all
}

/// The values that a label may have, where they are a closed list.
fn values(label: &str) -> Option<Vec<&'static str>> {
    match label {
        "verdict" => Some(Outcome::ALL.map(Outcome::name).to_vec()),
        "reason" => Some(Reason::ALL.iter().map(|reason| reason.code()).chain([""]).collect()),
        "channel" => Some(vec!["accepted", "rejected"]),
        "result" => Some(vec!["applied", "refused", "exported", "dropped"]),
        "fault" => Some(attrsync::worker::fault_names().collect()),
        "job" => Some(vec!["attrsync-worker", "attrsync-dashboard"]),
        _ => None,
    }
}

/// Holds every name of a query against what the program tells; `grouped` are labels that the query makes itself.
fn holds(place: &str, query: &str, grouped: &[&str]) {
    let series = series();
    let read = promql::read(query).unwrap_or_else(|error| panic!("{place}: {error}: {query}"));
    assert!(!read.selectors.is_empty(), "{place} asks for nothing: {query}");
    let mut labels: Vec<&str> = [&SCRAPED[..], grouped].concat();
    for selector in &read.selectors {
        let own = series.get(&selector.metric).unwrap_or_else(|| panic!("{place}: no metric {}", selector.metric));
        labels.extend(own);
        // Others tell these, too.
        let of_anybody = selector.metric.starts_with("process_") || BUILT_IN.contains(&selector.metric.as_str());
        let names_job = selector.matchers.iter().any(|(label, ..)| label == "job");
        assert!(names_job || !of_anybody, "{place}: {} without a job is that of every target", selector.metric);
        for (label, operator, value) in &selector.matchers {
            let known = own.contains(&label.as_str()) || SCRAPED.contains(&label.as_str());
            assert!(known, "{place}: {} has no label {label}", selector.metric);
            let closed = values(label).filter(|_| ["=", "!="].contains(&operator.as_str()));
            assert!(
                closed.is_none_or(|closed| closed.contains(&value.as_str())),
                "{place}: {label} is never {value:?}"
            );
        }
    }
    for label in &read.labels {
        assert!(labels.contains(&label.as_str()), "{place}: nothing in it has the label {label}: {query}");
    }
}

/// Lines of the runbook that call attrsync: what stands in a block or between backticks.
fn commands(page: &str) -> Vec<String> {
    let (mut in_block, mut commands) = (false, Vec::new());
    for line in page.lines() {
        if line.starts_with("```") {
            in_block = !in_block;
        } else if in_block {
            commands.push(line.split(" #").next().unwrap().trim().to_owned());
        } else {
            commands.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    let ours = |command: &String| command.starts_with("attrsync ") || command.contains("| attrsync ");
    commands.into_iter().filter(ours).map(|command| command.split("| ").last().unwrap().to_owned()).collect()
}

#[test]
fn every_command_of_the_runbook_is_one_that_there_is() {
    let commands = commands(&read("docs/OPERATIONS.md"));
    assert!(commands.len() > 15, "{commands:?}");
    for command in commands {
        let words = command.replace('\'', "");
        let mut arguments: Vec<_> = words.split_whitespace().skip(1).collect();
        arguments.push("--help");
        let ran = binary::program().args(&arguments).output().unwrap();
        assert!(ran.status.success(), "{command}: {}", String::from_utf8_lossy(&ran.stderr));
    }
}
