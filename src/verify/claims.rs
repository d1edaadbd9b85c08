//! Whom a token is for and from whom, where the organization asks (RFC 7519 §4.1.1 and §4.1.3).

use crate::domain::{Object, Reason, Value, snapshot::TokenRules};

/// Checks `aud` and `iss` where they are configured; configured but absent is refused.
pub(super) fn check(claims: Object<'_>, rules: &TokenRules) -> Result<(), Reason> {
    let one_of = |accepted: &[Box<str>], value: Value<'_>| {
        value.as_text().is_some_and(|text| accepted.iter().any(|accepted| accepted.as_ref() == text))
    };
    let audience = match claims.get("aud") {
        Some(Value::List(items)) => items.iter().any(|item| one_of(&rules.audiences, *item)),
        Some(value) => one_of(&rules.audiences, value),
        None => false,
    };
    if !rules.audiences.is_empty() && !audience {
        return Err(Reason::AudienceMismatch);
    }
    let issuer = claims.get("iss").is_some_and(|value| one_of(&rules.issuers, value));
    if !rules.issuers.is_empty() && !issuer {
        return Err(Reason::IssuerMismatch);
    }
    Ok(())
}
