//! The board's sums are those of what it was fed, whatever that is, and its size is bounded.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    Board, Limits,
    filter::{Filter, Who},
    samples::{self, NOW},
    told::Told,
};
use crate::{
    advice::{Advice, Case, Item, advise},
    count::bounded::Tally,
    domain::verdict::Outcome,
};

const LIMITS: Limits = Limits { organizations: 5, attributes: 4, verdicts: 20, verdicts_bytes: 200_000 };

/// Names as a hostile sender makes them.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-d]", "<img src=x onerror=alert\\(1\\)>", "\u{1b}\\[2J[a-z]{0,3}", "__proto__", "x{200,400}"]
}

prop_compose! {
    fn company()(
        verified: bool, set in prop::collection::btree_map(name(), any::<bool>(), 0..3), unset in prop::collection::vec(name(), 0..2),
    ) -> Value {
        json!({"id": "c1", "verified": verified, "attributes": attributes(set), "unset": unsets(&unset)})
    }
}

fn attributes(set: BTreeMap<String, bool>) -> Value {
    let attribute = |(name, verified)| (name, json!({"value": 1, "verified": verified}));
    Value::Object(set.into_iter().map(attribute).collect())
}

fn unsets(names: &[String]) -> Value {
    names.iter().map(|name| json!({"attribute": name, "verified": true})).collect()
}

prop_compose! {
    fn verdict()(
        outcome in prop::sample::select(Outcome::ALL.to_vec()),
        organization in prop::option::of(name()), kind in prop::option::of(name()), user in name(),
        set in prop::collection::btree_map(name(), any::<bool>(), 0..4),
        unset in prop::collection::vec(name(), 0..3),
        companies in prop::option::of(prop::collection::vec(company(), 0..3)),
        rejected in prop::collection::vec((name(), any::<bool>()), 0..3),
        dropped in prop::collection::vec((name(), any::<bool>()), 0..3),
        offset in 0..i64::MAX,
    ) -> Value {
        let mut verdict = samples::verdict(outcome, offset);
        let of_company = |yes: bool| if yes { Value::from("c1") } else { Value::Null };
        verdict["organization"] = json!(organization);
        verdict["event"]["type"] = json!(kind);
        verdict["user"]["userId"] = json!(user);
        verdict["attributes"] = attributes(set);
        verdict["unset"] = unsets(&unset);
        verdict["companies"] = json!(companies);
        verdict["rejected"] =
            rejected.iter().map(|(name, company)| json!({"attribute": name, "company": of_company(*company), "reason": "locked"})).collect();
        verdict["dropped"] = dropped.iter().map(|(name, unknown)| {
            json!({"attribute": name, "company": null, "reason": if *unknown { "not_configured" } else { "superseded" }})
        }).collect();
        verdict
    }
}

