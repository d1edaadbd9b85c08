//! What the events of one organization showed, counted. Whoever feeds it says what an event was and what became of each attribute.

use std::hash::RandomState;

use crate::{
    count::{
        bounded::{Bounded, Tally},
        distinct::{Count, Distinct},
    },
    domain::{EventTime, Reason, verdict::Method},
};

/// Reasons, keys and types of events that are told apart.
const CLOSED: usize = 64;
/// Types of events of one key.
const TYPES: usize = 8;

/// How much room one organization gets.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Attributes that are told apart, of users and of companies.
    pub attributes: usize,
    /// Names that nobody configured that are told apart, of users and of companies.
    pub unconfigured: usize,
    /// Up to how many users of one thing are counted exactly, and the key they are counted with; `None` where users are not counted.
    pub users: Option<(usize, RandomState)>,
}

/// Whose an attribute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The user's.
    User,
    /// A company's.
    Company,
}

impl Owner {
    /// `user` or `company`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Company => "company",
        }
    }

    /// The flag by which a command about an attribute says whose it is, after a space; none for a user's.
    pub(super) fn flag(self) -> &'static str {
        match self {
            Self::User => "",
            Self::Company => " --company",
        }
    }
}

/// One for users, and one for companies.
#[derive(Debug, Clone)]
pub(super) struct ByOwner<T> {
    user: T,
    company: T,
}

impl<T> ByOwner<T> {
    /// That of this owner.
    pub(super) fn of(&self, owner: Owner) -> &T {
        match owner {
            Owner::User => &self.user,
            Owner::Company => &self.company,
        }
    }

    fn of_mut(&mut self, owner: Owner) -> &mut T {
        match owner {
            Owner::User => &mut self.user,
            Owner::Company => &mut self.company,
        }
    }
}

impl<T: Tally> ByOwner<Bounded<T>> {
    /// A table with so much room for each.
    fn new(most: usize) -> Self {
        Self { user: Bounded::new(most), company: Bounded::new(most) }
    }

    fn merge(&mut self, other: Self) {
        self.user.merge(other.user);
        self.company.merge(other.company);
    }
}

/// What an event was.
#[derive(Debug, Clone, Copy, Default)]
pub struct Event<'e> {
    /// Its type.
    pub kind: Option<&'e str>,
    /// When, in milliseconds.
    pub at: i64,
    /// Whom it concerns.
    pub user: Option<&'e str>,
    /// `jwt`, `hmac` or `none`.
    pub method: &'e str,
    /// The key that verified it.
    pub key: Option<&'e str>,
    /// Why it was rejected.
    pub reason: Option<&'e str>,
    /// Why enforcement would reject it.
    pub would_reject: Option<&'e str>,
    /// Whether its verified token expires; `None` where nobody looked.
    pub expires: Option<bool>,
    /// A company was proven by its hash, under an identity secret.
    pub company_proven: bool,
    /// A company was accepted as unverified whose hash did not prove it.
    pub company_unproven: bool,
}

/// What became of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// Set or unset, signed.
    Signed,
    /// Unsigned, and set, unset, or dropped beside another value where a lock would have refused it.
    Unsigned,
    /// Refused by its lock.
    Locked,
    /// Dropped: nobody configured it.
    Unconfigured(Option<Kind>),
}

/// The type that a value seems to have, in the words of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `text`
    Text,
    /// `number`
    Number,
    /// `boolean`
    Boolean,
    /// `date`
    Date,
    /// `text_list`
    TextList,
    /// None that an attribute can have.
    Other,
}

/// Every kind, as they are numbered.
const KINDS: [(Kind, &str); 6] = [
    (Kind::Text, "text"),
    (Kind::Number, "number"),
    (Kind::Boolean, "boolean"),
    (Kind::Date, "date"),
    (Kind::TextList, "text_list"),
    (Kind::Other, "an object or a mixed list"),
];

/// How often, and when last.
#[derive(Debug, Clone, Default)]
pub(super) struct Often {
    pub(super) events: u64,
    pub(super) last: Option<i64>,
    pub(super) types: [u64; KINDS.len()],
}

impl Often {
    fn add(&mut self, at: i64) {
        self.events += 1;
        self.last = self.last.max(Some(at));
    }

    /// The type that all its values seem to have; none where they differ, or nobody looked.
    pub(super) fn kind(&self) -> Option<&'static str> {
        let mut seen = self.types.iter().zip(KINDS).filter(|(number, _)| **number > 0);
        match (seen.next(), seen.next()) {
            (Some((_, (_, name))), None) => Some(name),
            _ => None,
        }
    }

    /// The types of its values, each with how often it was seen.
    pub(super) fn kinds(&self) -> Vec<(u64, &'static str)> {
        let seen = self.types.iter().zip(KINDS).filter(|(number, _)| **number > 0);
        seen.map(|(number, (_, name))| (*number, name)).collect()
    }
}

