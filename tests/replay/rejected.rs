//! The events behind earlier rejections: just those are fetched, and those that are gone are told.

use std::collections::BTreeSet;

use attrsync::domain::verdict::Outcome;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use serde_json::json;

use crate::{
    kit::{
        SOON, broker,
        feed::{Feed, Input},
        group::Group,
        outputs::{Told, committed},
        process::Setup,
        topics::Topics,
    },
    ran::{positions, replay},
};

/// Events, of which one in a hundred is rejected, a hundred in a row.
const EVENTS: usize = 100_000;

/// Hexadecimal digits that don't compress to next to nothing.
fn filler(seed: usize) -> String {
    let mut state = seed as u64 + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state ^ (state >> 29)
    };
    (0..25).map(|_| format!("{:016x}", next())).collect()
}

/// A hundred in a row.
fn in_a_row(at: usize) -> bool {
    at % 10_000 / 100 == 42
}

/// One in so many here and there, by a digest of their number.
fn scattered<const MANY: u64>(at: usize) -> bool {
    ((at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32).is_multiple_of(MANY)
}

/// A topic of such events, all judged.
fn judged(broker: &str, (name, batch_bytes): (&str, u32), is_rejected: fn(usize) -> bool) -> (Topics, Setup) {
    let topics = Topics::create(broker, name, 2);
    let (setup, mut feed) = (Setup::new(&topics, &[]), Feed::with_batches(&topics, batch_bytes));
    for at in 0..EVENTS {
        let (filler, rejected) = (filler(at), is_rejected(at / 2));
        let value = if rejected {
            format!("no JSON {filler}")
        } else {
            format!(r#"{{"organization":"acme","filler":"{filler}"}}"#)
        };
        let outcome = if rejected { Outcome::Rejected } else { Outcome::Accepted };
        feed.send(at % 2, Input { value: Some(value.as_bytes()), headers: &[("ce_type", b"boot")], outcome });
    }
    feed.flush();
    let (worker, group) = (setup.start("w"), Group::of(&topics));
    group.reaches(EVENTS);
    worker.stop();
    (topics, setup)
}

/// The bytes that were fetched for the rejected events, and for the whole topic.
fn fetched(setup: &Setup, rejected: usize) -> (u64, u64) {
    let whole = replay(setup, &["--json"]).summary();
    let found = replay(setup, &["--rejected", "--reason", "malformed_json", "--json"]).summary();
    assert_eq!((&whole["records"], &found["records"]), (&json!(EVENTS), &json!(rejected)));
    assert_eq!((&found["rejected"], &found["notFound"]), (&json!(rejected), &json!(0)));
    let bytes = |summary: &serde_json::Value| summary["fetchedBytes"].as_u64().unwrap();
    assert!(bytes(&whole) > 10_000_000, "{}", bytes(&whole));
    crate::kit::print(&format!("{rejected} of {EVENTS} events: {} of {} bytes", bytes(&found), bytes(&whole)));
    (bytes(&found), bytes(&whole))
}

#[test]
fn one_in_a_hundred_is_fetched_and_not_the_whole_topic() {
    // Brokers hand out whole batches: these are as large as the Java client's are by default.
    let broker = broker();
    let (topics, setup) = judged(&broker.0, ("replay-rejected", 16_384), in_a_row);
    let (found, whole) = fetched(&setup, EVENTS / 100);
    assert!(found * 20 < whole, "{found} of {whole} bytes");
    // Half of the topic is gone: of its rejected events, the very number is told.
    topics.delete_before(&[(0, 24_250), (1, 24_250)]);
    let gone = 2 * (0..24_250).filter(|at| in_a_row(*at)).count();
    let left = replay(&setup, &["--rejected", "--json"]).summary();
    assert_eq!((&left["records"], &left["notFound"]), (&json!(EVENTS / 100 - gone), &json!(gone)));
    crate::into_topics::replayed(&topics, "left");
    let told = replay(&setup, &["--rejected", "--to-topics", &topics.input, "--id", "left", "--json"]).summary();
    assert_eq!((&told["records"], &told["notFound"]), (&left["records"], &left["notFound"]));
    let into_topics = told["fetchedBytes"].as_u64().unwrap();
    assert!(into_topics > 0 && into_topics * 20 < whole, "{into_topics} of {whole} bytes");
    let told = replay(&setup, &["--rejected"]);
    assert!(told.err.contains(&format!("{gone}  rejected events could not be found")), "{}", told.err);
    // And of the rejections themselves.
    let consumer: BaseConsumer = topics.client().create().unwrap();
    let end = |partition| consumer.fetch_watermarks(&topics.rejected, partition, SOON).unwrap().1;
    let all = [(0, end(0)), (1, end(1))];
    Topics { input: topics.rejected.clone(), ..topics.clone() }.delete_before(&all);
    let told = replay(&setup, &["--rejected"]);
    let past = format!(" offsets of {} that were asked for are past retention", topics.rejected);
    assert!(told.err.contains(&past), "{}", told.err);
}

#[test]
fn what_is_scattered_all_over_a_topic_never_costs_more_than_the_topic() {
    let hundredth: fn(usize) -> bool = scattered::<100>;
    let thousandth: fn(usize) -> bool = scattered::<1_000>;
    let broker = broker();
    for (batches, is_rejected) in [
        (("replay-100-small-batches", 16_384), hundredth),
        (("replay-100-large-batches", 900_000), hundredth),
        (("replay-1000-small-batches", 16_384), thousandth),
        (("replay-1000-large-batches", 900_000), thousandth),
    ] {
        let (_topics, setup) = judged(&broker.0, batches, is_rejected);
        let (found, whole) = fetched(&setup, 2 * (0..EVENTS / 2).filter(|at| is_rejected(*at)).count());
        assert!(found * 10 < whole * 11, "{found} of {whole} bytes: {batches:?}");
    }
}

#[test]
fn a_rejection_that_could_not_name_its_organization_is_judged_again_by_whoever_asks_for_it() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "replay-unknown", 1);
    let (setup, mut feed) = (Setup::new(&topics, &[]), Feed::new(&topics));
    for organization in ["acme", "nobody", "acme"] {
        let value = format!(r#"{{"organization":"{organization}","anonymousId":"a"}}"#);
        let headers: &[(&str, &[u8])] = &[("ce_type", b"boot")];
        feed.send(0, Input { value: Some(value.as_bytes()), headers, outcome: Outcome::Rejected });
    }
    feed.flush();
    let without = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(without.path(), "[[organizations]]\nslug = \"globex\"\n").unwrap();
    let unknowing = Setup::new(&topics, &[&format!("settings.source=file:{}", without.path().display())]);
    let (worker, group) = (unknowing.start("w"), Group::of(&topics));
    group.reaches(feed.len());
    worker.stop();
    let told = committed(&topics);
    assert!(told.iter().all(|told| !told.headers.contains_key("attrsync-organization")) && told.len() == 3);
    let found = replay(&setup, &["--rejected", "--organization", "acme", "--to-file", "-"]).verdicts();
    assert_eq!(positions(&found), [(0, 0), (0, 2)]);
    assert!(found.iter().all(|verdict| verdict["verdict"] == "accepted"), "{found:?}");
}

#[test]
fn they_are_chosen_by_reason_and_organization() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "replay-reasons", 3);
    let (setup, mut feed) = (Setup::new(&topics, &[]), Feed::new(&topics));
    feed.mixture(2_000);
    feed.flush();
    let (worker, group) = (setup.start("w"), Group::of(&topics));
    group.reaches(2_000);
    worker.stop();
    let rejections: Vec<_> = committed(&topics).into_iter().filter(|told| !told.accepted).collect();
    let expected = |holds: &dyn Fn(&Told) -> bool| {
        let found = rejections.iter().filter(|told| holds(told)).map(Told::source);
        let found: BTreeSet<_> = found.map(|(partition, offset)| (i64::try_from(partition).unwrap(), offset)).collect();
        assert!(!found.is_empty());
        found.into_iter().collect::<Vec<_>>()
    };
    let there =
        |line: &[&str]| positions(&replay(&setup, &[&["--rejected", "--to-file", "-"], line].concat()).verdicts());
    assert_eq!(there(&[]), expected(&|_| true));
    let locked = |told: &Told| told.headers["attrsync-reason"].split(',').any(|code| code == "locked");
    assert_eq!(there(&["--reason", "locked"]), expected(&locked));
    let of_acme = |told: &Told| told.value["organization"] == "acme";
    let line = ["--reason", "locked", "--organization", "acme", "--since", "1h"];
    assert_eq!(there(&line), expected(&|told| locked(told) && of_acme(told)));
    assert_eq!(there(&["--since", "0s"]), []);
    assert_eq!(replay(&setup, &["--rejected", "--reason", "lokced"]).code, Some(2));
}
