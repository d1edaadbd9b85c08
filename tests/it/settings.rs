//! The worker with its settings in PostgreSQL: the database goes away and comes back elsewhere, organizations appear, and some
//! can't be used. No verdict is wrong, lost, or given by settings that are too old.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

use attrsync::{domain::verdict::Outcome, store::EXAMPLE};

use crate::{
    base::{self, Base, MASTER, master_keys},
    kit::{
        Broker, SOON, broker, eventually,
        feed::{Feed, Input},
        group::Group,
        outputs::{self, Told, hold_contract, hold_exactly_once},
        print,
        process::{Process, Setup},
        topics::Topics,
    },
    probes::{healthcheck, metrics},
    proxy::Proxy,
};

/// How old settings may get here.
const MAX_STALENESS: Duration = Duration::from_secs(3);

/// A worker on a database of its own.
struct Scene<G> {
    _broker: Broker<G>,
    topics: Topics,
    base: Base,
    proxy: Proxy,
    address: SocketAddr,
    worker: Process,
    setup: Setup,
}

fn scene(test: &str, further: &[&str]) -> Scene<std::sync::RwLockReadGuard<'static, ()>> {
    scene_on(&base::server(), test, further)
}

fn scene_on(server: &str, test: &str, further: &[&str]) -> Scene<std::sync::RwLockReadGuard<'static, ()>> {
    let broker = broker();
    let topics = Topics::create(&broker.0, test, 2);
    let base = Base::on(server, &test.replace('-', "_"));
    base.apply(EXAMPLE, &master_keys(&[("m", MASTER)]));
    let proxy = Proxy::to(&base.url);
    let keys = [
        format!("settings.source={}", proxy.url(&base.url)),
        format!("settings.master_keys={{\"m\" = \"{MASTER}\"}}"),
        format!("settings.max_staleness_s={}", MAX_STALENESS.as_secs()),
        "settings.reload_interval_ms=200".to_owned(),
    ];
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let admin = format!("admin.address={address}");
    let all: Vec<_> = keys.iter().chain([&admin]).map(String::as_str).chain(further.iter().copied()).collect();
    let setup = Setup::new(&topics, &all);
    let worker = setup.start("w");
    // It has its settings: one that can't load them ends.
    worker.logs("running");
    Scene { _broker: broker, topics, base, proxy, address, worker, setup }
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// Sends a mixture at a steady rate for so long.
fn stream(feed: &mut Feed, time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        feed.mixture(20);
        thread::park_timeout(Duration::from_millis(10));
    }
}

fn version(told: &Told) -> u64 {
    told.value["settingsVersion"].as_u64().unwrap()
}

fn sent_at(told: &Told) -> i64 {
    told.value["source"]["timestamp"].as_i64().unwrap()
}

#[test]
fn no_verdict_is_wrong_lost_or_stale_while_the_database_is_away_and_comes_back_elsewhere() {
    let scene = scene("settings-away", &[]);
    let (group, mut feed) = (Group::of(&scene.topics), Feed::new(&scene.topics));
    stream(&mut feed, Duration::from_secs(2));
    // Away for less than the limit: nobody notices.
    scene.proxy.cut();
    stream(&mut feed, Duration::from_millis(1500));
    scene.proxy.mend();
    stream(&mut feed, Duration::from_secs(1));
    group.reaches(feed.len() / 2);
    // Connections are cut again and again.
    for _ in 0..3 {
        scene.proxy.cut();
        scene.proxy.mend();
        stream(&mut feed, Duration::from_millis(300));
    }
    // Away for longer, and the settings change meanwhile.
    scene.proxy.cut();
    let cut = now();
    scene.base.sql("insert into attrsync.attributes (organization_id, owner, name, type, locked) values (2, 'user', 'unheard', 'text', true)").unwrap();
    stream(&mut feed, MAX_STALENESS + Duration::from_secs(3));
    eventually("it says that it holds all", SOON, || scene.worker.log().contains("held: the settings could not"));
    // What the other shard had in hand may still be on its way.
    let held = || {
        let before = group.committed();
        stream(&mut feed, Duration::from_secs(1));
        group.committed() == before
    };
    eventually("nothing is judged", SOON, held);
    assert_eq!(healthcheck(scene.address, &["--ready"]), Some(1), "readiness tells");
    scene.proxy.mend();
    stream(&mut feed, Duration::from_secs(1));
    feed.flush();
    group.reaches(feed.len());
    eventually("it is ready again", SOON, || healthcheck(scene.address, &["--ready"]) == Some(0));
    scene.worker.stop();

    let told = outputs::committed(&scene.topics);
    hold_contract(&told);
    let counts = hold_exactly_once(&feed, &told);
    let newest = told.iter().max_by_key(|told| sent_at(told)).map(version).unwrap();
    let limit = cut + i64::try_from(MAX_STALENESS.as_millis()).unwrap();
    let late: Vec<_> = told.iter().filter(|told| sent_at(told) > limit).collect();
    let stale = late.iter().filter(|told| version(told) != newest).count();
    assert_eq!(stale, 0, "of {} events after the limit", late.len());
    assert!(late.len() > 100 && told.iter().any(|told| version(told) != newest));
    print(&format!("{counts}; {} of them sent after the settings were too old, {stale} judged by those", late.len()));
}

