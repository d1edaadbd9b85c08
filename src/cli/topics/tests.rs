//! Topics as they should be, as they shouldn't, and as they are made.

use super::{
    Wanted,
    check::{Expected, Found, Role, Row, Severity, State, Topic, rows},
    plan::{Creation, Done, note_kept, plans, rows_after},
};

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
    let settings = made.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Topic { partitions: 6, replicas: 3, settings }
}

fn found(topics: &[(&str, Topic)]) -> Found {
    let topics = topics.iter().map(|(name, topic)| ((*name).to_owned(), topic.clone())).collect();
    Found { brokers: 3, topics, ..Found::default() }
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
        ("events", Topic { settings: [].into(), ..topic(&[]) }, Severity::Note, "doesn't tell its settings"),
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
    let results = [("yes", Ok(Done::Made)), ("no", Err("policy violation".to_owned()))];
    let results = results.map(|(name, result)| (name.to_owned(), result)).into();
    let creation = Creation { plans, results, dry_run: false };
    let rows = rows_after(&expected(), found.clone(), &creation);
    assert_eq!(rows.iter().map(|row| row.state).collect::<Vec<_>>(), [State::Ok, State::Created, State::Missing]);
    assert_eq!(rows.iter().map(Row::is_good).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(rows[2].findings[0].message, "cannot be made: policy violation");
    assert_eq!(rows_after(&expected(), found, &Creation { dry_run: true, ..creation })[1].state, State::WouldCreate);
}

#[test]
fn what_somebody_else_made_meanwhile_is_told_as_it_is() {
    let before = found(&[("events", topic(&[]))]);
    let plans = plans(&rows(&expected(), &before), &before, WANTED, &expected());
    let results = ["yes", "no"].map(|name| (name.to_owned(), Ok(Done::WasThere))).into();
    let creation = Creation { plans, results, dry_run: false };
    let theirs = Topic { partitions: 1, replicas: 1, ..topic(&[("min.insync.replicas", "1")]) };
    let after = found(&[("events", topic(&[])), ("yes", theirs)]);
    let rows = rows_after(&expected(), after, &creation);
    assert_eq!(rows.iter().map(|row| row.state).collect::<Vec<_>>(), [State::Ok, State::Ok, State::Missing]);
    assert_eq!(rows[1].shape.unwrap().to_string(), "1 partition, 1 replica, kept 7 d");
    assert!(rows[2].findings[0].message.contains("isn't seen yet"), "{rows:?}");
}

#[test]
fn a_topic_that_is_there_is_kept_and_what_was_asked_of_it_in_vain_is_noted() {
    let found = found(&[("events", topic(&[])), ("yes", topic(&[])), ("no", topic(&[]))]);
    let told = |wanted| {
        let mut rows = rows(&expected(), &found);
        note_kept(&mut rows, wanted);
        assert!(rows.iter().all(Row::is_good), "{rows:?}");
        rows[0].findings.iter().map(|finding| finding.message.clone()).collect::<Vec<_>>()
    };
    assert_eq!(told(Wanted { partitions: Some(12), ..WANTED }), ["has 6 partitions, not 12; kept as it is"]);
    assert_eq!(told(Wanted { replication_factor: Some(1), ..WANTED }), ["has 3 replicas, not 1; kept as it is"]);
    assert_eq!(told(Wanted { partitions: Some(6), replication_factor: Some(3), ..WANTED }), [""; 0]);
    assert_eq!(told(WANTED), [""; 0]);
}

#[test]
fn a_topic_that_was_made_as_asked_is_not_noted() {
    let found = Found { brokers: 3, ..Found::default() };
    let wanted = Wanted { partitions: Some(4), ..WANTED };
    let plans = plans(&rows(&expected(), &found), &found, wanted, &expected());
    let results = plans.iter().map(|plan| (plan.topic.clone(), Ok(Done::Made))).collect();
    let mut rows = rows_after(&expected(), found, &Creation { plans, results, dry_run: false });
    note_kept(&mut rows, Wanted { partitions: Some(5), ..WANTED });
    assert!(rows.iter().all(|row| row.findings.is_empty()), "{rows:?}");
}
