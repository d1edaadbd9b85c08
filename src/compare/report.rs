//! A comparison as it is told: sorted, the most frequent first, each example with the command that looks at it. The JSON of
//! `attrsync replay --compare … --json` is this, and the table and the page are made of it.

use serde::Serialize;

use super::{
    Brief, Comparison, Fate, Kind, OfKind, Spell, Ways,
    tallies::{Attribute, Matrix, Organization},
};
use crate::{
    count::{
        bounded::{Bounded, Tally},
        distinct::Count,
    },
    domain::{EventTime, Reason, verdict::Outcome},
};

/// Settings that judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    /// How they were named: `now`, a file, or `at:` and a time.
    pub settings: String,
    /// Their version.
    pub version: u64,
}

/// Where an event stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// The line of a file, where that stands in for a part of this: nowhere in Kafka it is found by it.
    #[serde(skip)]
    pub line: Option<i64>,
}

/// What changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The first settings.
    pub before: Side,
    /// The second settings.
    pub after: Side,
    /// Offsets that were asked for and that their topic no longer keeps.
    pub gone: u64,
    /// Events judged, by each settings once.
    pub records: u64,
    /// Events whose verdict is another.
    pub changed: Change,
    /// Different users of events that change.
    pub users: Count,
    /// Events that change and name nobody.
    pub without_user: u64,
    /// Events by their verdict before and after.
    pub verdicts: Vec<Flow>,
    /// What changes, by verdict and reason; the most frequent first.
    pub kinds: Vec<Turn>,
    /// Organizations of which an event changes; the most concerned first.
    pub organizations: Vec<OrganizationChange>,
    /// What changes of organizations that are not told apart.
    pub other_organizations: OtherOrganizations,
    /// Who sent what changes.
    pub senders: Senders,
    /// When the events happened.
    pub timeline: Timeline,
}

/// How many events change, and which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Change {
    /// All of them.
    pub events: u64,
    /// By the way that they go.
    #[serde(flatten)]
    pub ways: Ways,
}

/// Events of one verdict before and one after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Flow {
    /// Before.
    pub from: Outcome,
    /// After.
    pub to: Outcome,
    /// How many, those included that do not change.
    pub events: u64,
}

/// A verdict in brief.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct End {
    /// Accepted, partial or rejected.
    pub verdict: Outcome,
    /// Why, of a rejected event.
    pub reason: Option<Reason>,
}

/// One kind of change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Turn {
    /// Before.
    pub from: End,
    /// After.
    pub to: End,
    /// How many events.
    pub events: u64,
    /// Of how many users.
    pub users: Count,
    /// A few of them.
    pub examples: Vec<Example>,
}

/// An event that changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Example {
    /// Where it stands.
    #[serde(flatten)]
    pub place: Place,
    /// Event time.
    pub time: EventTime,
    /// Its organization.
    pub organization: Option<String>,
    /// The command that looks at it, by the second settings; null where its topic can't stand in a shell's line.
    pub command: Option<String>,
}

/// What changes of one organization.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationChange {
    /// Its slug; null for events of which it isn't known whose they are.
    pub organization: Option<String>,
    /// Its events, those included that do not change; null where there are too many organizations to know how many these are. Where it
    /// is null and `otherOrganizations` has some, its other numbers are the least that there may be.
    pub events: Option<u64>,
    /// Those that change.
    pub changed: Change,
    /// Of how many users.
    pub users: Option<Count>,
    /// By verdict: all of `events`, or where that is null those that change.
    pub verdicts: Vec<Flow>,
    /// What becomes of its attributes; the most frequent first.
    pub attributes: Vec<AttributeChange>,
    /// Changes of attributes that are not told apart.
    pub other_attributes: u64,
}

/// What changes of organizations that are not told apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OtherOrganizations {
    /// Their events that change.
    pub changed: Change,
    /// The same by verdict.
    pub verdicts: Vec<Flow>,
}

/// What becomes of an attribute in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttributeChange {
    /// Its name; `companies` for a membership.
    pub attribute: String,
    /// `user` or `company`.
    pub of: &'static str,
    /// Before.
    pub from: Fate,
    /// After; where it is the same as before, the value is another.
    pub to: Fate,
    /// How often.
    pub events: u64,
}

/// Who sends what changes; the most concerned first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Senders {
    /// By the type of the event.
    pub event_types: Vec<Sender>,
    /// By what proves the identity: `jwt/` or `hmac/` and the key's id; the method alone where no key verified it.
    pub keys: Vec<Sender>,
    /// By the SDK, where the event's context names it.
    pub sdks: Vec<Sender>,
}

/// A sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sender {
    /// Its name; null for all that are not told apart.
    pub name: Option<String>,
    /// What changes of it.
    #[serde(flatten)]
    pub changed: Change,
}

/// Events by time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// The width of each span.
    pub width_ms: i64,
    /// The spans in which events happened.
    pub spans: Vec<Span>,
}

/// The events of one span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Span {
    /// When it begins.
    pub from: EventTime,
    /// How many events did what.
    #[serde(flatten)]
    pub events: Spell,
}

