//! Enforcement that is not on: what it would refuse. A company whose hash doesn't prove it is no event that is marked, and is refused
//! all the same.

use super::{Case, grouped, of_users, times};
use crate::{
    advice::{Advice, Item, Ready, items::command},
    domain::snapshot::Enforcement,
};

pub(super) fn rule(case: &Case<'_>) -> Vec<Item> {
    let reasons = case.seen.would_reject.by(|often| often.events);
    let refused: u64 =
        reasons.iter().map(|(_, often)| often.events).sum::<u64>() + case.seen.would_reject.rest().events;
    let observes = match case.settings {
        Some((settings, policy)) => settings.enforcement_under(policy) != Enforcement::Enforced,
        // The verdicts show it only where something would be refused.
        None => refused > 0 && case.seen.refused == 0,
    };
    if !observes || case.seen.events == 0 {
        return Vec::new();
    }
    let why: Vec<_> = reasons.iter().take(3).map(|(reason, often)| format!("{reason} {}", often.events)).collect();
    let users = case.seen.would_reject_users();
    let companies = case.seen.company_unproven;
    let nothing = refused + companies == 0;
    let mut says = match refused {
        0 if nothing => "proofs are not enforced, and that would have refused nothing: enforce them".to_owned(),
        0 => "proofs are not enforced; that would have refused no event".to_owned(),
        _ => format!(
            "proofs are not enforced; that would have refused {} of {}{} ({})",
            grouped(refused),
            times(case.seen.events, "event", "events"),
            of_users(users),
            why.join(", ")
        ),
    };
    if companies > 0 {
        let events = times(companies, "event", "events");
        says += &format!(", and in {events} a company whose companyHash doesn't prove it");
    }
    vec![Item {
        advice: Advice::Enforce,
        about: case.slug.to_owned(),
        of: "organization",
        ready: if nothing { Ready::Now } else { Ready::First },
        says,
        figures: [("refused", refused), ("events", case.seen.events)]
            .into_iter()
            .chain(users.map(|users| ("users", users.number)))
            .chain((companies > 0).then_some(("companyHash", companies)))
            .collect(),
        check: case.compare().filter(|_| !nothing),
        command: enforced(case.slug),
    }]
}

fn enforced(slug: &str) -> Option<String> {
    command("attrsync settings enforcement", &[slug], " enforced --reason 'nothing is refused any more'")
}
