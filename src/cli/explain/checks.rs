//! The checks of a token and of a hash, in verify's order: what each compares, and the section of an RFC or the setting
//! behind it. How far a proof came is told by the verdict's reason; nothing is checked again here.

use super::steps::{Case, Mark, Part, Steps, theirs, words};
use crate::{
    decode::UnverifiedEvent,
    domain::{EventTime, Object, Organization, Reason, Value, verdict::Status},
    verify::jws,
};

/// One check: what it compares, the rule behind it, and the reasons with which it fails.
struct Check {
    what: Vec<Part>,
    rule: &'static str,
    reasons: &'static [Reason],
}

fn check(what: impl Into<String>, rule: &'static str, reasons: &'static [Reason]) -> Check {
    Check { what: vec![words(what)], rule, reasons }
}

/// The checks of a token's form and header; what they look at is read before any key.
fn of_the_form() -> Vec<Check> {
    vec![
        check("three parts of base64url without padding", "RFC 7515 §3.1", &[Reason::TokenMalformed]),
        check(
            "the header is a JSON object, each name once, with a text alg",
            "RFC 7515 §4",
            &[Reason::HeaderMalformed, Reason::DuplicateName, Reason::TooDeep],
        ),
        check("no crit and no b64", "RFC 7515 §4.1.11, RFC 7797 §3", &[Reason::CriticalHeader]),
    ]
}

/// What can be wrong with claims as such: the same as with a payload.
const CLAIMS: &[Reason] = &[
    Reason::ClaimsMalformed,
    Reason::DuplicateName,
    Reason::TooDeep,
    Reason::NameTooLong,
    Reason::TooManyAttributes,
    Reason::TooManyCompanies,
    Reason::ConflictingFields,
    Reason::InvalidIdentity,
    Reason::InvalidText,
];

impl<'a> Case<'_, 'a> {
    /// The reason for which the proof failed, be the event rejected for it or not.
    fn failed(&self) -> Option<Reason> {
        let verification = self.verdict.verification;
        let failed = self.verdict.reason.filter(|_| verification.status == Some(Status::Failed));
        failed.or(verification.would_reject)
    }

    /// Tells each check that a token passed, and the one that it failed.
    pub(super) fn token_checks(&self, steps: &mut Steps, event: &UnverifiedEvent<'a>, organization: &Organization) {
        let token = event.payload.credentials.token.unwrap_or(Value::Null);
        let failed = self.failed();
        if failed == Some(Reason::ConflictingTokens) {
            return;
        }
        let limits = &self.snapshot.policy().limits;
        let opened =
            token.as_text().map_or(Err(Reason::TokenMalformed.into()), |text| jws::open(self.arena, text, limits));
        let unverified = match opened {
            Ok((unverified, _)) => unverified,
            Err(rejection) => return told(steps, of_the_form(), Some(rejection.reason)),
        };
        told(steps, of_the_form(), None);
        if !self.proof_is_told(failed) {
            return;
        }
        let of_the_key = vec![
            check(
                "the algorithm is that of the key",
                "RFC 8725 §3.1, settings jwt_keys.algorithm",
                &[Reason::AlgorithmNotAllowed],
            ),
            check(
                "the key is honoured at the time of the event",
                "settings jwt_keys.valid_from, retired_at, revoked_at",
                &[Reason::KeyRetired, Reason::KeyRevoked, Reason::KeyNotYetValid],
            ),
            check(
                "the signature covers header and payload as they were sent",
                "RFC 7515 §5.2, RFC 7518 §3",
                &[Reason::SignatureInvalid],
            ),
        ];
        let stopped = failed.is_some_and(|failed| of_the_key.iter().any(|check| check.reasons.contains(&failed)));
        told(steps, of_the_key, failed);
        if !stopped {
            let claims = unverified.claims(self.arena, limits).unwrap_or_default();
            told(steps, self.claim_checks(event, organization, claims), failed);
        }
    }

    /// Whether the verdict says how the proof ended. Where enforcement is off, a proof that fails leaves no trace.
    fn proof_is_told(&self, failed: Option<Reason>) -> bool {
        failed.is_some() || self.verdict.verification.status == Some(Status::Verified)
    }

    fn claim_checks(&self, event: &UnverifiedEvent<'a>, organization: &Organization, claims: Object<'a>) -> Vec<Check> {
        let rules = &organization.token;
        let leeway = self.snapshot.policy().leeway_s;
        let time = |claim: &str| match claims.get(claim) {
            None => format!("{claim} is not set"),
            Some(value) => format!("{claim} is {}", as_time(value)),
        };
        let required = if rules.require_expiry { "required" } else { "not required" };
        let mut checks = vec![
            check("the claims are a JSON object, each name once", "RFC 7519 §7.2, §4", CLAIMS),
            check(
                "exp, nbf and iat are seconds, as numbers",
                "RFC 7519 §2, NumericDate",
                &[Reason::TimeMalformed, Reason::TimeInMilliseconds],
            ),
            check(
                format!(
                    "{} and {required}; the event is at {}, leeway {leeway} s",
                    time("exp"),
                    self.verdict.event.time
                ),
                "RFC 7519 §4.1.4, settings token.require_expiry, policy.leeway_s",
                &[Reason::TokenExpired, Reason::ExpiryMissing],
            ),
            check(time("nbf"), "RFC 7519 §4.1.5, policy.leeway_s", &[Reason::TokenNotYetValid]),
        ];
        if let Some(max_age_s) = rules.max_age_s {
            checks.push(check(
                format!("{}; at most {max_age_s} s old", time("iat")),
                "RFC 7519 §4.1.6, settings token.max_age_s",
                &[Reason::IssuedAtMissing, Reason::IssuedInFuture, Reason::TokenTooOld],
            ));
        }
        for (claim, accepted, rule, reasons) in [
            ("aud", &rules.audiences, "RFC 7519 §4.1.3, settings token.audiences", &[Reason::AudienceMismatch]),
            ("iss", &rules.issuers, "RFC 7519 §4.1.1, settings token.issuers", &[Reason::IssuerMismatch]),
        ] {
            if !accepted.is_empty() {
                checks.push(Check { what: one_of(claim, claims.get(claim), accepted), rule, reasons });
            }
        }
        checks.push(check(
            "organization and appId, where the claims have them, are this organization's",
            "settings slug, app_id",
            &[Reason::OrganizationMismatch],
        ));
        checks.push(identity(event, claims));
        checks
    }

    /// Tells what a hash was compared with, and how that ended.
    pub(super) fn hash_checks(&self, steps: &mut Steps, event: &UnverifiedEvent<'a>) {
        let user = event.payload.user;
        let covered = match (user.user_id, user.email) {
            (Some(user_id), _) => vec![words("it covers userId, since that was sent: "), theirs(user_id)],
            (None, Some(email)) => vec![words("it covers email, since no userId was sent: "), theirs(email)],
            (None, None) => vec![words("it covers userId, else email")],
        };
        let checks = vec![
            check("64 hexadecimal digits, in either case", "HMAC-SHA256, RFC 2104", &[Reason::HashMalformed]),
            Check {
                what: covered,
                rule: "the vendor's identity verification",
                reasons: &[Reason::HashWithoutIdentity],
            },
            check(
                "the HMAC of it under an identity secret that is honoured at the time of the event, the newest first",
                "settings identity_secrets",
                &[
                    Reason::HashMismatch,
                    Reason::IdentitySecretMissing,
                    Reason::KeyRetired,
                    Reason::KeyRevoked,
                    Reason::KeyNotYetValid,
                ],
            ),
        ];
        if self.proof_is_told(self.failed()) {
            told(steps, checks, self.failed());
        }
    }
}

