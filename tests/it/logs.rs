//! Holds docs/LOGGING.md for a worker at work: at the finest level, with librdkafka saying all it can, nothing of what was
//! planted in its configuration and in events is in its log.

use attrsync::domain::verdict::Outcome;

use crate::kit::{
    self, SOON, eventually,
    feed::{Feed, Input},
    outputs,
    process::Setup,
    topics::Topics,
};

/// What must not be logged.
const PLANTED: [&str; 6] =
    ["pl4nted-password", "pl4nted-user", "pl4nted.person@example.com", "pl4nted-id", "pl4nted-value", "pl4nted-hash"];

#[test]
fn a_worker_logs_neither_secrets_nor_what_people_sent() {
    let broker = kit::broker();
    let topics = Topics::create(&broker.0, "logs", 1);
    let mut feed = Feed::new(&topics);
    let identity = r#""userId": "pl4nted-id", "email": "pl4nted.person@example.com", "plan": "pl4nted-value""#;
    let forged = format!(r#"{{"organization": "acme", {identity}, "userHash": "pl4nted-hash"}}"#);
    let observed = format!(r#"{{"organization": "globex", {identity}}}"#);
    let headers = [("ce_type", b"identify".as_slice()), ("ce_id", b"pl4nted-id".as_slice())];
    for (value, outcome) in [
        (forged.as_bytes(), Outcome::Rejected),
        (observed.as_bytes(), Outcome::Accepted),
        (b"{\"pl4nted-value\": ".as_slice(), Outcome::Rejected),
    ] {
        feed.send(0, Input { value: Some(value), headers: &headers, outcome });
    }
    feed.flush();

    let setup = Setup::new(
        &topics,
        &[
            "log.filter=trace",
            "kafka.properties.debug=all",
            "kafka.properties.sasl.username=pl4nted-user",
            "kafka.properties.sasl.password=pl4nted-password",
            "kafka.producer.properties.ssl.key.password=pl4nted-password",
        ],
    );
    let worker = setup.start("a");
    eventually("every event has its verdict", SOON, || outputs::committed(&topics).len() >= feed.len());
    let log = worker.log();
    worker.stop();
    assert!(log.contains("TRACE") && log.contains("librdkafka"), "it logs all it can");
    for planted in PLANTED {
        let line = log.lines().find(|line| line.contains(planted));
        assert!(line.is_none(), "the log has {planted}: {line:?}");
    }
}
