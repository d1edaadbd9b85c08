//! `attrsync traffic` on a real cluster: what it says has arrived is there, and what can't arrive ends it.

use std::{
    process::{Output, Stdio},
    time::Duration,
};

use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::{
    binary::program,
    kit::{self, topics::Topics},
};

fn traffic(topics: &Topics, events: &str, further: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    program()
        .args(["traffic", "--rate", "2000", "--events", events, "--brokers", &topics.brokers])
        .args(["--set", &format!("kafka.input.topics={}", topics.input)])
        .args(further)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn made_up_events_arrive_in_the_input_topic_as_many_as_are_told() {
    let broker = kit::broker();
    let topics = Topics::create(&broker.0, "traffic", 2);
    let output = traffic(&topics, "400", &[]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && told == format!("400 events arrived in {}\n", topics.input), "{told}");
    let consumer: BaseConsumer = topics.client().set("group.id", "unused").create().unwrap();
    let ends =
        (0..2).map(|partition| consumer.fetch_watermarks(&topics.input, partition, Duration::from_secs(30)).unwrap().1);
    assert_eq!(ends.sum::<i64>(), 400);
}

#[test]
fn an_event_that_can_not_arrive_ends_the_traffic_with_the_reason() {
    let broker = kit::broker();
    let topics = Topics::named(&broker.0, "traffic-missing", 1);
    let output = traffic(&topics, "400", &["--set", "worker.message_timeout_ms=2000"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(&format!("error: an event did not arrive in {}", topics.input)), "{told}");
}
