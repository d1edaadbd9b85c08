//! The sections of the configuration as types. Names, defaults and their reasons stand in `config.default.toml`, which is
//! complete: no key has a default of its own here.

use std::{collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Deserializer, de::Error as _};

use super::{properties::Properties, redact::without_userinfo};
use crate::domain::{EventTimeSource, Limits, Policy};

/// The configuration of a process, complete and checked.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The cluster, the topics and the group.
    pub kafka: Kafka,
    /// The loop.
    pub worker: Worker,
    /// Where organizations come from.
    pub settings: Settings,
    /// What holds for every organization.
    pub policy: PolicySection,
    /// What a deployment must say aloud to weaken itself.
    pub security: Security,
    /// Bounds on one event.
    pub limits: Limits,
    /// The endpoint for probes and metrics.
    pub admin: Admin,
    /// The page about verdicts.
    pub dashboard: Dashboard,
    /// Spans and metrics of a worker to a collector.
    pub telemetry: Telemetry,
    /// What is logged, and how.
    pub log: Log,
}

/// The cluster, the topics and the group.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kafka {
    /// Brokers as `host:port`, separated by commas.
    pub bootstrap_servers: String,
    /// The consumer group.
    pub group_id: String,
    /// The topics in.
    pub input: Input,
    /// The topic of accepted verdicts.
    pub accepted_topic: String,
    /// The topic of rejected verdicts.
    pub rejected_topic: String,
    /// The stable name of this process within the group; the host's where none was given.
    pub instance: String,
    /// The first part of every transactional id.
    pub transactional_id_prefix: String,
    /// Whether shards are static members of the group.
    pub static_membership: bool,
    /// librdkafka properties for every client.
    pub properties: Properties,
    /// librdkafka properties for consumers.
    pub consumer: Role,
    /// librdkafka properties for producers.
    pub producer: Role,
}

/// The topics in.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The topics' names.
    pub topics: Vec<String>,
    /// The type of an event that says none itself, by topic.
    pub types: BTreeMap<String, String>,
}

/// The properties of one kind of client.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// librdkafka properties.
    pub properties: Properties,
}

/// The loop.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    /// How verdicts are delivered.
    pub delivery: Delivery,
    /// Threads with a consumer and a producer each; 0: one for each core.
    pub shards: u32,
    /// Milliseconds between two commits.
    pub commit_interval_ms: u64,
    /// The most records in one commit.
    pub batch_records: usize,
    /// Bytes of fetched records that may wait, over all shards.
    pub fetch_queue_bytes: u64,
    /// Milliseconds after which the broker aborts an open transaction.
    pub transaction_timeout_ms: u64,
    /// Milliseconds that the producer tries to deliver a record.
    pub message_timeout_ms: u64,
    /// Milliseconds without a heartbeat after which a member counts as dead.
    pub session_timeout_ms: u64,
    /// Tries in a row before a fault ends the process.
    pub fault_tries: u32,
    /// Milliseconds before the first new try.
    pub fault_backoff_ms: u64,
    /// The most milliseconds between two tries.
    pub fault_backoff_max_ms: u64,
    /// Milliseconds that a stopping worker may take.
    pub shutdown_timeout_ms: u64,
}

/// How verdicts are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Verdicts and offsets in one transaction.
    ExactlyOnce,
    /// An idempotent producer; offsets are committed after delivery.
    AtLeastOnce,
}

/// Where organizations come from.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The source.
    pub source: SettingsSource,
    /// Milliseconds between two looks for a change.
    pub reload_interval_ms: u64,
    /// Seconds for which a database may be out of reach.
    pub max_staleness_s: u64,
    /// What becomes of events whose organization can't be loaded.
    pub on_unusable: OnUnusable,
    /// The id of the master key that seals; empty: the only one.
    pub master_key: String,
    /// The master keys by id.
    pub master_keys: MasterKeys,
}

/// What becomes of the events of an organization whose settings can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnusable {
    /// They are rejected.
    Reject,
    /// Their partitions are held.
    Wait,
}

/// Master keys by id, as the operator wrote them. They never print.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct MasterKeys(pub BTreeMap<String, String>);

/// Prints ids alone.
impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A source of settings. It may hold a password and never prints it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum SettingsSource {
    /// A TOML file.
    File(PathBuf),
    /// A PostgreSQL database, by its URL.
    Postgres(String),
}

impl fmt::Debug for SettingsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Postgres(url) => f.write_str(&without_userinfo(url)),
        }
    }
}

