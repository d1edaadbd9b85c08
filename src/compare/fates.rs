//! What became of each attribute in one verdict and in the other, side by side.
//!
//! A name can have several fates in one verdict: the signed value is set, the unsigned one beside it dropped. Equal ones are taken
//! off; those that are left stand against each other in the order of [`Fate`], and where one side has more, against nothing.

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::domain::{
    Reason, Value, Verdict,
    verdict::{Attributes, MEMBERSHIP, Refused, Unset},
};

/// What became of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It was set, or a company was joined; signed or not.
    Set(bool),
    /// It was unset; signed or not.
    Unset(bool),
    /// The list of companies was emptied.
    Emptied,
    /// It was rejected.
    Rejected(Reason),
    /// It was dropped.
    Dropped(Reason),
    /// The verdict doesn't name it: the event was rejected before its attributes were looked at.
    Absent,
}

impl Fate {
    /// Whether it reaches whoever trusts verdicts, or is reported to them.
    fn tells(self) -> bool {
        !matches!(self, Self::Dropped(_) | Self::Absent)
    }

    /// One word, and whether it was signed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Set(true) => "set, signed",
            Self::Set(false) => "set, unsigned",
            Self::Unset(true) => "unset, signed",
            Self::Unset(false) => "unset, unsigned",
            Self::Emptied => "emptied",
            Self::Rejected(_) => "rejected",
            Self::Dropped(_) => "dropped",
            Self::Absent => "absent",
        }
    }

    /// Why, of what was refused.
    #[must_use]
    pub fn reason(self) -> Option<Reason> {
        match self {
            Self::Rejected(reason) | Self::Dropped(reason) => Some(reason),
            _ => None,
        }
    }
}

/// As an object: `{"fate": "set", "verified": true}`, `{"fate": "rejected", "reason": "locked"}`.
impl Serialize for Fate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let word = self.name();
        map.serialize_entry("fate", word.split_once(',').map_or(word, |(word, _)| word))?;
        if let Self::Set(verified) | Self::Unset(verified) = self {
            map.serialize_entry("verified", verified)?;
        }
        if let Some(reason) = self.reason() {
            map.serialize_entry("reason", &reason)?;
        }
        map.end()
    }
}

/// An attribute in one verdict.
#[derive(Clone, Copy, PartialEq)]
struct Entry<'a> {
    company: Option<&'a str>,
    position: Option<usize>,
    attribute: &'a str,
    fate: Fate,
    value: Option<Value<'a>>,
}

impl<'a> Entry<'a> {
    /// Whose it is, and which.
    fn key(&self) -> (Option<&'a str>, Option<usize>, &'a str) {
        (self.company, self.position, self.attribute)
    }
}

/// An attribute whose fate is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Difference<'a> {
    /// Its name; `companies` for a membership.
    pub(super) attribute: &'a str,
    /// It is a company's, or the membership in one.
    pub(super) of_company: bool,
    /// In the first verdict, and in the second. Equal ones are of different values.
    pub(super) fates: (Fate, Fate),
}

/// Every attribute whose fate differs. What is dropped in one verdict and absent from the other reaches nobody either way.
pub(super) fn differences<'a>(before: &Verdict<'a>, after: &Verdict<'a>) -> Vec<Difference<'a>> {
    let (before, after) = (entries(before), entries(after));
    let (mut before, mut after) = (before.as_slice(), after.as_slice());
    let mut found = Vec::new();
    while let Some(key) = [before.first(), after.first()].into_iter().flatten().map(Entry::key).min() {
        let (ours, theirs) = (take(&mut before, key), take(&mut after, key));
        pair(ours, theirs, &mut found);
    }
    found
}

/// Takes the entries of this key off the front.
fn take<'l, 'a>(entries: &mut &'l [Entry<'a>], key: (Option<&'a str>, Option<usize>, &'a str)) -> &'l [Entry<'a>] {
    let many = entries.iter().take_while(|entry| entry.key() == key).count();
    let (taken, rest) = entries.split_at_checked(many).unwrap_or_default();
    *entries = rest;
    taken
}

fn pair<'a>(before: &[Entry<'a>], after: &[Entry<'a>], found: &mut Vec<Difference<'a>>) {
    let mut left: Vec<_> = after.iter().collect();
    let mut ours = Vec::new();
    for entry in before {
        match left.iter().position(|other| *other == entry) {
            Some(at) => _ = left.remove(at),
            None => ours.push(entry),
        }
    }
    for at in 0..ours.len().max(left.len()) {
        let sides = (ours.get(at), left.get(at));
        let Some(entry) = sides.0.or(sides.1) else { continue };
        let fate = |side: Option<&&Entry<'_>>| side.map_or(Fate::Absent, |entry| entry.fate);
        let fates = (fate(sides.0), fate(sides.1));
        if fates.0.tells() || fates.1.tells() || (sides.0.is_some() && sides.1.is_some()) {
            let of_company = entry.company.is_some() || entry.position.is_some();
            found.push(Difference { attribute: entry.attribute, of_company, fates });
        }
    }
}

/// Every attribute of a verdict with its fate, in order.
fn entries<'a>(verdict: &Verdict<'a>) -> Vec<Entry<'a>> {
    let mut entries = Vec::new();
    of_owner(&mut entries, None, verdict.attributes, verdict.unset);
    if verdict.companies.is_some_and(<[_]>::is_empty) {
        entries.push(entry(None, MEMBERSHIP, Fate::Emptied));
    }
    for company in verdict.companies.unwrap_or_default() {
        entries.push(entry(Some(company.id), MEMBERSHIP, Fate::Set(company.verified)));
        of_owner(&mut entries, Some(company.id), company.attributes, company.unset);
    }
    let refused = |refused: &Refused<'a>, fate| Entry {
        position: refused.position,
        value: refused.value,
        ..entry(refused.company, refused.attribute, fate)
    };
    entries.extend(verdict.rejected.iter().map(|one| refused(one, Fate::Rejected(one.reason))));
    entries.extend(verdict.dropped.iter().map(|one| refused(one, Fate::Dropped(one.reason))));
    entries.sort_by_key(|entry| (entry.key(), entry.fate));
    entries
}

fn of_owner<'a>(entries: &mut Vec<Entry<'a>>, company: Option<&'a str>, set: Attributes<'a>, unset: &[Unset<'a>]) {
    entries.extend(
        set.0.iter().map(|set| Entry { value: Some(set.value), ..entry(company, set.name, Fate::Set(set.verified)) }),
    );
    entries.extend(unset.iter().map(|unset| entry(company, unset.attribute, Fate::Unset(unset.verified))));
}

fn entry<'a>(company: Option<&'a str>, attribute: &'a str, fate: Fate) -> Entry<'a> {
    Entry { company, position: None, attribute, fate, value: None }
}
