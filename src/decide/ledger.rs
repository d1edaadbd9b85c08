//! Where every ruling is written down, once: what was set and unset on the page of the user or the company, what was
//! refused in one list for all. Lists are put in the order of names when they are done, so that a verdict does not depend
//! on how an object happened to be written.

use std::cmp::Ordering;

use super::{Candidate, Item, Owner, Ruling};
use crate::{
    decode::{Context, fields::looks_like_credential, scalar},
    domain::{
        Arena, Reason, Value,
        arena::ArenaVec,
        verdict::{Attributes, MEMBERSHIP, Refused, SetAttribute, Unset},
    },
};

/// What was set and unset of one user or one company.
pub(super) struct Page<'a> {
    set: ArenaVec<'a, SetAttribute<'a>>,
    unset: ArenaVec<'a, Unset<'a>>,
}

/// What was rejected and dropped, of the user and of all companies.
pub(super) struct Refusals<'a> {
    rejected: ArenaVec<'a, Refused<'a>>,
    dropped: ArenaVec<'a, Refused<'a>>,
    emit_values: bool,
}

/// A line of the list of refusals, but for the ruling.
struct Line<'a> {
    attribute: &'a str,
    owner: Owner<'a>,
    /// The value, where it is told.
    value: Option<Value<'a>>,
}

impl<'a> Page<'a> {
    pub(super) fn new(arena: &'a Arena, capacity: usize) -> Self {
        Self { set: arena.list_with(capacity), unset: arena.list() }
    }

    /// Null for the list of companies.
    pub(super) fn unset(&mut self, attribute: &'a str, verified: bool) {
        self.unset.push(Unset { attribute, verified });
    }

    pub(super) fn close(mut self) -> (Attributes<'a>, &'a [Unset<'a>]) {
        self.set.sort_unstable_by(|one, other| by_name(one.name, other.name));
        self.unset.sort_unstable_by(|one, other| by_name(one.attribute, other.attribute));
        (Attributes(self.set.into_bump_slice()), self.unset.into_bump_slice())
    }
}

impl<'a> Refusals<'a> {
    pub(super) fn new(context: &Context<'a>) -> Self {
        let emit_values = context.policy.emit_rejected_values;
        Self { rejected: context.arena.list(), dropped: context.arena.list(), emit_values }
    }

    /// Writes the ruling of one attribute: on its owner's page or among the refusals.
    pub(super) fn write(&mut self, page: &mut Page<'a>, candidate: &Candidate<'a>, ruling: Ruling<'a>) {
        let Candidate { item: Item { name, .. }, signed: verified, .. } = *candidate;
        match ruling {
            Ruling::Set(value) => page.set.push(SetAttribute { name, value, verified }),
            Ruling::Unset => page.unset(name, verified),
            refused => self.refuse(candidate.item, refused),
        }
    }

    /// Writes down that an attribute is refused.
    pub(super) fn refuse(&mut self, Item { name, value, owner }: Item<'a>, ruling: Ruling<'a>) {
        let shown = self.emit_values && !looks_like_credential(name) && is_plain(value);
        self.push(Line { attribute: name, owner, value: shown.then_some(value) }, ruling);
    }

    /// Writes down that a membership is refused, or what was said of all companies.
    pub(super) fn refuse_membership(&mut self, owner: Owner<'a>, ruling: Ruling<'a>) {
        self.push(Line { attribute: MEMBERSHIP, owner, value: None }, ruling);
    }

    fn push(&mut self, Line { attribute, owner: Owner { company, position }, value }: Line<'a>, ruling: Ruling<'a>) {
        let refused = |reason, hint, value| Refused { attribute, company, position, reason, hint, value };
        match ruling {
            Ruling::Rejected(reason, hint) => self.rejected.push(refused(reason, hint, value)),
            Ruling::Dropped(reason, hint) => self.dropped.push(refused(reason, hint, None)),
            Ruling::Set(_) | Ruling::Unset => {}
        }
    }

    pub(super) fn any_rejected(&self) -> bool {
        !self.rejected.is_empty()
    }

    /// Drops what was fine, since the whole event is rejected.
    pub(super) fn drop_all(&mut self, names: impl Iterator<Item = &'a str>, owner: Owner<'a>) {
        for name in names {
            let line = Line { attribute: name, owner, value: None };
            self.push(line, Ruling::Dropped(Reason::EventRejected, None));
        }
    }

    pub(super) fn close(mut self) -> (&'a [Refused<'a>], &'a [Refused<'a>]) {
        for list in [&mut self.rejected, &mut self.dropped] {
            list.sort_by(|one, other| {
                let owner = |refused: &Refused<'a>| (refused.company, refused.position);
                owner(one).cmp(&owner(other)).then_with(|| by_name(one.attribute, other.attribute))
            });
        }
        (self.rejected.into_bump_slice(), self.dropped.into_bump_slice())
    }
}

/// The order of names, byte for byte. Most differ in the first one, which is compared here and not by a call.
fn by_name(one: &str, other: &str) -> Ordering {
    one.as_bytes().first().cmp(&other.as_bytes().first()).then_with(|| one.cmp(other))
}

/// Whether a value is one that some attribute could have. What stands inside an object has names of its own and could be a
/// credential; a token is one, and U+0000 can't be stored.
fn is_plain(value: Value<'_>) -> bool {
    match value {
        Value::Object(_) => false,
        Value::List(items) => items.iter().all(|item| !matches!(item, Value::List(_)) && is_plain(*item)),
        Value::Text(text) => !scalar::is_unfit(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}
