//! A record of the verdict topics as it is read back: what is counted of it, borrowed from the record, and what is kept of it,
//! owned and bounded. Its texts are whatever a sender wrote; nothing here takes them for anything else.

use std::{borrow::Cow, collections::BTreeMap, fmt, sync::OnceLock};

use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::short::shorten;
use crate::domain::verdict::{MEMBERSHIP, Outcome};

/// Bytes of a verdict beyond which it is shortened.
const WHOLE_BYTES: usize = 16 * 1024;

/// A verdict as far as it is counted.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Told<'a> {
    #[serde(deserialize_with = "outcome")]
    pub(crate) verdict: Outcome,
    #[serde(borrow)]
    pub(crate) reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) event: Event<'a>,
    #[serde(borrow)]
    pub(crate) organization: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) user: User<'a>,
    #[serde(borrow)]
    pub(crate) verification: Verification<'a>,
    #[serde(borrow, default)]
    pub(crate) attributes: BTreeMap<Cow<'a, str>, Set>,
    #[serde(borrow, default)]
    pub(crate) unset: Vec<Unset<'a>>,
    #[serde(borrow, default)]
    pub(crate) companies: Option<Vec<Company<'a>>>,
    #[serde(borrow)]
    pub(crate) rejected: Vec<Refused<'a>>,
    #[serde(borrow)]
    pub(crate) dropped: Vec<Refused<'a>>,
    #[serde(borrow)]
    pub(crate) source: Source<'a>,
}

/// Which event.
#[derive(Deserialize)]
pub(crate) struct Event<'a> {
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Option<Cow<'a, str>>,
}

/// Whom it concerns.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User<'a> {
    #[serde(borrow)]
    pub(crate) user_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) email: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) anonymous_id: Option<Cow<'a, str>>,
}

/// How it was proven.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verification<'a> {
    #[serde(borrow)]
    pub(crate) method: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) status: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) key_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) would_reject: Option<Cow<'a, str>>,
}

/// An attribute that was set; its value is not looked at.
#[derive(Deserialize)]
pub(crate) struct Set {
    #[serde(rename = "value")]
    _value: IgnoredAny,
    pub(crate) verified: bool,
}

/// An attribute that was unset.
#[derive(Deserialize)]
pub(crate) struct Unset<'a> {
    #[serde(borrow)]
    pub(crate) attribute: Cow<'a, str>,
    pub(crate) verified: bool,
}

/// A company with its attributes.
#[derive(Deserialize)]
pub(crate) struct Company<'a> {
    #[serde(borrow)]
    pub(crate) id: Cow<'a, str>,
    pub(crate) verified: bool,
    #[serde(borrow)]
    pub(crate) attributes: BTreeMap<Cow<'a, str>, Set>,
    #[serde(borrow)]
    pub(crate) unset: Vec<Unset<'a>>,
}

/// What was rejected or dropped.
#[derive(Deserialize)]
pub(crate) struct Refused<'a> {
    #[serde(borrow)]
    pub(crate) attribute: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) company: Option<Cow<'a, str>>,
    pub(crate) position: Option<u64>,
    #[serde(borrow)]
    pub(crate) reason: Cow<'a, str>,
}

impl Refused<'_> {
    /// Whether it is an attribute of a company, or the membership itself.
    pub(crate) fn of_company(&self) -> bool {
        self.company.is_some() || self.position.is_some()
    }
}

/// Where the event came from.
#[derive(Deserialize)]
pub(crate) struct Source<'a> {
    #[serde(borrow)]
    pub(crate) topic: Cow<'a, str>,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
}

fn outcome<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Outcome, D::Error> {
    let name = Cow::<str>::deserialize(deserializer)?;
    Outcome::named(&name).ok_or_else(|| serde::de::Error::custom("no verdict"))
}

impl<'a> Told<'a> {
    /// Reads a record's value; `None` where it is no verdict.
    pub(crate) fn read(value: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(value).ok()
    }

    /// Every reason, each once: the event's and those of what was rejected of it.
    pub(crate) fn reasons(&self) -> Vec<&str> {
        let mut reasons: Vec<&str> = self.rejected.iter().map(|refused| refused.reason.as_ref()).collect();
        reasons.extend(self.reason.as_deref());
        each_once(reasons)
    }

    /// The reasons of what was dropped, each once.
    fn reasons_of_drops(&self) -> Vec<&str> {
        each_once(self.dropped.iter().map(|dropped| dropped.reason.as_ref()).collect())
    }

    /// Every attribute that was rejected or dropped with the reason, and every other that it names, each once. What was refused comes
    /// first, so that it is the last to find no room.
    fn named(&self) -> Vec<(&str, Option<&str>)> {
        let companies = || self.companies.iter().flatten();
        let refused = self.rejected.iter().chain(&self.dropped);
        let mut named: Vec<_> = refused.map(|refused| (&*refused.attribute, Some(&*refused.reason))).collect();
        let mut names: Vec<&str> = self.attributes.keys().map(AsRef::as_ref).collect();
        names.extend(self.unset.iter().map(|unset| unset.attribute.as_ref()));
        names.extend(companies().map(|_| MEMBERSHIP));
        names.extend(companies().flat_map(|company| company.attributes.keys()).map(AsRef::as_ref));
        names.extend(companies().flat_map(|company| &company.unset).map(|unset| unset.attribute.as_ref()));
        named.extend(names.into_iter().map(|name| (name, None)));
        named.sort_unstable_by_key(|(name, reason)| (reason.is_none(), *name, *reason));
        named.dedup();
        named
    }
}

