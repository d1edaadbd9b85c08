//! The rules of advice: one file each, one signature. What a rule can't know, since the settings are not at hand, it doesn't say; and
//! where little was seen ([`floor`]) nothing is done at once.

mod configure;
mod enforce;
mod expire;
mod floor;
mod lock;
mod migrate;
mod retire;
mod unlock;

use super::{Item, Owner, Ready, Seen, items::command};
use crate::{
    count::words::{grouped, of_users, times},
    domain::{EventTime, Organization, Policy, snapshot::AttributeTable},
};

/// One organization before the rules.
#[derive(Clone, Copy)]
pub struct Case<'c> {
    /// The organization.
    pub slug: &'c str,
    /// What its events showed.
    pub seen: &'c Seen,
    /// Its settings, and the policy that they stand under, where they are known.
    pub settings: Option<(&'c Organization, &'c Policy)>,
    /// Why what was seen may be less than what there was, so that nothing can be done at once; none where it is all there was.
    pub part: Option<&'c str>,
    /// The flags by which `replay` judges the events that are to be looked at, each after a space; none where there are no such flags.
    pub history: Option<&'c str>,
}

impl Case<'_> {
    /// What compares the settings as they are with a file in which the change is made.
    fn compare(&self) -> Option<String> {
        let begin = format!("attrsync replay{} --compare now next.toml --organization", self.history?);
        command(&begin, &[self.slug], "")
    }
}

/// Everything that is advised of an organization, what can be done now first.
#[must_use]
pub fn advise(case: &Case<'_>) -> Vec<Item> {
    let rules = [lock::rule, unlock::rule, configure::rule, retire::rule, enforce::rule, migrate::rule, expire::rule];
    let mut items: Vec<_> = rules.iter().flat_map(|rule| rule(case)).collect();
    for item in items.iter_mut().filter(|item| item.ready == Ready::Now) {
        if let Some(why) = case.part.map(str::to_owned).or_else(|| floor::too_little(item, case.seen)) {
            item.ready = Ready::First;
            item.says += &format!(". But {why}");
        }
    }
    items.sort_by_key(|item| item.ready);
    items
}

/// The attributes that the settings have for this owner.
fn configured(settings: &Organization, owner: Owner) -> &AttributeTable {
    match owner {
        Owner::User => &settings.user_attributes,
        Owner::Company => &settings.company_attributes,
    }
}

/// A time, to the minute.
pub(super) fn minute(at: Option<i64>) -> String {
    at.map(|at| {
        let text = EventTime::from_millis(at).text();
        format!("{} UTC", text.as_str().get(..16).unwrap_or_default().replace('T', " "))
    })
    .unwrap_or_default()
}
