//! From hashes to tokens: a hash proves an identifier for ever and no attribute at all. How far the way is, in all and by type of
//! event. The identity secret is needed as long as a hash proves anything with it, be it a company beside a token.

use super::{Case, times};
use crate::advice::{Advice, Item, Ready, items::command, seen::Proofs};

/// How far the way is: what proved identities, and in how many events a hash proved a company alone.
#[derive(Clone, Copy)]
struct Way {
    jwt: u64,
    hmac: u64,
    companies: u64,
}

impl Way {
    fn of(case: &Case<'_>) -> Self {
        let proofs = &case.seen.proofs;
        let sum = |of: fn(&Proofs) -> u64| proofs.iter().map(|(_, one)| of(one)).sum::<u64>() + of(proofs.rest());
        Self { jwt: sum(|one| one.jwt), hmac: sum(|one| one.hmac), companies: case.seen.company_proven }
    }

    fn is_finished(self) -> bool {
        self.hmac + self.companies == 0
    }
}

pub(super) fn rule(case: &Case<'_>) -> Vec<Item> {
    let (way, secret) = (Way::of(case), valid(case));
    let (Way { jwt, hmac, companies }, finished) = (way, way.is_finished());
    // No proof of either kind; or done, and nothing left to retire.
    if jwt + hmac == 0 || (finished && secret.is_none()) {
        return Vec::new();
    }
    let secret = secret.or_else(|| in_use(case));
    vec![Item {
        advice: Advice::Migrate,
        of: if secret.is_some() { "key" } else { "organization" },
        about: secret.clone().unwrap_or_else(|| case.slug.to_owned()),
        ready: if finished { Ready::Now } else { Ready::First },
        says: says(case, way),
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

/// How far the way is, in words.
fn says(case: &Case<'_>, way: Way) -> String {
    let Way { jwt, hmac, companies } = way;
    if way.is_finished() {
        return format!(
            "every one of {} was proven by a token, and the identity secret is still valid: retire it",
            times(jwt, "identity", "identities")
        );
    }
    let by_type = case.seen.proofs.by(|proofs| proofs.hmac + proofs.jwt);
    let each: Vec<_> =
        by_type.iter().map(|(kind, proofs)| format!("{kind} {}%", percent(proofs.jwt, proofs.hmac))).collect();
    let users = (hmac > 0).then(|| times(hmac, "event", "events"));
    let company = (companies > 0).then(|| format!("a company in {}", times(companies, "event", "events")));
    let still: Vec<_> = users.into_iter().chain(company).collect();
    format!(
        "{}% of identities are proven by tokens ({}); {} still by a hash, which proves no attribute and never expires",
        percent(jwt, hmac),
        each.join(", "),
        still.join(" and ")
    )
}

/// An identity secret that is valid, by the settings.
fn valid(case: &Case<'_>) -> Option<String> {
    let (settings, _) = case.settings?;
    let valid = settings.identity_secrets.iter().find(|key| key.validity.retired.is_none() && !key.validity.revoked)?;
    Some(valid.id.to_string())
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