/// A PostgreSQL of one test, which may be stopped.
struct Server {
    folder: tempfile::TempDir,
    port: u16,
}

impl Server {
    fn start() -> Self {
        let server = Self { folder: tempfile::tempdir().unwrap(), port: free_port() };
        server.services(&["up"]);
        server
    }

    fn services(&self, arguments: &[&str]) {
        let told = self.try_services(arguments).unwrap();
        assert!(told.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&told.stderr));
    }

    fn try_services(&self, arguments: &[&str]) -> io::Result<Output> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/services");
        let mut command = Command::new(script);
        command.args(arguments).arg("postgres").env_remove("ATTRSYNC_TEST_POSTGRES");
        command.env("ATTRSYNC_SERVICES_DIR", self.folder.path()).env("ATTRSYNC_POSTGRES_PORT", self.port.to_string());
        command.output()
    }

    fn url(&self) -> String {
        format!("postgres://attrsync:attrsync@127.0.0.1:{}/attrsync", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A panic here, in a test that failed, would end all tests.
        let _ = self.try_services(&["down", "--purge"]);
    }
}

/// A port that was free a moment ago: the listener is dropped at once.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn no_verdict_is_wrong_or_lost_while_postgresql_crashes_restarts_and_moves_to_another_port() {
    let mut server = Server::start();
    let scene = scene_on(&server.url(), "settings-crash", &["settings.max_staleness_s=60"]);
    let (group, mut feed) = (Group::of(&scene.topics), Feed::new(&scene.topics));
    stream(&mut feed, Duration::from_secs(1));
    server.services(&["restart", "--kill"]);
    stream(&mut feed, Duration::from_millis(500));
    server.services(&["restart"]);
    stream(&mut feed, Duration::from_millis(500));
    server.services(&["down"]);
    stream(&mut feed, Duration::from_millis(500));
    server.port = free_port();
    server.services(&["up"]);
    scene.proxy.move_to(server.port);
    let there = format!("{}/{}", server.url().rsplit_once('/').unwrap().0, scene.base.url.rsplit_once('/').unwrap().1);
    let change = "insert into attrsync.attributes (organization_id, owner, name, type, locked) values (2, 'user', 'unheard', 'text', true)";
    base::try_run(&there, change).unwrap();
    eventually("the change is seen", SOON, || scene.worker.log().contains("settings reloaded"));
    stream(&mut feed, Duration::from_millis(500));
    feed.flush();
    group.reaches(feed.len());
    assert!(scene.worker.log().contains("the settings can be looked at again"));
    scene.worker.stop();
    let told = outputs::committed(&scene.topics);
    hold_contract(&told);
    print(&hold_exactly_once(&feed, &told).to_string());
    let (first, last) = (told.iter().min_by_key(|told| sent_at(told)), told.iter().max_by_key(|told| sent_at(told)));
    assert_ne!(version(first.unwrap()), version(last.unwrap()), "judged by the settings before and after");
}

#[test]
fn the_first_events_of_new_organizations_are_judged_by_their_settings() {
    // An event waits for a look at the database for a moment only, which on a busy machine may be over first.
    assert!(
        (0..10).any(|again| all_were_known(&format!("settings-new{again}"))),
        "it was always too late for one of them"
    );
}

