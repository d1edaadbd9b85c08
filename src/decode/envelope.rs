//! The envelope around the SDK's object, or its absence: the event's id and time, and the visitor's id from its context.

use super::{Context, scalar};
use crate::domain::{Arena, EventTime, EventTimeSource, Limits, Object, Record, Rejection, Value, verdict::User};

/// What stands around the payload.
#[derive(Clone, Copy, Default)]
pub(super) struct Envelope<'a> {
    id: Option<Value<'a>>,
    pub(super) event_type: Option<Value<'a>>,
    received_at: Option<Value<'a>>,
    anonymous_id: Option<Value<'a>>,
    /// The SDK's object; absent where the document is no object.
    pub(super) payload: Option<Object<'a>>,
}

impl<'a> Envelope<'a> {
    /// An object whose `payload` is an object is an envelope; any other object is the SDK's own.
    pub(super) fn open(document: Option<Value<'a>>) -> Self {
        let Some(object) = document.and_then(Value::as_object) else { return Self::default() };
        let Some(payload) = object.get("payload").and_then(Value::as_object) else {
            return Self { payload: Some(object), ..Self::default() };
        };
        let context = object.get("context").and_then(Value::as_object).unwrap_or_default();
        Self {
            id: object.get("id"),
            event_type: object.get("type"),
            received_at: object.get("receivedAt"),
            anonymous_id: context.get("anonymousId"),
            payload: Some(payload),
        }
    }

    /// The envelope's `id`, else `ce_id`, else the position. An id that is no text or integer, or is too long to be
    /// passed on in headers, counts as absent: it names the event, and decides nothing about it.
    pub(super) fn id(&self, arena: &'a Arena, record: &Record<'a>, limits: &Limits) -> &'a str {
        let usable = |value| scalar::identity(value, "id", limits).ok().flatten();
        let own = self.id.and_then(usable).or_else(|| usable(Value::Text(record.header("ce_id")?)));
        own.unwrap_or_else(|| arena.format(format_args!("{}", record.position)))
    }

    /// The record's timestamp, or `receivedAt` where the operator trusts it. On a topic that is configured with a type events need no
    /// envelope: there one may be what a visitor put into the SDK's object, and who dates an event decides which tokens and keys
    /// are honoured.
    pub(super) fn time(&self, context: &Context<'a>, record: &Record<'a>) -> EventTime {
        let received = match context.policy.event_time {
            EventTimeSource::Record => None,
            EventTimeSource::ReceivedAt if context.policy.type_of(record.position.topic).is_some() => None,
            EventTimeSource::ReceivedAt => self.received_at.and_then(time_of),
        };
        received.or(record.timestamp).unwrap_or(context.now)
    }

    /// The visitor's id from the context, which beats that of the payload.
    pub(super) fn visitor(&self, user: &mut User<'a>, limits: &Limits) -> Result<(), Rejection<'a>> {
        if let Some(value) = self.anonymous_id {
            user.anonymous_id = scalar::identity(value, "anonymousId", limits)?.or(user.anonymous_id);
        }
        Ok(())
    }
}

/// A date in any spelling.
pub(crate) fn time_of(value: Value<'_>) -> Option<EventTime> {
    match value {
        Value::Text(text) => EventTime::parse(text).or_else(|| EventTime::from_unix(digits(text)?)),
        other => EventTime::from_unix(other.as_double()?),
    }
}

/// A Unix time as a text of digits: the SDK passes a number on like this. Of 9 to 13 digits, which are the seconds since
/// 1973 and the milliseconds until 2286; fewer could be a year or a day.
fn digits(text: &str) -> Option<f64> {
    let plausible = (9..=13).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plausible.then(|| text.parse().ok())?
}
