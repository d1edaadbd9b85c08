//! The alerts: their names and texts, their sections of the runbook, and their tests.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{holds, read, values};

/// One alert.
struct Alert {
    name: String,
    expression: String,
    severity: String,
    annotations: Value,
}

fn alerts() -> Vec<Alert> {
    let file: Value = serde_saphyr::from_str(&read("deploy/prometheus/alerts.yml")).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rules = file["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap());
    let alert = |rule: &Value| Alert {
        name: text(&rule["alert"]),
        expression: text(&rule["expr"]),
        severity: text(&rule["labels"]["severity"]),
        annotations: rule["annotations"].clone(),
    };
    rules.map(alert).collect()
}

/// The sections of the runbook that are about an alert.
fn sections() -> Vec<String> {
    let page = read("docs/OPERATIONS.md");
    page.lines()
        .filter_map(|line| line.strip_prefix("### "))
        .filter(|title| title.starts_with("Attrsync"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn alerts_ask_for_what_the_program_tells() {
    for alert in alerts() {
        // The one label that a query makes: `count_values` names it.
        holds(&alert.name, &alert.expression, &["version"]);
    }
}

/// All that is aggregated keeps the label by which deployments in one Prometheus are told apart.
#[test]
fn no_alert_mixes_deployments() {
    for Alert { name, expression, .. } in alerts() {
        let words: Vec<_> = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
        let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
        for (at, word) in words.iter().enumerate() {
            if ["sum", "max", "min", "avg", "count", "count_values", "group"].contains(word) {
                assert_eq!(words.get(at + 1..at + 3), Some(&["by", "namespace"][..]), "{name}: {expression}");
            }
        }
    }
}

#[test]
fn an_alert_says_how_bad_it_is_what_it_means_and_where_to_read_on() {
    for Alert { name, severity, annotations, .. } in alerts() {
        assert!(["critical", "warning", "info"].contains(&severity.as_str()), "{name}: {severity}");
        for annotation in ["summary", "description"] {
            assert!(annotations[annotation].as_str().is_some_and(|text| text.len() > 20), "{name}: {annotation}");
        }
        assert_eq!(annotations["runbook_url"], format!("docs/OPERATIONS.md#{}", name.to_lowercase()), "{name}");
    }
}

#[test]
fn every_alert_has_its_section_of_the_runbook_and_every_section_its_alert() {
    let names: Vec<_> = alerts().into_iter().map(|alert| alert.name).collect();
    assert_eq!(sections(), names, "in the same order");
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "each once");
}

#[test]
fn every_alert_is_seen_to_fire() {
    let tests = read("deploy/prometheus/alerts_test.yml");
    for Alert { name, .. } in alerts() {
        assert!(tests.contains(&format!("alertname=\"{name}\"")), "alerts_test.yml never expects {name}");
    }
}

#[test]
fn whoever_scrapes_gives_the_jobs_the_names_that_alerts_know() {
    let jobs = values("job").unwrap();
    let scraped: Value = serde_saphyr::from_str(&read("deploy/prometheus/prometheus.yml")).unwrap();
    let named: Vec<_> = scraped["scrape_configs"].as_array().unwrap().iter().map(|job| &job["job_name"]).collect();
    assert_eq!(named, jobs);
    let monitors = read("deploy/kubernetes/components/prometheus-operator/podmonitor.yaml");
    for job in jobs {
        assert!(monitors.contains(&format!("{{ targetLabel: job, replacement: {job} }}")), "{job}");
    }
}
