//! Signatures that others made: the examples of the RFCs, and what another implementation signed (scripts/vectors.py).
//!
//! Each file of tests/vectors holds keys and tokens, and of each token the reason for which it must be rejected, or null.
//! All go the whole way, from settings with that key to the verdict. The RFCs' examples say little that is of use here;
//! that their signature holds is told by the reason, which is one that comes after the signature.

use std::{fs, io::Write, path::Path};

use attrsync::domain::{
    EventTime, Policy, Snapshot, hex,
    key::{HmacDigest, HmacState},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::common::{self, Event};

fn read(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(file);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Settings with these keys of a file. A secret of bytes that are no text stands in a file of its own.
fn settings(vectors: &Value, ids: &[&str]) -> std::sync::Arc<Snapshot> {
    let mut secrets = Vec::new();
    let mut keys = Vec::new();
    for id in ids {
        let key = &vectors["keys"][*id];
        let mut entry = json!({"id": id, "algorithm": key["algorithm"]});
        if let Some(octets) = key["octets"].as_str() {
            let mut file = NamedTempFile::new().unwrap();
            file.write_all(&URL_SAFE_NO_PAD.decode(octets).unwrap()).unwrap();
            entry["secret"] = json!({"file": file.path()});
            secrets.push(file);
        } else if let Some(secret) = key.get("secret") {
            entry["secret"] = secret.clone();
        } else {
            let key = &key["public_key"];
            entry["public_key"] = key.as_str().map_or_else(|| key.to_string(), str::to_owned).into();
        }
        keys.push(entry);
    }
    let identity_secrets: Vec<_> =
        vectors.get("identity_secret").iter().map(|secret| json!({"id": "iv", "secret": secret})).collect();
    let organization = json!({"slug": "vectors", "jwt_keys": keys, "identity_secrets": identity_secrets});
    common::snapshot(&toml::to_string(&json!({"organizations": [organization]})).unwrap(), Policy::default())
}

/// The verdict on an event with this token.
fn judged(settings: &Snapshot, token: &str, time: &Value) -> Value {
    let timestamp = time.as_str().map_or(common::NOW, |time| EventTime::parse(time).unwrap().millis());
    let event = json!({"organization": "vectors", "featurebaseJwt": token}).to_string();
    Event { timestamp: Some(timestamp), ..Event::new(event) }.verdict(settings)
}

/// Whether the signature was right, by what was said of the rest.
fn holds(reason: &Value) -> bool {
    reason
        .as_str()
        .is_none_or(|reason| ["claims_malformed", "token_identity_missing", "token_expired"].contains(&reason))
}

/// Every token of a file, with its key alone; and where the signature holds, every part of it changed.
fn check(file: &str) {
    let vectors = read(file);
    for vector in list(&vectors["tokens"]) {
        let (token, time, reason) = (text(&vector["token"]), &vector["time"], &vector["reason"]);
        let settings = settings(&vectors, &[text(&vector["key"])]);
        let verdict = judged(&settings, token, time);
        assert_eq!(verdict["reason"], *reason, "{file} {}", vector["name"]);
        if reason.is_null() {
            assert_eq!(verdict["verification"]["status"], "verified");
            assert_eq!(verdict["verification"]["keyId"], vector["key"]);
        }
        for changed in if holds(reason) { changed(token) } else { Vec::new() } {
            let verdict = judged(&settings, &changed, time);
            assert_eq!(verdict["verification"]["status"], "failed", "{file} {} {changed}", vector["name"]);
            assert!(!holds(&verdict["reason"]), "{file} {} {changed}", vector["name"]);
        }
    }
}

/// The token with another character in the middle of each part.
fn changed(token: &str) -> Vec<String> {
    let parts: Vec<_> = token.split('.').collect();
    let change = |at: usize| {
        let mut parts: Vec<_> = parts.iter().map(|part| (*part).to_owned()).collect();
        let middle = parts[at].len() / 2;
        let other = if &parts[at][middle..=middle] == "A" { "B" } else { "A" };
        parts[at].replace_range(middle..=middle, other);
        parts.join(".")
    };
    (0..parts.len()).map(change).collect()
}

#[test]
fn rfc_7515_appendix_a() {
    check("rfc7515.json");
}

#[test]
fn rfc_7520_signatures() {
    check("rfc7520.json");
}

#[test]
fn rfc_7797_unencoded_payloads() {
    check("rfc7797.json");
}

#[test]
fn rfc_8037_ed25519() {
    check("rfc8037.json");
}

#[test]
fn the_vendors_samples() {
    check("vendor.json");
    hashes("vendor.json");
}

#[test]
fn another_implementation_signs_what_we_verify() {
    check("pyjwt.json");
    hashes("pyjwt.json");
}

/// The same tokens where the organization has all ten keys, and where public keys are given as JWK.
#[test]
fn a_token_finds_its_key_among_those_of_other_algorithms() {
    let vectors = read("pyjwt.json");
    let ids = vectors["keys"].as_object().unwrap().keys().map(String::as_str);
    let (jwk, pem): (Vec<_>, Vec<_>) = ids.partition(|id| id.ends_with(" jwk"));
    let (all, jwks) = (settings(&vectors, &pem), settings(&vectors, &jwk));
    for vector in list(&vectors["tokens"]).iter().filter(|vector| vector["reason"].is_null()) {
        let key = text(&vector["key"]);
        let verification = judged(&all, text(&vector["token"]), &Value::Null)["verification"].clone();
        assert_eq!(verification["keyId"], key, "{}", vector["name"]);
        if !key.starts_with("hs") {
            let verification = judged(&jwks, text(&vector["token"]), &Value::Null)["verification"].clone();
            assert_eq!(verification["keyId"], format!("{key} jwk"), "{}", vector["name"]);
        }
    }
}

/// Every hash of a file, of its identifier and of no other.
fn hashes(file: &str) {
    let vectors = read(file);
    let settings = settings(&vectors, &[]);
    let status = |identifier: &str, hash: &str| {
        let event = json!({"organization": "vectors", "userId": identifier, "userHash": hash}).to_string();
        Event::new(event).verdict(&settings)["verification"]["status"].clone()
    };
    for vector in list(&vectors["hashes"]) {
        let (identifier, hash) = (text(&vector["identifier"]), text(&vector["hash"]));
        assert_eq!(status(identifier, hash), "verified", "{identifier}");
        assert_eq!(status(identifier, &hash.to_uppercase()), "verified", "{identifier}");
        assert_eq!(status("somebody else", hash), "failed");
    }
}

#[test]
fn rfc_4231() {
    let bytes = |digits: &Value| hex::decode_all(text(digits).as_bytes()).unwrap();
    let digests = [("HS256", HmacDigest::Sha256), ("HS384", HmacDigest::Sha384), ("HS512", HmacDigest::Sha512)];
    for case in list(&read("rfc4231.json")["cases"]) {
        for (name, digest) in digests {
            let state = HmacState::new(digest, &bytes(&case["key"]));
            let (message, mac) = (bytes(&case["message"]), bytes(&case[name]));
            let truncated = case["case"] == "5";
            assert_eq!(state.verifies(&message, &mac), !truncated, "{name} {}", case["case"]);
            assert_eq!(state.sign(&message)[..mac.len()], mac, "{name} {}", case["case"]);
            assert!(!state.verifies(&message, &mac[..mac.len() - 1]) && !state.verifies(b"", &mac));
        }
    }
}

#[test]
fn settings_refuse_keys_that_are_weak_private_or_of_another_kind() {
    let wrong: Vec<_> = list(&read("pyjwt.json")["refused_keys"]).iter().filter_map(wrongly_judged).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What is said of a key that must be refused, where it isn't what should be said.
fn wrongly_judged(refused: &Value) -> Option<String> {
    let key = &refused["public_key"];
    let public_key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
    let key = json!({"id": "k", "algorithm": refused["algorithm"], "public_key": public_key});
    let settings = json!({"organizations": [{"slug": "vectors", "jwt_keys": [key]}]});
    let name = text(&refused["name"]);
    match common::load(&toml::to_string(&settings).unwrap(), Policy::default()) {
        Ok(_) => Some(format!("{name} is taken")),
        Err(error) if error.to_string().contains(text(&refused["says"])) => None,
        Err(error) => Some(format!("{name}: {error}")),
    }
}