/// Whether the first event of each new organization was judged by its settings. One that was not is rejected as of an organization that
/// nobody knows, and nothing is lost or doubled either way.
fn all_were_known(test: &str) -> bool {
    let scene = scene(test, &["settings.reload_interval_ms=2000"]);
    let (group, mut feed) = (Group::of(&scene.topics), Feed::new(&scene.topics));
    feed.mixture(200);
    feed.flush();
    group.reaches(feed.len());
    let before = feed.ends();
    // The time that waiting may take altogether is short, and all of these share it.
    for number in 0..4 {
        scene.base.sql(&format!("insert into attrsync.organizations (slug) values ('new-{number}')")).unwrap();
        let value = format!(r#"{{"organization": "new-{number}", "anonymousId": "somebody"}}"#);
        let input =
            Input { value: Some(value.as_bytes()), headers: &[("ce_type", b"boot")], outcome: Outcome::Accepted };
        feed.send(number % 2, input);
        feed.flush();
    }
    let unknown = Input {
        value: Some(br#"{"organization": "nobody", "anonymousId": "somebody"}"#),
        headers: &[("ce_type", b"boot")],
        outcome: Outcome::Rejected,
    };
    let after = feed.ends();
    (0..500).for_each(|number| feed.send(number % 2, unknown));
    feed.flush();
    group.reaches(feed.len());
    scene.worker.stop();
    let told = outputs::committed(&scene.topics);
    let of_new = |(partition, offset): (usize, i64)| (before[partition]..after[partition]).contains(&offset);
    let late = |told: &&Told| of_new(told.source()) && told.value["reason"] == "unknown_organization";
    let late: Vec<_> = told.iter().filter(late).map(Told::source).collect();
    for (partition, offset) in &late {
        feed.expected[*partition][usize::try_from(*offset).unwrap()] = Outcome::Rejected;
    }
    hold_exactly_once(&feed, &told);
    late.is_empty()
}

/// An event of acme in the first partition, and of globex in both.
fn events(feed: &mut Feed, acme: Outcome) {
    let boot = |value: &'static str, outcome| Input {
        value: Some(value.as_bytes()),
        headers: &[("ce_type", b"boot")],
        outcome,
    };
    let globex = boot(r#"{"organization": "globex", "anonymousId": "a"}"#, Outcome::Accepted);
    feed.send(0, globex);
    feed.send(0, boot(r#"{"organization": "acme", "anonymousId": "a"}"#, acme));
    for partition in [0, 1, 1, 1] {
        feed.send(partition, globex);
    }
    feed.flush();
}

fn break_acme(base: &Base) {
    base.sql(
        "begin; update attrsync.secrets set sealed = set_bit(sealed, 99, 1 - get_bit(sealed, 99)) where organization_id = 1;
         update attrsync.organizations set membership_locked = false where id = 1; commit;",
    )
    .unwrap();
}

#[test]
fn events_of_an_organization_that_can_not_be_used_are_rejected_and_all_others_go_on() {
    let scene = scene("settings-reject", &["settings.on_unusable=reject"]);
    let (group, mut feed) = (Group::of(&scene.topics), Feed::new(&scene.topics));
    break_acme(&scene.base);
    eventually("it is told", SOON, || scene.worker.log().contains("organization acme: jwt_keys["));
    events(&mut feed, Outcome::Rejected);
    group.reaches(feed.len());
    scene.worker.stop();
    let told = outputs::committed(&scene.topics);
    hold_exactly_once(&feed, &told);
    let reasons: Vec<_> = told.iter().filter_map(|told| told.value["reason"].as_str()).collect();
    assert_eq!(reasons, ["settings_unusable"]);
}

#[test]
fn events_of_an_organization_that_can_not_be_used_wait_where_the_operator_says_so() {
    let mut scene = scene("settings-wait", &["settings.on_unusable=wait"]);
    let (group, mut feed) = (Group::of(&scene.topics), Feed::new(&scene.topics));
    break_acme(&scene.base);
    eventually("it is told", SOON, || scene.worker.log().contains("organization acme: jwt_keys["));
    events(&mut feed, Outcome::Accepted);
    eventually("one partition waits at its event, the other goes on", SOON, || group.committed() == [1, 3]);
    eventually("it is told", SOON, || scene.worker.log().contains("held: the settings of this event's organization"));
    events(&mut feed, Outcome::Accepted);
    let lag = format!("attrsync_lag_records{{topic=\"{}\",partition=\"0\"}} 5", scene.topics.input);
    let lag_is_told = || metrics(scene.address).lines().any(|line| line.trim_end_matches(".0") == lag);
    eventually("the lag of what is held grows though nothing is read", SOON, lag_is_told);
    scene.worker.stop();
    scene.worker = scene.setup.start("w");
    scene.worker.logs("running");
    eventually("one that committed nothing of what it holds tells the same lag", SOON, lag_is_told);
    scene.base.apply(EXAMPLE, &master_keys(&[("m", MASTER)]));
    group.reaches(feed.len());
    scene.worker.stop();
    hold_exactly_once(&feed, &outputs::committed(&scene.topics));
}
