//! A settings file and the database say the same in both directions, whatever is valid.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use attrsync::{
    domain::{Arena, EventTime, Offset, Partition, Policy, Position, Record, Snapshot, key::Algorithm},
    store::{
        Database, EXAMPLE, Export, FileSettings, Removal, Settings, Source,
        document::{Attribute, AttributeKind, Document, IdentitySecret, JwtKey, Membership, Organization, Token},
        moment::Moment,
        secret::Secret,
    },
    traffic::Traffic,
    worker::judge,
};
use proptest::{collection::vec, option, prelude::*, sample::select, test_runner::TestRunner};

use crate::kit::{Base, MASTER, author, block_on, edit, master_keys};

fn text() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9 _.äß漢\\\\'\"-]{1,12}"
}

fn moment() -> impl Strategy<Value = Moment> {
    (-62_135_596_800_000_i64..=253_402_300_799_999).prop_map(|millis| Moment(EventTime::from_millis(millis)))
}

fn secret() -> impl Strategy<Value = Secret> {
    prop_oneof![
        "[ -~ä]{1,80}".prop_map(Secret::Text),
        vec(any::<u8>(), 1..40)
            .prop_filter("bytes that are no text", |bytes| std::str::from_utf8(bytes).is_err())
            .prop_map(Secret::Base64),
    ]
}

fn times() -> impl Strategy<Value = [Option<Moment>; 3]> {
    (option::of(moment()), option::of(moment()), option::of(moment())).prop_map(|(one, other, revoked)| {
        let (from, retired) = if one.is_some() && other.is_some() && other < one { (other, one) } else { (one, other) };
        [from, retired, revoked]
    })
}

fn jwt_key() -> impl Strategy<Value = JwtKey> {
    let algorithm = select(vec![Algorithm::HS256, Algorithm::HS384, Algorithm::HS512]);
    (text(), algorithm, secret(), times()).prop_map(|(id, algorithm, secret, [valid_from, retired_at, revoked_at])| {
        JwtKey { id, algorithm, secret: Some(secret), public_key: None, valid_from, retired_at, revoked_at }
    })
}

fn identity_secret() -> impl Strategy<Value = IdentitySecret> {
    (text(), secret(), times()).prop_map(|(id, secret, [valid_from, retired_at, revoked_at])| IdentitySecret {
        id,
        secret,
        valid_from,
        retired_at,
        revoked_at,
    })
}

fn attribute() -> impl Strategy<Value = Attribute> {
    let kind = select(vec![
        AttributeKind::Text,
        AttributeKind::Number,
        AttributeKind::Boolean,
        AttributeKind::Date,
        AttributeKind::TextList,
    ]);
    let options = option::of(proptest::collection::hash_set(text(), 1..4));
    (kind, option::of(12_usize..5000), options, option::of(any::<bool>()), any::<bool>()).prop_map(
        |(kind, max_chars, options, locked, archived)| {
            let texts = matches!(kind, AttributeKind::Text | AttributeKind::TextList);
            let options = options.map(|options| options.into_iter().collect());
            Attribute {
                kind: Some(kind),
                max_chars: max_chars.filter(|_| texts),
                options: options.filter(|_| texts),
                locked,
                archived,
            }
        },
    )
}

fn attributes() -> impl Strategy<Value = BTreeMap<String, Attribute>> {
    let standard = select(vec!["name", "website", "createdAt"]).prop_map(str::to_owned);
    let mut own = proptest::collection::btree_map("x[a-zA-Z]{1,8}", attribute(), 0..6).boxed();
    own = (own, proptest::collection::btree_map(standard, attribute(), 0..2))
        .prop_map(|(mut all, standard)| {
            all.extend(standard);
            all
        })
        .boxed();
    own
}

