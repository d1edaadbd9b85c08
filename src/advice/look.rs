//! Feeds a judged record: what its verdict says, and what only the record tells: the type of values that were dropped, whether a
//! token that verified expires, and what a company's hash was worth. Claims are read of a token whose verdict says that it verified, and of
//! no other.

use super::{Event, Kind, Owner, Seen, Sent};
use crate::{
    decode::{self, Attribute, Context, Origin, Profile, profile},
    domain::{
        Arena, EventTime, EventTimeSource, Policy, Reason, Record, Value, Verdict,
        verdict::{Attributes, MEMBERSHIP, Method, Refused, Status, Unset},
    },
    verify::jws,
};

/// Counts one record and its verdict.
pub fn judged<'a>(
    seen: &mut Seen,
    (arena, policy): (&'a Arena, &'a Policy),
    record: &Record<'a>,
    verdict: &Verdict<'a>,
) {
    let signed = verdict.verification.method == Method::Jwt && verdict.verification.status == Some(Status::Verified);
    let unconfigured = verdict.dropped.iter().any(|refused| refused.reason == Reason::NotConfigured);
    let companies = verdict.companies.unwrap_or_default();
    let context = Context { arena, policy, now: verdict.event.time };
    let tells_more = signed || unconfigured || !companies.is_empty();
    let said = tells_more.then(|| Said::of(&context, record, signed)).flatten().unwrap_or_default();
    let user = verdict.user;
    let event = Event {
        kind: verdict.event.kind,
        at: verdict.event.time.millis(),
        user: user.identity(),
        method: verdict.verification.method.name(),
        key: verdict.verification.key_id,
        reason: verdict.reason.map(Reason::code),
        would_reject: verdict.verification.would_reject.map(Reason::code),
        expires: said.expires,
        company_proven: companies.iter().any(|company| company.verified && !said.signs(company.id)),
        // An event that would be refused whole is counted by that.
        company_unproven: verdict.verification.would_reject.is_none()
            && companies.iter().any(|company| !company.verified && said.hashes(company.id)),
    };
    seen.event(&event);
    if record.timestamp.is_none() && policy.event_time == EventTimeSource::Record {
        seen.without_time();
    }
    set(seen, Owner::User, (verdict.attributes, verdict.unset), &event);
    // A signed e-mail is an identity and no attribute. Of an event that came no further than its proof, `user` is what was claimed.
    if signed && user.email.is_some() && matches!(verdict.reason, None | Some(Reason::AttributeRejected)) {
        seen.attribute((Owner::User, "email"), Sent::Signed, &event);
    }
    for company in companies {
        let sent = if company.verified { Sent::Signed } else { Sent::Unsigned };
        seen.attribute((Owner::User, MEMBERSHIP), sent, &event);
        set(seen, Owner::Company, (company.attributes, company.unset), &event);
    }
    refused(seen, verdict, (&said, &event));
}

fn refused(seen: &mut Seen, verdict: &Verdict<'_>, (said, event): (&Said<'_>, &Event<'_>)) {
    for refused in verdict.rejected.iter().filter(|refused| refused.reason == Reason::Locked) {
        seen.attribute((owner(refused), refused.attribute), Sent::Locked, event);
    }
    let accepted = || verdict.companies.unwrap_or_default().iter().map(|company| company.id);
    for refused in verdict.dropped {
        let sent = match refused.reason {
            Reason::NotConfigured => Sent::Unconfigured(said.kind(refused)),
            // An event that is rejected as it is has nothing more to lose.
            Reason::Superseded
                if verdict.reason.is_none() && meets_lock((refused.attribute, refused.company), accepted()) =>
            {
                Sent::Unsigned
            }
            _ => continue,
        };
        seen.attribute((owner(refused), refused.attribute), sent, event);
    }
}

/// Whether a lock would refuse a value, of this attribute and company, that is dropped since another one beats it: locks come first.
///
/// Not so the copy of a company that stands: it is dropped before any lock, and what it says of the company with it. Within a company
/// nothing else is beaten but by what is as unsigned as itself, and counted. That a signed value beat another signed one, a verdict
/// doesn't say: such a one is counted as well.
#[must_use]
pub fn meets_lock<'c>((attribute, company): (&str, Option<&str>), accepted: impl IntoIterator<Item = &'c str>) -> bool {
    company.is_none_or(|company| attribute == MEMBERSHIP && !accepted.into_iter().any(|id| id == company))
}

/// Whose an attribute is; a membership is the user's.
fn owner(refused: &Refused<'_>) -> Owner {
    let of_company = refused.company.is_some() || refused.position.is_some();
    if of_company && refused.attribute != MEMBERSHIP { Owner::Company } else { Owner::User }
}

fn set(seen: &mut Seen, owner: Owner, (set, unset): (Attributes<'_>, &[Unset<'_>]), event: &Event<'_>) {
    let set = set.0.iter().map(|set| (set.name, set.verified));
    for (name, verified) in set.chain(unset.iter().map(|unset| (unset.attribute, unset.verified))) {
        seen.attribute((owner, name), if verified { Sent::Signed } else { Sent::Unsigned }, event);
    }
}

/// What a record says beyond its verdict.
#[derive(Default)]
struct Said<'a> {
    payload: Profile<'a>,
    claims: Profile<'a>,
    expires: Option<bool>,
}

impl<'a> Said<'a> {
    fn of(context: &Context<'a>, record: &Record<'a>, signed: bool) -> Option<Self> {
        let event = decode::decode(context, record).ok()?;
        let payload = event.payload;
        let limits = &context.policy.limits;
        let claims = || {
            let text = payload.credentials.token?.as_text()?;
            jws::open(context.arena, text, limits).ok()?.0.claims(context.arena, limits).ok()
        };
        let Some(claims) = signed.then(claims).flatten() else {
            return Some(Self { payload, ..Self::default() });
        };
        let folded = profile::fold(context.arena, claims, Origin::Claims, limits).0;
        Some(Self { payload, claims: folded, expires: Some(claims.get("exp").is_some()) })
    }

    /// Whether the claims name this company.
    fn signs(&self, company: &str) -> bool {
        self.claims.membership.entries.iter().any(|entry| entry.id == Ok(company))
    }

    /// Whether the payload has a hash for this company; of two entries of one id the first counts.
    fn hashes(&self, company: &str) -> bool {
        let mut entries = self.payload.membership.entries.iter();
        entries.find(|entry| entry.id == Ok(company)).is_some_and(|entry| entry.hash.is_some())
    }

    /// The type that the value of a dropped attribute seems to have.
    fn kind(&self, refused: &Refused<'_>) -> Option<Kind> {
        let named = |attributes: &[Attribute<'a>]| {
            attributes.iter().find(|attribute| attribute.name == refused.attribute).map(|attribute| attribute.value)
        };
        let found = [self.claims, self.payload].into_iter().find_map(|said| match refused.company {
            None => named(said.attributes),
            Some(company) => {
                let mut entries = said.membership.entries.iter().filter(|entry| entry.id == Ok(company));
                entries.find_map(|entry| named(entry.attributes))
            }
        });
        found.and_then(kind)
    }
}

/// The type that a value seems to have; none for null.
fn kind(value: Value<'_>) -> Option<Kind> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(_) => Kind::Boolean,
        Value::Number(_) => Kind::Number,
        Value::Text(text) if text.len() >= 10 && EventTime::parse(text).is_some() => Kind::Date,
        Value::Text(_) => Kind::Text,
        Value::List(items) if items.iter().all(|item| item.as_text().is_some()) => Kind::TextList,
        Value::List(_) | Value::Object(_) => Kind::Other,
    })
}
