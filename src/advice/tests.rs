//! What each rule says of what was seen, with the settings at hand and without.

use std::hash::RandomState;

use super::{Advice, Bounds, Case, Event, Item, Kind, Owner, Ready, Seen, Sent, advise, meets_lock};
use crate::domain::{
    EventTime, Organization, Policy,
    key::{Algorithm, HmacDigest, HmacState, SecretBytes, Validity, Verifier},
    snapshot::{Attribute, AttributeType, Enforcement, IdentitySecret, JwtKey, OnRejectedAttribute, Pool, TokenRules},
};

/// 2026-11-22T10:00:00Z
const NOW: i64 = 1_795_341_600_000;

fn seen() -> Seen {
    Seen::new(bounds(&RandomState::new()))
}

fn bounds(key: &RandomState) -> Bounds {
    Bounds { attributes: 8, unconfigured: 8, users: Some((64, key.clone())) }
}

fn event(user: &str) -> Event<'_> {
    Event { kind: Some("identify"), at: NOW, user: Some(user), method: "none", ..Event::default() }
}

/// Feeds the same so often, and over so long a time, that something can be done at once: the first a day before the others.
fn plenty(mut feed: impl FnMut(i64)) {
    (0..100).for_each(|number| feed(if number == 0 { NOW - 86_400_000 } else { NOW }));
}

/// A key that is valid from so many days before now.
fn jwt_key(id: &str, days_ago: Option<i64>) -> JwtKey {
    JwtKey {
        id: id.into(),
        validity: from(days_ago),
        algorithm: Algorithm::HS256,
        verifier: Verifier::hmac(HmacDigest::Sha256, b"secret"),
    }
}

fn identity_secret(id: &str, days_ago: Option<i64>) -> IdentitySecret {
    IdentitySecret {
        id: id.into(),
        validity: from(days_ago),
        state: HmacState::new(HmacDigest::Sha256, b"secret"),
        secret: SecretBytes::new(b"secret"),
    }
}

fn from(days_ago: Option<i64>) -> Validity {
    let from = days_ago.map(|days| EventTime::from_millis(NOW - days * 86_400_000));
    Validity { from, ..Validity::default() }
}

/// An organization that observes; `plan` is open, `roles` locked.
fn organization() -> Organization {
    let attribute = |locked| Attribute { kind: AttributeType::Number, locked, archived: false };
    let table = |names: &[(&str, bool)]| {
        Pool::default().table(names.iter().map(|(name, locked)| ((*name).into(), attribute(*locked))))
    };
    Organization {
        slug: "acme".into(),
        app_id: None,
        enforcement: Enforcement::Observe,
        on_rejected_attribute: OnRejectedAttribute::Attribute,
        token: TokenRules::default(),
        jwt_keys: vec![jwt_key("new", Some(1)), jwt_key("old", Some(2)), jwt_key("older", Some(3))].into(),
        identity_secrets: vec![identity_secret("iv-1", None)],
        membership_locked: true,
        user_attributes: table(&[("plan", false), ("roles", true)]),
        company_attributes: table(&[]),
    }
}

fn advised(seen: &Seen) -> [Vec<Item>; 2] {
    let (organization, policy) = (organization(), Policy::default());
    [Some((&organization, &policy)), None].map(|settings| advise(&case(seen, settings)))
}

fn advised_of(seen: &Seen, organization: &Organization) -> Vec<Item> {
    advise(&case(seen, Some((organization, &Policy::default()))))
}

fn case<'c>(seen: &'c Seen, settings: Option<(&'c Organization, &'c Policy)>) -> Case<'c> {
    Case { slug: "acme", seen, settings, part: None, history: Some(" --since 7d") }
}

fn of(items: &[Item], advice: &str) -> Vec<Item> {
    items.iter().filter(|item| item.advice == advice).cloned().collect()
}

/// Tests ask for advice by its name.
impl PartialEq<&str> for Advice {
    fn eq(&self, name: &&str) -> bool {
        self.name() == *name
    }
}

