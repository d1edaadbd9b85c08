//! What the topics should be like, what is wrong with those that are there, and how the missing ones are made. Pure: the cluster
//! has been looked at already.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use super::Wanted;
use crate::config::Config;

/// Partitions of new topics where no input topic gives a number: enough to share among a dozen shards.
const PARTITIONS: usize = 12;
/// Replicas of new topics, where there are as many brokers.
const REPLICAS: usize = 3;
/// Less retention than this loses records to any longer outage of a reader.
const LEAST_RETENTION_MS: i64 = 60 * 60 * 1_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

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
}

/// A topic that is there.
#[derive(Debug, Clone, Default)]
pub(super) struct Topic {
    pub(super) partitions: usize,
    /// Of the partition that has the fewest.
    pub(super) replicas: usize,
    /// Its settings by Kafka's names.
    pub(super) settings: BTreeMap<String, String>,
}

impl Topic {
    fn number(&self, name: &str) -> Option<i64> {
        self.settings.get(name)?.parse().ok()
    }
}

/// How a topic stands after the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Ok,
    Missing,
    Created,
    WouldCreate,
}

impl State {
    pub(super) fn name(self) -> &'static str {
        match self {
            State::Ok => "there",
            State::Missing => "missing",
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

/// The size of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Shape {
    partitions: usize,
    replicas: usize,
    retention_ms: Option<i64>,
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
            let findings = findings(topic, *role, expected, found);
            Row { topic: name.clone(), role: *role, state: State::Ok, shape: Some(shape), findings }
        }
        None => {
            let findings = vec![problem("does not exist; `attrsync topics create` makes it")];
            Row { topic: name.clone(), role: *role, state: State::Missing, shape: None, findings }
        }
    };
    expected.topics.iter().map(row).collect()
}

fn findings(topic: &Topic, role: Role, expected: &Expected, found: &Found) -> Vec<Finding> {
    let rules: &[Rule] = match role {
        Role::Input => &[compacted, forgetful, unwritable, unreplicated, idle],
        Role::Accepted | Role::Rejected => {
            &[compacted, forgetful, unwritable, unreplicated, unacknowledged, narrow, uneven]
        }
    };
    let subject = Subject { topic, expected, found };
    rules.iter().filter_map(|rule| rule(&subject)).collect()
}

/// A topic and what it is judged against.
struct Subject<'s> {
    topic: &'s Topic,
    expected: &'s Expected,
    found: &'s Found,
}

type Rule = fn(&Subject<'_>) -> Option<Finding>;

fn compacted(subject: &Subject<'_>) -> Option<Finding> {
    let policy = subject.topic.settings.get("cleanup.policy")?;
    policy.contains("compact").then(|| {
        problem(format!("is compacted (cleanup.policy={policy}): of each key only the last record is kept; set cleanup.policy=delete"))
    })
}

fn forgetful(subject: &Subject<'_>) -> Option<Finding> {
    let kept = subject.topic.number("retention.ms")?;
    (0..LEAST_RETENTION_MS).contains(&kept).then(|| {
        let kept = time(kept);
        problem(format!("keeps records for {kept} alone: what is not read by then is lost; set retention.ms to the longest outage that must lose nothing"))
    })
}

fn unwritable(subject: &Subject<'_>) -> Option<Finding> {
    let (least, replicas) = (subject.topic.number("min.insync.replicas")?, subject.topic.replicas);
    usize::try_from(least).is_ok_and(|least| least > replicas).then(|| {
        problem(format!(
            "wants {least} replicas in sync (min.insync.replicas) and has {replicas}: nothing can be written to it"
        ))
    })
}

fn unreplicated(subject: &Subject<'_>) -> Option<Finding> {
    let brokers = subject.found.brokers;
    (subject.topic.replicas == 1 && brokers > 1).then(|| {
        note(format!(
            "has one replica though there are {brokers} brokers: a broker that is lost takes its records with it"
        ))
    })
}

fn unacknowledged(subject: &Subject<'_>) -> Option<Finding> {
    (subject.topic.replicas > 1 && subject.topic.number("min.insync.replicas") == Some(1))
        .then(|| note("counts a verdict as written when one replica has it (min.insync.replicas=1); set 2"))
}

fn idle(subject: &Subject<'_>) -> Option<Finding> {
    let (shards, partitions) = (subject.expected.shards, subject.topic.partitions);
    let alone = subject.expected.topics.iter().filter(|(_, role)| *role == Role::Input).count() == 1;
    (alone && shards > partitions).then(|| {
        note(format!(
            "has {} for {shards} shards (worker.shards): some of them will be idle",
            counted(partitions, "partition")
        ))
    })
}

fn narrow(subject: &Subject<'_>) -> Option<Finding> {
    let (most, needed) = (subject.topic.number("max.message.bytes")?, subject.expected.output_bytes);
    usize::try_from(most).is_ok_and(|most| most < needed).then(|| {
        problem(format!("takes records of up to {most} bytes, and a verdict may have {needed}; set max.message.bytes={needed}, or lower limits.record_bytes"))
    })
}

fn uneven(subject: &Subject<'_>) -> Option<Finding> {
    let outputs = subject.expected.topics.iter().filter(|(_, role)| *role != Role::Input);
    let other = outputs
        .filter_map(|(name, _)| Some((name, subject.found.topics.get(name)?)))
        .find(|(_, topic)| topic.partitions != subject.topic.partitions);
    other.map(|(name, other)| {
        let [own, other] = [subject.topic, other].map(|topic| counted(topic.partitions, "partition"));
        problem(format!("has {own} and {name} has {other}: a user's verdicts stand in different ones, so that subscribers cannot join them; make them equal"))
    })
}

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
    rows.iter().filter(|row| row.state == State::Missing).map(plan).collect()
}

