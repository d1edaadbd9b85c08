//! librdkafka properties as the operator gave them. They hold passwords, so nothing here prints a value that may be one.

use std::{collections::BTreeMap, fmt};

use rdkafka::ClientConfig;
use serde::Deserialize;

use super::sections::Kafka;

/// librdkafka properties by name.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct Properties(BTreeMap<String, String>);

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
    /// What the operator says of a client of this role: the brokers, then `kafka.properties`, then those of the role. The
    /// caller adds what attrsync owns (group, transactional id, time-outs).
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
