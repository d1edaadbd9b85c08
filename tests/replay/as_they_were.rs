//! History judged by the settings as they were: record for record what the worker told, across changes of settings, locks and keys.

use std::collections::{BTreeMap, BTreeSet};

use attrsync::{domain::EventTime, store::EXAMPLE};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use serde_json::{Value, json};

use crate::{
    base::{Base, MASTER, master_keys},
    into_topics::replayed,
    kit::{
        SOON, broker, eventually,
        feed::Feed,
        group::Group,
        outputs::{Told, committed},
        process::{Process, Setup},
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

/// Makes the changes, with events before and after each; those that came while the settings had long been what they were.
fn change((base, worker): (&Base, &Process), feed: &mut Feed, group: &Group) -> BTreeSet<(usize, i64)> {
    let mut calm = BTreeSet::new();
    for (heard, change) in (1..).zip(CHANGES) {
        base.sql(change).unwrap();
        feed.mixture(700);
        feed.flush();
        eventually("the worker hears of the change", SOON, || {
            worker.log().matches("settings reloaded").count() >= heard
        });
        // No batch is left that was begun before: what comes now comes under the settings that judge it.
        group.reaches(feed.len());
        let before = feed.ends();
        feed.mixture(100);
        feed.flush();
        group.reaches(feed.len());
        for (partition, (from, to)) in before.into_iter().zip(feed.ends()).enumerate() {
            calm.extend((from..to).map(|offset| (partition, offset)));
        }
        // Of these the worker may be behind when the next change comes.
        feed.mixture(600);
        feed.flush();
    }
    calm
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
    let distinct: BTreeSet<_> = held.iter().collect();
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
    let calm = change((&base, &worker), &mut feed, &group);
    group.reaches(feed.len());
    worker.stop();
    let live = committed(&topics);
    let versions: BTreeSet<_> = live.iter().map(|told| told.value["settingsVersion"].as_u64().unwrap()).collect();
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
    let mut looked_at = 0;
    for verdict in &verdicts {
        let at = |name: &str| verdict["source"][name].as_i64().unwrap();
        let event = (usize::try_from(at("partition")).unwrap(), at("offset"));
        if calm.contains(&event) {
            looked_at += 1;
            assert_eq!(live_versions[&event], version(verdict), "{event:?}");
        }
    }
    assert_eq!(looked_at, 100 * CHANGES.len());
}

#[test]
fn a_record_that_is_older_than_the_time_that_chose_it_is_judged_by_the_settings_of_its_own_time() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "replay-older", 1);
    let (base, setup) = setup(&topics, "replay_older");
    let latest = "select (extract(epoch from max(at)) * 1000)::bigint from attrsync.revisions";
    let before = base.value::<i64>(latest);
    base.sql(CHANGES[0]).unwrap();
    let after = base.value::<i64>(latest);
    assert!(before < after);
    // The newer one stands first, and a time begins at its first record.
    let producer: BaseProducer = topics.client().create().unwrap();
    for time in [after, before] {
        let record = BaseRecord::<[u8], str>::to(&topics.input).payload("{\"organization\":\"acme\"}").timestamp(time);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(SOON).unwrap();
    let by_version = |line: &[&str]| {
        let line = [&["--settings-as", "received", "--type", "boot", "--to-file", "-"], line].concat();
        let verdicts = replay(&setup, &line).verdicts();
        verdicts.iter().map(|verdict| verdict["settingsVersion"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let as_of = |time: i64| {
        let as_of = ["--settings-at", &EventTime::from_millis(time).to_string(), "--json"].map(str::to_owned);
        replay(&setup, &as_of.each_ref().map(String::as_str)).summary()["settingsVersion"].as_u64().unwrap()
    };
    let expected = [as_of(after), as_of(before)];
    assert_ne!(expected[0], expected[1]);
    assert_eq!(by_version(&[]), expected);
    assert_eq!(by_version(&["--since", &EventTime::from_millis(after).to_string()]), expected);
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
    // Of those alone that were asked for, into topics too.
    replayed(&topics, "acme");
    let into_topics = ["--to-topics", &topics.input, "--id", "acme"];
    for to in [&[][..], &into_topics] {
        let line = [to, &["--settings-as", "judged", "--organization", "acme", "--json"]].concat();
        let told = replay(&setup, &line).summary();
        assert!(told["records"].as_u64().is_some_and(|records| (1..50).contains(&records)), "{told}");
        assert_eq!(told["guessed"], told["records"], "{told}");
    }
    let file = Setup::new(&topics, &[]);
    let ran: Ran = replay(&file, &["--settings-as", "judged"]);
    assert!(ran.code == Some(2) && ran.err.contains("is in a database"), "{}", ran.err);
}

#[test]
fn a_replay_by_the_settings_of_each_event_goes_on_under_the_policy_that_it_began_with() {
    let broker = broker();
    let topics = Topics::create(&broker.0, "replay-policy", 1);
    let (_base, setup) = setup(&topics, "replay_policy");
    let mut feed = Feed::new(&topics);
    feed.mixture(50);
    feed.flush();
    replayed(&topics, "policy");
    let received = ["--settings-as", "received"];
    let begun = replay(&setup, &[&["--to-topics", &topics.input, "--id", "policy"], &received[..]].concat());
    assert_eq!(begun.code, Some(0), "{}", begun.err);
    let resume = [&["--resume", "policy"], &received[..]].concat();
    assert_eq!(replay(&setup, &resume).code, Some(0));
    let other = replay(&setup, &[&resume[..], &["--set", "policy.leeway_s=7"]].concat());
    assert!(other.code == Some(1) && other.err.contains("under another policy"), "{}", other.err);
}
