//! Every fixture in tests/fixtures is an event with its settings; its verdict is a reviewed snapshot in tests/snapshots.
//! Together they show each rule of the judgement once: every reason, every hint, and every attack of docs/SECURITY.md.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/settings_schema.rs"]
mod settings_schema;

mod attacks;
mod fixture;
mod vectors;

use std::{collections::BTreeSet, sync::OnceLock};

use attrsync::{
    domain::{Hint, Reason},
    emit::{Channel, names},
};
use fixture::Fixture;

/// Every fixture with its verdict.
fn verdicts() -> &'static [(Fixture, String)] {
    static VERDICTS: OnceLock<Vec<(Fixture, String)>> = OnceLock::new();
    VERDICTS.get_or_init(|| {
        fixture::all()
            .into_iter()
            .map(|fixture| (fixture.verdict(), fixture))
            .map(|(verdict, fixture)| (fixture, verdict))
            .collect()
    })
}

#[test]
fn every_fixture_has_its_reviewed_verdict() {
    for (fixture, verdict) in verdicts() {
        let name = fixture.name.replace('/', "__");
        insta::with_settings!({
            snapshot_path => "../snapshots",
            prepend_module_to_snapshot => false,
            omit_expression => true,
            description => fixture.about(),
        }, {
            insta::assert_snapshot!(name, fixture::pretty(verdict));
        });
    }
}

/// Every code that stands behind one of these names anywhere in a verdict.
fn codes(names: &[&str]) -> BTreeSet<&'static str> {
    let codes = |name: &str| {
        let key = format!("\"{name}\":\"");
        let parts =
            verdicts().iter().flat_map(move |(_, verdict)| verdict.split(key.as_str()).skip(1).collect::<Vec<_>>());
        parts.filter_map(|rest| rest.split('"').next()).collect::<Vec<_>>()
    };
    names.iter().flat_map(|name| codes(name)).collect()
}

#[test]
fn every_reason_has_a_fixture() {
    let shown = codes(&["reason", "wouldReject"]);
    let missing: Vec<_> = Reason::ALL.iter().map(|reason| reason.code()).filter(|code| !shown.contains(code)).collect();
    assert!(missing.is_empty(), "no fixture shows {missing:?}");
}

#[test]
fn every_hint_has_a_fixture() {
    let shown = codes(&["code"]);
    let missing: Vec<_> = Hint::ALL.iter().map(|hint| hint.code()).filter(|code| !shown.contains(code)).collect();
    assert!(missing.is_empty(), "no fixture shows {missing:?}");
}

#[test]
fn every_header_that_is_described_is_written_and_values_stay_out_of_the_rejected_topic() {
    let mut written = BTreeSet::new();
    for (fixture, _) in verdicts() {
        for record in fixture.emitted() {
            written.extend(record.headers.as_object().unwrap().keys().cloned());
            let told = |name: &str| record.value.get(name).is_some();
            let values = ["attributes", "unset", "companies"].map(told);
            assert_eq!(values, [record.channel == Channel::Accepted; 3], "{}", fixture.name);
        }
    }
    // What a replay adds is held on real topics, in tests/replay.
    let described = names::ALL.iter().map(|known| known.name).filter(|name| *name != names::REPLAY);
    let unwritten: Vec<_> = described.filter(|name| !written.contains(*name)).collect();
    assert!(unwritten.is_empty(), "no fixture's record has {unwritten:?}");
}
