//! From hashes to tokens: a hash proves an identifier for ever and no attribute at all. How far the way is, in all and by type of
//! event.

use super::{Case, times};
use crate::advice::{Item, Ready, items::command};

pub(super) fn rule(case: &Case<'_>) -> Vec<Item> {
    let by_type = case.seen.proofs.by(|proofs| proofs.hmac + proofs.jwt);
    let rest = case.seen.proofs.rest();
    let sum = |of: &dyn Fn(&crate::advice::seen::Proofs) -> u64| {
        by_type.iter().map(|(_, proofs)| of(proofs)).sum::<u64>() + of(rest)
    };
    let (jwt, hmac) = (sum(&|proofs| proofs.jwt), sum(&|proofs| proofs.hmac));
    let secret = case.settings.and_then(|(settings, _)| {
        let valid =
            settings.identity_secrets.iter().find(|key| key.validity.retired.is_none() && !key.validity.revoked);
        valid.map(|key| key.id.to_string())
    });
    let finished = hmac == 0 && jwt > 0;
    // Done, and nothing left to retire; or no proof of either kind.
    if hmac == 0 && (secret.is_none() || !finished) {
        return Vec::new();
    }
    let each: Vec<_> =
        by_type.iter().map(|(kind, proofs)| format!("{kind} {}%", percent(proofs.jwt, proofs.hmac))).collect();
    let says = if finished {
        format!(
            "every one of {} was proven by a token, and the identity secret is still valid: retire it",
            times(jwt, "identity", "identities")
        )
    } else {
        format!(
            "{}% of identities are proven by tokens ({}); {} still by a hash, which proves no attribute and never expires",
            percent(jwt, hmac),
            each.join(", "),
            times(hmac, "event", "events")
        )
    };
    let secret = secret.or_else(|| in_use(case));
    vec![Item {
        advice: "migrate",
        of: if secret.is_some() { "key" } else { "organization" },
        about: secret.clone().unwrap_or_else(|| case.slug.to_owned()),
        ready: if finished { Ready::Now } else { Ready::First },
        says,
        figures: [("jwt", jwt), ("hmac", hmac), ("percent", percent(jwt, hmac))].into(),
        check: case.compare().filter(|_| !finished),
        command: secret.and_then(|id| {
            command("attrsync settings key retire", &[case.slug, &id], " --identity --reason 'everybody signs tokens'")
        }),
    }]
}

/// The identity secret that was used last.
fn in_use(case: &Case<'_>) -> Option<String> {
    let used = case.seen.keys.by(|key| key.often.last);
    used.iter().find_map(|(name, _)| name.strip_prefix("hmac/")).map(str::to_owned)
}

/// Rounded down: 100 is all of them.
fn percent(jwt: u64, hmac: u64) -> u64 {
    (jwt * 100).checked_div(jwt + hmac).unwrap_or_default()
}
