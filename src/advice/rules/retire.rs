//! Keys: who still uses which, and which can be retired. One of a kind stays: the newest, where their times prove which that is.
//!
//! A key that nothing was signed with is not in use any more, or not yet: that a later one took its place is known only where both say
//! from when they are valid.

use super::{Case, minute, times};
use crate::{
    advice::{Advice, Item, Ready, items::command, seen::Key},
    domain::{EventTime, Organization, key::Validity, verdict::Method},
};

/// A key that is valid.
struct Valid<'k> {
    id: &'k str,
    /// From when, where that is said.
    from: Option<EventTime>,
    used: Option<&'k Key>,
}

impl Valid<'_> {
    /// Whether the times of both prove that this one is the older.
    fn is_older_than(&self, other: &Valid<'_>) -> bool {
        self.from.zip(other.from).is_some_and(|(mine, theirs)| mine < theirs)
    }

    /// When it signed last.
    fn last(&self) -> Option<i64> {
        self.used.and_then(|key| key.often.last)
    }
}

pub(super) fn rule(case: &Case<'_>) -> Vec<Item> {
    match case.settings {
        Some((settings, _)) => configured(case, settings),
        None => in_use(case),
    }
}

/// Every valid key but the one of its kind that stays.
fn configured(case: &Case<'_>, settings: &Organization) -> Vec<Item> {
    let keys: Vec<_> = settings.jwt_keys.iter().map(|key| (key.id.as_str(), key.validity)).collect();
    let secrets: Vec<_> = settings.identity_secrets.iter().map(|key| (key.id.as_str(), key.validity)).collect();
    let kinds = [(Method::Jwt, keys), (Method::Hmac, secrets)];
    kinds.into_iter().flat_map(|(method, keys)| of_kind(case, method, keys)).collect()
}

fn of_kind(case: &Case<'_>, method: Method, keys: Vec<(&str, Validity)>) -> Vec<Item> {
    let now = EventTime::from_millis(case.seen.last.unwrap_or_default());
    let valid = |validity: &Validity| {
        validity.retired.is_none() && !validity.revoked && validity.from.is_none_or(|from| from <= now)
    };
    let used = |id: &str| case.seen.keys.get(&format!("{}/{id}", method.name()));
    let valid = keys.into_iter().filter(|(_, validity)| valid(validity));
    let keys: Vec<_> = valid.map(|(id, Validity { from, .. })| Valid { id, from, used: used(id) }).collect();
    let newest = keys.iter().find(|key| keys.iter().all(|other| other.id == key.id || other.is_older_than(key)));
    // Of several that never signed the first is as good as any.
    let stays = newest.or_else(|| keys.iter().rev().max_by_key(|key| key.last())).map(|key| key.id);
    keys.iter().filter(|key| Some(key.id) != stays).map(|key| item(case, method, key, &keys)).collect()
}

/// Without the settings: each key of which there is another one in use.
fn in_use(case: &Case<'_>) -> Vec<Item> {
    let used = case.seen.keys.by(|key| key.often.last);
    let of = |wanted: Method| {
        let split = used.iter().filter_map(|(name, key)| Some((name.split_once('/')?, *key)));
        let keys = split.filter(move |((method, _), _)| *method == wanted.name());
        let valid = keys.map(|((_, id), key)| Valid { id, from: None, used: Some(key) });
        valid.skip(1).map(move |key| item(case, wanted, &key, &[]))
    };
    of(Method::Jwt).chain(of(Method::Hmac)).collect()
}

/// What is to be said of a key, which is one of all those of its kind.
fn item(case: &Case<'_>, method: Method, key: &Valid<'_>, all: &[Valid<'_>]) -> Item {
    let newer = || all.iter().filter(move |other| key.is_older_than(other));
    // Keys that are not told apart could be this one.
    let replaced = newer().any(|other| other.used.is_some()) && case.seen.keys.rest().often.events == 0;
    let signed_since: u64 = newer().filter_map(|other| other.used).map(|used| used.often.events).sum();
    let companies = if method == Method::Hmac { case.seen.company_proven } else { 0 };
    let events = key.used.map_or(0, |used| used.often.events);
    let says = match key.used {
        Some(used) => format!(
            "{} signs: {}, last {} ({}). Not safe to retire",
            if newer().next().is_some() { "is not the newest, and still" } else { "still" },
            times(events, "event", "events"),
            minute(used.often.last),
            types(used)
        ),
        None if companies > 0 => format!(
            "is valid, and no user was proven with it; but in {} a company was proven by companyHash, by which secret no \
             verdict says",
            times(companies, "event", "events")
        ),
        None if replaced => "is valid, and nothing was signed with it, but with a newer one: safe to retire".to_owned(),
        None => "is valid, and nothing was signed with it: not in use yet, or no longer".to_owned(),
    };
    let flags = match method {
        Method::Hmac => " --identity --reason 'nobody uses it'",
        Method::Jwt | Method::None => " --reason 'nobody uses it'",
    };
    Item {
        advice: Advice::Retire,
        about: key.id.to_owned(),
        of: "key",
        ready: if events + companies == 0 && replaced { Ready::Now } else { Ready::First },
        says,
        figures: [("events", events)]
            .into_iter()
            .chain((companies > 0).then_some(("companyHash", companies)))
            .chain((signed_since > 0).then_some(("newer", signed_since)))
            .collect(),
        check: case.compare().filter(|_| events + companies > 0),
        command: command("attrsync settings key retire", &[case.slug, key.id], flags),
    }
}

/// The types of events that a key signs, the most frequent first.
fn types(key: &Key) -> String {
    let types = key.types.by(|number| *number);
    types.into_iter().map(|(kind, number)| format!("{kind} {number}")).collect::<Vec<_>>().join(", ")
}
