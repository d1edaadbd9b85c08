//! The attributes of the user: the signed ones, then those that the client sent beside them.

use super::{
    Candidate, Item, Owner, Ruling,
    ledger::{Page, Refusals},
    rule,
};
use crate::{
    decode::{Attribute, Context},
    domain::{Reason, Value},
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
    let also_signed =
        |name: &str| (email_signed && name == "email") || signed.iter().any(|attribute| attribute.name == name);
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
