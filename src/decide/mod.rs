//! 4. A verified event and the settings to the outcome of every attribute. Pure.
//!
//! Each attribute meets the rules in their order; the first that applies is its ruling: `configured → locked → superseded →
//! fits`. One ledger takes every ruling, so that attributes in = set + unset + rejected + dropped.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod companies;
mod configured;
pub mod fits;
mod ledger;
mod locked;
mod superseded;
mod users;

use std::iter;

use crate::{
    decode::Context,
    domain::{
        Hint, Reason, Value,
        snapshot::{self, OnRejectedAttribute},
        verdict::{Attributes, Company, MEMBERSHIP, Refused, Unset},
    },
    verify::Verified,
};
use ledger::Refusals;

/// Something that was sent, and whose it is.
#[derive(Clone, Copy)]
struct Item<'a> {
    /// The attribute's name; `companies` for a membership.
    name: &'a str,
    value: Value<'a>,
    owner: Owner<'a>,
}

/// Whose an attribute is: the user's, or a company's by its id or its place.
#[derive(Clone, Copy, Default)]
struct Owner<'a> {
    /// The company's id.
    company: Option<&'a str>,
    /// Its place among the entries, where it has no usable id.
    position: Option<usize>,
}

/// One attribute before the rules.
#[derive(Clone, Copy)]
struct Candidate<'a> {
    item: Item<'a>,
    /// It came from claims that verified.
    signed: bool,
    /// Another value of the same name counts: the signed one, or the flat one.
    beaten: bool,
    /// The attributes that are configured where it belongs: users' or companies'.
    table: &'a snapshot::AttributeTable,
}

/// What becomes of one attribute.
#[derive(Debug, Clone, Copy)]
enum Ruling<'a> {
    Set(Value<'a>),
    Unset,
    Rejected(Reason, Option<Hint>),
    Dropped(Reason, Option<Hint>),
}

/// The ruling of one attribute: that of the first rule that applies. Each but the last answers with none where it doesn't.
fn rule<'a>(context: &Context<'a>, candidate: &Candidate<'a>) -> Ruling<'a> {
    let attribute = match configured::find(candidate) {
        Ok(attribute) => attribute,
        Err(ruling) => return ruling,
    };
    configured::archived(attribute)
        .or_else(|| locked::rule(candidate, attribute))
        .or_else(|| superseded::rule(candidate))
        .unwrap_or_else(|| fits::rule(context, candidate, attribute))
}

/// What became of the attributes of a verified event.
#[derive(Debug, Clone, Copy)]
pub struct Decision<'a> {
    /// What was set.
    pub attributes: Attributes<'a>,
    /// What was unset.
    pub unset: &'a [Unset<'a>],
    /// The companies; `None` where nothing was said of them, or all were refused.
    pub companies: Option<&'a [Company<'a>]>,
    /// What was rejected.
    pub rejected: &'a [Refused<'a>],
    /// What was dropped.
    pub dropped: &'a [Refused<'a>],
    /// The organization rejects the whole event for what was rejected.
    pub event_rejected: bool,
}

/// Decides every attribute of a verified event.
#[must_use]
pub fn decide<'a>(context: &Context<'a>, event: &Verified<'a>) -> Decision<'a> {
    let mut refusals = Refusals::new(context);
    let mut user = users::decide(context, event, &mut refusals);
    let mut companies = companies::decide(context, event, &mut refusals, &mut user);
    let (mut attributes, mut unset) = user.close();
    let event_rejected =
        refusals.any_rejected() && event.organization.on_rejected_attribute == OnRejectedAttribute::Event;
    if event_rejected {
        refusals.drop_all(names(attributes, unset), Owner::default());
        drop_companies(&mut refusals, companies.take());
        (attributes, unset) = Default::default();
    }
    let (rejected, dropped) = refusals.close();
    Decision { attributes, unset, companies, rejected, dropped, event_rejected }
}

/// Drops the companies that were fine. An empty list is one statement about all of them.
fn drop_companies<'a>(refusals: &mut Refusals<'a>, companies: Option<&[Company<'a>]>) {
    if companies.is_some_and(<[_]>::is_empty) {
        refusals.drop_all(iter::once(MEMBERSHIP), Owner::default());
    }
    for company in companies.unwrap_or_default() {
        let owner = Owner { company: Some(company.id), position: None };
        refusals.drop_all(iter::once(MEMBERSHIP), owner);
        refusals.drop_all(names(company.attributes, company.unset), owner);
    }
}

fn names<'a>(attributes: Attributes<'a>, unset: &'a [Unset<'a>]) -> impl Iterator<Item = &'a str> {
    attributes.0.iter().map(|attribute| attribute.name).chain(unset.iter().map(|unset| unset.attribute))
}