impl TryFrom<String> for SettingsSource {
    type Error = String;

    fn try_from(source: String) -> Result<Self, Self::Error> {
        match source.strip_prefix("file:") {
            Some(path) if path.contains("://") => {
                Err("a file has a path and no URL; a database is named by its URL alone, without file:".to_owned())
            }
            Some(path) if !path.is_empty() => Ok(Self::File(path.into())),
            None if is_database(&source) && is_ambiguous(&source) => Err(
                "two readers would find two hosts in it: / ? # @ in a user or a password are written %2F %3F %23 %40"
                    .to_owned(),
            ),
            None if is_database(&source) => Ok(Self::Postgres(source)),
            _ => Err("expected file:PATH or postgres://USER:PASSWORD@HOST/DATABASE".to_owned()),
        }
    }
}

/// Whether a source of settings is the URL of a database.
pub(super) fn is_database(source: &str) -> bool {
    ["postgres://", "postgresql://"].iter().any(|scheme| source.starts_with(scheme))
}

/// Whether what stands before the last `@` of a URL holds what ends a host, too: nobody knows then where the password ends.
fn is_ambiguous(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.rsplit_once('@').is_some_and(|(login, _)| login.contains(['/', '?', '#', '@']))
}

/// What holds for every organization, beside `limits` and `security`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicySection {
    /// Where event time is taken from.
    pub event_time: EventTimeSource,
    /// Seconds by which a token's times may be missed.
    pub leeway_s: u32,
    /// Whether the values of rejected attributes are emitted.
    pub emit_rejected_values: bool,
}

/// What a deployment must say aloud to weaken itself.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Security {
    /// Whether enforcement `off` is honoured.
    pub allow_off: bool,
}

/// The endpoint for probes and metrics.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// Where it listens.
    #[serde(deserialize_with = "address")]
    pub address: SocketAddr,
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| D::Error::custom("expected address:port, as in 127.0.0.1:9464 or [::]:9464"))
}

/// The page about verdicts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    /// Where it listens.
    #[serde(deserialize_with = "address")]
    pub address: SocketAddr,
    /// The file of the token that readers must show; empty where none is asked for.
    pub token_file: PathBuf,
    /// Hours back from the start from which the topics are read.
    pub window_h: u32,
    /// The most records that are read back at the start.
    pub window_records: u64,
    /// The most organizations that are told apart.
    pub organizations: usize,
    /// The most attributes of one organization that are told apart.
    pub attributes: usize,
    /// The newest verdicts that are kept whole, of each kind.
    pub verdicts: usize,
    /// The most bytes of these.
    pub verdicts_bytes: usize,
    /// The most subscribers of the stream of verdicts.
    pub subscribers: usize,
}

/// Spans and metrics of a worker to a collector. The dashboard exports nothing: its metrics are scraped.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// The collector's base; empty: nothing is exported.
    pub otlp_endpoint: String,
    /// What this service is called there.
    pub service_name: String,
    /// Seconds between two exports of metrics; 0: none.
    pub metrics_interval_s: u64,
    /// The most spans that wait.
    pub queue_spans: usize,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Directives as `tracing-subscriber` reads them.
    pub filter: String,
    /// The shape of a line.
    pub format: LogFormat,
}

/// The shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Text on a terminal, JSON in a pipe.
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// Whether lines are JSON where they go to a terminal, or to none.
    #[must_use]
    pub fn is_json(self, terminal: bool) -> bool {
        match self {
            Self::Auto => !terminal,
            Self::Text => false,
            Self::Json => true,
        }
    }
}

/// Bytes of a verdict beside what it takes from its event: names of fields, identities, reasons.
const VERDICT_FRAME_BYTES: usize = 64 * 1024;

impl Config {
    /// The most bytes of a verdict's record. JSON written anew can be longer than it was read, so twice the event and a frame.
    #[must_use]
    pub fn output_bytes(&self) -> usize {
        2 * self.limits.record_bytes + VERDICT_FRAME_BYTES
    }

    /// The deployment's policy, as the judgement takes it.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy {
            event_time: self.policy.event_time,
            leeway_s: self.policy.leeway_s,
            allow_off: self.security.allow_off,
            emit_rejected_values: self.policy.emit_rejected_values,
            limits: self.limits,
            topic_types: self
                .kafka
                .input
                .types
                .iter()
                .map(|(topic, kind)| (topic.as_str().into(), kind.as_str().into()))
                .collect(),
        }
    }
}
