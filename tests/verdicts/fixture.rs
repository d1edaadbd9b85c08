//! A fixture: an event and the settings that judge it, as readable JSON.
//!
//! `about` says what it shows. Of the organizations in `unusable`, by slug, the settings can't be used. `organization` and `policy` patch the first organization of tests/fixtures/settings.json and
//! the default policy (RFC 7396), `topic_type` is the type that the topic is configured with. `record` holds
//!
//! - `value`: an object, a raw text, `{"$hex": …}`, or null for a tombstone;
//! - `headers`: an object or a list of pairs, each value a text, `{"$hex": …}` or null; `ce_type: identify` where absent;
//! - `time`: the record's timestamp; null where it has none.
//!
//! Inside a value stand the things that a customer's server makes: `{"$jwt": {header, claims, secret}}` is a token (header
//! and claims as JSON, or as the text to be encoded), `{"$hash": {of, secret}}` a hash, and `{"$vector": name}` a token of
//! tests/vectors/pyjwt.json. A secret is a text or `{"$hex": …}`.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use attrsync::domain::{
    Arena, EventTime, Policy, Snapshot, hex,
    key::Algorithm,
    snapshot::{Difference, Unusable},
};
use serde_json::{Map, Value, json};

use crate::{
    common::{self, Emitted, Event},
    settings_schema,
};

/// One fixture.
pub(crate) struct Fixture {
    /// `stage/name`.
    pub(crate) name: String,
    json: Value,
}

/// Every fixture, in the order of their names.
pub(crate) fn all() -> Vec<Fixture> {
    let root = tests().join("fixtures");
    let stage = |stage: &str| {
        let files = fs::read_dir(root.join(stage)).unwrap().map(|file| file.unwrap().path());
        files.map(|path| format!("{stage}/{}", path.file_stem().unwrap().to_str().unwrap())).collect::<Vec<_>>()
    };
    let mut names = ["decode", "verify", "decide"].map(stage).concat();
    names.sort();
    names.into_iter().map(|name| Fixture { json: read(&root.join(format!("{name}.json"))), name }).collect()
}

impl Fixture {
    /// The rule that it shows.
    pub(crate) fn about(&self) -> &str {
        self.json["about"].as_str().unwrap_or_else(|| panic!("{}: `about` says what it shows", self.name))
    }

    /// The verdict's JSON. The version of the settings is a digest of them and no part of what a fixture shows.
    pub(crate) fn verdict(&self) -> String {
        let verdict = event(&self.json["record"]).judge(&self.settings());
        let (rest, _) = verdict.rsplit_once(':').unwrap();
        format!("{rest}:\"[version]\"}}")
    }

    /// The records that tell it.
    pub(crate) fn emitted(&self) -> Vec<Emitted> {
        event(&self.json["record"]).told_in(&Arena::new(), &self.settings(), common::emitted)
    }

    fn settings(&self) -> Arc<Snapshot> {
        let patch = |name| self.json.get(name).cloned().unwrap_or_else(|| json!({}));
        let mut settings = read(&tests().join("fixtures/settings.json"));
        merge(&mut settings["organizations"][0], &patch("organization"));
        let mut policy = serde_json::to_value(Policy::default()).unwrap();
        merge(&mut policy, &patch("policy"));
        let mut policy: Policy = serde_json::from_value(policy).unwrap();
        let topic_type = self.json["topic_type"].as_str();
        policy.topic_types.extend(topic_type.map(|name| ("events".into(), name.into())));
        let settings = toml::to_string(&settings).unwrap();
        settings_schema::holds(&settings).unwrap_or_else(|errors| panic!("{}: {errors:?}", self.name));
        let snapshot = common::snapshot(&settings, policy);
        let Some(slugs) = self.json.get("unusable") else { return snapshot };
        let slugs = serde_json::from_value(slugs.clone()).unwrap();
        let unusable = Unusable { slugs, ..Unusable::default() };
        let none = Snapshot::new(snapshot.version(), snapshot.policy().clone(), Vec::new());
        Arc::new(none.with(snapshot.version(), Difference { unusable, ..Difference::default() }))
    }
}

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
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