#[test]
fn an_attribute_that_arrives_signed_and_is_open_is_to_be_locked_and_the_users_that_a_lock_hits_are_counted() {
    let mut seen = seen();
    let plan = (Owner::User, "plan");
    plenty(|at| {
        let event = Event { at, ..event("1") };
        seen.event(&event);
        seen.attribute(plan, Sent::Signed, &event);
    });
    let [known, unknown] = advised(&seen);
    let now = of(&known, "lock");
    assert_eq!((now[0].about.as_str(), now[0].ready, &now[0].check), ("plan", Ready::Now, &None));
    assert_eq!(now[0].command.as_deref(), Some("attrsync settings attribute lock acme plan --reason 'it is signed'"));
    assert_eq!(of(&unknown, "lock"), [], "it may be locked already");
    for user in ["1", "2", "2"] {
        seen.attribute(plan, Sent::Unsigned, &event(user));
    }
    for items in advised(&seen) {
        let first = of(&items, "lock").remove(0);
        assert_eq!((first.ready, first.figures["unsigned"], first.figures["users"]), (Ready::First, 3, 2));
        assert!(first.check.unwrap().contains("--compare now next.toml --organization acme"));
    }
    seen.attribute((Owner::User, "roles"), Sent::Signed, &event("1"));
    assert_eq!(of(&advised(&seen)[0], "lock").len(), 1, "roles are locked");
}

#[test]
fn a_lock_that_refuses_everything_is_told() {
    let mut seen = seen();
    seen.attribute((Owner::User, "roles"), Sent::Locked, &event("1"));
    for items in advised(&seen) {
        assert_eq!(of(&items, "unlock")[0].figures["refused"], 1);
    }
    seen.attribute((Owner::User, "roles"), Sent::Signed, &event("1"));
    assert!(advised(&seen).iter().all(|items| of(items, "unlock").is_empty()), "somebody signs it");
}

#[test]
fn a_lock_that_was_set_or_lifted_meanwhile_counts_as_it_was_last_seen() {
    let at = |at| Event { at, ..event("1") };
    let sent_in_turn = |sent: [Sent; 2]| {
        let mut seen = seen();
        // Threads and topics come in any order; the later one decides.
        for (sent, time) in sent.into_iter().zip([NOW, NOW - 1_000]) {
            seen.attribute((Owner::User, "plan"), sent, &at(time));
        }
        (seen.is_locked(Owner::User, "plan"), seen)
    };
    let rules = |seen: &Seen| {
        let [_, unknown] = advised(seen);
        ["lock", "unlock"].map(|rule| of(&unknown, rule).len())
    };
    let (locked, mut seen) = sent_in_turn([Sent::Locked, Sent::Unsigned]);
    assert_eq!((locked, rules(&seen)), (Some(true), [0, 1]));
    seen.attribute((Owner::User, "plan"), Sent::Signed, &at(NOW + 1_000));
    assert_eq!(rules(&seen), [0, 0], "it is locked, and signed");
    let (locked, mut seen) = sent_in_turn([Sent::Unsigned, Sent::Locked]);
    assert_eq!((locked, rules(&seen)), (Some(false), [0, 0]), "it was lifted");
    seen.attribute((Owner::User, "plan"), Sent::Signed, &at(NOW - 2_000));
    assert_eq!(rules(&seen), [1, 0]);
    let mut other = sent_in_turn([Sent::Locked, Sent::Locked]).1;
    other.add(seen);
    assert_eq!(other.is_locked(Owner::User, "plan"), Some(true), "of two of one time the lock counts");
    assert_eq!(other.is_locked(Owner::Company, "plan"), None);
}

#[test]
fn a_name_that_keeps_arriving_is_told_with_the_type_of_its_values() {
    let mut seen = seen();
    let sent = |kind| Sent::Unconfigured(Some(kind));
    for (name, kinds) in
        [("once", &[Kind::Text][..]), ("seats", &[Kind::Number, Kind::Number]), ("mixed", &[Kind::Text, Kind::Boolean])]
    {
        for kind in kinds {
            seen.attribute((Owner::Company, name), sent(*kind), &event("1"));
        }
    }
    seen.attribute((Owner::User, "$(reboot)'"), sent(Kind::Date), &event("1"));
    seen.attribute((Owner::User, "$(reboot)'"), sent(Kind::Date), &event("1"));
    let items = of(&advised(&seen)[0], "configure");
    let command = |name: &str| items.iter().find(|item| item.about == name).map(|item| item.command.clone());
    assert_eq!(command("once"), None);
    assert_eq!(command("$(reboot)'"), Some(None), "nothing that a shell acts on");
    let seats = "attrsync settings attribute add acme seats --company --type number --reason 'it keeps arriving'";
    assert_eq!(command("seats"), Some(Some(seats.to_owned())));
    assert!(command("mixed").unwrap().unwrap().contains("--type TYPE"));
}

