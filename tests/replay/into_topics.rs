//! A replay into topics: each verdict once, whatever happens to the process, and nothing of a worker's is touched.

use std::process::{Child, Stdio};

use serde_json::json;

use crate::{
    kit::{
        SOON, broker, eventually,
        feed::Feed,
        group::Group,
        outputs::{Told, committed, hold_contract, hold_exactly_once},
        process::{Setup, UNHURRIED, output_of},
        topics::Topics,
    },
    ran::{Ran, replay},
};

/// The topics of a replay of these topics, made.
pub(crate) fn replayed(topics: &Topics, id: &str) -> Topics {
    let replayed = Topics {
        accepted: format!("{}.accepted", topics.input),
        rejected: format!("{}.rejected", topics.input),
        group: format!("{}-replay-{id}", topics.group),
        ..topics.clone()
    };
    replayed.add(&replayed.accepted, &[]);
    replayed.add(&replayed.rejected, &[]);
    replayed
}

fn start(setup: &Setup, line: &[&str]) -> Child {
    setup.command("replay").args(line).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn killed_five_times_and_resumed_it_tells_each_verdict_once() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "replay-killed", 4);
    let (setup, mut feed) = (Setup::new(&topics, &[]), Feed::new(&topics));
    feed.mixture(12_000);
    feed.flush();
    let target = replayed(&topics, "killed");
    let group = Group::of(&target);
    let at_its_pace = ["--max-rate", "3000"];
    let mut running = start(&setup, &[&["--to-topics", &topics.input, "--id", "killed"], &at_its_pace[..]].concat());
    for kill in 1..=5 {
        group.reaches(kill * 1_800);
        running.kill().unwrap();
        running.wait().unwrap();
        running = start(&setup, &[&["--resume", "killed"], &at_its_pace[..]].concat());
    }
    let ran = Ran::told(output_of(running));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let told = committed(&target);
    hold_contract(&told);
    hold_exactly_once(&feed, &told);
    assert!(told.iter().all(|told| told.headers["attrsync-replay"] == "killed"));
    assert!(told.iter().all(|told| told.headers["ce_source"].ends_with("/replay/killed")));
    // Whole, it has nothing left to tell.
    let again = replay(&setup, &["--resume", "killed", "--json"]);
    assert_eq!(
        (&again.summary()["records"], &again.summary()["replay"]["deliveredBefore"]),
        (&json!(0), &json!(12_000))
    );
    assert_eq!(committed(&target).len(), told.len());
}

#[test]
fn one_that_is_slower_than_a_transaction_may_last_is_whole() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "replay-slow", 1);
    let (setup, mut feed) = (Setup::new(&topics, &[]), Feed::new(&topics));
    feed.mixture(2);
    feed.flush();
    let target = replayed(&topics, "slow");
    // Ten seconds from the one to the other; the broker aborts a transaction after five.
    let ran = replay(&setup, &["--to-topics", &topics.input, "--id", "slow", "--max-rate", "0.1", "--json"]);
    assert_eq!(ran.summary()["records"], json!(2));
    hold_exactly_once(&feed, &committed(&target));
}

#[test]
fn started_twice_under_one_id_it_tells_nothing_twice() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "replay-twice", 2);
    let (setup, mut feed) = (Setup::new(&topics, &[]), Feed::new(&topics));
    feed.mixture(4_000);
    feed.flush();
    let target = replayed(&topics, "twice");
    // At this pace the first has half a minute to go when the second takes over from it.
    let line = ["--to-topics", &topics.input, "--id", "twice", "--max-rate", "125"];
    let first = start(&setup, &line);
    Group::of(&target).reaches(100);
    let refused = replay(&setup, &line);
    assert!(refused.code == Some(1) && refused.err.contains("--resume twice"), "{}", refused.err);
    let second = replay(&setup, &["--resume", "twice"]);
    let first = Ran::told(output_of(first));
    assert_eq!(second.code, Some(0), "{}", second.err);
    assert!(first.code == Some(1) && first.err.contains("another process goes on"), "{:?} {}", first.code, first.err);
    hold_exactly_once(&feed, &committed(&target));
    // Elsewhere, where the plan isn't known, the group tells that there was one.
    let elsewhere = tempfile::tempdir().unwrap();
    let refused = replay(&setup, &[&line[..], &["--plans", elsewhere.path().to_str().unwrap()]].concat());
    assert!(refused.code == Some(1) && refused.err.contains("was begun before"), "{}", refused.err);
    let unknown = replay(&setup, &["--resume", "never"]);
    assert!(unknown.code == Some(1) && unknown.err.contains("no plan of a replay never"), "{}", unknown.err);
}

