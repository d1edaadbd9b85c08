//! Organizations: all of them, and one in full.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Reading,
    shapes::{Clock, Given, OutcomesView, RecentView},
};
use crate::{
    advice::{self, Case, Item, Owner, Seen},
    count::bounded::{Bounded, Tally as _},
    dashboard::board::{
        Board,
        organization::Organization,
        tally::{Attribute, Recent, Series},
    },
    domain::{Reason, verdict::MEMBERSHIP},
};

/// Which history is to be looked at before advice is followed: the board itself doesn't reach further back, as a rule.
const LAST_WEEK: &str = " --since 7d";

/// Every organization.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Organizations {
    pub(crate) clock: Clock,
    pub(crate) reading: Reading,
    /// How many there are of this search.
    pub(crate) found: usize,
    /// Those with the most rejected and partial verdicts of the last hour first.
    pub(crate) organizations: Vec<OrganizationRow>,
    /// Events of which it isn't known whom they concern.
    pub(crate) nobody: Counts,
    /// Organizations beyond dashboard.organizations, together.
    pub(crate) others: Counts,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrganizationRow {
    pub(crate) organization: String,
    #[serde(flatten)]
    pub(crate) counts: Counts,
    /// The reason of the most verdicts of the last hour; null where none of it had one.
    pub(crate) top_reason: Option<String>,
    /// When its last verdict was written.
    pub(crate) last: Option<i64>,
}

/// How often, by outcome.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counts {
    /// Since `reading.from`.
    pub(crate) total: ByOutcome,
    pub(crate) last_hour: ByOutcome,
    pub(crate) last_day: ByOutcome,
    /// Rejected and partial verdicts of the last hour, by minute.
    pub(crate) refused_hour: Vec<u32>,
}

/// Numbers of verdicts.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct ByOutcome {
    pub(crate) accepted: u64,
    pub(crate) partial: u64,
    pub(crate) rejected: u64,
}

/// One organization in full.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrganizationPage {
    pub(crate) clock: Clock,
    pub(crate) reading: Reading,
    pub(crate) organization: String,
    pub(crate) outcomes: OutcomesView,
    /// What the verdicts show of it; null where none has shown it yet.
    pub(crate) enforcement: Option<Enforcement>,
    /// Why its events were rejected, whole or in part.
    pub(crate) reasons: Vec<Given>,
    /// What enforcement would reject.
    pub(crate) would_reject: Vec<Given>,
    /// How identities were proven.
    pub(crate) proofs: Vec<Proof>,
    /// The keys that still sign.
    pub(crate) keys: Vec<Key>,
    pub(crate) attributes: Attributes,
    pub(crate) company_attributes: Attributes,
    /// Names that arrive and that nobody configured.
    pub(crate) unconfigured: Unconfigured,
    /// What follows from what was seen, as far as verdicts tell; `attrsync advise` knows the settings, too.
    pub(crate) advice: Vec<Item>,
}

/// What happens to an identity that is claimed without proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Enforcement {
    /// The event is rejected.
    Enforced,
    /// It is accepted, and marked.
    Observe,
}

/// How often a kind of proof ended in one way.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Proof {
    /// jwt, hmac or none.
    pub(crate) method: String,
    /// verified, unverified, anonymous or failed.
    pub(crate) status: String,
    pub(crate) verdicts: RecentView,
}

/// A key that verified something.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Key {
    pub(crate) method: String,
    pub(crate) id: String,
    pub(crate) verdicts: RecentView,
}

/// Attributes, and what became of them.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Attributes {
    /// The most frequent first.
    pub(crate) attributes: Vec<AttributeRow>,
    /// Those beyond dashboard.attributes, together.
    pub(crate) others: u64,
}

/// One attribute.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct AttributeRow {
    pub(crate) attribute: String,
    #[serde(flatten)]
    pub(crate) counts: Attribute,
    /// What its lock did with the last unsigned value; null where none came.
    pub(crate) lock: Option<Lock>,
}

/// A lock, which accepts signed values alone. It may have been set or lifted while verdicts were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Lock {
    /// It refused the value.
    On,
    /// The value was taken.
    Off,
}