#[test]
fn no_command_configures_what_the_settings_refuse() {
    let mut seen = seen();
    let names =
        [(Owner::User, "jwt"), (Owner::Company, "company_hash"), (Owner::User, "companies"), (Owner::User, "email")];
    for attribute in [names, names].concat() {
        seen.attribute(attribute, Sent::Unconfigured(Some(Kind::Text)), &event("1"));
    }
    let items = of(&advised(&seen)[1], "configure");
    let of = |name: &str| items.iter().find(|item| item.about == name).unwrap();
    for (name, says) in [("jwt", "looks like one"), ("company_hash", "stop sending it"), ("companies", "another one")] {
        let Item { command, says: said, .. } = of(name);
        assert!(command.is_none() && said.contains(says) && !said.contains("Configure it"), "{name}: {said}");
    }
    assert!(of("email").command.is_some());
}

#[test]
fn an_older_key_is_safe_to_retire_once_nobody_signs_with_it() {
    let mut seen = seen();
    for key in ["new", "old"] {
        plenty(|at| seen.event(&Event { method: "jwt", key: Some(key), expires: Some(true), at, ..event("1") }));
    }
    let [known, unknown] = advised(&seen).map(|items| of(&items, "retire"));
    let told: Vec<_> = known.iter().map(|item| (item.about.as_str(), item.ready)).collect();
    assert_eq!(told, [("older", Ready::Now), ("old", Ready::First)]);
    assert!(
        known[1].says.contains("is not the newest, and still signs: 100 events, last 2026-11-22 10:00 UTC"),
        "{}",
        known[1].says
    );
    assert!(known[1].says.contains("identify 100"), "{}", known[1].says);
    assert_eq!(known[0].figures["newer"], 200);
    assert_eq!(unknown.len(), 1, "which of two in use is the newer one, verdicts don't say: one stays");
}

#[test]
fn a_key_that_was_just_added_is_never_called_safe_to_retire() {
    let mut seen = seen();
    seen.event(&Event { method: "jwt", key: Some("2025-06"), ..event("1") });
    let retire = |old, new| {
        let keys = vec![jwt_key("2025-06", old), jwt_key("2026-12", new)];
        of(&advised_of(&seen, &Organization { jwt_keys: keys.into(), ..organization() }), "retire")
    };
    for old in [None, Some(400)] {
        let [added]: [Item; 1] = retire(old, None).try_into().unwrap();
        assert_eq!((added.about.as_str(), added.ready), ("2026-12", Ready::First));
        assert!(added.says.contains("not in use yet, or no longer"), "{}", added.says);
    }
    let [old]: [Item; 1] = retire(Some(400), Some(1)).try_into().unwrap();
    assert_eq!((old.about.as_str(), old.ready), ("2025-06", Ready::First));
    assert!(old.says.contains("is not the newest, and still signs"), "{}", old.says);
    let [added]: [Item; 1] = retire(None, Some(1)).try_into().unwrap();
    assert_eq!((added.about.as_str(), added.ready), ("2026-12", Ready::First), "which is older is not known");
}

#[test]
fn a_key_in_use_is_called_older_only_where_that_is_known() {
    let mut seen = seen();
    for (key, at) in [("2025-06", NOW - 1), ("2026-12", NOW)] {
        seen.event(&Event { method: "jwt", key: Some(key), at, ..event("1") });
    }
    let keys = vec![jwt_key("2025-06", None), jwt_key("2026-12", None)];
    let items = advised_of(&seen, &Organization { jwt_keys: keys.into(), ..organization() });
    let [old]: [Item; 1] = of(&items, "retire").try_into().unwrap();
    assert_eq!((old.about.as_str(), old.ready), ("2025-06", Ready::First), "the one that signed last stays");
    assert!(old.says.starts_with("still signs: 1 event"), "{}", old.says);
}

#[test]
fn an_identity_secret_is_needed_while_companies_are_proven_by_their_hash() {
    let secrets = vec![identity_secret("iv-2", Some(1)), identity_secret("iv-1", Some(2))];
    let organization = Organization { identity_secrets: secrets, ..organization() };
    let mut seen = seen();
    plenty(|at| seen.event(&Event { method: "hmac", key: Some("iv-2"), at, ..event("1") }));
    let retire = |seen: &Seen| {
        let retire = of(&advised_of(seen, &organization), "retire");
        retire.into_iter().find(|item| item.about == "iv-1").unwrap()
    };
    assert_eq!(retire(&seen).ready, Ready::Now);
    seen.event(&Event { company_proven: true, ..event("1") });
    let first = retire(&seen);
    assert_eq!((first.ready, first.figures["companyHash"]), (Ready::First, 1));
    assert!(first.says.contains("in 1 event a company was proven by companyHash"), "{}", first.says);
}