impl Tally for Often {
    fn weight(&self) -> u64 {
        self.events
    }

    fn absorb(&mut self, other: Self) {
        self.events += other.events;
        self.last = self.last.max(other.last);
        self.types.iter_mut().zip(other.types).for_each(|(mine, theirs)| *mine += theirs);
    }
}

/// A configured attribute.
#[derive(Debug, Clone, Default)]
pub(super) struct Attribute {
    pub(super) signed: u64,
    pub(super) unsigned: u64,
    pub(super) locked: u64,
    /// When an unsigned value was last taken, and when the lock last refused one.
    taken: Option<i64>,
    refused: Option<i64>,
    /// Users of whom it came unsigned.
    users: Option<Distinct>,
}

impl Attribute {
    /// Whether its lock was on when an unsigned value last came; none where there was none. A lock may have been set or lifted since the
    /// first one.
    pub(super) fn is_locked(&self) -> Option<bool> {
        (self.taken.is_some() || self.refused.is_some()).then_some(self.refused >= self.taken)
    }

    /// Of how many users it came unsigned, taken or refused.
    pub(super) fn users(&self) -> Option<Count> {
        self.users.as_ref().map(Distinct::count)
    }
}

impl Tally for Attribute {
    fn weight(&self) -> u64 {
        self.signed + self.unsigned + self.locked
    }

    fn absorb(&mut self, other: Self) {
        self.signed += other.signed;
        self.unsigned += other.unsigned;
        self.locked += other.locked;
        self.taken = self.taken.max(other.taken);
        self.refused = self.refused.max(other.refused);
        absorb(&mut self.users, other.users);
    }
}

/// The earlier of two times, of which there may be none.
fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}

fn absorb(mine: &mut Option<Distinct>, theirs: Option<Distinct>) {
    match (mine, theirs) {
        (Some(mine), Some(theirs)) => mine.absorb(&theirs),
        (mine @ None, theirs) => *mine = theirs,
        (Some(_), None) => {}
    }
}

/// A key that verified something.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) often: Often,
    pub(super) types: Bounded<u64>,
}

impl Default for Key {
    fn default() -> Self {
        Self { often: Often::default(), types: Bounded::new(TYPES) }
    }
}

impl Tally for Key {
    fn weight(&self) -> u64 {
        self.often.events
    }

    fn absorb(&mut self, other: Self) {
        self.often.absorb(other.often);
        self.types.merge(other.types);
    }
}

/// How identities of one type of event were proven.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Proofs {
    pub(super) jwt: u64,
    pub(super) hmac: u64,
}

impl Tally for Proofs {
    fn weight(&self) -> u64 {
        self.jwt + self.hmac
    }

    fn absorb(&mut self, other: Self) {
        self.jwt += other.jwt;
        self.hmac += other.hmac;
    }
}

/// What the events of one organization showed.
#[derive(Debug, Clone)]
pub struct Seen {
    bounds: Bounds,
    /// How many events.
    pub(super) events: u64,
    /// When the first and the last one were.
    first: Option<i64>,
    pub(super) last: Option<i64>,
    /// Whether one had no time of its own, and so that of its judgement.
    untimed: bool,
    pub(super) proofs: Bounded<Proofs>,
    pub(super) keys: Bounded<Key>,
    pub(super) attributes: ByOwner<Bounded<Attribute>>,
    pub(super) unconfigured: ByOwner<Bounded<Often>>,
    pub(super) would_reject: Bounded<Often>,
    would_reject_users: Option<Distinct>,
    /// Events that were rejected for having no proof.
    pub(super) refused: u64,
    /// Verified tokens that were looked at, and those without an expiry.
    pub(super) tokens: u64,
    pub(super) endless: u64,
    /// Events in which a company was proven by its hash, and in which one was accepted although its hash did not prove it.
    pub(super) company_proven: u64,
    pub(super) company_unproven: u64,
}

