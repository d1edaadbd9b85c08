//! Which keys there are, and what type each takes: those of the default file, and no other.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;
use toml::Value;

use super::{
    error::Problem,
    findings::Findings,
    layers::{Entry, Given, Layer, OPEN_TABLES, Origin, open_table, variable},
};

/// How alike two keys must be for one to be taken for the other (Jaro and Winkler's measure; clap draws the same line).
const ALIKE: f64 = 0.8;

/// Finds what is wrong with the keys and the types of their values. Only what is right stays in the layer.
pub(super) fn check(layer: &mut Layer, defaults: &Layer, found: &mut Findings) {
    layer.entries.retain(|key, entry| match problem(key, entry, &defaults.entries) {
        Some(problem) => {
            found.add(key, problem);
            false
        }
        None => true,
    });
}

fn problem(key: &str, entry: &Entry, known: &BTreeMap<String, Entry>) -> Option<Problem> {
    let Entry { given, origin } = entry;
    let expected = match (open_table(key), known.get(key)) {
        (Some(_), _) => "a text",
        (None, Some(Entry { given: Given::Value(default), .. })) => type_name(default),
        _ => {
            return Some(Problem::Unknown {
                key: key.to_owned(),
                origin: origin.clone(),
                way_out: way_out(key, origin, known),
            });
        }
    };
    match given {
        Given::Value(value) if type_name(value) != expected => {
            Some(Problem::refused(key, Some(value), origin, format!("expected {expected}, not {}", type_name(value))))
        }
        _ => None,
    }
}

/// What a person may have meant by an unknown key.
fn way_out(key: &str, origin: &Origin, known: &BTreeMap<String, Entry>) -> String {
    let is_section = |section: &str| section.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'));
    if known.keys().any(|known| is_section(known)) || OPEN_TABLES.contains(&key) {
        return ": it is a section and takes keys, not a value".to_owned();
    }
    if let Some(property) = property_of_librdkafka(key) {
        return format!("; a property of librdkafka goes below kafka.properties, as in kafka.properties.{property}");
    }
    match nearest(key, known.keys().map(String::as_str)) {
        Some(nearest) => format!("; did you mean {}?", spelled(nearest, origin)),
        None => "; `attrsync config defaults` lists every key".to_owned(),
    }
}

/// How alike the last parts must be: most keys of a section are alike as wholes.
const ALIKE_AT_LAST: f64 = 0.75;

/// The known key that is most like this one, as a whole and in its last part.
pub(super) fn nearest<'k>(key: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let last = |key: &'_ str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let likeness = |known: &str| {
        let whole = strsim::jaro_winkler(key, known);
        if last(key) == last(known) { whole.max(0.95) } else { whole }
    };
    known
        .filter(|known| strsim::jaro_winkler(&last(key), &last(known)) > ALIKE_AT_LAST)
        .map(|known| (likeness(known), known))
        .filter(|(likeness, _)| *likeness > ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}

/// The property that a key directly below `kafka` names, if librdkafka has one of that name.
fn property_of_librdkafka(key: &str) -> Option<String> {
    let name = key.strip_prefix("kafka.")?.replace('_', ".");
    ClientConfig::new().create_native_config().ok()?.get(&name).ok()?;
    Some(name)
}

/// A key as it is spelled where it was given.
fn spelled(key: &str, origin: &Origin) -> String {
    match origin {
        Origin::Variable(_) => variable(key),
        _ => key.to_owned(),
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a fraction",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(items) if items.iter().all(Value::is_str) => "a list of texts",
        Value::Array(_) => "a list of other things than texts",
        Value::Table(_) => "a table",
    }
}
