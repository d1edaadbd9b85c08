//! Properties of a comparison: against itself it finds nothing, the other way round it is its mirror, and made in parts it is the same.

use std::hash::RandomState;

use proptest::prelude::*;

use super::{
    Comparison, Judged, Report, Side, Ways, html,
    report::{Flow, OrganizationChange},
};
use crate::domain::{
    Arena, EventTime, Offset, Partition, Policy, Position, Reason, Record, Value, Verdict,
    verdict::{
        Attributes, EventHead, Method, Outcome, Refused, SetAttribute, Source, Status, Unset, User, Verification,
    },
};

const POSITION: Position<'_> = Position { topic: "events", partition: Partition(0), offset: Offset(7) };
const RECORD: Record<'_> =
    Record { position: POSITION, timestamp: None, key: None, headers: &[], value: None, line: None };

/// A verdict that owns its parts.
#[derive(Debug, Clone)]
struct Owned {
    outcome: Outcome,
    reason: Option<Reason>,
    organization: Option<String>,
    user: Option<String>,
    key: Option<String>,
    set: Vec<(String, bool, bool)>,
    unset: Vec<(String, bool)>,
    rejected: Vec<(String, bool, Reason)>,
    dropped: Vec<(String, bool, Reason)>,
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c]", "<img src=x>", "\u{1b}\\[2J", "x{200,300}"]
}

fn why() -> impl Strategy<Value = Reason> {
    prop::sample::select(vec![Reason::Locked, Reason::NotConfigured, Reason::Archived, Reason::ProofMissing])
}

prop_compose! {
    fn owned()(
        outcome in prop::sample::select(Outcome::ALL.to_vec()),
        reason in prop::option::of(why()), organization in prop::option::of(name()),
        user in prop::option::of("[1-3]"), key in prop::option::of("[kl]"),
        set in prop::collection::vec((name(), any::<bool>(), any::<bool>()), 0..3),
        unset in prop::collection::vec((name(), any::<bool>()), 0..2),
        rejected in prop::collection::vec((name(), any::<bool>(), why()), 0..3),
        dropped in prop::collection::vec((name(), any::<bool>(), why()), 0..3),
    ) -> Owned {
        Owned { outcome, reason, organization, user, key, set, unset, rejected, dropped }
    }
}

impl Owned {
    fn verdict<'a>(&'a self, arena: &'a Arena) -> Verdict<'a> {
        let refused = |list: &'a [(String, bool, Reason)]| {
            let refused = list.iter().map(|(attribute, of_company, reason)| Refused {
                attribute,
                company: of_company.then_some("c1"),
                position: None,
                reason: *reason,
                hint: None,
                value: None,
            });
            arena.slice(&refused.collect::<Vec<_>>()).iter().as_slice()
        };
        let set = self.set.iter().map(|(name, verified, yes)| SetAttribute {
            name,
            value: Value::Bool(*yes),
            verified: *verified,
        });
        let unset = self.unset.iter().map(|(attribute, verified)| Unset { attribute, verified: *verified });
        Verdict {
            outcome: self.outcome,
            reason: self.reason,
            event: EventHead { id: "e", kind: Some("identify"), time: EventTime::from_millis(0) },
            organization: self.organization.as_deref(),
            user: User { user_id: self.user.as_deref(), ..User::default() },
            verification: Verification {
                method: if self.key.is_some() { Method::Jwt } else { Method::None },
                status: self.key.as_ref().map(|_| Status::Verified),
                key_id: self.key.as_deref(),
                would_reject: None,
            },
            attributes: Attributes(arena.slice(&set.collect::<Vec<_>>())),
            unset: arena.slice(&unset.collect::<Vec<_>>()),
            companies: None,
            rejected: refused(&self.rejected),
            dropped: refused(&self.dropped),
            detail: None,
            hint: None,
            source: Source::of(POSITION, None),
            settings_version: 1,
        }
    }
}

fn count(comparison: &mut Comparison, before: &Owned, after: &Owned) {
    let (arena, policy) = (Arena::new(), Policy::default());
    let judged = Judged { record: &RECORD, arena: &arena, policy: &policy };
    comparison.count(judged, &before.verdict(&arena), &after.verdict(&arena));
}

