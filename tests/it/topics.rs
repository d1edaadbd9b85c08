//! `attrsync topics` on a real cluster: it makes what is missing, changes nothing when called again, and says what is wrong with
//! what others made.

use std::process::Stdio;

use serde_json::Value;

use crate::{
    binary::program,
    kit::{self, topics::Topics},
};

/// The exit code, and the answer as JSON.
struct Answer {
    code: Option<i32>,
    json: Value,
}

/// Runs `attrsync topics …` for these topics.
fn ask(topics: &Topics, line: &str) -> Answer {
    let set = [
        format!("kafka.input.topics={}", topics.input),
        format!("kafka.accepted_topic={}", topics.accepted),
        format!("kafka.rejected_topic={}", topics.rejected),
    ];
    let folder = tempfile::tempdir().unwrap();
    let output = program()
        .arg("topics")
        .args(line.split(' '))
        .args(["--json", "--timeout-ms", "30000", "--brokers", &topics.brokers])
        .args(set.iter().flat_map(|key| ["--set", key]))
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{error}"));
    Answer { code: output.status.code(), json }
}

impl Answer {
    /// This field of each topic: the input's, the accepted one's, the rejected one's.
    fn each(&self, field: &str) -> Vec<&Value> {
        self.json["topics"].as_array().unwrap().iter().map(|topic| &topic[field]).collect()
    }

    fn states(&self) -> Vec<&str> {
        self.each("state").into_iter().map(|state| state.as_str().unwrap()).collect()
    }

    /// What there is to say of a topic, by its place.
    fn findings(&self, at: usize) -> String {
        self.json["topics"][at]["findings"].to_string()
    }
}

#[test]
fn missing_topics_are_made_once_and_are_then_as_they_should_be() {
    let broker = kit::broker();
    let topics = Topics::named(&broker.0, "topics-create", 3);

    let before = ask(&topics, "check");
    assert_eq!((before.code, before.states()), (Some(1), vec!["missing"; 3]), "{}", before.json);

    let dry = ask(&topics, "create --dry-run --partitions 3");
    assert_eq!((dry.code, dry.states()), (Some(0), vec!["would_create"; 3]), "{}", dry.json);
    assert_eq!(ask(&topics, "check").states(), ["missing"; 3], "a dry run makes nothing");

    let made = ask(&topics, "create --partitions 3 --retention-days 2");
    assert_eq!((made.code, made.states()), (Some(0), vec!["created"; 3]), "{}", made.json);

    [&topics.input, &topics.accepted, &topics.rejected].iter().for_each(|name| topics.told(name, 3));
    let after = ask(&topics, "check");
    assert_eq!((after.code, after.states()), (Some(0), vec!["ok"; 3]), "{}", after.json);
    assert_eq!(after.each("partitions"), [3; 3], "{}", after.json);
    assert_eq!(after.each("retention_ms"), [172_800_000; 3], "{}", after.json);

    let again = ask(&topics, "create --partitions 5");
    assert_eq!((again.code, again.states()), (Some(0), vec!["ok"; 3]), "{}", again.json);
    assert_eq!(again.each("partitions"), [3; 3], "what is there stays as it is: {}", again.json);
}

#[test]
fn what_others_made_is_judged_and_left_alone() {
    let broker = kit::broker();
    let wrong = [("cleanup.policy", "compact"), ("retention.ms", "1000")];
    let topics = Topics::create_with(&broker.0, "topics-check", 2, &wrong);
    for line in ["check", "create"] {
        let told = ask(&topics, line);
        assert_eq!((told.code, &told.json["ok"]), (Some(1), &Value::Bool(false)), "{}", told.json);
        assert_eq!(told.findings(0), "[]", "{}", told.json);
        for output in [1, 2] {
            let findings = told.findings(output);
            for part in
                ["is compacted (cleanup.policy=compact)", "keeps records for 1 s alone", "set max.message.bytes="]
            {
                assert!(findings.contains(part), "{part}: {findings}");
            }
        }
    }
}

#[test]
fn what_the_brokers_refuse_is_told_for_its_topic() {
    let broker = kit::broker();
    let topics = Topics::named(&broker.0, "topics-refused", 1);
    let told = ask(&topics, "create --partitions 1 --replication-factor 99");
    assert_eq!((told.code, told.states()), (Some(1), vec!["missing"; 3]), "{}", told.json);
    assert!(told.findings(0).contains("cannot be made: "), "{}", told.json);
}
