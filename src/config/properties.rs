//! librdkafka properties as the operator gave them: any that librdkafka knows, but for those on which correctness hangs. They
//! hold passwords, so nothing here prints a value.

use std::{collections::BTreeMap, fmt};

use rdkafka::{ClientConfig, error::KafkaError};
use serde::Deserialize;

use super::{layers::PROPERTIES, redact, sections::Kafka};

/// librdkafka properties by name.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct Properties(BTreeMap<String, String>);

/// Properties that attrsync sets itself, with what to do instead. Other names of theirs have been replaced by these.
const OWNED: [(&[&str], &str); 16] = [
    (&["bootstrap.servers"], "set kafka.bootstrap_servers"),
    (&["group.id"], "set kafka.group_id"),
    (&["client.id"], "it is made of kafka.instance and the shard, so that logs and brokers tell clients apart"),
    (&["group.instance.id"], "it is made of kafka.instance and the shard where kafka.static_membership is true"),
    (
        &["transactional.id"],
        "it is made of kafka.transactional_id_prefix, kafka.instance and the shard, so that it is the same after a restart",
    ),
    (&["isolation.level"], "events are read committed: what a producer aborted never was"),
    (
        &["enable.auto.commit", "auto.commit.enable", "enable.auto.offset.store", "auto.commit.interval.ms"],
        "offsets are committed with the verdicts, else some would be lost or doubled; see worker.commit_interval_ms",
    ),
    (
        &["enable.partition.eof"],
        "it is on where a reader looks for the end of a partition, and off where one waits for events",
    ),
    (&["transaction.timeout.ms"], "set worker.transaction_timeout_ms"),
    (&["message.timeout.ms"], "set worker.message_timeout_ms"),
    (&["session.timeout.ms"], "set worker.session_timeout_ms"),
    (&["queued.max.messages.kbytes"], "set worker.fetch_queue_bytes"),
    (
        &["enable.idempotence", "enable.gapless.guarantee", "acks", "max.in.flight.requests.per.connection", "retries"],
        "the producer is idempotent, else the verdicts of a user could be doubled or change places",
    ),
    (&["partitioner"], "verdicts are partitioned as the Java client does it, so that subscribers can join them by key"),
    (&["delivery.report.only.error"], "commits are made for it"),
    // The second is the first as a variable's name gives it.
    (&["log_level", "log.level"], r#"set log.filter, as in "info,librdkafka=debug""#),
];

/// Checks a property: whose it is, and what librdkafka says of its value.
///
/// # Errors
/// What is wrong and the way out; of a secret, and of what stands elsewhere, without what librdkafka says, which quotes the value.
pub(super) fn check((table, name): (&str, &str), value: &str, elsewhere: bool) -> Result<(), String> {
    if !PROPERTIES.contains(&table) {
        return Ok(());
    }
    if let Some((_, way_out)) = OWNED.iter().find(|(names, _)| names.contains(&name)) {
        return Err(format!("attrsync sets this property itself: {way_out}"));
    }
    match ClientConfig::new().set(name, value).create_native_config() {
        Ok(_) => Ok(()),
        Err(KafkaError::ClientConfig(_, _, _, _)) if elsewhere || redact::is_secret(&format!("{table}.{name}")) => {
            Err("librdkafka refuses the property or its value".to_owned())
        }
        Err(KafkaError::ClientConfig(_, description, _, _)) => Err(format!("librdkafka says: {description}")),
        Err(_) => Err("holds a character that librdkafka cannot take".to_owned()),
    }
}

impl Properties {
    /// The properties in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Prints names alone.
impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What a client of the cluster is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientRole {
    /// Reads events.
    Consumer,
    /// Writes verdicts.
    Producer,
    /// Looks at topics and makes them.
    Admin,
}

impl Kafka {
    /// What the operator says of a client of this role: the brokers, then `kafka.properties`, then those of the role, each by
    /// its one name: librdkafka gets them in no order, and of two names of a property any may win. The caller adds what attrsync
    /// owns (group, transactional id, time-outs).
    #[must_use]
    pub fn client(&self, role: ClientRole) -> ClientConfig {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", &self.bootstrap_servers);
        let of_role = match role {
            ClientRole::Consumer => Some(&self.consumer.properties),
            ClientRole::Producer => Some(&self.producer.properties),
            ClientRole::Admin => None,
        };
        for (name, value) in self.properties.iter().chain(of_role.into_iter().flat_map(Properties::iter)) {
            client.set(name, value);
        }
        client
    }
}
