//! From hashes to tokens: a hash proves an identifier for ever and no attribute at all. How far the way is, in all and by type of
//! event. The identity secret is needed as long as a hash proves anything with it, be it a company beside a token.

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
    let companies = case.seen.company_proven;
    let finished = hmac + companies == 0;
    // No proof of either kind; or done, and nothing left to retire.
    if jwt + hmac == 0 || (finished && secret.is_none()) {
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
        let users = (hmac > 0).then(|| times(hmac, "event", "events"));
        let company = (companies > 0).then(|| format!("a company in {}", times(companies, "event", "events")));
        let still: Vec<_> = users.into_iter().chain(company).collect();
        format!(
            "{}% of identities are proven by tokens ({}); {} still by a hash, which proves no attribute and never expires",
            percent(jwt, hmac),
            each.join(", "),
            still.join(" and ")
        )
    };
    let secret = secret.or_else(|| in_use(case));
    vec![Item {
        advice: "migrate",
        of: if secret.is_some() { "key" } else { "organization" },
        about: secret.clone().unwrap_or_else(|| case.slug.to_owned()),
        ready: if finished { Ready::Now } else { Ready::First },
        says,
        figures: [("jwt", jwt), ("hmac", hmac), ("percent", percent(jwt, hmac))]
            .into_iter()
            .chain((companies > 0).then_some(("companyHash", companies)))
            .collect(),
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
