//! What changes when the same events are judged by other settings: two verdicts of each record in, one report out. Pure, and bounded
//! whatever the records hold: names beyond their tables' bounds are counted together, users are counted, never kept.
//!
//! Each thread counts into a [`Comparison`] of its own; they are merged at the end. Most events keep their verdict, and cost a
//! comparison and three counters.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod fates;
pub mod html;
pub mod report;
mod tallies;
mod timeline;
mod unchanged;

use std::{collections::BTreeMap, hash::RandomState};

pub use fates::Fate;
pub use report::{Place, Report, Side};
pub use tallies::Ways;
pub use timeline::Spell;

use crate::{
    count::{bounded::Bounded, distinct::Distinct},
    decode::sdk::sdk,
    domain::{
        Arena, Policy, Reason, Record, Verdict,
        verdict::{Method, Outcome, Status, Verification},
    },
};
use tallies::{Matrix, Organization, Way};
use timeline::Timeline;
use unchanged::Unchanged;

/// Organizations of which an event changes that are told apart.
const ORGANIZATIONS: usize = 500;
/// Organizations whose unchanged events are counted: a few megabytes of each thread at most.
const UNCHANGED: usize = 50_000;
/// Types of events, keys and SDKs that are told apart, of each.
const SENDERS: usize = 100;
/// Up to how many users are counted exactly, in all and of one kind of change.
const USERS: usize = 16_384;
const USERS_OF_KIND: usize = 4_096;
/// Examples of one kind of change.
const EXAMPLES: usize = 3;
/// The longest topic that Kafka takes.
const TOPIC: usize = 249;

/// A verdict in brief.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Brief {
    outcome: Outcome,
    reason: Option<Reason>,
}

/// A kind of change. Outcomes and reasons are closed lists.
type Kind = (Brief, Brief);

/// Where an event stands that changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Example {
    /// Newest first: older records leave a topic sooner.
    offset: std::cmp::Reverse<i64>,
    partition: i32,
    topic: Box<str>,
    time: i64,
    organization: Option<Box<str>>,
    line: Option<i64>,
}

/// What is counted of a kind of change.
#[derive(Debug, Clone)]
struct OfKind {
    events: u64,
    users: Distinct,
    /// The first in their order.
    examples: Vec<Example>,
}

/// What changes, counted.
#[derive(Debug, Clone)]
pub struct Comparison {
    key: RandomState,
    matrix: Matrix,
    ways: Ways,
    users: Distinct,
    /// Events that change and name nobody.
    nobody: u64,
    kinds: BTreeMap<Kind, OfKind>,
    /// Those of which an event changes.
    organizations: Bounded<Organization>,
    unchanged: Unchanged,
    event_types: Bounded<Ways>,
    keys: Bounded<Ways>,
    sdks: Bounded<Ways>,
    timeline: Timeline,
}

/// A record, and what it takes to look at it once more.
#[derive(Clone, Copy)]
pub struct Judged<'r, 'a> {
    /// The record.
    pub record: &'r Record<'a>,
    /// The memory of its judgements.
    pub arena: &'a Arena,
    /// The deployment's policy.
    pub policy: &'r Policy,
}

impl Comparison {
    /// Nothing yet. Comparisons that are to become one share a key.
    #[must_use]
    pub fn new(key: &RandomState) -> Self {
        Self {
            key: key.clone(),
            matrix: Matrix::default(),
            ways: Ways::default(),
            users: Distinct::new(key, USERS),
            nobody: 0,
            kinds: BTreeMap::new(),
            organizations: Bounded::new(ORGANIZATIONS),
            unchanged: Unchanged::new(key, UNCHANGED),
            event_types: Bounded::new(SENDERS),
            keys: Bounded::new(SENDERS),
            sdks: Bounded::new(SENDERS),
            timeline: Timeline::new(),
        }
    }

    /// Counts the two verdicts of one record.
    pub fn count(&mut self, judged: Judged<'_, '_>, before: &Verdict<'_>, after: &Verdict<'_>) {
        self.matrix.add(before.outcome, after.outcome);
        let slug = organization(before, after).unwrap_or_default();
        let differences = if identical(before, after) { Vec::new() } else { fates::differences(before, after) };
        let time = before.event.time.millis();
        if differences.is_empty() && same_head(before, after) {
            self.unchanged.add(slug, before.outcome);
            return self.timeline.add(time, None);
        }
        let way = Way::of(before.outcome, after.outcome);
        let of = self.organizations.of_or(slug, || Organization::new(&self.key));
        of.matrix.add(before.outcome, after.outcome);
        differences.iter().for_each(|difference| of.attribute(difference));
        of.ways.add(way);
        self.ways.add(way);
        self.timeline.add(time, Some(way));
        self.senders(judged, before, after);
        self.concerned(judged, before, after);
    }

    /// Who sent it.
    fn senders(&mut self, judged: Judged<'_, '_>, before: &Verdict<'_>, after: &Verdict<'_>) {
        let way = Way::of(before.outcome, after.outcome);
        self.event_types.of(before.event.kind.unwrap_or_default()).add(way);
        for key in keys(&before.verification, &after.verification).into_iter().flatten() {
            self.keys.of(&key).add(way);
        }
        if let Some(sdk) = sdk(judged.arena, judged.record, judged.policy) {
            self.sdks.of(sdk).add(way);
        }
    }

