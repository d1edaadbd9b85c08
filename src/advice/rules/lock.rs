//! An attribute that arrives signed and is not locked: anybody can overwrite what the server signed.

use super::{Case, configured, of_users, times};
use crate::{
    advice::{
        Advice, Item, Owner, Ready,
        items::{apply, command},
        seen::Attribute,
    },
    domain::{Organization, verdict::MEMBERSHIP},
};

pub(super) fn rule(case: &Case<'_>) -> Vec<Item> {
    let of = |owner| {
        let table = case.seen.attributes.of(owner);
        let signed = table.by(|attribute| attribute.signed).into_iter().filter(|(_, attribute)| attribute.signed > 0);
        signed
            .filter(move |(name, attribute)| open(case, (owner, name), attribute))
            .map(move |found| item(case, owner, found))
    };
    of(Owner::User).chain(of(Owner::Company)).collect()
}

/// Whether it is known to be unlocked: by the settings, or where they are not at hand, by an unsigned value that was taken after the last
/// that a lock refused.
fn open(case: &Case<'_>, (owner, name): (Owner, &str), attribute: &Attribute) -> bool {
    match case.settings {
        Some((settings, _)) => unlocked(settings, owner, name),
        None => attribute.is_locked() == Some(false),
    }
}

fn unlocked(settings: &Organization, owner: Owner, name: &str) -> bool {
    match (owner, name) {
        (Owner::User, MEMBERSHIP) => !settings.membership_locked,
        _ => configured(settings, owner).get(name).is_some_and(|known| !known.locked && !known.archived),
    }
}

fn item(case: &Case<'_>, owner: Owner, (name, attribute): (&str, &Attribute)) -> Item {
    let (signed, unsigned) = (attribute.signed, attribute.unsigned);
    let hit = match unsigned {
        0 => "a lock would have refused nothing".to_owned(),
        _ => format!(
            "a lock would have refused {}{}",
            times(unsigned, "unsigned one", "unsigned ones"),
            of_users(attribute.users())
        ),
    };
    let flags = format!("{} --reason 'it is signed'", owner.flag());
    Item {
        advice: Advice::Lock,
        about: name.to_owned(),
        of: owner.name(),
        ready: if unsigned == 0 { Ready::Now } else { Ready::First },
        says: format!(
            "arrives signed ({}) and is not locked, so that anybody can overwrite it; {hit}",
            times(signed, "time", "times")
        ),
        figures: [("signed", signed), ("unsigned", unsigned)]
            .into_iter()
            .chain(attribute.users().map(|users| ("users", users.number)))
            .collect(),
        check: case.compare().filter(|_| unsigned > 0),
        // Membership is a setting of its own, which stands in the file alone.
        command: match name {
            MEMBERSHIP => Some(apply("membership is signed")),
            _ => command("attrsync settings attribute lock", &[case.slug, name], &flags),
        },
    }
}
