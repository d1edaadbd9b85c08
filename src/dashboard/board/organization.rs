//! What is counted of one organization.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    tally::{Attribute, Outcomes, Recent},
    told::{Refused, Set, Told, Unset},
};
use crate::{
    advice::{Bounds, Event, Owner, Seen, Sent, meets_lock},
    count::bounded::{Bounded, Tally},
    domain::{
        Reason,
        verdict::{MEMBERSHIP, Method, Status},
    },
};

/// Reasons, keys and kinds of proof are closed or chosen by an operator; whoever else writes to the topics gets no more room.
const CLOSED: usize = 128;

/// One organization.
#[derive(Debug, Clone)]
pub(crate) struct Organization {
    pub(crate) outcomes: Outcomes,
    /// Verdicts by reason: the event's, and those of what was rejected of it.
    pub(crate) reasons: Bounded<Recent>,
    /// What enforcement would reject, by reason.
    pub(crate) would_reject: Bounded<Recent>,
    /// Verdicts by `method/status` of the proof.
    pub(crate) proofs: Bounded<Recent>,
    /// Verdicts by `method/key` of what verified.
    pub(crate) keys: Bounded<Recent>,
    pub(crate) attributes: Bounded<Attribute>,
    /// With the memberships, under their name.
    pub(crate) company_attributes: Bounded<Attribute>,
    /// Names that nobody configured.
    pub(crate) unconfigured: Bounded<Recent>,
    /// What is advised of it is made of this.
    pub(crate) seen: Seen,
}

impl Default for Organization {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Organization {
    /// Nothing yet, with room for so many attributes.
    pub(crate) fn new(attributes: usize) -> Self {
        Self {
            outcomes: Outcomes::default(),
            reasons: Bounded::new(CLOSED),
            would_reject: Bounded::new(CLOSED),
            proofs: Bounded::new(CLOSED),
            keys: Bounded::new(CLOSED),
            attributes: Bounded::new(attributes),
            company_attributes: Bounded::new(attributes),
            unconfigured: Bounded::new(attributes),
            // Users are not counted here: a sketch for each attribute of each organization would be the most of a board.
            seen: Seen::new(Bounds { attributes, unconfigured: attributes, users: None }),
        }
    }

    /// Counts a verdict.
    pub(crate) fn feed(&mut self, told: &Told<'_>, at: i64) {
        self.outcomes.add(told.verdict, at);
        for reason in told.reasons() {
            self.reasons.of(reason).add(at);
        }
        let proof = &told.verification;
        if let Some(reason) = &proof.would_reject {
            self.would_reject.of(reason).add(at);
        }
        if let Some(status) = &proof.status {
            self.proofs.of(&format!("{}/{status}", proof.method)).add(at);
        }
        if let Some(key) = &proof.key_id {
            self.keys.of(&format!("{}/{key}", proof.method)).add(at);
        }
        self.attributes(told, at);
        advice(&mut self.seen, told, at);
    }

    fn attributes(&mut self, told: &Told<'_>, at: i64) {
        set(&mut self.attributes, &told.attributes, at);
        unset(&mut self.attributes, &told.unset, at);
        for company in told.companies.iter().flatten() {
            taken(self.company_attributes.of(MEMBERSHIP), company.verified, at);
            set(&mut self.company_attributes, &company.attributes, at);
            unset(&mut self.company_attributes, &company.unset, at);
        }
        for refused in &told.rejected {
            let attribute = self.refused(refused);
            attribute.rejected += 1;
            attribute.locked += u64::from(refused.reason == Reason::Locked.code());
            attribute.last = attribute.last.max(Some(at));
        }
        for refused in &told.dropped {
            if refused.reason == Reason::NotConfigured.code() {
                self.unconfigured.of(&refused.attribute).add(at);
            } else {
                let attribute = self.refused(refused);
                attribute.dropped += 1;
                attribute.last = attribute.last.max(Some(at));
            }
        }
    }

