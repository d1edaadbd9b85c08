//! What can be wrong with a topic: a function for each rule, and which of them hold for which topics.

use super::check::{Expected, Finding, Found, Role, Topic, counted, time};

/// Less retention than this loses records to any longer outage of a reader.
const LEAST_RETENTION_MS: i64 = 60 * 60 * 1_000;

/// What there is to say of a topic.
pub(super) fn findings(topic: &Topic, role: Role, expected: &Expected, found: &Found) -> Vec<Finding> {
    let rules: &[Rule] = match role {
        Role::Input => &[unread, compacted, forgetful, unwritable, unreplicated, idle],
        Role::Accepted | Role::Rejected => {
            &[unread, compacted, forgetful, unwritable, unreplicated, unacknowledged, narrow, uneven]
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

fn unread(subject: &Subject<'_>) -> Option<Finding> {
    subject.topic.settings.is_empty().then(|| {
        Finding::note("doesn't tell its settings, so that only its partitions and replicas were looked at; that takes the right to describe its configuration (DescribeConfigs)")
    })
}

fn compacted(subject: &Subject<'_>) -> Option<Finding> {
    let policy = subject.topic.settings.get("cleanup.policy")?;
    policy.contains("compact").then(|| {
        Finding::problem(format!("is compacted (cleanup.policy={policy}): of each key only the last record is kept; set cleanup.policy=delete"))
    })
}

fn forgetful(subject: &Subject<'_>) -> Option<Finding> {
    let kept = subject.topic.number("retention.ms")?;
    (0..LEAST_RETENTION_MS).contains(&kept).then(|| {
        let kept = time(kept);
        Finding::problem(format!("keeps records for {kept} alone: what is not read by then is lost; set retention.ms to the longest outage that must lose nothing"))
    })
}

fn unwritable(subject: &Subject<'_>) -> Option<Finding> {
    let (least, replicas) = (subject.topic.number("min.insync.replicas")?, subject.topic.replicas);
    usize::try_from(least).is_ok_and(|least| least > replicas).then(|| {
        Finding::problem(format!(
            "wants {least} replicas in sync (min.insync.replicas) and has {replicas}: nothing can be written to it"
        ))
    })
}

fn unreplicated(subject: &Subject<'_>) -> Option<Finding> {
    let brokers = subject.found.brokers;
    (subject.topic.replicas == 1 && brokers > 1).then(|| {
        Finding::note(format!(
            "has one replica though there are {brokers} brokers: a broker that is lost takes its records with it"
        ))
    })
}

fn unacknowledged(subject: &Subject<'_>) -> Option<Finding> {
    (subject.topic.replicas > 1 && subject.topic.number("min.insync.replicas") == Some(1))
        .then(|| Finding::note("counts a verdict as written when one replica has it (min.insync.replicas=1); set 2"))
}

fn idle(subject: &Subject<'_>) -> Option<Finding> {
    let (shards, partitions) = (subject.expected.shards, subject.topic.partitions);
    let alone = subject.expected.topics.iter().filter(|(_, role)| *role == Role::Input).count() == 1;
    (alone && shards > partitions).then(|| {
        Finding::note(format!(
            "has {} for {shards} shards (worker.shards): some of them will be idle",
            counted(partitions, "partition")
        ))
    })
}

fn narrow(subject: &Subject<'_>) -> Option<Finding> {
    let (most, needed) = (subject.topic.number("max.message.bytes")?, subject.expected.output_bytes);
    usize::try_from(most).is_ok_and(|most| most < needed).then(|| {
        Finding::problem(format!("takes records of up to {most} bytes, and a verdict may have {needed}; set max.message.bytes={needed}, or lower limits.record_bytes"))
    })
}

fn uneven(subject: &Subject<'_>) -> Option<Finding> {
    let outputs = subject.expected.topics.iter().filter(|(_, role)| *role != Role::Input);
    let other = outputs
        .filter_map(|(name, _)| Some((name, subject.found.topics.get(name)?)))
        .find(|(_, topic)| topic.partitions != subject.topic.partitions);
    other.map(|(name, other)| {
        let [own, other] = [subject.topic, other].map(|topic| counted(topic.partitions, "partition"));
        Finding::problem(format!("has {own} and {name} has {other}: a user's verdicts stand in different ones, so that subscribers cannot join them; make them equal"))
    })
}
