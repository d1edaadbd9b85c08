//! 2. Bytes to an unverified event. Pure.
//!
//! `framing → json → envelope → event type, id, time → fold`. Whatever goes wrong, what was learned until then comes back
//! beside the rejection, so that a rejected record can say which event it was and whom it claimed to concern.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod attributes;
pub mod companies;
mod envelope;
pub mod event_type;
pub mod fields;
mod findings;
mod framing;
pub mod json;
mod names;
pub mod profile;
pub(crate) mod scalar;
pub mod sdk;

pub use attributes::Attribute;
pub(crate) use envelope::time_of;
pub use event_type::EventType;
pub(crate) use findings::over;
pub use profile::{Origin, Profile, Tenant};

use crate::domain::{
    Arena, Detail, EventTime, Limits, Policy, Reason, Record, Rejection, Value,
    event_type::Kind,
    verdict::{EventHead, User},
};
use envelope::Envelope;
use json::JsonError;

/// An event as the sender describes it. Nothing in it is to be believed yet.
#[derive(Debug, Clone, Copy)]
pub struct UnverifiedEvent<'a> {
    /// Which event it is.
    pub head: EventHead<'a>,
    /// What it may do without an identity.
    pub kind: Kind,
    /// What it says.
    pub payload: Profile<'a>,
}

/// What is known of an event that decode rejects.
#[derive(Debug, Clone, Copy)]
pub struct Undecoded<'a> {
    /// Which event it is; its type is null until it is known.
    pub head: EventHead<'a>,
    /// The tenant that it names, as far as it could be read.
    pub tenant: Tenant<'a>,
    /// Whom it claims to concern, as far as it could be read.
    pub user: User<'a>,
    /// Why it is rejected.
    pub rejection: Rejection<'a>,
}

/// What decode is told beside the record.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The memory of this judgement.
    pub arena: &'a Arena,
    /// The deployment's policy.
    pub policy: &'a Policy,
    /// The time for a record without a timestamp.
    pub now: EventTime,
}

/// Decodes one record.
///
/// # Errors
/// [`Undecoded`], with the first reason of the stage that applies.
pub fn decode<'a>(context: &Context<'a>, record: &Record<'a>) -> Result<UnverifiedEvent<'a>, Undecoded<'a>> {
    let document = document(context, record);
    let envelope = Envelope::open(document.ok());
    let mut head = EventHead {
        id: envelope.id(context.arena, record, &context.policy.limits),
        kind: None,
        time: envelope.time(context, record),
    };
    let undecoded = |head, said: &Profile<'a>, rejection| {
        let Profile { tenant, user, .. } = *said;
        Undecoded { head, tenant, user, rejection }
    };
    let Some(payload) = envelope.payload else {
        let rejection = document.err().unwrap_or(Reason::NotAnObject.into());
        return Err(undecoded(head, &Profile::default(), rejection));
    };
    let limits = &context.policy.limits;
    let event_type =
        event_type::find(envelope.event_type, record, context.policy.type_of(record.position.topic), limits);
    head.kind = event_type.ok().map(|event_type| event_type.name);
    let (mut profile, found) = profile::fold(context.arena, payload, Origin::Payload, limits);
    let visitor = envelope.visitor(&mut profile.user, limits).err();
    match (found.into_iter().chain(visitor).min_by_key(|rejection| rejection.reason), event_type) {
        (Some(rejection), _) | (None, Err(rejection)) => Err(undecoded(head, &profile, rejection)),
        (None, Ok(event_type)) => Ok(UnverifiedEvent { head, kind: event_type.kind, payload: profile }),
    }
}

/// The record's value as one JSON document within the limits.
fn document<'a>(context: &Context<'a>, record: &Record<'a>) -> Result<Value<'a>, Rejection<'a>> {
    let limits = &context.policy.limits;
    let value = record.value.filter(|value| !value.is_empty()).ok_or(Reason::EmptyRecord)?;
    if let Some(rejection) = over(Reason::RecordTooLarge, limits.record_bytes, value.len()) {
        return Err(rejection);
    }
    let text = std::str::from_utf8(framing::unwrap(value))
        .map_err(|error| Rejection::with(Reason::NotUtf8, Detail::Syntax { byte: error.valid_up_to() }))?;
    json::parse(context.arena, text, limits.depth).map_err(|error| refused(error, limits))
}

/// The rejection for a document that the reader refuses, in the event or in a token. A name that no attribute may have is
/// not repeated: it could be as long as the record.
pub(crate) fn refused<'a>(error: JsonError<'a>, limits: &Limits) -> Rejection<'a> {
    let depth = limits.depth;
    match error {
        JsonError::Syntax { byte } => Rejection::with(Reason::MalformedJson, Detail::Syntax { byte }),
        JsonError::Duplicate { name } if scalar::usable_name(name, limits) => {
            Rejection::at(Reason::DuplicateName, name)
        }
        JsonError::Duplicate { .. } => Reason::DuplicateName.into(),
        JsonError::TooDeep => Rejection::with(Reason::TooDeep, Detail::Limit { limit: depth, size: depth + 1 }),
    }
}