fn told(comparison: &Comparison) -> Report {
    let side = || Side { settings: "now".to_owned(), version: 1 };
    Report::of(comparison, ((side(), side()), 0), &|_| None)
}

fn compared(pairs: &[(Owned, Owned)]) -> Report {
    let mut comparison = Comparison::new(&RandomState::new());
    pairs.iter().for_each(|(before, after)| count(&mut comparison, before, after));
    told(&comparison)
}

/// The report with its two sides exchanged.
fn mirrored(mut report: Report) -> Report {
    let flows = |flows: &mut Vec<Flow>| {
        flows.iter_mut().for_each(|flow| std::mem::swap(&mut flow.from, &mut flow.to));
        flows.sort_by_key(|flow| (flow.from, flow.to));
    };
    let swap = |ways: &mut Ways| std::mem::swap(&mut ways.stricter, &mut ways.milder);
    flows(&mut report.verdicts);
    flows(&mut report.other_organizations.verdicts);
    swap(&mut report.other_organizations.changed.ways);
    swap(&mut report.changed.ways);
    report.kinds.iter_mut().for_each(|turn| std::mem::swap(&mut turn.from, &mut turn.to));
    for one in &mut report.organizations {
        flows(&mut one.verdicts);
        swap(&mut one.changed.ways);
        one.attributes.iter_mut().for_each(|change| std::mem::swap(&mut change.from, &mut change.to));
    }
    let senders = &mut report.senders;
    for sender in senders.event_types.iter_mut().chain(&mut senders.keys).chain(&mut senders.sdks) {
        swap(&mut sender.changed.ways);
    }
    for span in &mut report.timeline.spans {
        swap(&mut span.events.ways);
    }
    in_order(report)
}

/// Equal numbers come in an order that depends on what stands beside them.
fn in_order(mut report: Report) -> Report {
    report.kinds.sort_by_key(|turn| format!("{:?}{:?}", turn.from, turn.to));
    for one in &mut report.organizations {
        one.attributes.sort_by_key(|change| format!("{change:?}"));
    }
    report
}

proptest! {
    #[test]
    fn the_other_way_round_it_is_the_mirror(pairs in prop::collection::vec((owned(), owned()), 0..20)) {
        let back: Vec<_> = pairs.iter().map(|(before, after)| (after.clone(), before.clone())).collect();
        prop_assert_eq!(in_order(compared(&pairs)), mirrored(compared(&back)));
    }

    #[test]
    fn against_itself_nothing_changes(verdicts in prop::collection::vec(owned(), 0..20)) {
        let pairs: Vec<_> = verdicts.iter().map(|verdict| (verdict.clone(), verdict.clone())).collect();
        let report = compared(&pairs);
        prop_assert_eq!((report.records, report.changed.events), (verdicts.len() as u64, 0));
        prop_assert!(report.kinds.is_empty() && report.organizations.is_empty());
    }

    #[test]
    fn in_parts_it_is_the_same(pairs in prop::collection::vec((owned(), owned()), 0..20), cut in 0_usize..20) {
        let key = RandomState::new();
        let (mut whole, mut one, mut other) = (Comparison::new(&key), Comparison::new(&key), Comparison::new(&key));
        for (at, (before, after)) in pairs.iter().enumerate() {
            count(&mut whole, before, after);
            count(if at < cut { &mut one } else { &mut other }, before, after);
        }
        one.absorb(other);
        prop_assert_eq!(in_order(told(&one)), in_order(told(&whole)));
    }
}

fn accepted(organization: &str) -> Owned {
    Owned {
        outcome: Outcome::Accepted,
        reason: None,
        organization: Some(organization.to_owned()),
        user: None,
        key: None,
        set: Vec::new(),
        unset: Vec::new(),
        rejected: Vec::new(),
        dropped: Vec::new(),
    }
}

/// The event is judged alike, or rejected by the second settings.
fn judge(comparison: &mut Comparison, organization: &str, rejected: bool) {
    let before = accepted(organization);
    let after = Owned { outcome: Outcome::Rejected, reason: Some(Reason::ProofMissing), ..before.clone() };
    count(comparison, &before, if rejected { &after } else { &before });
}

