//! The verdict: what became of one event, in the one shape that both topics, files, `explain` and the fixtures share.
//! Field names and their order are the contract.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{EventTime, Hint, Position, Reason, Value};

/// What became of the event as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// One record in the accepted topic.
    Accepted,
    /// One record in each topic: the identity is fine, an attribute or a company was rejected.
    Partial,
    /// One record in the rejected topic.
    Rejected,
}

impl Outcome {
    /// Every outcome, as they are numbered: each is stricter than the one before.
    pub const ALL: [Outcome; 3] = [Outcome::Accepted, Outcome::Partial, Outcome::Rejected];

    /// The outcome of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }

    /// Every outcome with every reason that the event as a whole may have for it: none, unless it is rejected.
    pub fn with_reasons() -> impl Iterator<Item = (Self, Option<Reason>)> {
        let whole = [Outcome::Accepted, Outcome::Partial].map(|outcome| (outcome, None));
        let rejected = Reason::ALL.iter().map(|reason| (Outcome::Rejected, Some(*reason)));
        whole.into_iter().chain(rejected)
    }

    /// The name in records, headers, metrics and docs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Accepted => "accepted",
            Outcome::Partial => "partial",
            Outcome::Rejected => "rejected",
        }
    }
}

/// One input record's verdict.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Verdict<'a> {
    /// Accepted, partial or rejected.
    #[serde(rename = "verdict")]
    pub outcome: Outcome,
    /// Why the event as a whole was rejected; null otherwise.
    pub reason: Option<Reason>,
    /// Which event.
    pub event: EventHead<'a>,
    /// The slug of the organization; null where the event could not be read far enough to know which one, or names none.
    pub organization: Option<&'a str>,
    /// Whom the event concerns: what is proven, or else what the payload claims, where the event is rejected or enforcement lets it pass.
    /// `anonymousId` is never proven.
    pub user: User<'a>,
    /// How the identity was proven.
    pub verification: Verification<'a>,
    /// What was set.
    pub attributes: Attributes<'a>,
    /// What was unset.
    pub unset: &'a [Unset<'a>],
    /// The companies; null where the event says nothing of them, or where all were refused. They are not the whole list where
    /// `rejected` has one of them, or where `companyHash` alone proves them: such ones are added, and take no other away.
    pub companies: Option<&'a [Company<'a>]>,
    /// What was rejected, each with its reason.
    pub rejected: &'a [Refused<'a>],
    /// What was dropped, each with its reason.
    pub dropped: &'a [Refused<'a>],
    /// The facts behind the reason.
    pub detail: Option<Detail<'a>>,
    /// What the diagnosis of the proof found; null unless the event is rejected.
    pub hint: Option<Hint>,
    /// Where the event came from.
    pub source: Source<'a>,
    /// The version of the settings that judged it.
    pub settings_version: u64,
}

/// Which event it is.
#[derive(Clone, Copy, Serialize, JsonSchema)]
pub struct EventHead<'a> {
    /// The envelope's `id`, else `ce_id`, else `topic/partition/offset`.
    pub id: &'a str,
    /// `boot`, `identify` or a widget's initialization; null until it is known.
    #[serde(rename = "type")]
    pub kind: Option<&'a str>,
    /// Event time: expiry and key validity were judged at it.
    pub time: EventTime,
}

/// Whom an event concerns.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct User<'a> {
    /// The customer's id of the user.
    pub user_id: Option<&'a str>,
    /// The user's e-mail address.
    pub email: Option<&'a str>,
    /// The SDK's id of a visitor.
    pub anonymous_id: Option<&'a str>,
}

impl<'a> User<'a> {
    /// The one identity that an event is counted and kept in order by: `userId`, else `email`, else `anonymousId`.
    #[must_use]
    pub fn identity(self) -> Option<&'a str> {
        self.user_id.or(self.email).or(self.anonymous_id)
    }
}

/// How an identity was proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Verification<'a> {
    /// What proof was given and looked at.
    pub method: Method,
    /// How the proof ended; null before it was looked at.
    pub status: Option<Status>,
    /// The id of the key or identity secret that verified.
    pub key_id: Option<&'a str>,
    /// Under `observe`: the reason with which `enforced` would have rejected the event.
    pub would_reject: Option<Reason>,
}

/// The kind of proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// A JSON Web Token (RFC 7519).
    Jwt,
    /// `userHash`, the HMAC of the identifier.
    Hmac,
    /// None.
    None,
}

impl Method {
    /// The name in records, headers, metrics and docs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Method::Jwt => "jwt",
            Method::Hmac => "hmac",
            Method::None => "none",
        }
    }
}

/// How the proof ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The proof verified.
    Verified,
    /// An identity is claimed without a proof that counts.
    Unverified,
    /// No identity is claimed.
    Anonymous,
    /// A proof was given, failed, and the event was rejected for it.
    Failed,
}

impl Status {
    /// The name in records, headers, metrics and docs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Status::Verified => "verified",
            Status::Unverified => "unverified",
            Status::Anonymous => "anonymous",
            Status::Failed => "failed",
        }
    }
}

/// The attributes that were set, as a JSON object by name.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Attributes<'a>(pub &'a [SetAttribute<'a>]);

