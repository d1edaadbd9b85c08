//! Our HS* path against the `jsonwebtoken` crate: equal on valid, tampered and random tokens. Where they differ on purpose
//! is listed below, one by one.

use attrsync::domain::{Policy, key::Algorithm};
use jsonwebtoken::{DecodingKey, Validation, decode};
use proptest::prelude::*;
use serde_json::Value;

use crate::common::{self, Event, NOW, SECRET, SETTINGS, sign};

const LONG_SECRET: &str = "the current secret, 32 bytes or more; this one for SHA-512, 64 bytes";

/// Whether the crate accepts the token under the organization's keys, with its own checks of time switched off.
fn theirs(token: &str) -> bool {
    [(jsonwebtoken::Algorithm::HS256, SECRET), (jsonwebtoken::Algorithm::HS512, LONG_SECRET)].iter().any(
        |(algorithm, secret)| {
            let mut validation = Validation::new(*algorithm);
            validation.required_spec_claims.clear();
            validation.validate_exp = false;
            validation.validate_aud = false;
            decode::<Value>(token, &DecodingKey::from_secret(secret.as_bytes()), &validation).is_ok()
        },
    )
}

/// The reason for which we reject the token, or none.
fn ours(token: &str) -> Option<String> {
    let event = serde_json::json!({"organization": "acme", "featurebaseJwt": token}).to_string();
    let verdict = Event::new(event).verdict(&common::snapshot(SETTINGS, Policy::default()));
    assert!(verdict["reason"].is_string() || verdict["verification"]["status"] == "verified");
    verdict["reason"].as_str().map(str::to_owned)
}

fn alg() -> impl Strategy<Value = (&'static str, Algorithm)> {
    proptest::sample::select(vec![
        ("HS256", Algorithm::HS256),
        ("HS384", Algorithm::HS384),
        ("HS512", Algorithm::HS512),
    ])
}

fn secret() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![SECRET, LONG_SECRET, "another secret"])
}

proptest! {
    #[test]
    fn accepts_what_the_crate_accepts(
        (named, _) in alg(),
        (_, used) in alg(),
        secret in secret(),
        user_id in "[a-z0-9]{1,12}",
        kid in proptest::option::of("[a-z]{1,5}"),
    ) {
        let kid = kid.map(|kid| format!(r#","kid":"{kid}""#)).unwrap_or_default();
        let token = sign(&format!(r#"{{"typ":"JWT","alg":"{named}"{kid}}}"#), &format!(r#"{{"userId":"{user_id}"}}"#), used, secret);
        prop_assert_eq!(ours(&token).is_none(), theirs(&token), "{:?}", ours(&token));
    }

    #[test]
    fn refuses_what_the_crate_refuses(at in any::<prop::sample::Index>(), other in "[A-Za-z0-9_.=+/-]") {
        let token = common::token(r#"{"userId":"12345"}"#);
        let at = at.index(token.len());
        let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
        prop_assert_eq!(ours(&changed).is_none(), theirs(&changed), "{}", changed);
    }

    #[test]
    fn agrees_on_random_tokens(token in "[A-Za-z0-9_-]{0,40}\\.?[A-Za-z0-9_-]{0,40}\\.?[A-Za-z0-9_-]{0,50}") {
        prop_assume!(!token.is_empty());
        prop_assert_eq!(ours(&token).is_none(), theirs(&token));
    }
}

/// A token that the crate accepts as it is configured above, and the reason for which we do not.
fn stricter(header: &str, claims: &str) -> Option<String> {
    let token = sign(header, claims, Algorithm::HS256, SECRET);
    assert!(theirs(&token), "{header} {claims}");
    ours(&token)
}

const HEADER: &str = r#"{"alg":"HS256"}"#;

#[test]
fn expiry_is_judged_at_event_time_and_never_by_the_wall_clock() {
    let event_time = NOW / 1000;
    let long_ago = sign(HEADER, r#"{"userId":"1","exp":1000}"#, Algorithm::HS256, SECRET);
    let key = DecodingKey::from_secret(SECRET.as_bytes());
    // By default the crate demands `exp` and compares it with the clock of the machine.
    assert!(decode::<Value>(&long_ago, &key, &Validation::new(jsonwebtoken::Algorithm::HS256)).is_err());
    let without = sign(HEADER, r#"{"userId":"1"}"#, Algorithm::HS256, SECRET);
    assert!(decode::<Value>(&without, &key, &Validation::new(jsonwebtoken::Algorithm::HS256)).is_err());
    assert_eq!(ours(&without), None);
    let verdict = Event {
        timestamp: Some(1_000_000),
        ..Event::new(serde_json::json!({"organization": "acme", "featurebaseJwt": long_ago}).to_string())
    }
    .verdict(&common::snapshot(SETTINGS, Policy::default()));
    assert_eq!(verdict["verification"]["status"], "verified");
    assert_eq!(
        stricter(HEADER, &format!(r#"{{"userId":"1","exp":{}}}"#, event_time - 61)).as_deref(),
        Some("token_expired")
    );
    assert_eq!(
        stricter(HEADER, &format!(r#"{{"userId":"1","nbf":{}}}"#, event_time + 61)).as_deref(),
        Some("token_not_yet_valid")
    );
}

#[test]
fn critical_headers_are_refused() {
    assert_eq!(stricter(r#"{"alg":"HS256","crit":["exp"]}"#, r#"{"userId":"1"}"#).as_deref(), Some("critical_header"));
    assert_eq!(stricter(r#"{"alg":"HS256","b64":false}"#, r#"{"userId":"1"}"#).as_deref(), Some("critical_header"));
}

#[test]
fn a_claim_given_twice_is_refused() {
    assert_eq!(stricter(HEADER, r#"{"userId":"1","userId":"2"}"#).as_deref(), Some("duplicate_name"));
}

#[test]
fn times_in_milliseconds_are_refused() {
    assert_eq!(stricter(HEADER, r#"{"userId":"1","exp":1795345200000}"#).as_deref(), Some("time_in_milliseconds"));
}

#[test]
fn times_that_are_no_numbers_are_refused() {
    assert_eq!(stricter(HEADER, r#"{"userId":"1","iat":"now"}"#).as_deref(), Some("time_malformed"));
}

#[test]
fn a_token_that_names_nobody_is_refused() {
    assert_eq!(stricter(HEADER, r#"{"sub":"12345"}"#).as_deref(), Some("token_identity_missing"));
}