#[test]
fn whoever_is_concerned_has_a_place_however_many_busy_ones_keep_their_verdicts() {
    let key = RandomState::new();
    let (mut one, mut other) = (Comparison::new(&key), Comparison::new(&key));
    for round in 0..60 {
        for number in 0..2_000 {
            judge(if number % 2 == 0 { &mut one } else { &mut other }, &format!("busy-{number}"), false);
        }
        judge(if round % 2 == 0 { &mut one } else { &mut other }, "concerned", round >= 10);
    }
    one.absorb(other);
    let report = told(&one);
    let told: Vec<_> =
        report.organizations.iter().map(|one| (one.organization.as_deref(), one.changed.events, one.events)).collect();
    assert_eq!(told, [(Some("concerned"), 50, Some(60))]);
    let verdicts: Vec<_> =
        report.organizations[0].verdicts.iter().map(|flow| (flow.from, flow.to, flow.events)).collect();
    assert_eq!(verdicts, [(Outcome::Accepted, Outcome::Accepted, 10), (Outcome::Accepted, Outcome::Rejected, 50)]);
    assert_eq!((report.records, report.changed.events), (60 * 2_001, 50));
    assert_eq!(report.other_organizations.changed.events, 0);
    assert!(!html::page(&report).contains("not told apart"));
}

#[test]
fn what_changes_of_organizations_without_a_place_is_told() {
    let mut comparison = Comparison::new(&RandomState::new());
    for number in 0..700 {
        for rejected in [true, false] {
            judge(&mut comparison, &format!("one-{number}"), rejected);
        }
        judge(&mut comparison, "most", true);
    }
    let report = told(&comparison);
    assert_eq!(report.organizations[0].organization.as_deref(), Some("most"));
    assert_eq!((report.organizations[0].changed.events, report.organizations.len()), (700, super::ORGANIZATIONS));
    let others = &report.other_organizations;
    assert_eq!((others.changed.events, others.changed.ways.stricter), (201, 201));
    let told: u64 = report.organizations.iter().map(|one| one.changed.events).sum();
    assert_eq!(told + others.changed.events, report.changed.events);
    let rest = &report.organizations[1..];
    assert!(rest.iter().all(|one| one.changed.events == 1 && one.events.is_none_or(|events| events == 2)));
    // Nobody knows of the last ones that no event of theirs came before.
    assert_eq!(rest.iter().filter(|one| one.events.is_none()).count(), 201);
    let page = html::page(&report);
    assert!(page.contains("201 events more of organizations that are not told apart: 201 stricter."), "{page}");
}

/// Each of 700 organizations sends ten events that change and ten that don't, in turn; who counts one is chosen by its turn and number.
fn crowded<const PARTS: usize>(part: impl Fn(usize, usize) -> usize) -> Report {
    let key = RandomState::new();
    let mut parts = [(); PARTS].map(|()| Comparison::new(&key));
    for turn in 0..10 {
        for number in 0..700 {
            for rejected in [true, false] {
                judge(&mut parts[part(turn, number)], &format!("one-{number}"), rejected);
            }
        }
    }
    let whole = parts.into_iter().reduce(|mut one, other| {
        one.absorb(other);
        one
    });
    told(&whole.unwrap())
}