fn length(value: &Value) -> u64 {
    value.as_array().map_or(value.as_object().map_or(0, serde_json::Map::len), Vec::len) as u64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sums_are_those_of_what_was_fed(verdicts in prop::collection::vec((verdict(), 0_i64..7_200_000), 0..60)) {
        let mut board = Board::new(LIMITS);
        for (verdict, ago) in &verdicts {
            samples::feed(&mut board, verdict, NOW - ago);
        }
        let fed = verdicts.len() as u64;
        let organizations: u64 = board.organizations.iter().map(|(_, organization)| organization.weight()).sum();
        prop_assert_eq!(board.outcomes.weight(), fed);
        prop_assert_eq!(organizations + board.organizations.rest().weight() + board.nobody.weight(), fed);

        let within = |from: i64| verdicts.iter().filter(|(_, ago)| (NOW - ago).div_euclid(60_000) > from).count() as u64;
        let outcomes = &board.outcomes;
        let hour = [&outcomes.accepted, &outcomes.partial, &outcomes.rejected].map(|series| series.recent.hour.whole(NOW)).iter().sum::<u64>();
        prop_assert_eq!(hour, within(NOW.div_euclid(60_000) - 60));
        let day = [&outcomes.accepted, &outcomes.partial, &outcomes.rejected].map(|series| series.day.whole(NOW)).iter().sum::<u64>();
        prop_assert_eq!(day, fed);
    }

    #[test]
    fn every_attribute_of_an_organization_is_counted_once(mut verdicts in prop::collection::vec(verdict(), 0..60)) {
        let mut board = Board::new(LIMITS);
        let mut fed = 0;
        for verdict in &mut verdicts {
            verdict["organization"] = json!("acme");
            samples::feed(&mut board, verdict, NOW);
            let sum = |of: &Value, lists: &[&str]| lists.iter().map(|list| length(&of[*list])).sum::<u64>();
            fed += sum(verdict, &["attributes", "unset", "companies", "rejected", "dropped"]);
            fed += verdict["companies"].as_array().into_iter().flatten().map(|company| sum(company, &["attributes", "unset"])).sum::<u64>();
        }
        let counted = board.organizations.get("acme").map_or(0, |acme| {
            let of = |table: &super::Bounded<super::tally::Attribute>| {
                table.iter().map(|(_, attribute)| attribute.weight()).sum::<u64>() + table.rest().weight()
            };
            let unconfigured = &acme.unconfigured;
            of(&acme.attributes) + of(&acme.company_attributes)
                + unconfigured.iter().map(|(_, seen)| seen.weight()).sum::<u64>() + unconfigured.rest().weight()
        });
        prop_assert_eq!(counted, fed);
    }

    #[test]
    fn hostile_names_do_not_make_it_grow(verdicts in prop::collection::vec(verdict(), 50..120)) {
        let mut board = Board::new(LIMITS);
        verdicts.iter().for_each(|verdict| samples::feed(&mut board, verdict, NOW));
        prop_assert!(board.organizations.iter().len() <= LIMITS.organizations);
        for (_, organization) in board.organizations.iter() {
            prop_assert!(organization.attributes.iter().len() <= LIMITS.attributes);
            prop_assert!(organization.company_attributes.iter().len() <= LIMITS.attributes);
            prop_assert!(organization.unconfigured.iter().len() <= LIMITS.attributes);
        }
        let newest = board.newest.all();
        prop_assert!(newest.len() <= 2 * LIMITS.verdicts);
        prop_assert!(newest.iter().map(|(_, kept)| kept.bytes()).sum::<usize>() <= 2 * LIMITS.verdicts_bytes);
    }

    #[test]
    fn what_is_no_verdict_is_not_taken_for_one(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Told::read(&bytes).is_none());
    }
}

/// What is advised of this organization's verdicts by this rule.
fn advised(verdicts: &[Value], rule: Advice) -> Vec<Item> {
    let mut board = Board::new(LIMITS);
    verdicts.iter().for_each(|verdict| samples::feed(&mut board, verdict, NOW));
    let seen = &board.organizations.get("acme").unwrap().seen;
    let items = advise(&Case { slug: "acme", seen, settings: None, part: None, history: None });
    items.into_iter().filter(|item| item.advice == rule).collect()
}

#[test]
fn an_unsigned_copy_of_a_signed_value_is_advised_of_as_what_a_lock_would_refuse() {
    let mut verdict = samples::verdict(Outcome::Accepted, 1);
    let plan = json!({"plan": {"value": "Pro", "verified": true}});
    verdict["companies"] = json!([{"id": "c1", "verified": true, "attributes": plan, "unset": []}]);
    verdict["attributes"] = plan;
    let superseded = |name, company| json!({"attribute": name, "company": company, "reason": "superseded"});
    verdict["dropped"] =
        json!([superseded("plan", None), superseded("companies", Some("c1")), superseded("plan", Some("c1"))]);
    let [lock]: [Item; 1] = advised(&[verdict], Advice::Lock).try_into().unwrap();
    assert_eq!((lock.about.as_str(), lock.of, lock.figures["unsigned"]), ("plan", "user", 1));
}

