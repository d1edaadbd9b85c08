//! `replay --compare` and `advise` over a topic.

use attrsync::{domain::verdict::Outcome, store::EXAMPLE};
use serde_json::{Value, json};

use crate::kit::{
    broker,
    feed::Feed,
    process::{Setup, output},
    topics::Topics,
};

const EVENTS: usize = 6_000;

/// Runs a command over the topic with the configuration of a worker.
fn told(setup: &Setup, arguments: &[&str]) -> Value {
    let ran = output(setup.command(arguments[0]).args(&arguments[1..]));
    let error = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{arguments:?}: {error}");
    serde_json::from_slice(&ran.stdout).unwrap_or_else(|_| panic!("{arguments:?}: {error}"))
}

#[test]
fn what_changes_is_told_of_a_topic_and_an_example_is_found_where_it_is_said_to_be() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "history", 3);
    let mut feed = Feed::new(&topics);
    feed.mixture(EVENTS);
    feed.flush();
    let setup = Setup::new(&topics, &[]);
    let folder = tempfile::tempdir().unwrap();
    let next = folder.path().join("next.toml");
    std::fs::write(&next, EXAMPLE.replace("enforcement = \"observe\"", "enforcement = \"enforced\"")).unwrap();
    let next = next.to_str().unwrap();

    let report = told(&setup, &["replay", "--compare", "now", next, "--json"]);
    let expected = |outcome| feed.expected.iter().flatten().filter(|found| **found == outcome).count() as u64;
    let flows = report["verdicts"].as_array().unwrap();
    let sum = |side: &str, outcome: Outcome| {
        let of = flows.iter().filter(|flow| flow[side] == outcome.name());
        of.map(|flow| flow["events"].as_u64().unwrap()).sum::<u64>()
    };
    for outcome in Outcome::ALL {
        assert_eq!(sum("from", outcome), expected(outcome), "{outcome:?}");
    }
    let stricter = report["changed"]["stricter"].as_u64().unwrap();
    assert!(stricter > 0 && report["changed"]["events"] == json!(stricter), "{}", report["changed"]);
    assert_eq!(sum("to", Outcome::Rejected), expected(Outcome::Rejected) + stricter);
    assert_eq!((&report["gone"], report["organizations"].as_array().unwrap().len()), (&json!(0), 1));

    let example = &report["kinds"][0]["examples"][0];
    assert_eq!(example["topic"], json!(topics.input));
    let offsets = format!("{}:{}", example["partition"], example["offset"]);
    let verdict = told(
        &setup,
        &["replay", "--offsets", &offsets, "--to-file", "-", "--set", &format!("settings.source=file:{next}")],
    );
    assert_eq!((&verdict["verdict"], &verdict["reason"]), (&json!("rejected"), &json!("proof_missing")), "{verdict}");

    let advice = told(&setup, &["advise", "--organization", "globex", "--json"]);
    let enforce = &advice["organizations"][0]["advice"].as_array().unwrap()[0];
    assert_eq!((&enforce["advice"], &enforce["figures"]["refused"]), (&json!("enforce"), &json!(stricter)), "{advice}");
}
