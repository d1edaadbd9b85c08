//! What stands in for what records do not say.

use crate::domain::{Arena, EventTime, Header, Record};

/// What stands in for what records do not say.
#[derive(Debug, Clone)]
pub struct Defaults {
    /// The time of a record without a timestamp.
    pub now: EventTime,
    /// The type of an event that does not say it.
    pub event_type: Option<String>,
}

impl Defaults {
    /// The record with what stands in. A type that was given takes the place of the weakest header: whatever says a type
    /// itself beats it, and the policy stays that of the deployment.
    #[must_use]
    pub fn apply<'a>(&'a self, mut record: Record<'a>, arena: &'a Arena) -> Record<'a> {
        if let Some(event_type) = &self.event_type {
            let mut headers = arena.list_with(1 + record.headers.len());
            headers.push(Header { name: "event-type", value: Some(event_type.as_bytes()) });
            headers.extend_from_slice(record.headers);
            record.headers = headers.into_bump_slice();
        }
        record
    }
}
