//! The deployment's own policy: what holds for every organization and belongs to a verdict's inputs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the operator of this deployment decided, for all organizations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Where event time is taken from.
    pub event_time: EventTimeSource,
    /// Seconds by which `exp`, `nbf`, `iat` and the maximum age may be missed (RFC 7519 §4.1.4).
    pub leeway_s: u32,
    /// Whether an organization's enforcement `off` is honoured. For local testing; otherwise `off` counts as `enforced`.
    pub allow_off: bool,
    /// Whether the value of a rejected attribute is emitted. Off by default: it is unverified personal data.
    pub emit_rejected_values: bool,
    /// Bounds on the input; past one the event is rejected.
    pub limits: Limits,
    /// The type of a topic's events that do not say it themselves, by topic. Configured with the topics.
    #[serde(skip)]
    pub topic_types: BTreeMap<Box<str>, Box<str>>,
}

impl Policy {
    /// The type of this topic's events that do not say it themselves.
    #[must_use]
    pub fn type_of(&self, topic: &str) -> Option<&str> {
        self.topic_types.get(topic).map(AsRef::as_ref)
    }
}

/// Where event time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventTimeSource {
    /// The record's timestamp.
    Record,
    /// The envelope's `receivedAt`, where the ingestion gateway may be trusted for it; else, and on every topic that is configured with a
    /// type, the record's timestamp.
    ReceivedAt,
}

/// Bounds on one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes of the record's value.
    pub record_bytes: usize,
    /// Nested containers; the root is 1. A token's parts count by themselves.
    pub depth: usize,
    /// Attributes of the user and of all companies, signed and unsigned.
    pub attributes: usize,
    /// Entries of `company` and `companies`, signed and unsigned.
    pub companies: usize,
    /// Bytes of a token.
    pub token_bytes: usize,
    /// Unicode scalar values of an attribute's name, of an identity, a company's id and a tenant.
    pub name_chars: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            event_time: EventTimeSource::Record,
            leeway_s: 60,
            allow_off: false,
            emit_rejected_values: false,
            limits: Limits::default(),
            topic_types: BTreeMap::new(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            record_bytes: 1024 * 1024,
            depth: 16,
            attributes: 250,
            companies: 50,
            token_bytes: 16 * 1024,
            name_chars: 255,
        }
    }
}