impl Report {
    /// Tells a comparison. `explain` makes the command that looks at an event.
    #[must_use]
    pub fn of(
        comparison: &Comparison,
        ((before, after), gone): ((Side, Side), u64),
        explain: &dyn Fn(&Place) -> Option<String>,
    ) -> Self {
        let Comparison { matrix, ways, users, nobody, kinds, organizations, unchanged, .. } = comparison;
        let mut kinds: Vec<_> = kinds.iter().map(|(kind, of)| turn(*kind, of, explain)).collect();
        kinds.sort_by_key(|turn| std::cmp::Reverse(turn.events));
        let concerned = organizations.by(|organization| organization.ways.all());
        let told = concerned.into_iter().map(|(slug, one)| {
            // Beside all that stays as it is only all that changes makes a whole.
            let unchanged = unchanged.of(slug).filter(|_| organizations.is_whole(slug));
            of_organization(slug, one, unchanged.as_ref())
        });
        let (width_ms, spans) = comparison.timeline.told();
        Self {
            before,
            after,
            gone,
            records: matrix.all(),
            changed: Change::of(*ways),
            users: users.count(),
            without_user: *nobody,
            verdicts: flows(matrix),
            kinds,
            organizations: told.collect(),
            other_organizations: OtherOrganizations {
                changed: Change::of(organizations.rest().ways),
                verdicts: flows(&organizations.rest().matrix),
            },
            senders: Senders {
                event_types: senders(&comparison.event_types),
                keys: senders(&comparison.keys),
                sdks: senders(&comparison.sdks),
            },
            timeline: Timeline {
                width_ms,
                spans: spans
                    .into_iter()
                    .map(|(from, events)| Span { from: EventTime::from_millis(from), events })
                    .collect(),
            },
        }
    }

    /// How many events had this verdict before, and have it after.
    #[must_use]
    pub fn totals(&self, outcome: Outcome) -> (u64, u64) {
        let sum =
            |mine: &dyn Fn(&Flow) -> bool| self.verdicts.iter().filter(|flow| mine(flow)).map(|flow| flow.events).sum();
        (sum(&|flow| flow.from == outcome), sum(&|flow| flow.to == outcome))
    }

    /// Whether more may change of an organization than is told: it isn't whole, and some of what isn't told apart may be its own.
    #[must_use]
    pub fn may_be_more(&self, one: &OrganizationChange) -> bool {
        one.events.is_none() && self.other_organizations.changed.events > 0
    }
}

impl Change {
    fn of(ways: Ways) -> Self {
        Self { events: ways.all(), ways }
    }
}

/// Every pair of verdicts that some event has.
fn flows(matrix: &Matrix) -> Vec<Flow> {
    let pairs = Outcome::ALL.into_iter().flat_map(|from| Outcome::ALL.map(|to| (from, to)));
    pairs.map(|(from, to)| Flow { from, to, events: matrix.of(from, to) }).filter(|flow| flow.events > 0).collect()
}

fn turn((from, to): Kind, of: &OfKind, explain: &dyn Fn(&Place) -> Option<String>) -> Turn {
    let end = |Brief { outcome, reason }| End { verdict: outcome, reason };
    let examples = of.examples.iter().map(|example| {
        let place = Place {
            topic: example.topic.to_string(),
            partition: example.partition,
            offset: example.offset.0,
            line: example.line,
        };
        Example {
            time: EventTime::from_millis(example.time),
            organization: example.organization.as_deref().map(str::to_owned),
            command: explain(&place),
            place,
        }
    });
    Turn { from: end(from), to: end(to), events: of.events, users: of.users.count(), examples: examples.collect() }
}

fn of_organization(slug: &str, organization: &Organization, unchanged: Option<&Matrix>) -> OrganizationChange {
    let mut matrix = organization.matrix;
    if let Some(unchanged) = unchanged {
        matrix.absorb(unchanged);
    }
    let mut attributes = attributes("user", &organization.attributes);
    attributes.extend(self::attributes("company", &organization.company_attributes));
    attributes.sort_by_key(|change| std::cmp::Reverse(change.events));
    OrganizationChange {
        organization: (!slug.is_empty()).then(|| slug.to_owned()),
        events: unchanged.map(|_| matrix.all()),
        changed: Change::of(organization.ways),
        users: organization.users.as_ref().map(super::Distinct::count),
        verdicts: flows(&matrix),
        attributes,
        other_attributes: organization.attributes.rest().weight() + organization.company_attributes.rest().weight(),
    }
}

fn attributes(of: &'static str, table: &Bounded<Attribute>) -> Vec<AttributeChange> {
    let each = table
        .iter()
        .flat_map(|(name, attribute)| attribute.0.iter().map(move |(fates, events)| (name, *fates, *events)));
    each.map(|(name, (from, to), events)| AttributeChange { attribute: name.to_owned(), of, from, to, events })
        .collect()
}

fn senders(table: &Bounded<Ways>) -> Vec<Sender> {
    let named = table
        .by(Tally::weight)
        .into_iter()
        .map(|(name, ways)| Sender { name: Some(name.to_owned()), changed: Change::of(*ways) });
    let rest = Sender { name: None, changed: Change::of(*table.rest()) };
    named.chain(Some(rest).filter(|rest| rest.changed.events > 0)).collect()
}
