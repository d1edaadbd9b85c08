//! The times in a token (RFC 7519 §4.1.4–6), judged at event time: `exp`, `nbf`, `iat` and the maximum age.

use crate::domain::{Detail, EventTime, Object, Reason, Rejection, Value, snapshot::TokenRules};

/// From this number on a NumericDate is milliseconds: as seconds it would be the year 33658.
const MILLISECONDS_FROM: f64 = 1e12;

/// Checks the form of all three, then each against event time. Expired when t > exp + leeway.
pub(super) fn check<'a>(
    claims: Object<'a>,
    rules: &TokenRules,
    time: EventTime,
    leeway_s: u32,
) -> Result<(), Rejection<'a>> {
    let exp = numeric_date(claims, "exp")?;
    let nbf = numeric_date(claims, "nbf")?;
    let iat = numeric_date(claims, "iat")?;
    let (now, leeway) = (time.seconds(), f64::from(leeway_s));
    match exp {
        Some(exp) => within(Reason::TokenExpired, "exp", now - (exp + leeway))?,
        None if rules.require_expiry => return Err(Reason::ExpiryMissing.into()),
        None => {}
    }
    if let Some(nbf) = nbf {
        within(Reason::TokenNotYetValid, "nbf", nbf - leeway - now)?;
    }
    // `iat` alone limits nothing (RFC 7519 §4.1.6); it does where the organization limits the age.
    if let Some(max_age_s) = rules.max_age_s {
        let iat = iat.ok_or(Reason::IssuedAtMissing)?;
        within(Reason::IssuedInFuture, "iat", iat - leeway - now)?;
        within(Reason::TokenTooOld, "iat", now - (iat + f64::from(max_age_s) + leeway))?;
    }
    Ok(())
}

/// A NumericDate: a number of seconds, whole or not; never a text.
fn numeric_date<'a>(claims: Object<'a>, claim: &'static str) -> Result<Option<f64>, Rejection<'a>> {
    let Some(value) = claims.get(claim) else { return Ok(None) };
    let seconds = match value {
        Value::Number(_) => value.as_double().ok_or(Rejection::at(Reason::TimeMalformed, claim))?,
        _ => return Err(Rejection::at(Reason::TimeMalformed, claim)),
    };
    if seconds >= MILLISECONDS_FROM {
        return Err(Rejection::at(Reason::TimeInMilliseconds, claim));
    }
    Ok(Some(seconds))
}

/// Refuses a time that is `beyond` its bound by more than nothing.
#[expect(clippy::cast_possible_truncation, reason = "a float saturates when cast")]
fn within<'a>(reason: Reason, field: &'static str, beyond: f64) -> Result<(), Rejection<'a>> {
    if beyond > 0.0 {
        Err(Rejection::with(reason, Detail::Seconds { field, seconds: beyond.ceil() as i64 }))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{decode::json, domain::Arena};

    const NOW: i64 = 1_000_000;

    fn reason(claims: &str, rules: &TokenRules) -> Option<Reason> {
        let arena = Arena::new();
        let claims = json::parse(&arena, claims, 4).unwrap().as_object().unwrap();
        check(claims, rules, EventTime::from_millis(NOW * 1000), 60).err().map(|rejection| rejection.reason)
    }

    #[test]
    fn each_time_is_judged_at_event_time_with_leeway() {
        let lax = TokenRules::default();
        let strict = TokenRules { require_expiry: true, max_age_s: Some(100), ..TokenRules::default() };
        for (claims, rules, expected) in [
            ("{}", &lax, None),
            (r#"{"exp":999940}"#, &lax, None),
            (r#"{"exp":999939.999}"#, &lax, Some(Reason::TokenExpired)),
            (r#"{"exp":999939}"#, &lax, Some(Reason::TokenExpired)),
            (r#"{"nbf":1000060}"#, &lax, None),
            (r#"{"nbf":1000061}"#, &lax, Some(Reason::TokenNotYetValid)),
            (r#"{"iat":5000000}"#, &lax, None),
            (r#"{"exp":"1000001"}"#, &lax, Some(Reason::TimeMalformed)),
            (r#"{"exp":null}"#, &lax, Some(Reason::TimeMalformed)),
            (r#"{"exp":1e400}"#, &lax, Some(Reason::TimeMalformed)),
            (r#"{"exp":1000001000000}"#, &lax, Some(Reason::TimeInMilliseconds)),
            (r#"{"nbf":1e12}"#, &lax, Some(Reason::TimeInMilliseconds)),
            (r#"{"exp":-1}"#, &lax, Some(Reason::TokenExpired)),
            ("{}", &strict, Some(Reason::ExpiryMissing)),
            (r#"{"exp":1000001}"#, &strict, Some(Reason::IssuedAtMissing)),
            (r#"{"exp":1000001,"iat":999840}"#, &strict, None),
            (r#"{"exp":1000001,"iat":999839}"#, &strict, Some(Reason::TokenTooOld)),
            (r#"{"exp":1000001,"iat":1000061}"#, &strict, Some(Reason::IssuedInFuture)),
        ] {
            assert_eq!(reason(claims, rules), expected, "{claims}");
        }
    }
}
