//! Variables that look like keys and are none: one underscore where two belong. They are told of and never refused, for Kubernetes puts
//! variables of its own into a pod, named after services: `ATTRSYNC_DASHBOARD_PORT` where there is a service `attrsync-dashboard`.

use std::collections::BTreeMap;

use super::layers::{Given, Layer, OPEN_TABLES, VARIABLE_PREFIX, variable};

/// How such a variable begins.
const BEGIN: &str = "ATTRSYNC_";

/// Keys that only say where another's value stands.
const ELSEWHERE: [&str; 2] = ["settings.source.file", "settings.source.env"];

/// What to tell of each variable that nobody reads and that looks like a key.
pub(super) fn warnings(variables: &BTreeMap<String, String>, given: &Layer, defaults: &Layer) -> Vec<String> {
    let is_read = |name: &str| {
        let mut all = given.entries.values();
        all.any(|entry| matches!(&entry.given, Given::InVariable(read) if read == name))
    };
    let told = |name: &String| {
        let meant = meant(name, defaults).filter(|_| !is_read(name))?;
        Some(format!("{name} in the environment is not read; did you mean {meant}?"))
    };
    variables.keys().filter_map(told).collect()
}

/// The variable that is meant by another.
fn meant(name: &str, defaults: &Layer) -> Option<String> {
    let rest = name.strip_prefix(BEGIN).filter(|_| !name.starts_with(VARIABLE_PREFIX))?;
    let rest = rest.to_ascii_lowercase().replace("__", "_");
    for table in OPEN_TABLES {
        match rest.strip_prefix(joined(table).as_str()) {
            Some("") => return Some(variable(table)),
            Some(name) if name.starts_with('_') => return Some(variable(table) + "__…"),
            _ => {}
        }
    }
    let mut keys = defaults.entries.keys().map(String::as_str).chain(ELSEWHERE);
    keys.find(|key| joined(key) == rest).map(variable)
}

/// A key as it looks when one underscore stands for all that parts it.
fn joined(key: &str) -> String {
    key.replace('.', "_")
}
