//! What is different between two organizations, in lines for people and machines: the field, and its value before and after.
//! Of a secret only that it is different.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::document::Organization;

/// A field of an organization that is different.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldChange {
    /// The field, as in `attributes.plan.locked` and `jwt_keys[2026-10].retired_at`.
    pub field: String,
    /// Its value before; absent: there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// Its value now; absent: it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

impl FieldChange {
    /// The field without a value: `+attributes.plan` is new, `-jwt_keys[2025-06]` gone, `~enforcement` another.
    pub(super) fn in_brief(&self) -> String {
        let sign = match (&self.before, &self.after) {
            (None, _) => '+',
            (_, None) => '-',
            _ => '~',
        };
        format!("{sign}{}", self.field.escape_debug())
    }
}

/// What stands for a secret, and for one that is different from it.
const SECRETS: [&str; 2] = ["[secret]", "[another secret]"];

/// What differs between two complete documents of one organization.
pub(super) fn between(old: &Organization, new: &Organization) -> Vec<FieldChange> {
    let (old, new) = (fields(old), fields(new));
    let names: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
    names.into_iter().flat_map(|name| field(name, old.get(name), new.get(name))).collect()
}

/// The top of what is told: a field, or an entry of a list or a table as a whole.
fn fields(organization: &Organization) -> BTreeMap<String, Value> {
    let mut fields = BTreeMap::new();
    let Ok(Value::Object(all)) = serde_json::to_value(organization) else { return fields };
    for (name, value) in all {
        match (name.as_str(), value) {
            ("jwt_keys" | "identity_secrets", Value::Array(keys)) => {
                for key in keys {
                    fields.insert(format!("{name}[{}]", key["id"].as_str().unwrap_or_default()), key);
                }
            }
            ("attributes" | "company_attributes" | "token" | "membership", Value::Object(entries)) => {
                for (entry, value) in entries {
                    fields.insert(format!("{name}.{entry}"), value);
                }
            }
            (_, value) => _ = fields.insert(name, value),
        }
    }
    fields
}

fn field(name: &str, old: Option<&Value>, new: Option<&Value>) -> Vec<FieldChange> {
    match (old, new) {
        (Some(old), Some(new)) if old == new => Vec::new(),
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let names: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
            names.into_iter().flat_map(|part| field(&format!("{name}.{part}"), old.get(part), new.get(part))).collect()
        }
        (old, new) => {
            let [mut before, mut after] = [old.cloned(), new.cloned()];
            if name.ends_with(".secret") {
                (before, after) = (before.map(|_| SECRETS[0].into()), after.map(|_| SECRETS[1].into()));
            }
            before.as_mut().map(without_secret);
            after.as_mut().map(without_secret);
            vec![FieldChange { field: name.to_owned(), before, after }]
        }
    }
}

/// A key as a whole, its secret left out, and what is left open.
fn without_secret(value: &mut Value) {
    let Value::Object(entries) = value else { return };
    let kept = std::mem::take(entries).into_iter().filter(|(_, value)| !value.is_null());
    let shown = |(name, value)| if name == "secret" { (name, SECRETS[0].into()) } else { (name, value) };
    *entries = kept.map(shown).collect::<Map<_, _>>();
}
