//! Changes of settings for people: one line for each field that is different.

use std::fmt::Write;

use serde_json::Value;

use crate::{
    cli::{
        output::{BAD, DOUBTFUL, GOOD, styled},
        terminal::safe,
    },
    store::{Change, Plan, difference::FieldChange},
};

/// A plan, or what came of it.
pub(super) fn plan(plan: &Plan) -> String {
    let mut text: String = plan.changes.iter().map(change).collect();
    let count = |holds: fn(&Change) -> bool| plan.changes.iter().filter(|change| holds(change)).count();
    let added = count(|change| change.added);
    let archived = count(|change| change.archived);
    let changed = plan.changes.len() - added - archived;
    let exported = plan.file_revision.map(|revision| format!(", the file was exported at {revision}"));
    // Writing to a String cannot fail.
    _ = writeln!(
        text,
        "{added} to add, {changed} to change, {archived} to archive; based on revision {}{}",
        plan.revision,
        exported.unwrap_or_default()
    );
    if !plan.kept.is_empty() {
        _ = writeln!(text, "{} not in the file and kept; --prune archives them", plan.kept.len());
    }
    text
}

/// What is different in one organization.
pub(super) fn change(change: &Change) -> String {
    let slug = safe(&change.organization);
    let mut text = match (change.added, change.archived) {
        (true, _) => format!("{} organization {slug}\n", styled(GOOD, "+")),
        (_, true) => format!("{} organization {slug}, archived\n", styled(BAD, "-")),
        _ if change.changes.is_empty() => return format!("  organization {slug} is so already\n"),
        _ => format!("{} organization {slug}\n", styled(DOUBTFUL, "~")),
    };
    text.extend(change.changes.iter().map(field));
    text
}

fn field(change: &FieldChange) -> String {
    let name = safe(&change.field);
    match (&change.before, &change.after) {
        (None | Some(Value::Null), Some(after)) => format!("    {} {name}: {}\n", styled(GOOD, "+"), shown(after)),
        (Some(before), None | Some(Value::Null)) => format!("    {} {name}: {}\n", styled(BAD, "-"), shown(before)),
        (Some(before), Some(after)) => {
            format!("    {} {name}: {} → {}\n", styled(DOUBTFUL, "~"), shown(before), shown(after))
        }
        (None, None) => String::new(),
    }
}

/// A value, its parts by name.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Object(entries) => {
            let parts = entries.iter().filter(|(_, value)| !value.is_null());
            parts.map(|(name, value)| format!("{name} {}", shown(value))).collect::<Vec<_>>().join(", ")
        }
        Value::String(text) => safe(text),
        other => safe(&other.to_string()),
    }
}