/// An attribute that was set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SetAttribute<'a> {
    /// The attribute's name.
    pub name: &'a str,
    /// The value, as it was sent; a date as RFC 3339.
    pub value: Value<'a>,
    /// Whether the value was signed.
    pub verified: bool,
}

impl JsonSchema for Attributes<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Attributes".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<Value<'static>>();
        json_schema!({
            "description": "What was set, by the attribute's name.",
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": { "value": value, "verified": { "description": "Whether the value was signed.", "type": "boolean" } },
                "required": ["value", "verified"]
            }
        })
    }
}

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Entry<'v, 'a> {
            value: &'v Value<'a>,
            verified: bool,
        }
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for SetAttribute { name, value, verified } in self.0 {
            map.serialize_entry(name, &Entry { value, verified: *verified })?;
        }
        map.end()
    }
}

/// What the membership in companies is called where an attribute's name stands.
pub const MEMBERSHIP: &str = "companies";

/// The header by which a record says that a replay judged the event again.
pub const REPLAY_HEADER: &str = "attrsync-replay";

/// An attribute that was unset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unset<'a> {
    /// The attribute's name; `companies` where the membership was cleared by null.
    pub attribute: &'a str,
    /// Whether the null was signed.
    pub verified: bool,
}

/// A company that the user belongs to.
#[derive(Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Company<'a> {
    /// The company's id.
    pub id: &'a str,
    /// Whether the membership was signed, or proven by `companyHash`.
    pub verified: bool,
    /// What was set.
    pub attributes: Attributes<'a>,
    /// What was unset.
    pub unset: &'a [Unset<'a>],
}

/// An attribute or a company that was rejected or dropped.
#[derive(Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Refused<'a> {
    /// The attribute's name; `companies` for a membership.
    pub attribute: &'a str,
    /// The company's id, where it concerns one.
    pub company: Option<&'a str>,
    /// The company's place among all entries, from 0, the signed ones first, where it has no usable id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<usize>,
    /// Why.
    pub reason: Reason,
    /// What was probably meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<Hint>,
    /// The value of a rejected attribute, where the operator asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value<'a>>,
}

/// The facts behind a reason: numbers and field names, never a value of the event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Detail<'a> {
    /// A limit was passed.
    Limit {
        /// The configured limit.
        limit: usize,
        /// What the event has.
        size: usize,
    },
    /// A limit was passed by one field.
    FieldLimit {
        /// The field.
        field: &'a str,
        /// The configured limit.
        limit: usize,
        /// What the field has.
        size: usize,
    },
    /// It lies at one field.
    Field {
        /// The field.
        field: &'a str,
    },
    /// Reading stopped at a byte.
    Syntax {
        /// The byte's place in the document, from 0.
        byte: usize,
    },
    /// A time is off by this much.
    Seconds {
        /// The claim.
        field: &'a str,
        /// How far beyond what is allowed, leeway included, rounded up.
        seconds: i64,
    },
}

impl<'a> Detail<'a> {
    /// The field that it lies at.
    #[must_use]
    pub fn field(self) -> Option<&'a str> {
        match self {
            Detail::Field { field } | Detail::FieldLimit { field, .. } | Detail::Seconds { field, .. } => Some(field),
            Detail::Limit { .. } | Detail::Syntax { .. } => None,
        }
    }
}

/// Where the event came from.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct Source<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// The record's own timestamp in milliseconds; null where it has none.
    pub timestamp: Option<i64>,
}

impl<'a> Source<'a> {
    /// The provenance of a record.
    #[must_use]
    pub fn of(position: Position<'a>, timestamp: Option<EventTime>) -> Self {
        let Position { topic, partition, offset } = position;
        Self { topic, partition: partition.0, offset: offset.0, timestamp: timestamp.map(EventTime::millis) }
    }
}

/// Prints which fields are there: an identity is personal data.
impl std::fmt::Debug for User<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known = |field: Option<&str>| if field.is_some() { "[redacted]" } else { "null" };
        f.debug_struct("User")
            .field("user_id", &known(self.user_id))
            .field("email", &known(self.email))
            .field("anonymous_id", &known(self.anonymous_id))
            .finish()
    }
}

/// Leaves out the field, which may be a name of the sender's.
impl std::fmt::Debug for Detail<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Detail::Limit { limit, size } | Detail::FieldLimit { limit, size, .. } => write!(f, "{size} of {limit}"),
            Detail::Field { .. } => f.write_str("a field"),
            Detail::Syntax { byte } => write!(f, "byte {byte}"),
            Detail::Seconds { seconds, .. } => write!(f, "{seconds} s"),
        }
    }
}

/// Prints the time: the event's id is the sender's and may hold anything, and so may the type of a widget.
impl std::fmt::Debug for EventHead<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventHead").field("time", &self.time).finish_non_exhaustive()
    }
}

/// Leaves out the id, which is the sender's.
impl std::fmt::Debug for Company<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Company")
            .field("verified", &self.verified)
            .field("attributes", &self.attributes)
            .field("unset", &self.unset)
            .finish_non_exhaustive()
    }
}

/// Leaves out the names and the value: those of what nobody configured may hold anything.
impl std::fmt::Debug for Refused<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Refused")
            .field("reason", &self.reason)
            .field("position", &self.position)
            .field("hint", &self.hint)
            .finish_non_exhaustive()
    }
}
