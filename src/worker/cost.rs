//! What a forged event costs beside a good one, counted in keyed hashes and signatures instead of seconds: the bounds hold on
//! every machine. benches/judge.rs shows the times.
//!
//! The good event to compare with is the dearest of the same shape under the same settings: its proof is made with the key
//! that is tried last.

use std::fmt::Write;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::judge;
use crate::{
    domain::{
        Arena, EventTime, Offset, Partition, Policy, Position, Record, Snapshot, hex,
        key::{
            HmacDigest, HmacState,
            cost::{self, Cost},
        },
    },
    store::{Settings, Source},
};

/// 2026-11-22T10:00:00Z
const NOW: i64 = 1_795_341_600_000;

/// Keys of an organization: so many are valid, and more of each kind that is not.
#[derive(Debug, Clone, Copy)]
struct Keys {
    valid: usize,
    retired: usize,
}

const EVERY: &[Keys] = &[
    Keys { valid: 1, retired: 0 },
    Keys { valid: 1, retired: 10 },
    Keys { valid: 2, retired: 10 },
    Keys { valid: 3, retired: 10 },
    Keys { valid: 5, retired: 10 },
    Keys { valid: 10, retired: 0 },
    Keys { valid: 10, retired: 10 },
];

fn secret(at: usize) -> String {
    // Hex and base64 at once, so that no try of a diagnosis is spared.
    format!("{at:064}")
}

/// Key 0 is the oldest valid one, which is tried last.
fn snapshot(keys: Keys) -> std::sync::Arc<Snapshot> {
    let mut text = String::from("[[organizations]]\nslug = \"acme\"\n");
    for kind in ["jwt_keys", "identity_secrets"] {
        for at in 0..keys.valid + keys.retired {
            let algorithm = if kind == "jwt_keys" { "algorithm = \"HS256\"\n" } else { "" };
            let time = if at < keys.valid {
                format!("valid_from = 2026-01-{:02}T00:00:00Z", at + 1)
            } else {
                "valid_from = 2025-01-01T00:00:00Z\nretired_at = 2025-12-31T00:00:00Z".to_owned()
            };
            let _ = write!(
                text,
                "[[organizations.{kind}]]\nid = \"{at}\"\n{algorithm}secret = \"{}\"\n{time}\n",
                secret(at + if kind == "jwt_keys" { 0 } else { 100 })
            );
        }
    }
    text.push_str("[organizations.attributes.plan]\ntype = \"text\"\nmax_chars = 100000\n");
    load(&text)
}

fn load(settings: &str) -> std::sync::Arc<Snapshot> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), settings).unwrap();
    Settings::load(Source::File(file.path().to_path_buf()), Policy::default()).unwrap().current()
}

fn judged(snapshot: &Snapshot, payload: &Value) -> (Cost, Value) {
    let value = payload.to_string();
    let record = Record {
        position: Position { topic: "events", partition: Partition(0), offset: Offset(0) },
        timestamp: Some(EventTime::from_millis(NOW)),
        key: None,
        headers: &[crate::domain::Header { name: "ce_type", value: Some(b"identify") }],
        value: Some(value.as_bytes()),
        line: None,
    };
    let arena = Arena::new();
    let (cost, verdict) = cost::of(|| judge(&arena, &record, snapshot, EventTime::from_millis(NOW)));
    (cost, serde_json::to_value(verdict).unwrap())
}

fn token(alg: &str, secret: &str, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", part(&json!({ "alg": alg })), part(claims));
    let mac = HmacState::new(HmacDigest::Sha256, secret.as_bytes()).sign(input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(mac))
}

fn hash(secret: &str, of: &str) -> String {
    let mac = HmacState::new(HmacDigest::Sha256, secret.as_bytes()).sign(of.as_bytes());
    hex::encode(&mac)
}

fn with_token(secret: &str, claim_bytes: usize) -> Value {
    let claims = json!({ "userId": "12345", "email": "a@example.com", "plan": "x".repeat(claim_bytes) });
    json!({ "organization": "acme", "featurebaseJwt": token("HS256", secret, &claims) })
}

#[test]
fn a_forged_token_costs_few_keyed_hashes_more_than_the_dearest_good_one() {
    for keys in EVERY {
        let snapshot = snapshot(*keys);
        let (good, verdict) = judged(&snapshot, &with_token(&secret(0), 100));
        assert_eq!(verdict["verification"]["keyId"], "0", "{verdict}");
        assert_eq!(good.hashes, keys.valid, "{keys:?}");
        let (forged, verdict) = judged(&snapshot, &with_token("a guess", 100));
        assert_eq!(verdict["reason"], "signature_invalid");
        assert!(forged.hashes <= good.hashes + 3 + 4, "{keys:?}: {forged:?} for {good:?}");
    }
}

