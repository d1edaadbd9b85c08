//! The rules of advice: one file each, one signature. What a rule can't know, since the settings are not at hand, it doesn't say.

mod configure;
mod enforce;
mod expire;
mod lock;
mod migrate;
mod retire;
mod unlock;

use super::{Item, Seen};
use crate::{
    count::distinct::{Count, grouped},
    domain::{EventTime, Organization, Policy},
};

/// One organization before the rules.
#[derive(Clone, Copy)]
pub(super) struct Case<'c> {
    pub(super) slug: &'c str,
    pub(super) seen: &'c Seen,
    /// Its settings, and the policy that they stand under, where they are known.
    pub(super) settings: Option<(&'c Organization, &'c Policy)>,
}

/// Everything that is advised of an organization, what can be done now first.
#[must_use]
pub fn advise(slug: &str, seen: &Seen, settings: Option<(&Organization, &Policy)>) -> Vec<Item> {
    let case = Case { slug, seen, settings };
    let rules = [lock::rule, unlock::rule, configure::rule, retire::rule, enforce::rule, migrate::rule, expire::rule];
    let mut items: Vec<_> = rules.iter().flat_map(|rule| rule(&case)).collect();
    items.sort_by_key(|item| item.ready);
    items
}

/// `1 event`, `1,234 events`.
pub(super) fn times(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// `, of 12 users`, where they were counted.
pub(super) fn of_users(users: Option<Count>) -> String {
    match users {
        None | Some(Count { number: 0, .. }) => String::new(),
        Some(users) => format!(", of {users} {}", if users.number == 1 { "user" } else { "users" }),
    }
}

/// A time, to the minute.
pub(super) fn day(at: Option<i64>) -> String {
    at.map(|at| EventTime::from_millis(at).text().as_str().get(..16).unwrap_or_default().replace('T', " "))
        .unwrap_or_default()
}