fn each_once(mut texts: Vec<&str>) -> Vec<&str> {
    texts.sort_unstable();
    texts.dedup();
    texts
}

/// An attribute that a verdict names, and why it was rejected or dropped, where it was.
pub(crate) struct Named {
    pub(crate) attribute: Box<str>,
    pub(crate) reason: Option<Box<str>>,
}

/// Where a record stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) topic: Box<str>,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
}

/// A verdict that is kept: as JSON, and what it is looked for by.
pub(crate) struct Kept {
    /// When the verdict was written, in milliseconds.
    pub(crate) at: i64,
    pub(crate) outcome: Outcome,
    pub(crate) organization: Option<Box<str>>,
    pub(crate) event_type: Option<Box<str>>,
    /// Why the event was rejected as a whole.
    pub(crate) reason: Option<Box<str>>,
    /// That, and the reasons of what was rejected of it, each once.
    pub(crate) reasons: Box<[Box<str>]>,
    /// The reasons of what was dropped, each once.
    pub(crate) dropped: Box<[Box<str>]>,
    /// The attributes that it names.
    pub(crate) named: Box<[Named]>,
    /// The user's id, e-mail address and visitor's id, those that there are.
    pub(crate) users: Box<[Box<str>]>,
    hashes: OnceLock<Box<[[u8; 32]]>>,
    /// The replay that judged the event again; none of a live verdict.
    pub(crate) replay: Option<Box<str>>,
    /// Where the event stands.
    pub(crate) source: Place,
    /// Where the verdict stands.
    pub(crate) record: Place,
    /// The verdict on one line, and whether that is a shortened one.
    pub(crate) json: Box<str>,
    pub(crate) shortened: bool,
}

impl Kept {
    /// Keeps what was read from this value, as a live verdict.
    pub(crate) fn of(told: &Told<'_>, value: &[u8], at: i64, record: Place) -> Option<Self> {
        let shortened = value.len() > WHOLE_BYTES;
        let user = &told.user;
        let users = [&user.user_id, &user.email, &user.anonymous_id].into_iter().flatten().map(|id| id.as_ref().into());
        Some(Self {
            at,
            outcome: told.verdict,
            organization: told.organization.as_deref().map(Into::into),
            event_type: told.event.kind.as_deref().map(Into::into),
            reason: told.reason.as_deref().map(Into::into),
            reasons: fitting(told.reasons(), |reason| reason.len()).map(Into::into).collect(),
            dropped: fitting(told.reasons_of_drops(), |reason| reason.len()).map(Into::into).collect(),
            named: fitting(told.named(), |(name, reason)| name.len() + reason.map_or(0, str::len))
                .map(Named::of)
                .collect(),
            users: users.collect(),
            hashes: OnceLock::new(),
            replay: None,
            source: Place {
                topic: told.source.topic.as_ref().into(),
                partition: told.source.partition,
                offset: told.source.offset,
            },
            record,
            json: json(value, shortened)?,
            shortened,
        })
    }

    /// The SHA-256 of each of `users`.
    pub(crate) fn hashes(&self) -> &[[u8; 32]] {
        self.hashes.get_or_init(|| self.users.iter().map(|user| Sha256::digest(user.as_bytes()).into()).collect())
    }

    /// Bytes in memory, roughly.
    pub(crate) fn bytes(&self) -> usize {
        // What an allocation costs beside its bytes.
        const EACH: usize = 16;
        let texts = [&self.reasons, &self.dropped, &self.users].into_iter().flatten();
        let texts: usize = texts.map(|text| text.len() + size_of::<Box<str>>() + EACH).sum();
        let named =
            |named: &Named| named.attribute.len() + named.reason.as_ref().map_or(0, |reason| reason.len() + EACH);
        let named: usize = self.named.iter().map(|one| named(one) + size_of::<Named>() + EACH).sum();
        size_of::<Self>() + self.json.len() + texts + named + self.source.topic.len() + self.record.topic.len()
    }
}

impl Named {
    fn of((attribute, reason): (&str, Option<&str>)) -> Self {
        Self { attribute: attribute.into(), reason: reason.map(Into::into) }
    }
}

/// As many of these as are kept beside a verdict: all of one that is kept whole, as a rule.
fn fitting<T>(all: Vec<T>, bytes: impl Fn(&T) -> usize) -> impl Iterator<Item = T> {
    const EACH: usize = size_of::<Named>() + 16;
    let mut room = 2 * WHOLE_BYTES;
    all.into_iter().take_while(move |one| {
        let left = room.checked_sub(bytes(one) + EACH);
        room = left.unwrap_or_default();
        left.is_some()
    })
}

/// The verdict on one line. Whoever else writes to the topics may write it on several.
fn json(value: &[u8], shortened: bool) -> Option<Box<str>> {
    if !shortened && !value.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
        return Some(str::from_utf8(value).ok()?.into());
    }
    let mut verdict: Value = serde_json::from_slice(value).ok()?;
    if shortened {
        shorten(&mut verdict, WHOLE_BYTES);
    }
    // What can't be shortened are identities, each of which decode has bounded; whoever else writes to the topics gets no room.
    Some(verdict.to_string()).filter(|text| text.len() <= 2 * WHOLE_BYTES).map(Into::into)
}

/// A verdict is about somebody: it prints where it stands.
impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("source", &self.source).finish_non_exhaustive()
    }
}