/// What came of plans: for each topic whether it was made, or would have been.
#[derive(Debug, Clone)]
pub(super) struct Creation {
    pub(super) plans: Vec<Plan>,
    pub(super) results: BTreeMap<String, Result<(), String>>,
    pub(super) dry_run: bool,
}

/// The rows once plans were carried out, or would have been. What the brokers refused is a problem of its topic.
pub(super) fn rows_after(expected: &Expected, mut found: Found, creation: &Creation) -> Vec<Row> {
    let Creation { plans, results, dry_run } = creation;
    for plan in plans.iter().filter(|plan| results.get(&plan.topic).is_some_and(Result::is_ok)) {
        let settings = plan.settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let topic = Topic { partitions: plan.partitions, replicas: plan.replicas, settings };
        found.topics.insert(plan.topic.clone(), topic);
    }
    let mut rows = rows(expected, &found);
    for row in &mut rows {
        match results.get(&row.topic) {
            Some(Ok(())) => row.state = if *dry_run { State::WouldCreate } else { State::Created },
            Some(Err(refused)) => row.findings = vec![problem(format!("cannot be made: {refused}"))],
            None => {}
        }
    }
    rows
}

fn problem(message: impl Into<String>) -> Finding {
    Finding { severity: Severity::Problem, message: message.into() }
}

