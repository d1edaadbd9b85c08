//! The attributes of the user: the signed ones, then those that the client sent beside them.

use super::{
    Candidate, Item, Owner, Ruling,
    ledger::{Page, Refusals},
    rule,
};
use crate::{
    decode::{Attribute, Context},
    domain::{Arena, Reason, Value, arena::ArenaVec, text::outline},
    verify::Verified,
};

/// Rules on every attribute of the user.
pub(super) fn decide<'a>(context: &Context<'a>, event: &Verified<'a>, refusals: &mut Refusals<'a>) -> Page<'a> {
    let table = &event.organization.user_attributes;
    let signed = event.signed.map_or::<&[Attribute<'_>], _>(&[], |claims| claims.attributes);
    let unsigned = event.unsigned.attributes;
    let item = |name, value| Item { name, value, owner: Owner::default() };
    let mut page = Page::new(context.arena, signed.len() + unsigned.len());
    let mut ruled = |candidate: Candidate<'a>| {
        refusals.write(&mut page, &candidate, rule(context, &candidate));
    };
    for &Attribute { name, value, shadowed } in signed {
        ruled(Candidate { item: item(name, value), signed: true, beaten: shadowed, table });
    }
    // A signed e-mail is in `user`; an unsigned attribute of that name could only contradict it.
    let email_signed = event.signed.is_some_and(|claims| claims.user.email.is_some());
    let signed = Names::new(context.arena, signed);
    let also_signed = |name: &str| (email_signed && name == "email") || signed.contain(name);
    let email = event.stray_email.map(|email| Attribute { name: "email", value: Value::Text(email), shadowed: false });
    for &Attribute { name, value, shadowed } in unsigned.iter().chain(&email) {
        ruled(Candidate { item: item(name, value), signed: false, beaten: shadowed || also_signed(name), table });
    }
    if let Some(user_id) = event.stray_user_id {
        let dropped = Ruling::Dropped(Reason::UnsignedIdentity, None);
        refusals.refuse(item("userId", Value::Text(user_id)), dropped);
    }
    page
}

/// Up to here names are compared with one another; more of them are put in order, so that many cost no square.
const FEW: usize = 8;

/// The names of attributes.
struct Names<'a> {
    /// A bit for each outline, modulo 64: most names that aren't here have none of them, and are compared with nothing.
    outlines: u64,
    list: List<'a>,
}

enum List<'a> {
    Few(&'a [Attribute<'a>]),
    Sorted(ArenaVec<'a, &'a str>),
}

impl<'a> Names<'a> {
    fn new(arena: &'a Arena, attributes: &'a [Attribute<'a>]) -> Self {
        let outlines = attributes.iter().fold(0, |all, attribute| all | bit(attribute.name));
        if attributes.len() <= FEW {
            return Self { outlines, list: List::Few(attributes) };
        }
        let mut names = arena.list_with(attributes.len());
        names.extend(attributes.iter().map(|attribute| attribute.name));
        names.sort_unstable();
        Self { outlines, list: List::Sorted(names) }
    }

    fn contain(&self, name: &str) -> bool {
        self.outlines & bit(name) != 0
            && match &self.list {
                List::Few(attributes) => attributes.iter().any(|attribute| attribute.name == name),
                List::Sorted(names) => names.binary_search(&name).is_ok(),
            }
    }
}

fn bit(name: &str) -> u64 {
    1 << (outline(name) % 64)
}