/// Tells checks up to the one that failed.
fn told(steps: &mut Steps, checks: Vec<Check>, failed: Option<Reason>) {
    let failing = checks.iter().position(|check| failed.is_some_and(|failed| check.reasons.contains(&failed)));
    for (at, check) in checks.into_iter().enumerate().take(failing.map_or(usize::MAX, |at| at + 1)) {
        let mark = if Some(at) == failing { Mark::Failed } else { Mark::Passed };
        steps.add(mark, check.what);
        steps.by(check.rule);
    }
}

/// A NumericDate for people: seconds, however large.
fn as_time(value: Value<'_>) -> String {
    let Some(seconds) = value.as_double() else { return format!("no time but a {}", value.type_name()) };
    #[expect(clippy::cast_possible_truncation, reason = "a float saturates when cast")]
    let millis = (seconds * 1_000.0) as i64;
    let time = EventTime::from_millis(millis);
    if time.millis() == millis { time.to_string() } else { format!("{seconds} s, which is past every calendar") }
}

fn one_of(claim: &str, value: Option<Value<'_>>, accepted: &[Box<str>]) -> Vec<Part> {
    let said = match value {
        None => words("not set"),
        Some(value) => theirs(serde_json::to_string(&value).unwrap_or_default()),
    };
    vec![words(format!("{claim} is ")), said, words(format!("; accepted: {}", accepted.join(", ")))]
}

/// The claims' identity against the payload's.
fn identity(event: &UnverifiedEvent<'_>, claims: Object<'_>) -> Check {
    let mut what = vec![words("userId or email is in the claims, and no other in the call")];
    let user = event.payload.user;
    for (name, sent) in [("userId", user.user_id), ("email", user.email)] {
        let signed = claims.get(name).filter(|value| !matches!(value, Value::Null));
        if let Some(signed) = signed {
            let signed =
                signed.as_text().map_or_else(|| serde_json::to_string(&signed).unwrap_or_default(), str::to_owned);
            what.extend([words(format!("; {name} ")), theirs(signed)]);
            what.extend(sent.into_iter().flat_map(|sent| [words(" beside "), theirs(sent)]));
        }
    }
    Check { what, rule: "sub is not read", reasons: &[Reason::TokenIdentityMissing, Reason::IdentityMismatch] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_a_token_is_seconds_however_large() {
        for (claim, told) in [
            (Value::Number("1795341600"), "2026-11-22T10:00:00.000Z"),
            (Value::Number("1795341600.5"), "2026-11-22T10:00:00.500Z"),
            (Value::Number("200000000000"), "8307-10-01T19:33:20.000Z"),
            (Value::Number("1795341600000"), "1795341600000 s, which is past every calendar"),
            (Value::Text("1795341600"), "no time but a text"),
        ] {
            assert_eq!(as_time(claim), told);
        }
    }
}