#[test]
fn what_a_token_signs_of_an_identity_and_of_companies_is_advised_of_as_signed() {
    let locked = |name: &str| {
        let mut verdict = samples::verdict(Outcome::Partial, 1);
        verdict["verification"]["method"] = json!("hmac");
        verdict["rejected"] = json!([{"attribute": name, "company": null, "reason": "locked"}]);
        verdict
    };
    let mut signed = samples::verdict(Outcome::Accepted, 2);
    signed["companies"] = json!([{"id": "c1", "verified": true, "attributes": {}, "unset": []}]);
    for name in ["email", "companies"] {
        assert_eq!(advised(&[locked(name)], Advice::Unlock).len(), 1, "{name}");
        assert_eq!(advised(&[locked(name), signed.clone()], Advice::Unlock), [], "{name}");
    }
    let mut failed = samples::verdict(Outcome::Rejected, 3);
    failed["verification"]["status"] = json!("verified");
    failed["reason"] = json!("too_many_attributes");
    assert_eq!(
        advised(&[locked("email"), failed], Advice::Unlock).len(),
        1,
        "that one claims an e-mail, and proves none"
    );
}

#[test]
fn a_verdict_is_found_by_everything_it_is_looked_for_by() {
    let mut verdict = samples::verdict(Outcome::Rejected, 3);
    verdict["rejected"] = json!([{"attribute": "roles", "company": null, "reason": "locked"}]);
    verdict["dropped"] = json!([{"attribute": "utm", "company": null, "reason": "not_configured"}]);
    verdict["attributes"] = json!({"seats": {"value": 1, "verified": true}});
    let kept = samples::keep(&verdict, NOW);
    let pair = |reason: &str, attribute: &str| Filter {
        reason: Some(reason.into()),
        attribute: Some(attribute.into()),
        ..Filter::default()
    };
    let text = |text: &str| Some(text.into());
    let user = |text: &str| Some(Who::read(text).unwrap());
    // printf user@example.com | sha256sum
    let hash = "sha256:B4C9A289323B21A01C3E940F150EB9B8C542587F1ABFD8F0E1CC1FFC5E475514";
    for (filter, takes) in [
        (Filter::default(), true),
        (Filter { verdict: Some(Outcome::Rejected), ..Filter::default() }, true),
        (Filter { verdict: Some(Outcome::Partial), ..Filter::default() }, false),
        (Filter { organization: text("acme"), reason: text("locked"), ..Filter::default() }, true),
        (Filter { organization: text("acme"), reason: text("token_expired"), ..Filter::default() }, false),
        (Filter { organization: text("Acme"), ..Filter::default() }, false),
        (Filter { attribute: text("roles"), event_type: text("identify"), ..Filter::default() }, true),
        (Filter { attribute: text("plan"), ..Filter::default() }, false),
        (Filter { reason: text("not_configured"), ..Filter::default() }, true),
        (pair("locked", "roles"), true),
        (pair("not_configured", "utm"), true),
        (pair("locked", "utm"), false),
        (pair("locked", "seats"), false),
        (pair("signature_invalid", "seats"), true),
        (pair("signature_invalid", "plan"), false),
        (Filter { event_type: text("boot"), ..Filter::default() }, false),
        (Filter { user: user("12345"), ..Filter::default() }, true),
        (Filter { user: user(" 12345\t"), ..Filter::default() }, true),
        (Filter { user: user("User@Example.COM "), ..Filter::default() }, true),
        (Filter { user: user("user@example.co"), ..Filter::default() }, false),
        (Filter { user: user("1234"), ..Filter::default() }, false),
        (Filter { user: user(hash), ..Filter::default() }, true),
        (Filter { user: user(&format!("sha256:{}", "0".repeat(64))), ..Filter::default() }, false),
    ] {
        assert_eq!(filter.takes(&kept), takes);
    }
    let membership = Filter { attribute: text("companies"), ..Filter::default() };
    assert!(!membership.takes(&kept));
    verdict["companies"] = json!([{"id": "c1", "verified": true, "attributes": {}, "unset": []}]);
    assert!(membership.takes(&samples::keep(&verdict, NOW)));
    assert!(Who::read("sha256:12").is_err() && Who::read(&format!("sha256:{}", "é".repeat(32))).is_err());
}

