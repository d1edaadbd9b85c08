//! Holds docs/LOGGING.md: secrets, tokens and personal data are planted wherever they come in, and looked for in everything that
//! processes and the library print.

#[path = "common/binary.rs"]
mod binary;

use std::{
    fmt::Debug,
    fs,
    io::{self, Write},
    process::Stdio,
    sync::{Arc, Mutex},
};

use attrsync::{
    config,
    domain::{
        Arena, EventTime, Header, Offset, Partition, Policy, Position, Record, Snapshot, hex,
        key::{HmacDigest, HmacState},
    },
    store::{Settings, Source},
    worker::judge,
};
use tracing_subscriber::fmt::MakeWriter;

/// When the events came in: 2026-11-22T10:00:00Z.
const NOW_MS: i64 = 1_795_341_600_000;

const TOKEN_SECRET: &str = "pl4nted-token-secret-of-32-bytes-or-more";
const IDENTITY_SECRET: &str = "iv_pl4nted-identity-secret";

const SETTINGS: &str = r#"
[[organizations]]
slug = "acme"

[[organizations.jwt_keys]]
id = "main"
algorithm = "HS256"
secret = "pl4nted-token-secret-of-32-bytes-or-more"

[[organizations.identity_secrets]]
id = "iv"
secret = "iv_pl4nted-identity-secret"

[organizations.attributes]
plan = { type = "text", locked = true }
"#;

/// What must appear nowhere.
const PLANTED: [&str; 10] = [
    "pl4nted-password",
    "pl4nted-user",
    "pl4nted-secret",
    "pl4nted.person@example.com",
    "pl4nted-id",
    "pl4nted-value",
    "pl4nted-company",
    "pl4nted-name",
    TOKEN_SECRET,
    IDENTITY_SECRET,
];

fn assert_clean(printed: &str, where_from: &str) {
    for planted in PLANTED {
        assert!(!printed.contains(planted), "{where_from} prints {planted}:\n{printed}");
    }
}

#[test]
fn no_process_prints_a_secret_of_its_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        (
            "good.toml",
            "[kafka.properties]\nsecurity.protocol = \"SASL_PLAINTEXT\"\nsasl.mechanism = \"PLAIN\"\nsasl.username = \"pl4nted-user\"\nsasl.password = { file = \"secret\" }\n",
        ),
        ("type.toml", "[kafka.properties]\nsasl.password = [\"pl4nted-password\"]\n"),
        ("syntax.toml", "[kafka.properties]\nsasl.password = pl4nted-password\n"),
        ("place.toml", "[kafka]\nsasl_password = \"pl4nted-password\"\npasswort = \"pl4nted-password\"\n"),
        ("name.toml", "[kafka.properties]\nsasl.pasword = \"pl4nted-password\"\n"),
        ("owned.toml", "[kafka.producer.properties]\nsasl.password = \"pl4nted-password\"\nacks = 1\n"),
        ("secret", "pl4nted-secret\n"),
    ];
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let topics = "topics check --brokers 127.0.0.1:9 --timeout-ms 500";
    for (name, _) in &files[..files.len() - 1] {
        for line in ["config show", "config show --json", "config check", topics, "healthcheck --address 127.0.0.1:9"] {
            let output = binary::program()
                .args(line.split(' '))
                .args(["--config", name, "--log", "trace"])
                .env("ATTRSYNC__KAFKA__CONSUMER__PROPERTIES__SSL_KEY_PASSWORD", "pl4nted-password")
                .env("ATTRSYNC__KAFKA__CONSUMER__PROPERTIES__SSL_KEY_PEM", "pl4nted-secret")
                .current_dir(folder.path())
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let printed = [output.stdout, output.stderr].concat();
            assert_clean(&String::from_utf8_lossy(&printed), &format!("attrsync {line} with {name}"));
        }
    }
}

#[test]
fn no_configuration_prints_a_secret_when_debugged() {
    let variables = [
        ("ATTRSYNC__KAFKA__PROPERTIES__SASL_PASSWORD", "pl4nted-password"),
        ("ATTRSYNC__KAFKA__PROPERTIES__SASL_USERNAME__ENV", "USER_OF_KAFKA"),
        ("USER_OF_KAFKA", "pl4nted-user"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let loaded = config::load(&config::Sources { variables, ..config::Sources::default() }).unwrap();
    assert_clean(&format!("{loaded:#?}"), "the configuration");
}

/// Events with everything in them that a person or an attacker sends: signed, hashed, unsigned, broken.
fn events() -> Vec<Vec<u8>> {
    let identity = r#""userId": "pl4nted-id", "email": "pl4nted.person@example.com""#;
    let attributes = r#""plan": "pl4nted-value", "roles": ["pl4nted-value"], "pl4nted-name": 1, "companies": [{"id": "pl4nted-company", "x": "pl4nted-value"}]"#;
    let claims: serde_json::Value = serde_json::from_str(&format!("{{{identity}, {attributes}}}")).unwrap();
    let sign = |secret: &str| {
        let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
        jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap()
    };
    let (good, forged) = (sign(TOKEN_SECRET), sign("pl4nted-secret"));
    let mac = HmacState::new(HmacDigest::Sha256, IDENTITY_SECRET.as_bytes()).sign(b"pl4nted-id");
    let hash = hex::encode(&mac);
    let event =
        |credential: &str| format!(r#"{{"organization": "acme", {identity}, {attributes}{credential}}}"#).into_bytes();
    vec![
        event(&format!(r#", "featurebaseJwt": "{good}""#)),
        event(&format!(r#", "featurebaseJwt": "{forged}""#)),
        event(&format!(r#", "userHash": "{hash}""#)),
        event(r#", "userHash": "pl4nted-value""#),
        event(""),
        event(r#", "email": "pl4nted.person@example.com""#),
        b"pl4nted-value".to_vec(),
        b"{\"pl4nted-value\": \xff}".to_vec(),
    ]
}

#[test]
fn no_judgement_logs_or_debugs_what_a_person_sent() {
    let lines = Lines::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(lines.clone()).finish();
    let printed = tracing::subscriber::with_default(subscriber, || {
        let snapshot = Settings::load(Source::Embedded(SETTINGS), Policy::default()).unwrap().current();
        let verdicts: String = events().iter().map(|value| debugged(&snapshot, value)).collect();
        verdicts + &format!("{snapshot:#?}")
    });
    assert!(printed.contains("Verdict") && printed.contains("Snapshot"), "it looks at something: {printed}");
    assert_clean(&printed, "Debug");
    assert_clean(&lines.text(), "the log");
}

/// The `Debug` of a verdict.
fn debugged(snapshot: &Snapshot, value: &[u8]) -> String {
    let time = EventTime::from_millis(NOW_MS);
    let header = |name, value: &'static str| Header { name, value: Some(value.as_bytes()) };
    let headers = [header("ce_type", "identify"), header("ce_id", "pl4nted-id")];
    let record = Record {
        position: Position { topic: "events", partition: Partition(0), offset: Offset(1) },
        timestamp: Some(time),
        key: Some(b"pl4nted-id"),
        headers: &headers,
        value: Some(value),
        line: None,
    };
    let arena = Arena::new();
    show(&judge(&arena, &record, snapshot, time))
}

fn show(value: &impl Debug) -> String {
    format!("{value:#?}\n")
}

/// Collects what is logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
