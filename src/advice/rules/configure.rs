//! A name that keeps arriving and that nobody configured: its values are dropped.

use super::{Case, configured, minute, times};
use crate::{
    advice::{Advice, Item, Owner, Ready, items::command, seen::Often},
    decode::fields,
    domain::snapshot::Found,
};

/// Once is an accident.
const KEEPS_ARRIVING: u64 = 2;
/// The most names that are advised of; a flood of made-up ones is no advice.
const MOST: usize = 20;

pub(super) fn rule(case: &Case<'_>) -> Vec<Item> {
    let of = |owner| {
        let found = case.seen.unconfigured.of(owner).by(|often| often.events).into_iter();
        found.filter(|(_, often)| often.events >= KEEPS_ARRIVING).map(move |found| (found, owner))
    };
    let mut found: Vec<_> = of(Owner::User).chain(of(Owner::Company)).collect();
    found.sort_by_key(|((_, often), _)| std::cmp::Reverse(often.events));
    found.into_iter().take(MOST).map(|(found, owner)| item(case, found, owner)).collect()
}

fn item(case: &Case<'_>, (name, often): (&str, &Often), owner: Owner) -> Item {
    let kinds = often.kinds();
    let nearly = if nearly(case, owner, name) { "; a configured one differs in case or punctuation alone" } else { "" };
    let seems = match (often.kind(), kinds.as_slice()) {
        (Some(kind), _) => format!("; its values seem to be of type {kind}"),
        (None, []) => String::new(),
        (None, kinds) => {
            let kinds: Vec<_> =
                kinds.iter().map(|(number, kind)| format!("{kind} ({})", times(*number, "time", "times"))).collect();
            format!("; its values are of several types: {}", kinds.join(", "))
        }
    };
    let kind =
        often.kind().filter(|kind| kind.chars().all(|char| char.is_ascii_lowercase() || char == '_')).unwrap_or("TYPE");
    let flags = format!("{} --type {kind} --reason 'it keeps arriving'", owner.flag());
    let add = || command("attrsync settings attribute add", &[case.slug, name], &flags);
    let way_out = way_out(owner, name);
    Item {
        advice: Advice::Configure,
        about: name.to_owned(),
        of: owner.name(),
        ready: Ready::First,
        says: format!(
            "is configured nowhere and was dropped {}, last {}{seems}{nearly}. {}",
            times(often.events, "time", "times"),
            minute(often.last),
            way_out.unwrap_or("Configure it, or stop sending it"),
        ),
        figures: [("events", often.events)].into(),
        check: None,
        command: if way_out.is_some() { None } else { add() },
    }
}

/// What to do about a name that the settings refuse whatever is tried; none where it can be configured.
fn way_out(owner: Owner, name: &str) -> Option<&'static str> {
    let configurable = match owner {
        Owner::User => fields::configurable_for_users(name),
        Owner::Company => fields::configurable_for_companies(name),
    };
    if configurable {
        None
    } else if fields::looks_like_credential(name) {
        Some("It is a credential, or looks like one, and no attribute can have that name: stop sending it")
    } else {
        Some("No attribute can have that name: send it under another one, or stop sending it")
    }
}

/// Whether something else was probably meant.
fn nearly(case: &Case<'_>, owner: Owner, name: &str) -> bool {
    case.settings.is_some_and(|(settings, _)| configured(settings, owner).find(name) == Found::NearMiss)
}
