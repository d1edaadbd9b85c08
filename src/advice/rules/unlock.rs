//! A locked attribute that nobody signs: its lock refuses every value there is.

use super::{Case, of_users, times};
use crate::{
    advice::{
        Advice, Item, Owner, Ready,
        items::{apply, command},
        seen::Attribute,
    },
    domain::verdict::MEMBERSHIP,
};

pub(super) fn rule(case: &Case<'_>) -> Vec<Item> {
    let of = |owner| {
        let refused = case.seen.attributes.of(owner).by(|attribute| attribute.locked).into_iter();
        // A lock that was lifted refuses nothing any more.
        let locked = refused.filter(|(_, one)| one.is_locked() == Some(true) && one.signed == 0);
        locked.map(move |found| item(case, owner, found))
    };
    of(Owner::User).chain(of(Owner::Company)).collect()
}

fn item(case: &Case<'_>, owner: Owner, (name, attribute): (&str, &Attribute)) -> Item {
    let flags = format!("{} --reason 'it needs no proof'", owner.flag());
    Item {
        advice: Advice::Unlock,
        about: name.to_owned(),
        of: owner.name(),
        ready: Ready::First,
        says: format!(
            "is locked and nobody signs it: {} refused{}. Sign it on the server; unlock it only if anybody may set it",
            times(attribute.locked, "value was", "values were"),
            of_users(attribute.users())
        ),
        figures: [("refused", attribute.locked)]
            .into_iter()
            .chain(attribute.users().map(|users| ("users", users.number)))
            .collect(),
        check: None,
        command: match name {
            MEMBERSHIP => Some(apply("membership needs no proof")),
            _ => command("attrsync settings attribute unlock", &[case.slug, name], &flags),
        },
    }
}
