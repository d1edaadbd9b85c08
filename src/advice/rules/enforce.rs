//! Enforcement that is not on: what it would refuse.

use super::{Case, grouped, of_users, times};
use crate::{
    advice::{
        Item, Ready,
        items::command,
    },
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
    let says = match refused {
        0 => "proofs are not enforced, and that would have refused nothing: enforce them".to_owned(),
        _ => format!(
            "proofs are not enforced; that would have refused {} of {}{} ({})",
            grouped(refused),
            times(case.seen.events, "event", "events"),
            of_users(users),
            why.join(", ")
        ),
    };
    vec![Item {
        advice: "enforce",
        about: case.slug.to_owned(),
        of: "organization",
        ready: if refused == 0 { Ready::Now } else { Ready::First },
        says,
        figures: [("refused", refused), ("events", case.seen.events)]
            .into_iter()
            .chain(users.map(|users| ("users", users.number)))
            .collect(),
        check: case.compare().filter(|_| refused > 0),
        command: enforced(case.slug),
    }]
}

fn enforced(slug: &str) -> Option<String> {
    command("attrsync settings enforcement", &[slug], " enforced --reason 'nothing is refused any more'")
}