#[test]
fn where_keyed_hashes_are_most_of_the_cost_a_forged_token_has_at_most_three_times_as_many() {
    for keys in EVERY {
        let snapshot = snapshot(*keys);
        for claim_bytes in [1_000, 11_000] {
            let (good, verdict) = judged(&snapshot, &with_token(&secret(0), claim_bytes));
            assert_eq!(verdict["verification"]["status"], "verified", "{verdict}");
            let (forged, verdict) = judged(&snapshot, &with_token("a guess", claim_bytes));
            assert_eq!(verdict["reason"], "signature_invalid");
            assert!(forged.hashed_bytes <= 3 * good.hashed_bytes, "{keys:?}: {forged:?} for {good:?}");
        }
    }
}

#[test]
fn a_forged_signature_is_tried_with_at_most_three_times_as_many_public_keys() {
    const KEY: &str = r#"{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    for keys in EVERY {
        let mut text = String::from("[[organizations]]\nslug = \"acme\"\n");
        for at in 0..keys.valid + keys.retired {
            let time = if at < keys.valid { "valid_from = 2026-01-01" } else { "retired_at = 2025-12-31" };
            let key = format!("id = \"{at}\"\nalgorithm = \"EdDSA\"\npublic_key = '{KEY}'\n{time}\n");
            text.push_str(&format!("[[organizations.jwt_keys]]\n{key}"));
        }
        let event = json!({ "organization": "acme", "featurebaseJwt": token("EdDSA", "a guess", &json!({})) });
        let (forged, verdict) = judged(&load(&text), &event);
        assert_eq!(verdict["reason"], "signature_invalid");
        assert!(forged.signatures <= 3 * keys.valid && forged.hashes == 0, "{keys:?}: {forged:?}");
    }
}

#[test]
fn a_forged_hash_costs_few_keyed_hashes_more_than_the_dearest_good_one() {
    for keys in EVERY {
        let snapshot = snapshot(*keys);
        let event = |secret: &str| {
            let email = "A@example.com";
            json!({ "organization": "acme", "email": email, "userHash": hash(secret, email), "customFields": { "id": "1" } })
        };
        let (good, verdict) = judged(&snapshot, &event(&secret(100)));
        assert_eq!(verdict["verification"]["keyId"], "0", "{verdict}");
        let (forged, verdict) = judged(&snapshot, &event("a guess"));
        assert_eq!(verdict["reason"], "hash_mismatch");
        assert!(forged.hashes <= good.hashes + 3 + 4, "{keys:?}: {forged:?} for {good:?}");
    }
}

/// An event with companies, each with a hash made with the secret of its turn.
fn with_companies(number: usize, secret_of: impl Fn(usize) -> String) -> Value {
    let company = |at: usize| json!({ "id": format!("c{at}"), "companyHash": hash(&secret_of(at), &format!("c{at}")) });
    json!({ "organization": "acme", "anonymousId": "a", "companies": (0..number).map(company).collect::<Vec<_>>() })
}

#[test]
fn forged_hashes_of_companies_cost_at_most_three_times_as_many_keyed_hashes_as_good_ones() {
    for keys in EVERY {
        let snapshot = snapshot(*keys);
        for companies in [1, 2, 3, 5, 7, 10, 20, 50] {
            let (good, verdict) = judged(&snapshot, &with_companies(companies, |_| secret(100)));
            assert_eq!(verdict["companies"].as_array().unwrap().len(), companies);
            assert_eq!(good.hashes, companies + keys.valid - 1, "the first finds the secret, the others remember it");
            let (forged, verdict) = judged(&snapshot, &with_companies(companies, |_| "a guess".to_owned()));
            assert_eq!(verdict["rejected"].as_array().unwrap().len(), companies);
            let bound = (3 * good.hashes).max(good.hashes + 3);
            assert!(forged.hashes <= bound, "{keys:?}, {companies} companies: {forged:?} for {good:?}");
        }
    }
}

#[test]
fn fifty_right_hashes_pass_however_three_valid_secrets_are_mixed() {
    let snapshot = snapshot(Keys { valid: 3, retired: 10 });
    for step in [1, 2, 3, 7, 49] {
        let event = with_companies(50, |at| secret(100 + (at * step / 2) % 3));
        let (_, verdict) = judged(&snapshot, &event);
        assert_eq!(verdict["companies"].as_array().unwrap().len(), 50, "{step}: {verdict}");
    }
}
