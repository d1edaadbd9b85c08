//! Every fixture in tests/fixtures is an event with its settings; its verdict is a reviewed snapshot in tests/snapshots.
//!
//! A fixture is a JSON object: `about` says what it shows, `organization` and `policy` patch the settings of
//! tests/fixtures/settings.json (RFC 7396), `record` holds `value` (an object, a raw text, `{"$hex": …}`, or null for a
//! tombstone), `headers`, and `time` (null: the record has none). Inside a value `{"$jwt": {header, claims, secret}}` and
//! `{"$hash": {of, secret}}` become what a customer's server would have made.

mod common;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use attrsync::domain::{EventTime, Policy, Reason, key::Algorithm};
use common::Event;
use serde_json::{Map, Value, json};

fn fixtures() -> Vec<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let folders = ["decode", "verify", "decide"].map(|stage| root.join(stage));
    let mut files: Vec<_> =
        folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap()).map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

fn read(path: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// RFC 7396.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else { return *target = patch.clone() };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in patch {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(name);
        } else {
            merge(&mut target[name.as_str()], value);
        }
    }
}

fn settings(fixture: &Value) -> std::sync::Arc<attrsync::domain::Snapshot> {
    let mut settings = read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/settings.json"));
    merge(&mut settings["organizations"][0], fixture.get("organization").unwrap_or(&json!({})));
    let mut policy = serde_json::to_value(Policy::default()).unwrap();
    merge(&mut policy, fixture.get("policy").unwrap_or(&json!({})));
    common::snapshot(&toml::to_string(&settings).unwrap(), serde_json::from_value(policy).unwrap())
}

fn algorithm(header: &Value) -> Algorithm {
    header["alg"].as_str().and_then(Algorithm::from_alg).unwrap_or(Algorithm::HS256)
}

/// Puts tokens and hashes where a fixture asks for them.
fn expand(value: &Value) -> Value {
    match value {
        Value::Object(object) => match (object.get("$jwt"), object.get("$hash")) {
            (Some(jwt), _) => {
                let header = jwt.get("header").cloned().unwrap_or(json!({"alg": "HS256", "typ": "JWT"}));
                let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let secret = jwt["secret"].as_str().unwrap_or(common::SECRET);
                Value::String(common::sign(&text(&header), &text(&jwt["claims"]), algorithm(&header), secret))
            }
            (None, Some(hash)) => {
                let secret = hash["secret"].as_str().unwrap_or(common::IDENTITY_SECRET);
                Value::String(common::hash_under(secret, hash["of"].as_str().unwrap()))
            }
            (None, None) => {
                object.iter().map(|(name, value)| (name.clone(), expand(value))).collect::<Map<_, _>>().into()
            }
        },
        Value::Array(items) => items.iter().map(expand).collect(),
        other => other.clone(),
    }
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Null => None,
        Value::String(raw) => Some(raw.clone().into_bytes()),
        Value::Object(object) if object.contains_key("$hex") => {
            let digits = object["$hex"].as_str().unwrap();
            Some((0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect())
        }
        value => Some(expand(value).to_string().into_bytes()),
    }
}

fn event(record: &Value) -> Event {
    let default = json!({"ce_type": "identify"});
    let headers = record.get("headers").unwrap_or(&default).as_object().unwrap();
    let time = |text: &str| EventTime::parse(text).unwrap().millis();
    Event {
        value: bytes(&record["value"]),
        headers: headers
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().map(|text| text.as_bytes().to_vec())))
            .collect(),
        timestamp: record.get("time").map_or(Some(common::NOW), |value| value.as_str().map(time)),
        ..Event::new("")
    }
}

fn verdict(path: &Path) -> Value {
    let fixture = read(path.to_str().unwrap());
    assert!(fixture["about"].is_string(), "{}: `about` says what it shows", path.display());
    // The version is a digest of the settings; a fixture is about something else.
    let mut verdict = event(&fixture["record"]).verdict(&settings(&fixture));
    verdict["settingsVersion"] = json!("[version]");
    verdict
}

#[test]
fn every_fixture_has_its_reviewed_verdict() {
    for path in fixtures() {
        let stage = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
        let name = format!("{stage}/{}", path.file_stem().unwrap().to_str().unwrap());
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_json_snapshot!(name.replace('/', "__"), verdict(&path));
        });
    }
}

/// Every reason that stands anywhere in a verdict.
fn reasons(verdict: &Value, found: &mut BTreeSet<String>) {
    match verdict {
        Value::Object(object) => {
            for name in ["reason", "wouldReject"] {
                found.extend(object.get(name).and_then(Value::as_str).map(str::to_owned));
            }
            object.values().for_each(|value| reasons(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| reasons(item, found)),
        _ => {}
    }
}

#[test]
fn every_reason_has_a_fixture() {
    let mut found = BTreeSet::new();
    fixtures().iter().for_each(|path| reasons(&verdict(path), &mut found));
    let missing: Vec<_> =
        Reason::ALL.iter().map(|reason| reason.code()).filter(|code| !found.contains(*code)).collect();
    assert!(missing.is_empty(), "no fixture shows {missing:?}");
}
