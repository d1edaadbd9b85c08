//! A verdict that is too long to be kept whole, made shorter: long values go first, then all values, then what doesn't fit of its lists. Why
//! something was rejected or dropped stays before what was set. It still fits the schemas.

use std::mem::take;

use serde_json::{Map, Value, json};

/// Bytes of a value from which on it is long.
const LONG: usize = 256;

/// The lists, in the order in which they find room.
const LISTS: [&str; 5] = ["rejected", "dropped", "unset", "attributes", "companies"];

/// Makes a verdict shorter than so many bytes, where what is left beside its lists is.
pub(super) fn shorten(verdict: &mut Value, most: usize) {
    for least in [LONG, 0] {
        forget(verdict, least);
        if size(verdict) <= most {
            return;
        }
    }
    let Some(members) = verdict.as_object_mut() else { return };
    let lists = LISTS.map(|name| (name, members.get_mut(name).map(empty)));
    let mut room = most.saturating_sub(size(verdict));
    for (name, list) in lists {
        if let (Some(list), Some(place)) = (list, verdict.get_mut(name)) {
            *place = fitting(list, &mut room);
        }
    }
}

/// Takes what is in a list and leaves it empty.
fn empty(list: &mut Value) -> Value {
    match list {
        Value::Array(items) => Value::Array(take(items)),
        Value::Object(members) => Value::Object(take(members)),
        other => other.clone(),
    }
}

/// As many of these as there is room for, from the first one on.
fn fitting(list: Value, room: &mut usize) -> Value {
    let mut fits = |bytes: usize| {
        // And a comma.
        let left = room.checked_sub(bytes + 1);
        *room = left.unwrap_or(*room);
        left.is_some()
    };
    match list {
        Value::Array(items) => items.into_iter().take_while(|item| fits(size(item))).collect(),
        Value::Object(members) => {
            let members = members.into_iter().take_while(|(name, value)| fits(size(&json!(name)) + 1 + size(value)));
            Value::Object(members.collect())
        }
        other => other,
    }
}

/// Makes null of the values that have so many bytes or more.
fn forget(verdict: &mut Value, least: usize) {
    let Some(members) = verdict.as_object_mut() else { return };
    of_attributes(members, least);
    for company in items(members, "companies").filter_map(Value::as_object_mut) {
        of_attributes(company, least);
    }
    items(members, "rejected").for_each(|refused| of_one(refused, least));
}

fn items<'v>(members: &'v mut Map<String, Value>, list: &str) -> impl Iterator<Item = &'v mut Value> + use<'v> {
    members.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten()
}

fn of_attributes(owner: &mut Map<String, Value>, least: usize) {
    let attributes = owner.get_mut("attributes").and_then(Value::as_object_mut);
    attributes.into_iter().flat_map(|attributes| attributes.values_mut()).for_each(|set| of_one(set, least));
}

fn of_one(named: &mut Value, least: usize) {
    if let Some(value) = named.get_mut("value").filter(|value| size(value) >= least) {
        *value = Value::Null;
    }
}

/// The bytes of a value on one line.
fn size(value: &Value) -> usize {
    value.to_string().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dashboard::board::samples, domain::verdict::Outcome};

    const MOST: usize = 4_000;

    fn refused(number: usize) -> Value {
        let refused = |name: usize| json!({"attribute": format!("a{name}"), "company": null, "reason": "locked"});
        (0..number).map(refused).collect()
    }

    fn shortened(mut verdict: Value) -> Value {
        shorten(&mut verdict, MOST);
        assert!(size(&verdict) <= MOST, "{}", size(&verdict));
        verdict
    }

    #[test]
    fn long_values_go_first_and_everything_else_stays() {
        let mut verdict = samples::verdict(Outcome::Partial, 1);
        verdict["attributes"] = json!({
            "about": {"value": "x".repeat(10_000), "verified": true}, "plan": {"value": "Pro", "verified": true},
        });
        verdict["companies"] = json!([{"id": "c1", "verified": true, "unset": [],
            "attributes": {"about": {"value": ["y".repeat(10_000)], "verified": false}}}]);
        verdict["rejected"] =
            json!([{"attribute": "roles", "company": null, "reason": "locked", "value": "z".repeat(10_000)}]);
        let mut expected = verdict.clone();
        expected["attributes"]["about"]["value"] = Value::Null;
        expected["companies"][0]["attributes"]["about"]["value"] = Value::Null;
        expected["rejected"][0]["value"] = Value::Null;
        assert_eq!(shortened(verdict), expected);
    }

    #[test]
    fn many_short_values_go_and_the_names_stay() {
        let set = |number| (format!("a{number}"), json!({"value": "x".repeat(100), "verified": true}));
        let mut verdict = samples::verdict(Outcome::Accepted, 1);
        verdict["attributes"] = Value::Object((0..50).map(set).collect());
        let short = shortened(verdict);
        let attributes = short["attributes"].as_object().unwrap();
        assert!(attributes.len() == 50 && attributes.values().all(|set| set["value"].is_null()), "{short}");
    }

    #[test]
    fn what_was_rejected_stays_before_what_was_set() {
        let set = |number| (format!("set{number}"), json!({"value": 1, "verified": true}));
        let mut verdict = samples::verdict(Outcome::Partial, 1);
        verdict["attributes"] = Value::Object((0..500).map(set).collect());
        verdict["rejected"] = refused(10);
        verdict["dropped"] = refused(500);
        let short = shortened(verdict);
        let length = |name: &str| short[name].as_array().map_or(0, Vec::len);
        assert!(length("rejected") == 10 && length("dropped") > 20, "{short}");
        assert!(short["attributes"].as_object().unwrap().len() < 3, "{short}");
        assert!(size(&short) > MOST - 100, "there is no room for one more");
        assert_eq!((&short["user"]["userId"], &short["companies"]), (&json!("12345"), &Value::Null));
    }
}