impl Seen {
    /// Nothing yet.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        let (attributes, unconfigured) = (ByOwner::new(bounds.attributes), ByOwner::new(bounds.unconfigured));
        let users = bounds.users.as_ref().map(|(most, key)| Distinct::new(key, *most));
        Self {
            bounds,
            events: 0,
            first: None,
            last: None,
            untimed: false,
            proofs: Bounded::new(CLOSED),
            keys: Bounded::new(CLOSED),
            attributes,
            unconfigured,
            would_reject: Bounded::new(CLOSED),
            would_reject_users: users,
            refused: 0,
            tokens: 0,
            endless: 0,
            company_proven: 0,
            company_unproven: 0,
        }
    }

    /// Counts an event.
    pub fn event(&mut self, event: &Event<'_>) {
        self.events += 1;
        self.first = earlier(self.first, Some(event.at));
        self.last = self.last.max(Some(event.at));
        let kind = event.kind.unwrap_or_default();
        if let Some(key) = event.key {
            let used = self.keys.of(&format!("{}/{key}", event.method));
            used.often.add(event.at);
            *used.types.of(kind) += 1;
            let proofs = self.proofs.of(kind);
            let number = if event.method == Method::Jwt.name() { &mut proofs.jwt } else { &mut proofs.hmac };
            *number += 1;
        }
        if let Some(reason) = event.would_reject {
            self.would_reject.of(reason).add(event.at);
            if let (Some(users), Some(user)) = (&mut self.would_reject_users, event.user) {
                users.add(user);
            }
        }
        self.refused += u64::from(event.reason == Some(Reason::ProofMissing.code()));
        self.tokens += u64::from(event.expires.is_some());
        self.endless += u64::from(event.expires == Some(false));
        self.company_proven += u64::from(event.company_proven);
        self.company_unproven += u64::from(event.company_unproven);
    }

    /// Counts what became of an attribute of an event.
    pub fn attribute(&mut self, (owner, name): (Owner, &str), sent: Sent, event: &Event<'_>) {
        if let Sent::Unconfigured(kind) = sent {
            let often = self.unconfigured.of_mut(owner).of(name);
            often.add(event.at);
            if let Some(number) = kind.and_then(|kind| often.types.get_mut(kind as usize)) {
                *number += 1;
            }
            return;
        }
        let attribute = self.attributes.of_mut(owner).of(name);
        match sent {
            Sent::Signed => attribute.signed += 1,
            Sent::Unsigned => {
                attribute.unsigned += 1;
                attribute.taken = attribute.taken.max(Some(event.at));
            }
            Sent::Locked | Sent::Unconfigured(_) => {
                attribute.locked += 1;
                attribute.refused = attribute.refused.max(Some(event.at));
            }
        }
        if let (Some((most, key)), Some(user), true) = (&self.bounds.users, event.user, sent != Sent::Signed) {
            attribute.users.get_or_insert_with(|| Distinct::new(key, *most)).add(user);
        }
    }

    /// Whether the lock of an attribute was on when an unsigned value last came; none where there was none.
    #[must_use]
    pub fn is_locked(&self, owner: Owner, name: &str) -> Option<bool> {
        self.attributes.of(owner).get(name)?.is_locked()
    }

    /// When its last event was.
    #[must_use]
    pub fn last(&self) -> Option<EventTime> {
        self.last.map(EventTime::from_millis)
    }

    /// Tells that an event was counted that had no time of its own.
    pub(super) fn without_time(&mut self) {
        self.untimed = true;
    }

    /// From the first event to the last, in milliseconds; none where the times of all are not known.
    pub(super) fn span_ms(&self) -> Option<i64> {
        self.last.zip(self.first).filter(|_| !self.untimed).map(|(last, first)| last.saturating_sub(first))
    }

    /// How many users enforcement would refuse something.
    pub(super) fn would_reject_users(&self) -> Option<Count> {
        self.would_reject_users.as_ref().map(Distinct::count)
    }

    /// Adds what another counted of the same organization.
    pub fn add(&mut self, other: Self) {
        self.events += other.events;
        self.first = earlier(self.first, other.first);
        self.last = self.last.max(other.last);
        self.untimed |= other.untimed;
        self.proofs.merge(other.proofs);
        self.keys.merge(other.keys);
        self.attributes.merge(other.attributes);
        self.unconfigured.merge(other.unconfigured);
        self.would_reject.merge(other.would_reject);
        absorb(&mut self.would_reject_users, other.would_reject_users);
        self.refused += other.refused;
        self.tokens += other.tokens;
        self.endless += other.endless;
        self.company_proven += other.company_proven;
        self.company_unproven += other.company_unproven;
    }
}

/// Of organizations that are not told apart, only how many events they had is of use.
impl Default for Seen {
    fn default() -> Self {
        Self::new(Bounds { attributes: 0, unconfigured: 0, users: None })
    }
}

impl Tally for Seen {
    fn weight(&self) -> u64 {
        self.events
    }

    fn absorb(&mut self, other: Self) {
        self.add(other);
    }
}
