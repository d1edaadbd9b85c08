//! How the missing topics are made, and what comes of it. Pure: the brokers are asked in between.

use std::collections::BTreeMap;

use super::{
    Wanted,
    check::{self, DAY_MS, Expected, Finding, Found, Role, Row, State, Topic, counted},
};

/// Partitions of new topics where no input topic gives a number: enough to share among a dozen shards.
const PARTITIONS: usize = 12;
/// Replicas of new topics, where there are as many brokers.
const REPLICAS: usize = 3;

/// How a topic is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) topic: String,
    pub(super) partitions: usize,
    pub(super) replicas: usize,
    pub(super) settings: Vec<(&'static str, String)>,
}

/// How the missing topics are made.
pub(super) fn plans(rows: &[Row], found: &Found, wanted: Wanted, expected: &Expected) -> Vec<Plan> {
    let inputs = rows.iter().filter(|row| row.role == Role::Input);
    let as_inputs = inputs.filter_map(|row| row.shape.map(|shape| shape.partitions)).max();
    let partitions = wanted.partitions.map(usize::from).or(as_inputs).unwrap_or(PARTITIONS);
    let replicas = wanted.replication_factor.map_or(REPLICAS.min(found.brokers.max(1)), usize::from);
    let plan = |row: &Row| {
        let mut settings = vec![
            ("cleanup.policy", "delete".to_owned()),
            ("retention.ms", (i64::from(wanted.retention_days) * DAY_MS).to_string()),
            // As the producers compressed them: nothing is unpacked and packed again on the way.
            ("compression.type", "producer".to_owned()),
            ("min.insync.replicas", if replicas > 2 { "2" } else { "1" }.to_owned()),
        ];
        if row.role != Role::Input {
            settings.push(("max.message.bytes", expected.output_bytes.to_string()));
        }
        Plan { topic: row.topic.clone(), partitions, replicas, settings }
    };
    // Where nobody knows, the brokers do.
    rows.iter().filter(|row| matches!(row.state, State::Missing | State::Unknown)).map(plan).collect()
}

/// What was done about a missing topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// It was made as planned, or would have been.
    Made,
    /// Somebody else had made it in the meantime, as they wanted it.
    WasThere,
}

/// What came of plans: for each topic what was done, or why the brokers refused it.
#[derive(Debug, Clone)]
pub(super) struct Creation {
    pub(super) plans: Vec<Plan>,
    pub(super) results: BTreeMap<String, Result<Done, String>>,
    pub(super) dry_run: bool,
}

/// The rows once plans were carried out, or would have been; `found` has what others made meanwhile. What the brokers refused is a
/// problem of its topic.
pub(super) fn rows_after(expected: &Expected, mut found: Found, creation: &Creation) -> Vec<Row> {
    let Creation { plans, results, dry_run } = creation;
    for plan in plans.iter().filter(|plan| results.get(&plan.topic) == Some(&Ok(Done::Made))) {
        let settings = plan.settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let topic = Topic { partitions: plan.partitions, replicas: plan.replicas, settings };
        found.topics.insert(plan.topic.clone(), topic);
    }
    let mut rows = check::rows(expected, &found);
    for row in &mut rows {
        match results.get(&row.topic) {
            Some(Ok(Done::Made)) => row.state = if *dry_run { State::WouldCreate } else { State::Created },
            Some(Ok(Done::WasThere)) if row.state == State::Unknown => {
                let hidden = "is there, but the client's user may not see it: docs/SECURITY.md lists the rights under Rights in Kafka";
                row.findings = vec![Finding::problem(hidden)];
            }
            Some(Ok(Done::WasThere)) if row.state == State::Missing => {
                let unseen =
                    "was made by somebody else a moment ago and isn't seen yet; `attrsync topics check` looks again";
                row.findings = vec![Finding::problem(unseen)];
            }
            Some(Err(refused)) => row.findings = vec![Finding::problem(format!("cannot be made: {refused}"))],
            Some(Ok(Done::WasThere)) | None => {}
        }
    }
    rows
}

/// Notes of topics that were there what was asked for and isn't so: a topic that is there is left alone.
pub(super) fn note_kept(rows: &mut [Row], wanted: Wanted) {
    for row in rows.iter_mut().filter(|row| row.state == State::Ok) {
        let Some(shape) = row.shape else { continue };
        let numbers = [
            (shape.partitions, wanted.partitions, "partition"),
            (shape.replicas, wanted.replication_factor, "replica"),
        ];
        let kept = numbers.into_iter().filter_map(|(has, wanted, what)| {
            let wanted = wanted.map(usize::from).filter(|wanted| *wanted != has)?;
            Some(Finding::note(format!("has {}, not {wanted}; kept as it is", counted(has, what))))
        });
        row.findings.extend(kept);
    }
}