fn event(record: &Value) -> Event {
    let time = |text: &str| EventTime::parse(text).unwrap().millis();
    let timestamp = record.get("time").map_or(Some(common::NOW), |value| value.as_str().map(time));
    let headers = match record.get("headers") {
        None => vec![("ce_type".to_owned(), Some(b"identify".to_vec()))],
        Some(Value::Array(pairs)) => pairs.iter().map(|pair| (text(&pair[0]), bytes(&pair[1]))).collect(),
        Some(headers) => {
            headers.as_object().unwrap().iter().map(|(name, value)| (name.clone(), bytes(value))).collect()
        }
    };
    Event { value: bytes(&record["value"]), headers, timestamp, ..Event::new("") }
}

/// A text as it is, anything else as JSON.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    match value.get("$hex").and_then(Value::as_str) {
        Some(digits) => Some(hex::decode_all(digits.as_bytes()).unwrap()),
        None if value.is_null() => None,
        None => Some(text(&expand(value)).into_bytes()),
    }
}

/// Puts tokens and hashes where a fixture asks for them.
fn expand(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(expand).collect(),
        Value::Object(object) => match object.iter().next() {
            Some((name, made)) if name == "$jwt" => token(made).into(),
            Some((name, made)) if name == "$hash" => hash(made).into(),
            Some((name, made)) if name == "$vector" => vector(made).into(),
            _ => object.iter().map(|(name, value)| (name.clone(), expand(value))).collect::<Map<_, _>>().into(),
        },
        other => other.clone(),
    }
}

fn token(made: &Value) -> String {
    let header = made.get("header").cloned().unwrap_or_else(|| json!({"alg": "HS256", "typ": "JWT"}));
    // What is no HMAC is only ever claimed to be signed with.
    let named = header["alg"].as_str().and_then(Algorithm::from_alg).filter(|algorithm| algorithm.hmac().is_some());
    let secret = bytes(&made["secret"]).unwrap_or_else(|| common::SECRET.into());
    common::sign(&text(&header), &text(&made["claims"]), named.unwrap_or(Algorithm::HS256), secret)
}

fn hash(made: &Value) -> String {
    let secret = bytes(&made["secret"]).unwrap_or_else(|| common::IDENTITY_SECRET.into());
    common::hash_under(secret, &text(&made["of"]))
}

fn vector(name: &Value) -> String {
    let vectors = read(&tests().join("vectors/pyjwt.json"));
    let token = vectors["tokens"].as_array().unwrap().iter().find(|token| token["name"] == *name);
    text(&token.unwrap_or_else(|| panic!("no vector {name}"))["token"])
}

/// The same JSON with line ends: members in their order and numbers with their digits, which a `Value` would lose.
pub(crate) fn pretty(json: &str) -> String {
    let (mut pretty, mut depth, mut quoted, mut escaped) = (String::new(), 0, false, false);
    for char in json.chars() {
        let line = |depth| format!("\n{}", "  ".repeat(depth));
        match char {
            _ if quoted => {
                pretty.push(char);
                quoted = escaped || char != '"';
                escaped = !escaped && char == '\\';
            }
            '{' | '[' => {
                depth += 1;
                pretty.push(char);
                pretty += &line(depth);
            }
            '}' | ']' => {
                depth -= 1;
                let trimmed = pretty.trim_end().len();
                pretty.truncate(trimmed);
                if !pretty.ends_with(['{', '[']) {
                    pretty += &line(depth);
                }
                pretty.push(char);
            }
            ',' => pretty += &format!(",{}", line(depth)),
            ':' => pretty += ": ",
            char => {
                quoted = char == '"';
                pretty.push(char);
            }
        }
    }
    pretty
}
