//! Which type of event it is.

use crate::domain::{Limits, Reason, Record, Rejection, Value, event_type::Kind};

use super::scalar;

/// The type by its name, as it was written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EventType<'a> {
    /// The name.
    pub name: &'a str,
    /// What it may do.
    pub kind: Kind,
}

/// Leaves out the name, which a sender may have chosen.
impl std::fmt::Debug for EventType<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.kind.fmt(f)
    }
}

/// The type of an event: the envelope's `type`, which beats `ce_type`, which beats `event-type`, which beats the topic's.
///
/// # Errors
/// [`Reason::MissingType`] where none says it, [`Reason::UnknownType`] where the first that does names no type of ours.
pub(super) fn find<'a>(
    in_envelope: Option<Value<'a>>,
    record: &Record<'a>,
    of_topic: Option<&'a str>,
    limits: &Limits,
) -> Result<EventType<'a>, Rejection<'a>> {
    let name = match in_envelope {
        Some(Value::Text(name)) if !name.is_empty() => Some(name),
        None | Some(Value::Null | Value::Text(_)) => {
            let header = |name| record.header(name).filter(|name| !name.is_empty());
            header("ce_type").or_else(|| header("event-type")).or(of_topic)
        }
        Some(_) => return Err(Reason::UnknownType.into()),
    };
    let name = name.ok_or(Reason::MissingType)?;
    let kind = Kind::named(name).ok_or(Reason::UnknownType)?;
    let unfit = name.chars().any(char::is_control) || scalar::is_unfit(name);
    if unfit || scalar::too_long(name, limits.name_chars).is_some() {
        return Err(Reason::UnknownType.into());
    }
    Ok(EventType { name, kind })
}
