//! `company` and `companies`: one list of entries, aliases folded inside each as they are in the user's object.

use super::{
    attributes::{Attribute, Attributes},
    fields::{CompanyField, company_field},
    findings::{Findings, is_absent},
    scalar,
};
use crate::domain::{Member, Reason, Rejection, Value};

/// What an object says of the user's companies.
#[derive(Debug, Clone, Copy, Default)]
pub struct Membership<'a> {
    /// What it says as a whole.
    pub statement: Statement,
    /// `company`, then `companies`, in their order.
    pub entries: &'a [Entry<'a>],
}

/// What an object says of the user's companies as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Statement {
    /// Nothing.
    #[default]
    Silent,
    /// Null: they are cleared.
    Cleared,
    /// A list, or one company; an empty list clears them too.
    Listed,
    /// `companies` is neither a list nor null. Entries can come from `company` all the same.
    Misfit,
}

/// A company as it was sent.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    /// Its id, or why there is none that can be used.
    pub id: Result<&'a str, Reason>,
    /// The HMAC of its id.
    pub hash: Option<Hash<'a>>,
    /// Its attributes.
    pub attributes: &'a [Attribute<'a>],
}

/// Leaves out the id, which is the sender's.
impl std::fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("attributes", &self.attributes).finish_non_exhaustive()
    }
}

/// A company's hash as it was sent. It never prints.
#[derive(Clone, Copy)]
pub struct Hash<'a>(pub Value<'a>);

impl std::fmt::Debug for Hash<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The two members that speak of companies.
#[derive(Clone, Copy, Default)]
pub(super) struct Source<'a> {
    pub(super) company: Option<Value<'a>>,
    pub(super) companies: Option<Value<'a>>,
}

/// Folds both into one list. `hash_beside` stands for `company`, or for the only entry of `companies`.
pub(super) fn fold<'a>(
    findings: &mut Findings<'a, '_>,
    source: Source<'a>,
    hash_beside: Option<Value<'a>>,
) -> Membership<'a> {
    let single = source.company.filter(|value| !is_absent(*value));
    let listed = match source.companies {
        Some(Value::List(items)) => items,
        _ => &[],
    };
    let mut entries = findings.arena.list_with(listed.len() + usize::from(single.is_some()));
    let beside = |alone: bool| hash_beside.filter(|_| alone);
    if let Some(value) = single {
        entries.push(entry(findings, value, hash_beside));
    }
    for value in listed {
        entries.push(entry(findings, *value, beside(single.is_none() && listed.len() == 1)));
    }
    Membership { statement: statement(source, single.is_some()), entries: entries.into_bump_slice() }
}

fn statement(source: Source<'_>, single: bool) -> Statement {
    match (source.companies, source.company) {
        (Some(Value::List(_)), _) => Statement::Listed,
        (Some(Value::Null), _) | (None, Some(Value::Null)) if !single => Statement::Cleared,
        (Some(Value::Null) | None, _) if single => Statement::Listed,
        (Some(_), _) => Statement::Misfit,
        (None, _) => Statement::Silent,
    }
}

fn entry<'a>(findings: &mut Findings<'a, '_>, value: Value<'a>, hash_beside: Option<Value<'a>>) -> Entry<'a> {
    let Value::Object(object) = value else {
        return Entry { id: Err(Reason::CompanyIdMissing), hash: None, attributes: &[] };
    };
    let mut id = Ok(None);
    let mut hash = hash_beside;
    let mut attributes = Attributes::new(findings.arena, object.0.len().min(findings.limits.attributes));
    for Member { name, value } in object.0.iter().copied() {
        match company_field(name) {
            CompanyField::Id => id = company_id(findings, id, value),
            CompanyField::Hash => findings.credential(&mut hash, value, "companyHash"),
            CompanyField::Nested => attributes.container(findings, name, value),
            CompanyField::Attribute(canonical) => attributes.alias(findings, canonical, value),
            CompanyField::Custom => attributes.own(findings, name, value),
        }
    }
    let id = id.and_then(|id| id.ok_or(Reason::CompanyIdMissing));
    Entry { id, hash: hash.map(Hash), attributes: attributes.finish(findings, |_| false) }
}

/// One more spelling of a company's id. What is wrong with an id is the company's fault; two ids are the event's.
fn company_id<'a>(
    findings: &mut Findings<'a, '_>,
    so_far: Result<Option<&'a str>, Reason>,
    value: Value<'a>,
) -> Result<Option<&'a str>, Reason> {
    let next = scalar::identity(value, "id", findings.limits).map_err(|rejection| match rejection.reason {
        Reason::NameTooLong => Reason::TooLong,
        Reason::InvalidText => Reason::InvalidText,
        _ => Reason::CompanyIdMissing,
    });
    match (so_far, next) {
        (Ok(Some(one)), Ok(Some(other))) if one != other => {
            findings.note(Rejection::at(Reason::ConflictingFields, "companyId"));
            Ok(Some(one.min(other)))
        }
        (Ok(one), Ok(other)) => Ok(one.or(other)),
        (Err(one), Err(other)) => Err(one.min(other)),
        (Err(reason), _) | (_, Err(reason)) => Err(reason),
    }
}