/// Names that nobody configured.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Unconfigured {
    /// The most frequent first.
    pub(crate) names: Vec<Name>,
    /// How often others came, beyond dashboard.attributes.
    pub(crate) others: u64,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Name {
    pub(crate) name: String,
    pub(crate) events: RecentView,
}

/// Answers those whose slug holds this text, so many at most.
pub(crate) fn organizations(board: &Board, reading: Reading, by: (&str, usize), now: i64) -> Organizations {
    let (search, limit) = by;
    let refused = |organization: &Organization| {
        let outcomes = &organization.outcomes;
        outcomes.rejected.recent.hour.whole(now) + outcomes.partial.recent.hour.whole(now)
    };
    let sorted = board.organizations.by(|organization| (refused(organization), organization.weight()));
    let found: Vec<_> = sorted.into_iter().filter(|(slug, _)| slug.contains(search)).collect();
    let row = |(slug, organization): &(&str, &Organization)| OrganizationRow {
        organization: (*slug).to_owned(),
        counts: counts(organization, now),
        top_reason: top_reason(organization, now),
        last: organization.outcomes.last(),
    };
    Organizations {
        clock: Clock::at(now),
        reading,
        found: found.len(),
        organizations: found.iter().take(limit).map(row).collect(),
        nobody: counts(&board.nobody, now),
        others: counts(board.organizations.rest(), now),
    }
}

fn top_reason(organization: &Organization, now: i64) -> Option<String> {
    let sorted = organization.reasons.by(|recent| recent.hour.whole(now)).into_iter();
    sorted.take(1).find(|(_, recent)| recent.hour.whole(now) > 0).map(|(code, _)| code.to_owned())
}

fn counts(organization: &Organization, now: i64) -> Counts {
    let outcomes = &organization.outcomes;
    let by = |count: &dyn Fn(&Series) -> u64| ByOutcome {
        accepted: count(&outcomes.accepted),
        partial: count(&outcomes.partial),
        rejected: count(&outcomes.rejected),
    };
    let [partial, rejected] = [&outcomes.partial, &outcomes.rejected].map(|series| series.recent.hour.until(now));
    Counts {
        total: by(&|series| series.recent.total),
        last_hour: by(&|series| series.recent.hour.whole(now)),
        last_day: by(&|series| series.day.whole(now)),
        refused_hour: partial
            .iter()
            .zip(&rejected)
            .map(|(partial, rejected)| partial.saturating_add(*rejected))
            .collect(),
    }
}

/// Answers one of them; `None` where none of this slug is told apart.
pub(crate) fn organization(board: &Board, reading: Reading, slug: &str, now: i64) -> Option<OrganizationPage> {
    let organization = board.organizations.get(slug)?;
    Some(OrganizationPage {
        clock: Clock::at(now),
        reading,
        organization: slug.to_owned(),
        outcomes: OutcomesView::of(&organization.outcomes, now),
        enforcement: enforcement(organization),
        reasons: Given::all(&organization.reasons, now),
        would_reject: Given::all(&organization.would_reject, now),
        proofs: pairs(&organization.proofs, now, |method, status, verdicts| Proof { method, status, verdicts }),
        keys: pairs(&organization.keys, now, |method, id, verdicts| Key { method, id, verdicts }),
        attributes: attributes((&organization.attributes, Owner::User), &organization.seen),
        company_attributes: attributes((&organization.company_attributes, Owner::Company), &organization.seen),
        unconfigured: unconfigured(&organization.unconfigured, now),
        advice: advice::advise(&Case {
            slug,
            seen: &organization.seen,
            settings: None,
            part: None,
            history: Some(LAST_WEEK),
        }),
    })
}

fn enforcement(organization: &Organization) -> Option<Enforcement> {
    // The settings may have changed: what was seen last counts.
    let observed = organization.would_reject.iter().filter_map(|(_, recent)| recent.last).max();
    let enforced = organization.reasons.get(Reason::ProofMissing.code()).and_then(|recent| recent.last);
    match (observed, enforced) {
        (None, None) => None,
        (observed, enforced) if observed > enforced => Some(Enforcement::Observe),
        _ => Some(Enforcement::Enforced),
    }
}

