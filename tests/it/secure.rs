//! A cluster as it is in production: TLS, a login, and a user who may do what the documents say that a worker needs, and nothing else.

use std::process::Command;

use crate::kit::{
    SERVICES, SOON, broker, eventually,
    feed::Feed,
    group::Group,
    ours,
    outputs::{self, hold_exactly_once},
    process::{Process, Setup, output},
    topics::Topics,
};

/// The one user of the listener, whose password is the same.
const USER: &str = "attrsync";
/// Another password, which must be told nowhere.
const WRONG: &str = "wr0ng-p4ssw0rd";
/// For whoever is refused, and would only be refused again.
const ONCE: &str = "worker.fault_tries=1";
/// Where the documents list rights.
const RIGHTS: &str = "Rights in Kafka";

/// The listener with TLS, and whoever signed its certificate.
struct Secure {
    brokers: String,
    authority: String,
}

impl Secure {
    /// Absent where Kafka is somebody's own.
    fn listener() -> Option<Self> {
        let brokers = ours("ATTRSYNC_TEST_KAFKA_SECURE_ADDRESS")?;
        Some(Self { brokers, authority: ours("ATTRSYNC_TEST_KAFKA_AUTHORITY")? })
    }

    /// What a worker is told that comes this way with such a password and authority, and whoever else does.
    fn setup(&self, topics: &Topics, (password, authority): (&str, &str), further: &[&str]) -> Setup {
        let set = [
            "kafka.properties.security.protocol=SASL_SSL",
            "kafka.properties.sasl.mechanism=PLAIN",
            &format!("kafka.properties.sasl.username={USER}"),
            &format!("kafka.properties.sasl.password={password}"),
            &format!("kafka.properties.ssl.ca.location={authority}"),
        ];
        Setup::new(&Topics { brokers: self.brokers.clone(), ..topics.clone() }, &[&set[..], further].concat())
    }

    /// A worker with the right login.
    fn of(&self, topics: &Topics, further: &[&str]) -> Setup {
        self.setup(topics, (USER, &self.authority), further)
    }
}

/// How a worker ends that can't work: its last line.
fn last_line(mut worker: Process) -> String {
    assert_eq!(worker.ended().code(), Some(1), "{}", worker.log());
    worker.log().lines().last().unwrap().to_owned()
}

fn acls(arguments: &[&str]) -> String {
    let told = output(Command::new(SERVICES).arg("acls").args(arguments));
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    String::from_utf8(told.stdout).unwrap()
}

/// Gives the user a right on what bears this name, and waits until the broker knows.
fn allow(right: &str, on: &[&str], name: &str) {
    acls(&[&["--add", "--allow-principal", &format!("User:{USER}"), "--operation", right][..], on].concat());
    eventually("the broker knows of the right", SOON, || acls(&["--list"]).contains(name));
}

fn may_read(topics: &Topics) {
    allow("Read", &["--topic", &topics.input], &topics.input);
}

fn may_write(topics: &Topics) {
    allow("Write", &["--topic", &topics.accepted, "--topic", &topics.rejected], &topics.rejected);
}

fn may_transact(topics: &Topics) {
    let ids = format!("{}-", topics.group);
    allow("Write", &["--transactional-id", &ids, "--resource-pattern-type", "prefixed"], &ids);
}

fn may_join(topics: &Topics) {
    let group = format!("resourceType=GROUP, name={}", topics.group);
    allow("Read", &["--group", &topics.group], &group);
}

#[test]
fn a_right_that_is_missing_is_named_and_with_those_that_the_documents_name_a_worker_works_over_tls() {
    let (Some(secure), broker) = (Secure::listener(), broker()) else { return };
    let topics = Topics::create(&broker.0, "secure", 2);
    let setup = secure.of(&topics, &[]);
    let refused = |what: &str| {
        let line = last_line(setup.start("a"));
        assert!(line.contains(what) && line.contains(RIGHTS) && !line.contains("given up after"), "{what}: {line}");
    };
    refused(&topics.input);
    let check = output(&mut setup.command("topics check --timeout-ms 60000"));
    let check = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(check.contains("unknown") && check.contains(RIGHTS) && !check.contains("does not exist"), "{check}");
    may_read(&topics);
    refused(&topics.accepted);
    may_write(&topics);
    refused(&format!("{}-a-", topics.group));
    may_transact(&topics);
    refused(&format!("as group {:?}", topics.group));
    may_join(&topics);

    let mut feed = Feed::new(&topics);
    feed.mixture(2_000);
    feed.flush();
    let setup = secure.of(&topics, &[]);
    let worker = setup.start("b");
    Group::of(&topics).reaches(feed.len());
    assert!(!worker.log().contains("uthorization"), "no right is missed:\n{}", worker.log());
    worker.stop();
    hold_exactly_once(&feed, &outputs::committed(&topics));
}

#[test]
fn whoever_may_not_connect_is_told_why() {
    let (Some(secure), broker) = (Secure::listener(), broker()) else { return };
    let topics = Topics::named(&broker.0, "login", 1);
    // An authority that signed nothing, and whose key nobody has.
    let stranger = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/kit/stranger.pem");
    let wrong = secure.setup(&topics, (WRONG, &secure.authority), &[ONCE]);
    let unknown = secure.setup(&topics, (USER, stranger), &[ONCE]);
    let plain = Setup::new(&Topics { brokers: secure.brokers.clone(), ..topics.clone() }, &[ONCE]);
    let commands = ["topics check", "replay --dry-run", "traffic --events 1"];
    for (setup, why, commands) in [
        (wrong, "Invalid username or password", &commands[..]),
        (unknown, "ssl.ca.location", &commands),
        // A producer that is closed upon hears nothing of it.
        (plain, "kafka.properties.security.protocol", &commands[..2]),
    ] {
        let worker = setup.start("a");
        let line = last_line(worker);
        assert!(line.contains("no broker of ") && line.contains(why), "{line}");
        assert!(!line.contains(WRONG), "{line}");
        for command in commands {
            let told = output(&mut setup.command(command));
            let (out, error) = (String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
            assert!(told.status.code() == Some(1) && error.contains(why), "{command}: {error}");
            assert!(!error.contains(WRONG) && !out.contains(WRONG), "{error}{out}");
        }
    }
}