fn organization() -> impl Strategy<Value = Organization> {
    let token = (any::<bool>(), option::of(any::<u32>()), vec(text(), 0..3), vec(text(), 0..3)).prop_map(
        |(require_expiry, max_age_s, audiences, issuers)| Token { require_expiry, max_age_s, audiences, issuers },
    );
    let keys = (vec(jwt_key(), 0..4), vec(identity_secret(), 0..4));
    (any::<[bool; 3]>(), token, keys, (attributes(), attributes())).prop_map(
        |([observe, event, locked], token, (mut jwt_keys, mut identity_secrets), (attributes, company_attributes))| {
            jwt_keys.sort_by(|one, other| one.id.cmp(&other.id));
            jwt_keys.dedup_by(|one, other| one.id == other.id);
            identity_secrets.sort_by(|one, other| one.id.cmp(&other.id));
            identity_secrets.dedup_by(|one, other| one.id == other.id);
            use attrsync::domain::snapshot::{Enforcement, OnRejectedAttribute};
            Organization {
                enforcement: if observe { Enforcement::Observe } else { Enforcement::Enforced },
                on_rejected_attribute: if event { OnRejectedAttribute::Event } else { OnRejectedAttribute::Attribute },
                token,
                jwt_keys,
                identity_secrets,
                attributes,
                company_attributes,
                membership: Membership { locked },
                ..Organization::new("")
            }
        },
    )
}

/// Organizations whose names change places from one document to the next.
fn document() -> impl Strategy<Value = Document> {
    let names = Just(["acme", "beta", "Gämma", "delta"].map(str::to_owned).to_vec()).prop_shuffle();
    (vec((organization(), option::of(0_usize..4)), 1..5), names).prop_map(|(organizations, names)| {
        let mut taken = Vec::new();
        let named = organizations.into_iter().zip(names).map(|((mut organization, app_id), slug)| {
            organization.slug = slug;
            if let Some(app_id) = app_id.filter(|app_id| !taken.contains(app_id)) {
                taken.push(app_id);
                organization.app_id = Some(format!("app {app_id}"));
            }
            organization
        });
        Document { organizations: named.collect() }
    })
}

fn of_file(base: &Base, text: &str) -> (FileSettings, std::sync::Arc<Snapshot>) {
    let path = base.file(text);
    let settings =
        Settings::load(Source::File(path.clone()), Policy::default()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    (FileSettings::read(&path).unwrap(), settings.current())
}

#[test]
fn any_valid_settings_go_into_the_database_and_come_out_the_same() {
    let base = Base::new("round_trip");
    let (policy, keys) = (Policy::default(), master_keys(&[("m", MASTER)]));
    let author = author("a property");
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() });
    let seen = RefCell::new(BTreeSet::new());
    let result = runner.run(&document(), |document| {
        seen.borrow_mut().extend(keys_of(&document));
        let text = toml::to_string(&document).unwrap();
        let (file, of_file_) = of_file(&base, &text);
        block_on(async {
            let mut database = base.connect().await;
            let edit = edit(&author, &policy, &keys);
            // One document follows another, whatever that one had revoked; an organization that comes back has the keys that it had.
            let file = file.unrevoking(seen.borrow().clone());
            let planned = database.plan(&file, Removal::Archive, (&policy, &keys)).await.unwrap();
            let applied = database.apply(&edit, &file, Removal::Archive).await.unwrap();
            assert_eq!(
                serde_json::to_value(&planned.changes).unwrap(),
                serde_json::to_value(&applied.changes).unwrap()
            );
            let again = database.plan(&file, Removal::Archive, (&policy, &keys)).await.unwrap();
            assert!(again.changes.is_empty(), "{}", serde_json::to_string_pretty(&again).unwrap());
        });
        let loaded = base.load(master_keys(&[("m", MASTER)])).unwrap().current();
        assert_eq!(loaded.version(), of_file_.version());
        let exported = exported(&base, &text);
        let (_, of_export) = of_file(&base, &exported);
        assert_eq!(of_export.version(), of_file_.version());
        Ok(())
    });
    result.unwrap();
}

/// Every key in a document, by its organization.
fn keys_of(document: &Document) -> Vec<(String, String)> {
    let of = |organization: &Organization| {
        let jwt = organization.jwt_keys.iter().map(|key| &key.id);
        let ids = jwt.chain(organization.identity_secrets.iter().map(|secret| &secret.id));
        ids.map(|id| (organization.slug.clone(), id.clone())).collect::<Vec<_>>()
    };
    document.organizations.iter().flat_map(of).collect()
}

