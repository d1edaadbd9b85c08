//! `judge`: the one path from a record to its verdict. Pure: the record, the settings and the time decide everything.

use crate::domain::{
    Arena, EventTime, Reason, Record, Snapshot, Verdict,
    verdict::{Attributes, EventHead, Method, Outcome, Source, User, Verification},
};

/// Judges one record. `now` serves only a record without a timestamp; the verdict lives in `arena`.
#[must_use]
pub fn judge<'a>(arena: &'a Arena, record: &Record<'a>, snapshot: &'a Snapshot, now: EventTime) -> Verdict<'a> {
    let time = record.timestamp.unwrap_or(now);
    let id = arena.format(format_args!("{}", record.position));
    Verdict {
        outcome: Outcome::Rejected,
        reason: Some(Reason::EmptyRecord),
        event: EventHead { id, kind: None, time },
        organization: None,
        user: User::default(),
        verification: Verification { method: Method::None, status: None, key_id: None, would_reject: None },
        attributes: Attributes::default(),
        unset: &[],
        companies: None,
        rejected: &[],
        dropped: &[],
        detail: None,
        hint: None,
        source: Source::of(record.position, record.timestamp),
        settings_version: snapshot.version(),
    }
}
