//! What is held of a database, and the snapshots that are made of it: one organization that changed costs one organization.
//!
//! - [`load`] reads everything, [`look`] what changed since.
//!
//! An organization that can't be used is set apart: it never goes on with what it was before, since that may hold a key which
//! has been revoked. It is read once more every so often, since what mends it may be no change of settings: a secret that is
//! sealed anew.

mod load;
mod look;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use super::read::{Mark, Stored};
use crate::{
    domain::{
        Policy, Snapshot,
        snapshot::{Difference, Organization, Pool, Unusable},
    },
    store::{
        compile::{One, compile_one},
        problem::Problem,
        secret::Vault,
        version::Sum,
    },
};

/// How often organizations that can't be used are read once more; as many at a time as a slice has.
const AGAIN: Duration = Duration::from_secs(10);
/// More changes and warnings than this are not told one by one.
const TOLD: usize = 20;

/// What a look found.
#[derive(Debug, Default)]
pub(in crate::store) struct Found {
    /// What changed, by organization.
    pub(in crate::store) changes: Vec<String>,
    /// What is doubtful.
    pub(in crate::store) warnings: Vec<Problem>,
    /// What keeps organizations from being used.
    pub(in crate::store) unusable: Vec<Problem>,
}

/// What is held of the database.
pub(in crate::store) struct Follower {
    policy: Policy,
    mark: Mark,
    held: HashMap<i64, Held>,
    unusable: Unusable,
    sum: Sum,
    pool: Pool,
    /// When organizations that can't be used are read once more, and the last one that was.
    again: (Instant, i64),
}

/// An organization as it was read last.
struct Held {
    sum: Sum,
    state: State,
}

enum State {
    Ready(Arc<Organization>),
    Unusable { slug: Box<str>, app_id: Option<Box<str>> },
}

impl Follower {
    pub(super) fn new(policy: &Policy) -> Self {
        let (mark, held, unusable, sum, pool) = Default::default();
        Self { policy: policy.clone(), mark, held, unusable, sum, pool, again: (Instant::now() + AGAIN, i64::MIN) }
    }

    /// The change that was read last.
    pub(super) fn mark(&self) -> Mark {
        self.mark
    }

    fn version(&self) -> u64 {
        self.sum.version(&self.policy)
    }

    /// Takes in the organizations of these numbers as they are now; what isn't among them is gone.
    fn take(&mut self, ids: &[i64], stored: Vec<Stored>, (difference, found): (&mut Difference, &mut Found)) {
        let mut before = HashMap::new();
        for id in ids {
            if let Some(held) = self.held.remove(id) {
                self.sum = self.sum.minus(held.sum);
                before.insert(*id, self.forget(held.state, difference));
            }
        }
        for stored in stored {
            let (id, slug) = (stored.id, stored.organization.slug.clone());
            let word = match self.put(stored, difference, found) {
                false => "can't be used",
                true if before.remove(&id).is_some() => "changed",
                true => "added",
            };
            before.remove(&id);
            found.change(&slug, word);
        }
        for slug in before.into_values() {
            found.change(&slug, "removed");
        }
    }

    /// Takes an organization out; its slug.
    fn forget(&mut self, state: State, difference: &mut Difference) -> Box<str> {
        match state {
            State::Ready(organization) => {
                let slug = organization.slug.as_str().into();
                difference.out.push(organization);
                slug
            }
            State::Unusable { slug, app_id } => {
                self.unusable.slugs.remove(&slug);
                if let Some(app_id) = app_id {
                    self.unusable.app_ids.remove(&app_id);
                }
                slug
            }
        }
    }

    /// Takes an organization in; whether it can be used.
    fn put(&mut self, stored: Stored, difference: &mut Difference, found: &mut Found) -> bool {
        let Stored { id, organization, problems, .. } = stored;
        let names =
            (organization.slug.clone().into_boxed_str(), organization.app_id.clone().map(String::into_boxed_str));
        let compiled = if problems.is_empty() {
            compile_one(organization, &Vault::empty(), &self.policy, &mut self.pool)
        } else {
            Err(problems)
        };
        let usable = compiled.is_ok();
        let held = match compiled {
            Ok(One { ready, effective, warnings }) => {
                let ready = Arc::new(ready);
                found.warnings.extend(warnings);
                found.warnings.truncate(TOLD);
                difference.into.push(Arc::clone(&ready));
                Held { sum: Sum::of(&effective), state: State::Ready(ready) }
            }
            Err(problems) => {
                found.unusable.extend(first_of(problems));
                let (slug, app_id) = names;
                self.unusable.slugs.insert(slug.clone());
                self.unusable.app_ids.extend(app_id.clone());
                Held { sum: Sum::of_unusable(&slug, app_id.as_deref()), state: State::Unusable { slug, app_id } }
            }
        };
        self.sum = self.sum.plus(held.sum);
        self.held.insert(id, held);
        usable
    }

    /// The snapshot once what was read of these organizations is taken in.
    pub(super) fn after(&mut self, read: Vec<(Vec<i64>, Vec<Stored>)>, now: &Snapshot) -> (Snapshot, Found) {
        let (mut difference, mut found) = (Difference::default(), Found::default());
        for (slice, stored) in read {
            self.take(&slice, stored, (&mut difference, &mut found));
        }
        difference.unusable = self.unusable.clone();
        let newer = now.with(self.version(), difference);
        self.pool.tidy_when_due();
        (newer, found)
    }
}

/// One line for an organization: the first thing that is wrong with it, and how much more.
fn first_of(problems: Vec<Problem>) -> Option<Problem> {
    let more = problems.len().saturating_sub(1);
    let mut first = problems.into_iter().next()?;
    if more > 0 {
        first.message += &format!("; and {more} more");
    }
    Some(first)
}

impl Found {
    fn change(&mut self, slug: &str, word: &str) {
        if self.changes.len() < TOLD {
            self.changes.push(format!("organization {} {word}", slug.escape_debug()));
        }
    }
}
