//! Settings against their JSON Schema: TOML in the words of JSON, where a date-time is a text.

use std::sync::OnceLock;

use attrsync::store::document::Document;
use jsonschema::Validator;
use serde_json::Value;

/// What is wrong with the shape of these settings.
pub(crate) fn holds(settings: &str) -> Result<(), Vec<String>> {
    static SCHEMA: OnceLock<Validator> = OnceLock::new();
    let validator = SCHEMA.get_or_init(|| jsonschema::validator_for(Document::schema().as_value()).unwrap());
    let settings = in_json(toml::from_str(settings).unwrap());
    let errors: Vec<_> =
        validator.iter_errors(&settings).map(|error| format!("{}: {error}", error.instance_path())).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn in_json(value: toml::Value) -> Value {
    match value {
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(in_json).collect(),
        toml::Value::Table(table) => table.into_iter().map(|(name, value)| (name, in_json(value))).collect(),
        other => serde_json::to_value(other).unwrap(),
    }
}