#[test]
fn a_replayed_verdict_is_kept_and_counted_apart() {
    let mut board = Board::new(LIMITS);
    let verdict = samples::verdict(Outcome::Rejected, 1);
    samples::feed(&mut board, &verdict, NOW - 1_000);
    let mut again = samples::keep(&verdict, NOW);
    again.replay = Some("one".into());
    let text = verdict.to_string();
    board.feed(&Told::read(text.as_bytes()).unwrap(), std::sync::Arc::new(again));
    let acme = board.organizations.get("acme").unwrap();
    assert_eq!((board.outcomes.weight(), acme.weight(), board.replayed.total), (1, 1, 1));
    assert_eq!((board.outcomes.last(), board.live[2].whole(NOW)), (Some(NOW - 1_000), 1));
    let kept = board.newest.of_event(&samples::place(1)).unwrap();
    assert_eq!(kept.replay.as_deref(), Some("one"), "the later verdict of an event is the one that holds");
}

#[test]
fn an_id_is_compared_as_it_is_written() {
    let mut verdict = samples::verdict(Outcome::Accepted, 3);
    verdict["user"] = json!({"userId": " Ab", "email": null, "anonymousId": null});
    let kept = samples::keep(&verdict, NOW);
    for (user, takes) in [("Ab", true), (" Ab", true), ("ab", false)] {
        let filter = Filter { user: Some(Who::read(user).unwrap()), ..Filter::default() };
        assert_eq!(filter.takes(&kept), takes, "{user:?}");
    }
}

#[test]
fn a_verdict_too_long_to_keep_whole_is_shortened_and_found_by_what_it_names() {
    let mut verdict = samples::verdict(Outcome::Partial, 1);
    verdict["attributes"] = json!({"plan": {"value": "x".repeat(100_000), "verified": true}});
    verdict["rejected"] = json!([{"attribute": "roles", "company": null, "reason": "locked"}]);
    let kept = samples::keep(&verdict, NOW);
    assert!(kept.shortened && kept.json.len() < 2_000);
    let short: Value = serde_json::from_str(&kept.json).unwrap();
    assert_eq!(short["rejected"], verdict["rejected"]);
    assert_eq!(short["attributes"], json!({"plan": {"value": null, "verified": true}}));
    for (attribute, reason) in [("plan", None), ("roles", Some("locked".into()))] {
        let filter = Filter { attribute: Some(attribute.into()), reason, ..Filter::default() };
        assert!(filter.takes(&kept), "{attribute}");
    }
}

#[test]
fn what_is_kept_of_a_verdict_is_bounded_whatever_it_names() {
    let refused = |number| json!({"attribute": format!("a{number}"), "company": null, "reason": format!("r{number}")});
    let mut verdict = samples::verdict(Outcome::Partial, 1);
    for list in ["rejected", "dropped"] {
        verdict[list] = (0..20_000).map(refused).collect();
    }
    let kept = samples::keep(&verdict, NOW);
    assert!(kept.json.len() <= 16 * 1024 && kept.bytes() < 128 * 1024, "{} {}", kept.json.len(), kept.bytes());
    assert!(!kept.reasons.is_empty() && !kept.dropped.is_empty() && !kept.named.is_empty());
}

#[test]
fn a_verdict_written_on_several_lines_is_kept_on_one() {
    let text = serde_json::to_string_pretty(&samples::verdict(Outcome::Accepted, 1)).unwrap().replace('\n', "\r\n");
    let told = Told::read(text.as_bytes()).unwrap();
    let kept = super::Kept::of(&told, text.as_bytes(), NOW, samples::place(1)).unwrap();
    assert!(!kept.json.contains(['\n', '\r']));
}
