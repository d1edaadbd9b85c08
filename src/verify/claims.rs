//! Whom a token is for and from whom, where the organization asks (RFC 7519 §4.1.1 and §4.1.3).

use crate::domain::{Object, Reason, Value, snapshot::TokenRules};

/// Checks `aud` and `iss` where they are configured; configured but absent is refused.
pub(super) fn check(claims: Object<'_>, rules: &TokenRules) -> Result<(), Reason> {
    if !rules.audiences.is_empty() && !claims.get("aud").is_some_and(|value| is_for(value, &rules.audiences)) {
        return Err(Reason::AudienceMismatch);
    }
    if !rules.issuers.is_empty() && !claims.get("iss").is_some_and(|value| is_one_of(value, &rules.issuers)) {
        return Err(Reason::IssuerMismatch);
    }
    Ok(())
}

/// A token may be for several, of which one has to be ours.
fn is_for(audience: Value<'_>, accepted: &[Box<str>]) -> bool {
    match audience {
        Value::List(items) => items.iter().any(|item| is_one_of(*item, accepted)),
        value => is_one_of(value, accepted),
    }
}

fn is_one_of(value: Value<'_>, accepted: &[Box<str>]) -> bool {
    value.as_text().is_some_and(|text| accepted.iter().any(|accepted| accepted.as_ref() == text))
}