#[test]
fn enforcement_is_advised_with_what_it_would_refuse() {
    let mut seen = seen();
    plenty(|at| seen.event(&Event { at, ..event("1") }));
    let [known, unknown] = advised(&seen);
    assert_eq!((of(&known, "enforce")[0].ready, of(&unknown, "enforce").len()), (Ready::Now, 0));
    seen.event(&Event { would_reject: Some("proof_missing"), ..event("1") });
    seen.event(&Event { would_reject: Some("proof_missing"), ..event("1") });
    for items in advised(&seen) {
        let item = of(&items, "enforce").remove(0);
        assert_eq!((item.ready, item.figures["refused"], item.figures["users"]), (Ready::First, 2, 1));
        assert!(item.says.contains("2 of 102 events, of 1 user (proof_missing 2)"), "{}", item.says);
    }
}

#[test]
fn of_little_that_was_seen_nothing_is_safe() {
    let said = |number: u64, within: i64| {
        let (mut seen, organization) = (seen(), organization());
        for number in 0..number {
            let at = if number == 0 { NOW - within } else { NOW };
            let event = Event { method: "jwt", key: Some("new"), expires: Some(true), at, ..event("1") };
            seen.event(&event);
            seen.attribute((Owner::User, "plan"), Sent::Signed, &event);
        }
        advised_of(&seen, &organization)
    };
    let day = 86_400_000;
    assert_eq!(said(100, day).iter().filter(|item| item.ready == Ready::Now).count(), 6);
    for (number, within, looked_at) in [
        (1, 0, "But only 1 proof by a token was looked at; choose more, as with --since 30d"),
        (99, day, "But only 99 proofs by tokens were looked at"),
        (10_000, day - 1, "But the events that were looked at came within less than a day; choose more"),
    ] {
        let items = said(number, within);
        assert!(items.len() == 6 && items.iter().all(|item| item.ready == Ready::First), "{items:?}");
        assert!(of(&items, "migrate")[0].says.contains(looked_at), "{items:?}");
    }
    let [lock, expire, enforce, retire] =
        ["lock", "expire", "enforce", "retire"].map(|rule| of(&said(7, day), rule).remove(0).says);
    assert!(lock.contains("But only 7 signed values were looked at"), "{lock}");
    assert!(expire.contains("But only 7 tokens were looked at"), "{expire}");
    assert!(enforce.contains("But only 7 events were looked at"), "{enforce}");
    assert!(retire.contains("But only 7 proofs by newer keys were looked at"), "{retire}");
}

#[test]
fn of_events_without_a_time_the_number_alone_counts() {
    let mut seen = seen();
    (0..100).for_each(|_| seen.event(&event("1")));
    let ready = |seen: &Seen| of(&advised(seen)[0], "enforce")[0].ready;
    assert_eq!(ready(&seen), Ready::First);
    let mut other = Seen::new(bounds(&RandomState::new()));
    other.event(&event("1"));
    other.without_time();
    seen.add(other);
    assert_eq!(ready(&seen), Ready::Now);
}

#[test]
fn what_a_file_of_settings_is_edited_to_is_told_in_its_words() {
    let item = |advice, of, about: &str, command: bool| Item {
        advice,
        about: about.to_owned(),
        of,
        ready: Ready::First,
        says: String::new(),
        figures: [].into(),
        check: None,
        command: command.then(String::new),
    };
    for (advice, of, about, edited) in [
        (Advice::Lock, "user", "plan", "[organizations.attributes] plan = { …, locked = true }"),
        (Advice::Lock, "user", "companies", "[organizations.membership] locked = true"),
        (
            Advice::Unlock,
            "company",
            "two words",
            "[organizations.company_attributes] \"two words\" = { …, locked = false }",
        ),
        (Advice::Configure, "user", "seats", "[organizations.attributes] seats = { type = \"…\" }"),
        (Advice::Retire, "key", "2025-06", "retired_at of 2025-06"),
        (Advice::Migrate, "key", "iv-1", "retired_at of iv-1"),
        (Advice::Enforce, "organization", "acme", "enforcement = \"enforced\""),
        (Advice::Expire, "organization", "acme", "[organizations.token] require_expiry = true"),
    ] {
        assert_eq!(item(advice, of, about, true).edited().as_deref(), Some(edited));
        assert_eq!(item(advice, of, about, false).edited(), None);
        assert_eq!(serde_json::to_value(advice).unwrap(), advice.name());
    }
}

