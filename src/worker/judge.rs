//! `judge`: the one path from a record to its verdict, which `run`, `replay`, `explain` and the fixtures share. Pure: the
//! record, the settings and the time decide everything.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::{
    decide::{self, Decision},
    decode::{self, Context, Undecoded},
    domain::{
        Arena, EventTime, Reason, Record, Rejection, Snapshot, Verdict,
        verdict::{Attributes, EventHead, Method, Outcome, Source, User, Verification},
    },
    verify::{self, Unproven, Verified, organization},
};

/// Judges one record. `now` serves only a record without a timestamp; the verdict lives in `arena`.
#[must_use]
pub fn judge<'a>(arena: &'a Arena, record: &Record<'a>, snapshot: &'a Snapshot, now: EventTime) -> Verdict<'a> {
    let context = Context { arena, policy: snapshot.policy(), now };
    let blank = |head| blank(head, record, snapshot);
    match decode::decode(&context, record) {
        Err(Undecoded { head, tenant, user, rejection }) => {
            let organization = organization::told(&tenant, snapshot).map(|organization| organization.slug.as_str());
            rejected(Verdict { organization, user, ..blank(head) }, rejection)
        }
        Ok(event) => match verify::verify(&context, &event, snapshot) {
            Err(unproven) => refused(blank(event.head), &unproven),
            Ok(verified) => decided(blank(event.head), &verified, decide::decide(&context, &verified)),
        },
    }
}

/// A verdict that says which event it is about, and nothing else yet.
fn blank<'a>(event: EventHead<'a>, record: &Record<'a>, snapshot: &Snapshot) -> Verdict<'a> {
    Verdict {
        outcome: Outcome::Rejected,
        reason: None,
        event,
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

fn rejected<'a>(verdict: Verdict<'a>, rejection: Rejection<'a>) -> Verdict<'a> {
    let Rejection { reason, detail, hint } = rejection;
    Verdict { outcome: Outcome::Rejected, reason: Some(reason), detail, hint, ..verdict }
}

fn refused<'a>(verdict: Verdict<'a>, unproven: &Unproven<'a>) -> Verdict<'a> {
    let Unproven { organization, user, verification, rejection } = *unproven;
    let organization = organization.map(|organization| organization.slug.as_str());
    rejected(Verdict { organization, user, verification, ..verdict }, rejection)
}

fn decided<'a>(verdict: Verdict<'a>, verified: &Verified<'a>, decision: Decision<'a>) -> Verdict<'a> {
    let Decision { attributes, unset, companies, rejected, dropped, event_rejected } = decision;
    let (outcome, reason) = match (event_rejected, rejected) {
        (true, _) => (Outcome::Rejected, Some(Reason::AttributeRejected)),
        (false, []) => (Outcome::Accepted, None),
        (false, _) => (Outcome::Partial, None),
    };
    Verdict {
        outcome,
        reason,
        organization: Some(&verified.organization.slug),
        user: verified.user,
        verification: verified.verification,
        attributes,
        unset,
        companies,
        rejected,
        dropped,
        ..verdict
    }
}