/// A table whose names are pairs with a slash between them.
fn pairs<T>(table: &Bounded<Recent>, now: i64, make: impl Fn(String, String, RecentView) -> T) -> Vec<T> {
    let sorted = table.by(|recent| recent.total).into_iter();
    let pair = |(name, recent): (&str, &Recent)| {
        let (first, second) = name.split_once('/').unwrap_or((name, ""));
        make(first.to_owned(), second.to_owned(), RecentView::of(recent, now))
    };
    sorted.map(pair).collect()
}

fn attributes((table, owner): (&Bounded<Attribute>, Owner), seen: &Seen) -> Attributes {
    let lock = |name: &str| {
        // The membership stands among what is of companies, and is the user's.
        let owner = if name == MEMBERSHIP { Owner::User } else { owner };
        seen.is_locked(owner, name).map(|on| if on { Lock::On } else { Lock::Off })
    };
    let row = |(name, attribute): (&str, &Attribute)| AttributeRow {
        attribute: name.to_owned(),
        counts: attribute.clone(),
        lock: lock(name),
    };
    let sorted = table.by(crate::count::bounded::Tally::weight);
    Attributes { attributes: sorted.into_iter().map(row).collect(), others: table.rest().weight() }
}

fn unconfigured(table: &Bounded<Recent>, now: i64) -> Unconfigured {
    let name = |(name, recent): (&str, &Recent)| Name { name: name.to_owned(), events: RecentView::of(recent, now) };
    let sorted = table.by(|recent| recent.total);
    Unconfigured { names: sorted.into_iter().map(name).collect(), others: table.rest().weight() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        dashboard::board::{
            Limits,
            samples::{self, NOW},
        },
        domain::verdict::Outcome,
    };

    const LIMITS: Limits = Limits { organizations: 4, attributes: 4, verdicts: 4, verdicts_bytes: 1 << 20 };

    #[test]
    fn what_most_is_for_is_told_of_an_hour_in_which_it_was() {
        let mut board = Board::new(LIMITS);
        samples::feed(&mut board, &samples::verdict(Outcome::Rejected, 1), NOW);
        let top = |now| organizations(&board, Reading::default(), ("", 10), now).organizations[0].top_reason.clone();
        assert_eq!(top(NOW).as_deref(), Some("signature_invalid"));
        assert_eq!(top(NOW + 3_600_000), None);
    }

    #[test]
    fn a_lock_that_was_set_or_lifted_is_told_as_it_is() {
        let value = |locked: bool, at: i64| {
            let mut verdict = samples::verdict(if locked { Outcome::Partial } else { Outcome::Accepted }, 1);
            verdict["attributes"]["roles"] = json!({"value": ["a"], "verified": true});
            if locked {
                verdict["rejected"] = json!([{"attribute": "plan", "company": null, "reason": "locked"}]);
            } else {
                verdict["attributes"]["plan"] = json!({"value": "Pro", "verified": false});
            }
            (verdict, NOW + at)
        };
        for (fed, told) in [
            ([value(false, 0), value(true, 1)], Lock::On),
            ([value(true, 1), value(false, 0)], Lock::On),
            ([value(true, 0), value(false, 1)], Lock::Off),
        ] {
            let mut board = Board::new(LIMITS);
            fed.iter().for_each(|(verdict, at)| samples::feed(&mut board, verdict, *at));
            let page = organization(&board, Reading::default(), "acme", NOW).unwrap();
            let locks: Vec<_> = page.attributes.attributes.iter().map(|row| (&*row.attribute, row.lock)).collect();
            assert_eq!(locks, [("plan", Some(told)), ("roles", None)]);
            let advised = page.advice.iter().any(|item| item.about == "plan");
            assert_eq!(
                advised,
                told == Lock::On,
                "nobody signs it: a lock would refuse all, and one that is off does nothing"
            );
        }
    }
}