#[test]
fn an_interrupt_ends_the_batch_in_hand_and_other_settings_do_not_go_on() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "replay-interrupt", 2);
    let (setup, mut feed) = (Setup::new(&topics, &[]), Feed::new(&topics));
    feed.mixture(3_000);
    feed.flush();
    let target = replayed(&topics, "int");
    let running = start(&setup, &["--to-topics", &topics.input, "--id", "int", "--max-rate", "100"]);
    Group::of(&target).reaches(100);
    let killed = std::process::Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let ran = Ran::told(output_of(running));
    assert!(ran.code == Some(130) && ran.err.contains("attrsync replay --resume int"), "{:?} {}", ran.code, ran.err);
    assert!(ran.err.contains("--max-rate 100\n"), "as it was begun: {}", ran.err);
    let elsewhere = replay(&setup, &["--resume", "int", "--set", "kafka.group_id=another"]);
    assert!(elsewhere.code == Some(1) && elsewhere.err.contains("was begun with kafka.group_id"), "{}", elsewhere.err);
    let unfenced = replay(&setup, &["--resume", "int", "--set", "kafka.transactional_id_prefix=another"]);
    let told = "was begun with kafka.transactional_id_prefix";
    assert!(unfenced.code == Some(1) && unfenced.err.contains(told), "{}", unfenced.err);
    let other = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(other.path(), "[[organizations]]\nslug = \"a\"\n").unwrap();
    let refused = replay(&setup, &["--resume", "int", "--settings", other.path().to_str().unwrap()]);
    assert!(refused.code == Some(1) && refused.err.contains("was begun by settings"), "{}", refused.err);
    assert_eq!(replay(&setup, &["--resume", "int"]).code, Some(0));
    hold_exactly_once(&feed, &committed(&target));
}

#[test]
fn a_worker_beside_it_is_untouched_and_the_live_topics_are_written_to_only_on_purpose() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "replay-beside", 2);
    let (setup, mut feed) = (Setup::new(&topics, &UNHURRIED), Feed::new(&topics));
    feed.mixture(2_000);
    feed.flush();
    let (worker, group) = (setup.start("w"), Group::of(&topics));
    group.reaches(feed.len());
    let warnings = || worker.log().matches("WARN").count();
    let (before, live, warned) = (group.committed(), committed(&topics), warnings());
    let target = replayed(&topics, "beside");
    assert_eq!(replay(&setup, &["--to-topics", &topics.input, "--id", "beside"]).code, Some(0));
    assert_eq!(group.committed(), before, "the worker's offsets");
    assert_eq!(committed(&topics).len(), live.len(), "the live topics");
    let value = |told: &Told| (told.source(), told.accepted, told.value.to_string(), told.key.clone());
    let sorted = |told: &[_]| {
        let mut all: Vec<_> = told.iter().map(value).collect();
        all.sort_unstable();
        all
    };
    assert_eq!(sorted(&committed(&target)), sorted(&live), "the same verdicts");
    // The worker still goes on with its own id.
    feed.mixture(200);
    feed.flush();
    group.reaches(feed.len());
    assert_eq!(warnings(), warned, "{}", worker.log());
    hold_exactly_once(&feed, &committed(&topics));
    let live = format!("{},{}", topics.accepted, topics.rejected);
    for (line, code, said) in [
        (&["--to-topics", live.as_str()][..], 2, "is a live topic; --into-live"),
        (&["--into-live"][..], 2, "say --yes"),
        (&["--to-topics", "there-is-no-such"][..], 1, "\"there-is-no-such.accepted\" does not exist"),
        (&["--to-topics", "a", "--from-file", "x"][..], 2, "a file's records have no place in Kafka"),
    ] {
        let ran = replay(&setup, line);
        assert!(ran.code == Some(code) && ran.err.contains(said), "{line:?}: {}", ran.err);
    }
    let ran = replay(&setup, &["--into-live", "--yes", "--offsets", "0:0-9", "--json"]);
    assert_eq!(ran.summary()["records"], json!(10));
    eventually("the replayed verdicts are among the live ones", SOON, || {
        let told = committed(&topics);
        let again: std::collections::HashSet<_> =
            told.iter().filter(|told| told.headers.contains_key("attrsync-replay")).map(Told::source).collect();
        again == (0..10).map(|offset| (0, offset)).collect()
    });
    worker.stop();
}
