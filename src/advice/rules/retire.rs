//! Keys: who still uses which, and which can be retired. The newest of a kind is the one to stay.

use super::{Case, day, times};
use crate::{
    advice::{
        Item, Ready,
        items::command,
        seen::Key,
    },
    domain::{EventTime, Organization, key::Validity},
};

pub(super) fn rule(case: &Case<'_>) -> Vec<Item> {
    match case.settings {
        Some((settings, _)) => configured(case, settings),
        None => in_use(case),
    }
}

/// Every valid key but the newest of its kind.
fn configured(case: &Case<'_>, settings: &Organization) -> Vec<Item> {
    let now = EventTime::from_millis(case.seen.last.unwrap_or_default());
    let valid = |validity: &Validity| {
        validity.retired.is_none() && !validity.revoked && validity.from.is_none_or(|from| from <= now)
    };
    let keys = settings.jwt_keys.iter().filter(|key| valid(&key.validity)).map(|key| ("jwt", key.id.as_ref()));
    let secrets =
        settings.identity_secrets.iter().filter(|key| valid(&key.validity)).map(|key| ("hmac", key.id.as_ref()));
    keys.skip(1).chain(secrets.skip(1)).map(|(method, id)| item(case, method, id)).collect()
}

/// Without the settings: each key of which there is another one in use.
fn in_use(case: &Case<'_>) -> Vec<Item> {
    let used = case.seen.keys.by(|key| key.often.last);
    let of = |wanted: &'static str| {
        let split = used.iter().filter_map(|(name, _)| name.split_once('/'));
        split.filter(move |(method, _)| *method == wanted).map(move |(_, id)| (wanted, id)).skip(1)
    };
    of("jwt").chain(of("hmac")).map(|(method, id)| item(case, method, id)).collect()
}

fn item(case: &Case<'_>, method: &str, id: &str) -> Item {
    let used = case.seen.keys.get(&format!("{method}/{id}"));
    let events = used.map_or(0, |key| key.often.events);
    let says = match used {
        None => "is valid, and nothing was signed with it: safe to retire".to_owned(),
        Some(key) => format!(
            "is not the newest, and still signs: {}, last {} ({}). Not safe to retire",
            times(events, "event", "events"),
            day(key.often.last),
            types(key)
        ),
    };
    let flags = if method == "hmac" { " --identity --reason 'nobody uses it'" } else { " --reason 'nobody uses it'" };
    Item {
        advice: "retire",
        about: id.to_owned(),
        of: "key",
        ready: if events == 0 { Ready::Now } else { Ready::First },
        says,
        figures: [("events", events)].into(),
        check: case.compare().filter(|_| events > 0),
        command: command("attrsync settings key retire", &[case.slug, id], flags),
    }
}

/// The types of events that a key signs, the most frequent first.
fn types(key: &Key) -> String {
    let types = key.types.by(|number| *number);
    types.into_iter().map(|(kind, number)| format!("{kind} {number}")).collect::<Vec<_>>().join(", ")
}