/// What is exported, with secrets; and that what is exported without them changes nothing.
fn exported(base: &Base, _applied: &str) -> String {
    let (policy, keys, none) = (Policy::default(), master_keys(&[("m", MASTER)]), master_keys(&[]));
    block_on(async {
        let mut database: Database = base.connect().await;
        let Export { document, problems, .. } = database.export(&keys, None, None).await.unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        let without = database.export(&none, None, None).await.unwrap().document;
        let file = FileSettings::read(&base.file(&toml::to_string(&without).unwrap())).unwrap();
        let plan = database.plan(&file, Removal::Archive, (&policy, &keys)).await.unwrap();
        assert!(plan.changes.is_empty(), "{}", serde_json::to_string_pretty(&plan).unwrap());
        toml::to_string(&document).unwrap()
    })
}

#[test]
fn a_file_and_the_database_give_every_event_the_same_verdict() {
    let base = Base::new("same_verdicts");
    base.apply(EXAMPLE, &master_keys(&[("m", MASTER)]));
    let database = base.load(master_keys(&[("m", MASTER)])).unwrap().current();
    let file = Settings::load(Source::Embedded(EXAMPLE), Policy::default()).unwrap().current();
    assert_eq!(database.version(), file.version());
    let mut traffic = Traffic::new(3);
    let now = EventTime::parse("2026-11-22T10:00:00Z").unwrap();
    for offset in 0..3000 {
        let event = traffic.next(now);
        let record = Record {
            position: Position { topic: "events", partition: Partition(0), offset: Offset(offset) },
            timestamp: Some(now),
            key: None,
            headers: &[],
            value: Some(&event.value),
            line: None,
        };
        let verdict =
            |snapshot: &Snapshot| serde_json::to_string(&judge(&Arena::new(), &record, snapshot, now)).unwrap();
        assert_eq!(verdict(&database), verdict(&file));
    }
}

#[test]
fn settings_can_be_had_as_they_were() {
    let base = Base::new("as_they_were");
    let keys = || master_keys(&[("m", MASTER)]);
    let texts = [
        EXAMPLE.to_owned(),
        EXAMPLE.replace("locked = true", "locked = false").replace("title =", "heading ="),
        EXAMPLE.replace("sample-acme-jwt-secret-of-june-2025", "another secret of the same key, long enough"),
    ];
    let mut times = Vec::new();
    for text in &texts {
        base.apply(text, &keys());
        // Times have milliseconds, and the next change comes later than this one by more.
        let at: i64 = base.value("select (extract(epoch from max(at)) * 1000)::bigint + 1 from attrsync.revisions");
        while jiff::Timestamp::now().as_millisecond() <= at + 1 {
            std::thread::yield_now();
        }
        times.push(EventTime::from_millis(at));
    }
    // The master key is another by now; what was sealed before is known all the same.
    let both = || master_keys(&[("m", MASTER), ("n", crate::kit::OTHER_MASTER)]);
    block_on(async { base.connect().await.reseal(&both(), 2, |_| ()).await.unwrap() });
    let new = || master_keys(&[("n", crate::kit::OTHER_MASTER)]);
    for (text, at) in texts.iter().zip(times) {
        let (_, then) = of_file(&base, text);
        let mut source = base.source(new());
        source.at = Some(at);
        let loaded = Settings::load(Source::Database(source), Policy::default()).unwrap().current();
        assert_eq!(loaded.version(), then.version());
        let told = base.attrsync(&[
            "settings",
            "export",
            "--secrets",
            "--at",
            &at.to_string(),
            "--set",
            &format!("settings.master_keys={{\"n\" = \"{}\"}}", crate::kit::OTHER_MASTER),
            "--set",
            "settings.master_key=n",
        ]);
        let (_, exported) = of_file(&base, &told.well());
        assert_eq!(exported.version(), then.version());
    }
}