#[test]
fn a_company_whose_hash_is_wrong_would_be_refused_by_enforcement() {
    let mut seen = seen();
    seen.event(&Event { company_unproven: true, ..event("1") });
    let item = of(&advised(&seen)[0], "enforce").remove(0);
    assert_eq!((item.ready, item.figures["refused"], item.figures["companyHash"]), (Ready::First, 0, 1));
    assert!(item.says.contains("refused no event, and in 1 event a company"), "{}", item.says);
    assert!(item.check.is_some());
}

#[test]
fn the_migration_is_not_done_while_a_company_beside_a_token_is_proven_by_its_hash() {
    let mut seen = seen();
    let jwt = Event { method: "jwt", key: Some("new"), ..event("1") };
    seen.event(&Event { company_proven: true, ..jwt });
    seen.event(&jwt);
    for items in advised(&seen) {
        let item = of(&items, "migrate").remove(0);
        assert_eq!((item.ready, item.figures["hmac"], item.figures["companyHash"]), (Ready::First, 0, 1));
        assert!(item.says.contains("(identify 100%); a company in 1 event still by a hash"), "{}", item.says);
    }
}

#[test]
fn of_a_part_of_history_nothing_is_safe() {
    let mut seen = seen();
    plenty(|at| {
        seen.event(&Event { method: "jwt", key: Some("new"), expires: Some(true), at, ..event("1") });
        seen.attribute((Owner::User, "plan"), Sent::Signed, &event("1"));
    });
    let (organization, policy) = (organization(), Policy::default());
    let whole = case(&seen, Some((&organization, &policy)));
    let now = |items: &[Item]| items.iter().filter(|item| item.ready == Ready::Now).count();
    assert_eq!(now(&advise(&whole)), 6, "lock, two keys, enforce, migrate, expire");
    let items = advise(&Case { part: Some("events of one type alone were looked at"), ..whole });
    assert_eq!((items.len(), now(&items)), (6, 0));
    assert!(items.iter().all(|item| item.says.ends_with(". But events of one type alone were looked at")), "{items:?}");
}

#[test]
fn what_is_dropped_as_superseded_meets_a_lock_but_for_the_copy_of_a_company_that_stands() {
    assert!(meets_lock(("plan", None), []));
    assert!(meets_lock(("companies", None), ["c1"]), "said of all of them");
    assert!(meets_lock(("companies", Some("c2")), ["c1"]), "the token has cleared them");
    assert!(!meets_lock(("companies", Some("c1")), ["c1"]));
    assert!(!meets_lock(("plan", Some("c1")), ["c1"]) && !meets_lock(("plan", Some("c2")), []));
}

#[test]
fn the_migration_to_tokens_is_told_in_percent_and_by_type() {
    let mut seen = seen();
    let jwt = Event { method: "jwt", key: Some("new"), expires: Some(false), ..event("1") };
    plenty(|at| seen.event(&Event { at, ..jwt }));
    let [known, unknown] = advised(&seen);
    assert_eq!((of(&known, "migrate")[0].ready, of(&unknown, "migrate").len()), (Ready::Now, 0));
    seen.event(&Event { kind: Some("boot"), method: "hmac", key: Some("iv-1"), ..event("1") });
    for items in advised(&seen) {
        let item = of(&items, "migrate").remove(0);
        assert_eq!((item.ready, item.figures["percent"]), (Ready::First, 99));
        assert!(item.says.contains("identify 100%, boot 0%"), "{}", item.says);
        assert!(item.command.unwrap().starts_with("attrsync settings key retire acme iv-1 --identity"));
    }
    let expire = of(&known, "expire").remove(0);
    assert_eq!((expire.figures["tokens"], expire.figures["withoutExpiry"]), (100, 100));
}

#[test]
fn what_threads_saw_apart_is_what_one_would_have_seen() {
    let key = RandomState::new();
    let new = || Seen::new(bounds(&key));
    let (mut whole, mut one, mut other) = (new(), new(), new());
    for number in 0..50 {
        let user = (number % 7).to_string();
        let event = Event { would_reject: (number % 3 == 0).then_some("proof_missing"), ..event(&user) };
        for seen in [&mut whole, if number % 2 == 0 { &mut one } else { &mut other }] {
            seen.event(&event);
            seen.attribute((Owner::User, "plan"), if number % 5 == 0 { Sent::Signed } else { Sent::Unsigned }, &event);
        }
    }
    one.add(other);
    assert_eq!(advised(&one), advised(&whole));
}