#[test]
fn of_an_organization_that_had_to_make_room_no_part_is_told_as_the_whole() {
    // How they are counted, and whether some of those that are told apart are whole, and some are not.
    let reports = [
        ("at once", crowded::<1>(|_, _| 0), [true, true]),
        ("turn by turn", crowded::<2>(|turn, _| turn % 2), [true, true]),
        ("half each", crowded::<2>(|_, number| number % 2), [true, false]),
        ("few beside many", crowded::<2>(|turn, number| usize::from(turn == 0 && number >= 600)), [true, true]),
        ("many beside few", crowded::<2>(|turn, number| usize::from(turn > 0 || number < 600)), [true, true]),
        ("event by event", crowded::<3>(|turn, number| (turn + number) % 3), [false, true]),
    ];
    for (how, report, expected) in reports {
        let told = &report.organizations;
        assert_eq!((report.records, report.changed.events, told.len()), (14_000, 7_000, super::ORGANIZATIONS), "{how}");
        let apart: u64 = told.iter().map(|one| one.changed.events).sum();
        assert_eq!(apart + report.other_organizations.changed.events, 7_000, "{how}");
        let (whole, part): (Vec<_>, Vec<_>) = told.iter().partition(|one| one.events.is_some());
        assert_eq!([&whole, &part].map(|some| !some.is_empty()), expected, "{how}");
        assert!(whole.iter().all(|one| (one.changed.events, one.events) == (10, Some(20))), "{how}");
        assert!(part.iter().all(|one| one.changed.events <= 10 && report.may_be_more(one)), "{how}");
        assert!(whole.iter().all(|one| !report.may_be_more(one)), "{how}");
        let flows = |one: &OrganizationChange| one.verdicts.iter().map(|flow| flow.events).sum::<u64>();
        assert!(told.iter().all(|one| flows(one) == one.events.unwrap_or(one.changed.events)), "{how}");
    }
}

#[test]
fn of_an_organization_that_is_not_whole_the_page_says_at_least() {
    let mut comparison = Comparison::new(&RandomState::new());
    for number in 0..=super::ORGANIZATIONS {
        let before = Owned { user: Some("1".to_owned()), ..accepted(&format!("one-{number:03}")) };
        let after = Owned { outcome: Outcome::Rejected, reason: Some(Reason::ProofMissing), ..before.clone() };
        count(&mut comparison, &before, &after);
    }
    let mut report = told(&comparison);
    report.organizations.sort_by_key(|one| one.events.is_some());
    let page = html::page(&report);
    assert!(page.contains("at least 1 event changes, of an unknown number, of at least 1 user: 1 stricter"), "{page}");
    assert!(page.contains(">1 of 1 events change (100%), of 1 user: 1 stricter"), "{page}");
}

#[test]
fn where_verdicts_go_is_told_in_words_even_where_none_goes_anywhere() {
    let page = |rejected| {
        let mut comparison = Comparison::new(&RandomState::new());
        judge(&mut comparison, "acme", rejected);
        html::page(&told(&comparison))
    };
    assert!(page(true).contains("aria-label=\"1 go from accepted to rejected.\""));
    assert!(page(false).contains("aria-label=\"No verdict goes to another outcome.\""));
}

#[test]
fn beside_more_organizations_than_are_counted_it_is_said_what_is_not_known() {
    let mut comparison = Comparison::new(&RandomState::new());
    comparison.unchanged = super::Unchanged::new(&comparison.key, 2);
    for organization in ["a", "b", "c"] {
        judge(&mut comparison, organization, false);
        judge(&mut comparison, organization, true);
    }
    let report = told(&comparison);
    let told: Vec<_> = report.organizations.iter().map(|one| (one.changed.events, one.events)).collect();
    assert_eq!(told, [(1, Some(2)), (1, Some(2)), (1, None)]);
    assert!(html::page(&report).contains(">1 event changes, of an unknown number: 1 stricter"));
}

#[test]
fn whatever_names_events_bring_the_report_stays_small() {
    let mut comparison = Comparison::new(&RandomState::new());
    let mut owned = accepted("");
    for number in 0..20_000 {
        owned.organization = Some(format!("made-up-{}", number % 3_000));
        owned.user = Some(number.to_string());
        owned.set = vec![(format!("name-{number}"), true, true)];
        let after =
            Owned { outcome: Outcome::Rejected, reason: Some(Reason::ProofMissing), set: Vec::new(), ..owned.clone() };
        count(&mut comparison, &owned, &after);
    }
    let report = told(&comparison);
    assert_eq!((report.records, report.changed.ways.stricter), (20_000, 20_000));
    assert!(report.users.estimated && report.users.number.abs_diff(20_000) < 1_200, "{}", report.users);
    assert!(report.organizations.len() <= super::ORGANIZATIONS);
    let others: u64 = report.other_organizations.verdicts.iter().map(|flow| flow.events).sum();
    assert_eq!(report.organizations.iter().map(|one| one.changed.events).sum::<u64>() + others, 20_000);
    assert_eq!(report.kinds[0].examples.len(), 3);
}