    fn refused(&mut self, refused: &Refused<'_>) -> &mut Attribute {
        let table = if refused.of_company() { &mut self.company_attributes } else { &mut self.attributes };
        table.of(&refused.attribute)
    }
}

/// Tells what advice is made of; the verdicts say neither the types of values that were dropped nor whether tokens expire, nor of a company
/// beside a token what proved it.
fn advice(seen: &mut Seen, told: &Told<'_>, at: i64) {
    let proof = &told.verification;
    let signed = proof.method == Method::Jwt.name() && proof.status.as_deref() == Some(Status::Verified.name());
    let companies = told.companies.as_deref().unwrap_or_default();
    let event = Event {
        kind: told.event.kind.as_deref(),
        at,
        user: None,
        method: &proof.method,
        key: proof.key_id.as_deref(),
        reason: told.reason.as_deref(),
        would_reject: proof.would_reject.as_deref(),
        expires: None,
        company_proven: !signed && companies.iter().any(|company| company.verified),
        company_unproven: false,
    };
    seen.event(&event);
    // A signed e-mail is an identity and no attribute. Of an event that came no further than its proof, `user` is what was claimed.
    let decided = told.reason.as_deref().is_none_or(|reason| reason == Reason::AttributeRejected.code());
    if signed && decided && told.user.email.is_some() {
        seen.attribute((Owner::User, "email"), Sent::Signed, &event);
    }
    kept(seen, Owner::User, (&told.attributes, told.unset.as_slice()), &event);
    for company in companies {
        seen.attribute((Owner::User, MEMBERSHIP), sent(company.verified), &event);
        kept(seen, Owner::Company, (&company.attributes, company.unset.as_slice()), &event);
    }
    turned_away(seen, told, &event);
}

fn sent(verified: bool) -> Sent {
    if verified { Sent::Signed } else { Sent::Unsigned }
}

/// Tells what was set and unset.
fn kept(seen: &mut Seen, owner: Owner, (set, unset): (&BTreeMap<Cow<'_, str>, Set>, &[Unset<'_>]), event: &Event<'_>) {
    let set = set.iter().map(|(name, set)| (&**name, set.verified));
    for (name, verified) in set.chain(unset.iter().map(|unset| (&*unset.attribute, unset.verified))) {
        seen.attribute((owner, name), sent(verified), event);
    }
}

/// Tells what was rejected and dropped.
fn turned_away(seen: &mut Seen, told: &Told<'_>, event: &Event<'_>) {
    for refused in told.rejected.iter().filter(|refused| refused.reason == Reason::Locked.code()) {
        seen.attribute((owner(refused), &refused.attribute), Sent::Locked, event);
    }
    let accepted = || told.companies.iter().flatten().map(|company| &*company.id);
    for refused in &told.dropped {
        let is = |reason: Reason| refused.reason == reason.code();
        let meets_lock = || meets_lock((&refused.attribute, refused.company.as_deref()), accepted());
        let sent = if is(Reason::NotConfigured) {
            Sent::Unconfigured(None)
        } else if is(Reason::Superseded) && told.reason.is_none() && meets_lock() {
            Sent::Unsigned
        } else {
            continue;
        };
        seen.attribute((owner(refused), &refused.attribute), sent, event);
    }
}

/// Whose an attribute is; a membership is the user's.
fn owner(refused: &Refused<'_>) -> Owner {
    if refused.of_company() && refused.attribute != MEMBERSHIP { Owner::Company } else { Owner::User }
}

fn set(table: &mut Bounded<Attribute>, found: &BTreeMap<Cow<'_, str>, Set>, at: i64) {
    for (name, set) in found {
        taken(table.of(name), set.verified, at);
    }
}

/// Counts a value, or a membership, that was taken.
fn taken(attribute: &mut Attribute, verified: bool, at: i64) {
    let count = if verified { &mut attribute.signed } else { &mut attribute.unsigned };
    *count += 1;
    attribute.last = attribute.last.max(Some(at));
}

fn unset(table: &mut Bounded<Attribute>, found: &[Unset<'_>], at: i64) {
    for unset in found {
        let attribute = table.of(&unset.attribute);
        attribute.unset += 1;
        attribute.last = attribute.last.max(Some(at));
    }
}

impl Tally for Organization {
    fn weight(&self) -> u64 {
        self.outcomes.weight()
    }

    /// Of an organization that lost its place, how often and why is still told; no more.
    fn absorb(&mut self, other: Self) {
        self.outcomes.absorb(other.outcomes);
    }
}