    /// What kind of change it is, and whom it concerns.
    fn concerned(&mut self, judged: Judged<'_, '_>, before: &Verdict<'_>, after: &Verdict<'_>) {
        let slug = organization(before, after);
        let kind = (Brief::of(before), Brief::of(after));
        let of_kind = self.kinds.entry(kind).or_insert_with(|| OfKind {
            events: 0,
            users: Distinct::new(&self.key, USERS_OF_KIND),
            examples: Vec::new(),
        });
        of_kind.events += 1;
        of_kind.keep(example(judged.record, slug, before.event.time.millis()));
        let Some(user) = user(before, after) else {
            self.nobody += 1;
            return;
        };
        let user = (slug, user);
        self.users.add(user);
        of_kind.users.add(user);
        let of = self.organizations.of_or(slug.unwrap_or_default(), || Organization::new(&self.key));
        if let Some(users) = &mut of.users {
            users.add(user);
        }
    }

    /// Adds what another counted.
    pub fn absorb(&mut self, other: Self) {
        use crate::count::bounded::Tally as _;
        self.matrix.absorb(&other.matrix);
        self.ways.absorb(other.ways);
        self.users.absorb(&other.users);
        self.nobody += other.nobody;
        for (kind, theirs) in other.kinds {
            match self.kinds.get_mut(&kind) {
                Some(mine) => mine.absorb(theirs),
                None => _ = self.kinds.insert(kind, theirs),
            }
        }
        self.organizations.merge(other.organizations);
        self.unchanged.absorb(other.unchanged);
        self.event_types.merge(other.event_types);
        self.keys.merge(other.keys);
        self.sdks.merge(other.sdks);
        self.timeline.absorb(other.timeline);
    }
}

impl OfKind {
    fn keep(&mut self, example: Option<Example>) {
        let Some(example) = example else { return };
        if let Err(place) = self.examples.binary_search(&example) {
            self.examples.insert(place, example);
            self.examples.truncate(EXAMPLES);
        }
    }

    fn absorb(&mut self, other: Self) {
        self.events += other.events;
        self.users.absorb(&other.users);
        other.examples.into_iter().for_each(|example| self.keep(Some(example)));
    }
}

impl Brief {
    fn of(verdict: &Verdict<'_>) -> Self {
        Self { outcome: verdict.outcome, reason: verdict.reason }
    }
}

/// Whether nothing differs that anybody acts upon, told the quick way: the lists are equal as they stand.
fn identical(before: &Verdict<'_>, after: &Verdict<'_>) -> bool {
    before.attributes == after.attributes
        && before.unset == after.unset
        && before.companies == after.companies
        && before.rejected == after.rejected
        && before.dropped == after.dropped
}

/// Whether the event as a whole is judged alike. Hints, details and the settings' version say nothing about what becomes of it.
fn same_head(before: &Verdict<'_>, after: &Verdict<'_>) -> bool {
    before.outcome == after.outcome
        && before.reason == after.reason
        && before.organization == after.organization
        && before.user == after.user
        && before.verification == after.verification
}

/// The organization that an event belongs to. Where the two settings know it by different names, or only one of them knows it, both
/// directions of a comparison say the same.
fn organization<'a>(before: &Verdict<'a>, after: &Verdict<'a>) -> Option<&'a str> {
    [before.organization, after.organization].into_iter().flatten().min()
}

/// The user that an event concerns: the one that is proven in either verdict, else the one that is claimed.
fn user<'a>(before: &Verdict<'a>, after: &Verdict<'a>) -> Option<&'a str> {
    let identity = |verdict: &Verdict<'a>| verdict.user.identity();
    let proven = |verdict: &&&Verdict<'a>| verdict.verification.status == Some(Status::Verified);
    let both = [before, after];
    let proven = both.iter().filter(proven).filter_map(|verdict| identity(verdict)).min();
    proven.or_else(|| both.into_iter().filter_map(identity).min())
}

/// `method/key` of what verified it in either verdict; the method alone where nothing did.
fn keys(before: &Verification<'_>, after: &Verification<'_>) -> [Option<String>; 2] {
    let key = |side: &Verification<'_>| side.key_id.map(|id| format!("{}/{id}", side.method.name()));
    match (key(before), key(after)) {
        (None, None) => {
            let given = [before.method, after.method].into_iter().find(|method| *method != Method::None);
            [Some(given.unwrap_or(Method::None).name().to_owned()), None]
        }
        (one, other) if one == other => [one, None],
        keys => keys.into(),
    }
}

fn example(record: &Record<'_>, organization: Option<&str>, time: i64) -> Option<Example> {
    let position = record.position;
    (position.topic.len() <= TOPIC).then(|| Example {
        offset: std::cmp::Reverse(position.offset.0),
        partition: position.partition.0,
        topic: position.topic.into(),
        time,
        organization: organization.map(Into::into),
        line: record.line,
    })
}

#[cfg(test)]
mod tests;
