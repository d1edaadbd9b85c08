//! History judged by the settings as they were: record for record what the worker told, across changes of settings, locks and keys.

use std::collections::BTreeMap;

use attrsync::store::EXAMPLE;
use serde_json::{Value, json};

use crate::{
    base::{Base, MASTER, master_keys},
    kit::{
        broker,
        feed::Feed,
        group::Group,
        outputs::{Told, committed},
        process::Setup,
        topics::Topics,
    },
    ran::{Ran, replay},
};

/// What is changed while the worker runs.
const CHANGES: [&str; 7] = [
    "update attrsync.attributes set locked = true where owner = 'user' and name = 'plan'",
    "update attrsync.keys set revoked_at = now() where id = '2025-06'",
    "insert into attrsync.attributes (organization_id, owner, name, type, locked) values (1, 'user', 'beta', 'boolean', true)",
    "update attrsync.organizations set enforcement = 'observe' where id = 1",
    "update attrsync.organizations set archived_at = now() where id = 2",
    "update attrsync.organizations set enforcement = 'enforced', on_rejected_attribute = 'event' where id = 1",
    "update attrsync.attributes set locked = false where owner = 'user' and name = 'plan'",
];

/// A database of settings, and a setup that names it.
fn setup(topics: &Topics, test: &str) -> (Base, Setup) {
    let base = Base::new(test);
    base.apply(EXAMPLE, &master_keys(&[("m", MASTER)]));
    let keys = [
        format!("settings.source={}", base.url),
        format!("settings.master_keys={{\"m\" = \"{MASTER}\"}}"),
        "settings.reload_interval_ms=200".to_owned(),
    ];
    let setup = Setup::new(topics, &keys.each_ref().map(String::as_str));
    (base, setup)
}

/// A record's value, key and headers.
type Record = (Value, Vec<u8>, BTreeMap<String, String>);

/// What is told of each event in each topic, but for what says that it was told by a replay.
fn by_event(told: &[Told]) -> BTreeMap<(usize, i64, bool), Record> {
    let of_event = |told: &Told| {
        let headers =
            told.headers.iter().filter(|(name, _)| !["ce_source", "attrsync-replay"].contains(&name.as_str()));
        let headers = headers.map(|(name, value)| (name.clone(), value.clone())).collect();
        let (partition, offset) = told.source();
        ((partition, offset, told.accepted), (told.value.clone(), told.key.clone(), headers))
    };
    let all: BTreeMap<_, _> = told.iter().map(of_event).collect();
    assert_eq!(all.len(), told.len(), "each once");
    all
}

/// Settings that were held once don't come back: those of one version are a stretch of time.
fn follow_each_other(verdicts: &[Value]) {
    let of = |verdict: &Value| {
        (verdict["source"]["timestamp"].as_i64().unwrap(), verdict["settingsVersion"].as_u64().unwrap())
    };
    let mut by_time: Vec<_> = verdicts.iter().map(of).collect();
    by_time.sort_unstable();
    let mut held: Vec<_> = by_time.into_iter().map(|(_, version)| version).collect();
    held.dedup();
    let distinct: std::collections::BTreeSet<_> = held.iter().collect();
    assert!(distinct.len() == held.len() && held.len() >= 5, "{held:?}");
}

#[test]
fn the_whole_topic_gives_record_for_record_what_the_worker_told_live() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "replay-as-judged", 3);
    let (base, setup) = setup(&topics, "replay_as_judged");
    let (worker, group, mut feed) = (setup.start("w"), Group::of(&topics), Feed::new(&topics));
    feed.mixture(900);
    feed.flush();
    group.reaches(300);
    for change in CHANGES {
        base.sql(change).unwrap();
        feed.mixture(700);
        feed.flush();
        group.reaches(feed.len() - 600);
    }
    group.reaches(feed.len());
    worker.stop();
    let live = committed(&topics);
    let versions: std::collections::BTreeSet<_> =
        live.iter().map(|told| told.value["settingsVersion"].as_u64().unwrap()).collect();
    assert!(versions.len() >= 5, "the settings changed under it: {versions:?}");
    // Settings of today, which are none of a verdict's business.
    base.sql("update attrsync.organizations set enforcement = 'off', slug = 'renamed' where id = 1").unwrap();

    let target = Topics {
        accepted: format!("{}.accepted", topics.input),
        rejected: format!("{}.rejected", topics.input),
        ..topics.clone()
    };
    target.add(&target.accepted, &[]);
    target.add(&target.rejected, &[]);
    let ran = replay(&setup, &["--to-topics", &topics.input, "--id", "all", "--settings-as", "judged", "--json"]);
    assert_eq!((&ran.summary()["records"], &ran.summary()["guessed"]), (&json!(feed.len()), &json!(0)), "{}", ran.err);
    let (live, again) = (by_event(&live), by_event(&committed(&target)));
    for (event, told) in &live {
        assert_eq!(again.get(event), Some(told), "{event:?}");
    }
    assert_eq!(live.len(), again.len());

    // By the time when each came it is the same but for those around a change, which the worker judged by what it held.
    let received = replay(&setup, &["--settings-as", "received", "--to-file", "-"]);
    let verdicts = received.verdicts();
    let version = |verdict: &Value| verdict["settingsVersion"].as_u64().unwrap();
    follow_each_other(&verdicts);
    let live_versions: BTreeMap<_, _> =
        live.iter().map(|((partition, offset, _), (value, ..))| ((*partition, *offset), version(value))).collect();
    let same = verdicts.iter().filter(|verdict| {
        let at = |name: &str| verdict["source"][name].as_i64().unwrap();
        live_versions[&(usize::try_from(at("partition")).unwrap(), at("offset"))] == version(verdict)
    });
    let same = same.count();
    // Before each change the worker may be 600 events behind, which it then judges by newer settings than they came under.
    assert!(same * 10 > verdicts.len(), "{same} of {}", verdicts.len());
}

#[test]
fn what_no_live_verdict_tells_of_is_counted_and_a_file_has_no_history() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "replay-unjudged", 1);
    let (_base, setup) = setup(&topics, "replay_unjudged");
    let mut feed = Feed::new(&topics);
    feed.mixture(50);
    feed.flush();
    let ran = replay(&setup, &["--settings-as", "judged"]);
    assert!(ran.err.contains("50  events by the settings when they came"), "{}", ran.err);
    let file = Setup::new(&topics, &[]);
    let ran: Ran = replay(&file, &["--settings-as", "judged"]);
    assert!(ran.code == Some(1) && ran.err.contains("is in a database"), "{}", ran.err);
}