fn note(message: impl Into<String>) -> Finding {
    Finding { severity: Severity::Note, message: message.into() }
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Milliseconds in the largest unit that divides them.
fn time(millis: i64) -> String {
    let units = [(DAY_MS, "d"), (DAY_MS / 24, "h"), (60_000, "min"), (1_000, "s")];
    let fits = units.into_iter().find(|(unit, _)| millis != 0 && millis % unit == 0);
    fits.map_or_else(|| format!("{millis} ms"), |(unit, name)| format!("{} {name}", millis / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected() -> Expected {
        let topics = [("events", Role::Input), ("yes", Role::Accepted), ("no", Role::Rejected)];
        let topics = topics.map(|(name, role)| (name.to_owned(), role)).to_vec();
        Expected { topics, output_bytes: 2_000_000, shards: 0 }
    }

    /// A topic as `create` makes it, but for these settings.
    fn topic(settings: &[(&str, &str)]) -> Topic {
        let made = [
            ("cleanup.policy", "delete"),
            ("retention.ms", "604800000"),
            ("max.message.bytes", "2000000"),
            ("min.insync.replicas", "2"),
        ];
        let settings =
            made.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Topic { partitions: 6, replicas: 3, settings }
    }

    fn found(topics: &[(&str, Topic)]) -> Found {
        Found { brokers: 3, topics: topics.iter().map(|(name, topic)| ((*name).to_owned(), topic.clone())).collect() }
    }

    const WANTED: Wanted = Wanted { partitions: None, replication_factor: None, retention_days: 7 };

    #[test]
    fn topics_as_they_should_be_have_nothing_to_say() {
        let found = found(&[("events", topic(&[])), ("yes", topic(&[])), ("no", topic(&[]))]);
        let rows = rows(&expected(), &found);
        assert!(rows.iter().all(|row| row.state == State::Ok && row.findings.is_empty()), "{rows:?}");
        assert_eq!(rows[0].shape.unwrap().to_string(), "6 partitions, 3 replicas, kept 7 d");
    }

    #[test]
    fn each_rule_tells_what_is_wrong() {
        let few = || Topic { partitions: 5, ..topic(&[]) };
        let single = || Topic { replicas: 1, ..topic(&[("min.insync.replicas", "1")]) };
        let cases = [
            ("events", topic(&[("cleanup.policy", "compact,delete")]), Severity::Problem, "is compacted"),
            ("yes", topic(&[("cleanup.policy", "compact")]), Severity::Problem, "is compacted"),
            ("events", topic(&[("retention.ms", "0")]), Severity::Problem, "keeps records for 0 ms alone"),
            ("events", topic(&[("retention.ms", "600000")]), Severity::Problem, "keeps records for 10 min alone"),
            ("events", topic(&[("min.insync.replicas", "4")]), Severity::Problem, "nothing can be written"),
            ("yes", topic(&[("max.message.bytes", "1048588")]), Severity::Problem, "set max.message.bytes=2000000"),
            ("no", few(), Severity::Problem, "has 5 partitions and yes has 6 partitions"),
            ("events", single(), Severity::Note, "has one replica though there are 3 brokers"),
            ("yes", topic(&[("min.insync.replicas", "1")]), Severity::Note, "min.insync.replicas=1"),
        ];
        for (name, wrong, severity, told) in cases {
            let mut found = found(&[("events", topic(&[])), ("yes", topic(&[])), ("no", topic(&[]))]);
            found.topics.insert(name.to_owned(), wrong);
            let row = rows(&expected(), &found).into_iter().find(|row| row.topic == name).unwrap();
            assert_eq!(row.findings.len(), 1, "{row:?}");
            assert_eq!(row.findings[0].severity, severity, "{row:?}");
            assert!(row.findings[0].message.contains(told), "{told}: {row:?}");
        }
    }

    #[test]
    fn unlimited_retention_is_fine() {
        let found = found(&[("events", topic(&[("retention.ms", "-1")])), ("yes", topic(&[])), ("no", topic(&[]))]);
        let rows = rows(&expected(), &found);
        assert!(rows[0].is_good());
        assert_eq!(rows[0].shape.unwrap().to_string(), "6 partitions, 3 replicas, kept for ever");
    }

    #[test]
    fn missing_topics_are_planned_like_the_input() {
        let found = found(&[("events", topic(&[]))]);
        let rows = rows(&expected(), &found);
        assert_eq!(rows.iter().map(|row| row.state).collect::<Vec<_>>(), [State::Ok, State::Missing, State::Missing]);
        let plans = plans(&rows, &found, WANTED, &expected());
        assert_eq!(
            plans.iter().map(|plan| (plan.topic.as_str(), plan.partitions, plan.replicas)).collect::<Vec<_>>(),
            [("yes", 6, 3), ("no", 6, 3)]
        );
        assert!(plans[0].settings.contains(&("max.message.bytes", "2000000".to_owned())));
    }

    #[test]
    fn one_broker_gets_one_replica_unless_told_otherwise() {
        let found = Found { brokers: 1, ..Found::default() };
        let rows = rows(&expected(), &found);
        let plan = |wanted| plans(&rows, &found, wanted, &expected()).remove(0);
        assert_eq!((plan(WANTED).partitions, plan(WANTED).replicas), (12, 1));
        let wanted = Wanted { partitions: Some(4), replication_factor: Some(2), retention_days: 1 };
        assert_eq!((plan(wanted).partitions, plan(wanted).replicas), (4, 2));
        assert!(plan(wanted).settings.contains(&("retention.ms", "86400000".to_owned())));
    }

    #[test]
    fn what_was_made_is_good_and_what_was_refused_is_not() {
        let found = found(&[("events", topic(&[]))]);
        let before = rows(&expected(), &found);
        let plans = plans(&before, &found, WANTED, &expected());
        let results = [("yes", Ok(())), ("no", Err("policy violation".to_owned()))];
        let results = results.map(|(name, result)| (name.to_owned(), result)).into();
        let creation = Creation { plans, results, dry_run: false };
        let rows = rows_after(&expected(), found.clone(), &creation);
        assert_eq!(rows.iter().map(|row| row.state).collect::<Vec<_>>(), [State::Ok, State::Created, State::Missing]);
        assert_eq!(rows.iter().map(Row::is_good).collect::<Vec<_>>(), [true, true, false]);
        assert_eq!(rows[2].findings[0].message, "cannot be made: policy violation");
        assert_eq!(
            rows_after(&expected(), found, &Creation { dry_run: true, ..creation })[1].state,
            State::WouldCreate
        );
    }
}
