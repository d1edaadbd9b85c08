//! What the configuration asks of the topics, held against those that are there. Pure: the cluster has been looked at already.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Serialize;

use super::rules;
use crate::{config::Config, count::words::times};

pub(super) const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What a topic is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Role {
    Input,
    Accepted,
    Rejected,
}

impl Role {
    pub(super) fn name(self) -> &'static str {
        match self {
            Role::Input => "input",
            Role::Accepted => "accepted",
            Role::Rejected => "rejected",
        }
    }
}

/// What the configuration asks for.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub(super) topics: Vec<(String, Role)>,
    /// The most bytes of a verdict.
    pub(super) output_bytes: usize,
    /// Shards of one process; 0: as many as it has cores.
    pub(super) shards: usize,
}

impl Expected {
    pub(super) fn of(config: &Config) -> Self {
        let kafka = &config.kafka;
        let inputs = kafka.input.topics.iter().map(|topic| (topic.clone(), Role::Input));
        let outputs = [(&kafka.accepted_topic, Role::Accepted), (&kafka.rejected_topic, Role::Rejected)];
        let topics = inputs.chain(outputs.map(|(topic, role)| (topic.clone(), role))).collect();
        Self { topics, output_bytes: config.output_bytes(), shards: config.worker.shards as usize }
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.topics.iter().map(|(name, _)| name.as_str()).collect()
    }
}

/// The cluster as it was found.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub(super) brokers: usize,
    pub(super) topics: BTreeMap<String, Topic>,
    /// Those that may be there or not: the client's user may not see them.
    pub(super) unseen: BTreeSet<String>,
}

/// A topic that is there.
#[derive(Debug, Clone, Default)]
pub(super) struct Topic {
    pub(super) partitions: usize,
    /// Of the partition that has the fewest.
    pub(super) replicas: usize,
    /// Its settings by Kafka's names; none where they couldn't be read.
    pub(super) settings: BTreeMap<String, String>,
}

impl Topic {
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.settings.get(name)?.parse().ok()
    }
}

/// How a topic stands after the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Ok,
    Missing,
    /// Missing, or not to be seen.
    Unknown,
    Created,
    WouldCreate,
}

impl State {
    pub(super) fn name(self) -> &'static str {
        match self {
            State::Ok => "there",
            State::Missing => "missing",
            State::Unknown => "unknown",
            State::Created => "created",
            State::WouldCreate => "would create",
        }
    }
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Severity {
    /// Events or verdicts are lost, or cannot be written.
    Problem,
    /// Worth knowing.
    Note,
}

/// Something about a topic, with the way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    pub(super) message: String,
}

impl Finding {
    pub(super) fn problem(message: impl Into<String>) -> Self {
        Self { severity: Severity::Problem, message: message.into() }
    }

    pub(super) fn note(message: impl Into<String>) -> Self {
        Self { severity: Severity::Note, message: message.into() }
    }
}

/// The size of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Shape {
    pub(super) partitions: usize,
    pub(super) replicas: usize,
    pub(super) retention_ms: Option<i64>,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", counted(self.partitions, "partition"), counted(self.replicas, "replica"))?;
        match self.retention_ms {
            Some(..0) => write!(f, ", kept for ever"),
            Some(kept) => write!(f, ", kept {}", time(kept)),
            None => Ok(()),
        }
    }
}

/// A topic, how it stands, and what there is to say of it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    pub(super) topic: String,
    pub(super) role: Role,
    pub(super) state: State,
    #[serde(flatten)]
    pub(super) shape: Option<Shape>,
    pub(super) findings: Vec<Finding>,
}

impl Row {
    /// Whether nothing has to be done about it.
    pub(super) fn is_good(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity == Severity::Note)
    }
}

/// Each topic that is expected, as it is.
pub(super) fn rows(expected: &Expected, found: &Found) -> Vec<Row> {
    let row = |(name, role): &(String, Role)| match found.topics.get(name) {
        Some(topic) => {
            let shape = Shape {
                partitions: topic.partitions,
                replicas: topic.replicas,
                retention_ms: topic.number("retention.ms"),
            };
            let findings = rules::findings(topic, *role, expected, found);
            Row { topic: name.clone(), role: *role, state: State::Ok, shape: Some(shape), findings }
        }
        None if found.unseen.contains(name) => {
            let unseen = "the client's user may not see it, whether it is there or not: give it the rights that docs/SECURITY.md lists \
                          under Rights in Kafka";
            let findings = vec![Finding::problem(unseen)];
            Row { topic: name.clone(), role: *role, state: State::Unknown, shape: None, findings }
        }
        None => {
            let findings = vec![Finding::problem("does not exist; `attrsync topics create` makes it")];
            Row { topic: name.clone(), role: *role, state: State::Missing, shape: None, findings }
        }
    };
    expected.topics.iter().map(row).collect()
}

pub(super) fn counted(number: usize, what: &str) -> String {
    times(number as u64, what, &format!("{what}s"))
}

/// Milliseconds in the largest unit that divides them.
pub(super) fn time(millis: i64) -> String {
    let units = [(DAY_MS, "d"), (DAY_MS / 24, "h"), (60_000, "min"), (1_000, "s")];
    let fits = units.into_iter().find(|(unit, _)| millis != 0 && millis % unit == 0);
    fits.map_or_else(|| format!("{millis} ms"), |(unit, name)| format!("{} {name}", millis / unit))
}
