//! Tokens without an expiry: who has got hold of one is that user for ever.

use super::{Case, grouped, times};
use crate::advice::{Advice, Item, Ready, items::apply};

pub(super) fn rule(case: &Case<'_>) -> Vec<Item> {
    let (tokens, endless) = (case.seen.tokens, case.seen.endless);
    let required = case.settings.is_some_and(|(settings, _)| settings.token.require_expiry);
    if tokens == 0 || required {
        return Vec::new();
    }
    let says = match endless {
        0 => {
            format!("every one of {} has an `exp`, and none is required: require it", times(tokens, "token", "tokens"))
        }
        _ => format!(
            "{} of {} have no `exp` and never expire. Sign with an expiry, an hour ahead for instance, then require it",
            grouped(endless),
            times(tokens, "token", "tokens")
        ),
    };
    vec![Item {
        advice: Advice::Expire,
        about: case.slug.to_owned(),
        of: "organization",
        ready: if endless == 0 { Ready::Now } else { Ready::First },
        says: format!("{says} (token.require_expiry = true)"),
        figures: [("tokens", tokens), ("withoutExpiry", endless)].into(),
        check: case.compare().filter(|_| endless > 0),
        command: Some(apply("tokens expire")),
    }]
}
