//! What the tests of the judgement share: settings from a text, an event that owns its bytes, tokens and hashes made the
//! way a customer's server makes them.

mod contract;
mod headers;

use std::io::Write;

use attrsync::{
    domain::{
        Arena, EventTime, Header, Offset, Partition, Policy, Position, Record, Snapshot, Verdict, hex,
        key::{Algorithm, HmacDigest, HmacState},
    },
    emit::{Channel, Encoder},
    store::{Settings, SettingsError, Source},
    worker::judge,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// 2026-11-22T10:00:00Z
pub(crate) const NOW: i64 = 1_795_341_600_000;

/// The secret of the key `current` in [`SETTINGS`].
pub(crate) const SECRET: &str = "the current secret, 32 bytes or more";
/// The identity secret in [`SETTINGS`].
pub(crate) const IDENTITY_SECRET: &str = "iv_your-secret-key";

/// A snapshot of these settings.
pub(crate) fn snapshot(settings: &str, policy: Policy) -> std::sync::Arc<Snapshot> {
    load(settings, policy).unwrap().current()
}

/// These settings, or what is wrong with them.
pub(crate) fn load(settings: &str, policy: Policy) -> Result<Settings, SettingsError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(settings.as_bytes()).unwrap();
    Settings::load(Source::File(file.path().to_path_buf()), policy)
}

/// A record that owns its bytes.
#[derive(Clone)]
pub(crate) struct Event {
    /// The record's value.
    pub(crate) value: Option<Vec<u8>>,
    /// The record's headers.
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
    /// The record's timestamp.
    pub(crate) timestamp: Option<i64>,
    /// The record's offset in `events/0`.
    pub(crate) offset: i64,
    /// The time for a record without a timestamp.
    pub(crate) now: i64,
}

/// Shows the value, as a person reads it.
impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = self.value.as_deref().map(String::from_utf8_lossy);
        f.debug_struct("Event").field("value", &value).field("timestamp", &self.timestamp).finish_non_exhaustive()
    }
}

impl Event {
    /// An identify at [`NOW`] with this value.
    pub(crate) fn new(value: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("ce_type".to_owned(), Some(b"identify".to_vec()))];
        Self { value: Some(value.into()), headers, timestamp: Some(NOW), offset: 12, now: NOW }
    }

    /// The verdict's JSON. Every record that tells it keeps the contract.
    pub(crate) fn judge(&self, snapshot: &Snapshot) -> String {
        self.told_in(&Arena::new(), snapshot, |verdict, record| {
            emitted(verdict, record).iter().for_each(Emitted::holds);
            serde_json::to_string(verdict).unwrap()
        })
    }

    /// What `told` makes of the verdict, which lives in memory that others may have used before.
    pub(crate) fn told_in<T>(
        &self,
        arena: &Arena,
        snapshot: &Snapshot,
        told: impl FnOnce(&Verdict<'_>, &Record<'_>) -> T,
    ) -> T {
        let headers: Vec<_> =
            self.headers.iter().map(|(name, value)| Header { name, value: value.as_deref() }).collect();
        let record = Record {
            position: Position { topic: "events", partition: Partition(0), offset: Offset(self.offset) },
            timestamp: self.timestamp.map(EventTime::from_millis),
            key: None,
            headers: &headers,
            value: self.value.as_deref(),
            line: None,
        };
        told(&judge(arena, &record, snapshot, EventTime::from_millis(self.now)), &record)
    }

    /// The verdict, read back.
    pub(crate) fn verdict(&self, snapshot: &Snapshot) -> Value {
        serde_json::from_str(&self.judge(snapshot)).unwrap()
    }
}

/// A record that is sent.
pub(crate) struct Emitted {
    /// On which way.
    pub(crate) channel: Channel,
    /// Its key.
    key: Vec<u8>,
    /// Its headers, as an object of texts.
    pub(crate) headers: Value,
    /// Its value.
    pub(crate) value: Value,
}

impl Emitted {
    fn holds(&self) {
        if let Some(subject) = self.headers.get("ce_subject") {
            assert_eq!(subject.as_str().unwrap().as_bytes(), self.key);
        }
        contract::holds(self.channel, &self.value);
        headers::hold(self.channel, &self.headers);
    }
}

/// An encoder without a limit of its own.
pub(crate) fn encoder() -> Encoder {
    Encoder::new("/attrsync/test".to_owned(), usize::MAX)
}

/// The records that tell a verdict. The accepted topic has it as the types themselves serialize.
pub(crate) fn emitted(verdict: &Verdict<'_>, record: &Record<'_>) -> Vec<Emitted> {
    let mut encoder = encoder();
    let encoded = encoder.encode(verdict, record).unwrap();
    if let Some(accepted) = encoded.outputs().find(|output| output.channel == Channel::Accepted) {
        assert_eq!(accepted.value, serde_json::to_vec(verdict).unwrap());
    }
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let outputs = encoded.outputs().map(|output| Emitted {
        channel: output.channel,
        key: output.key.to_vec(),
        headers: output
            .headers
            .iter()
            .map(|(name, value)| (name.to_owned(), text(value).into()))
            .collect::<Map<_, _>>()
            .into(),
        value: serde_json::from_slice(output.value).unwrap(),
    });
    outputs.collect()
}

/// A token with this header, signed as its parts stand.
pub(crate) fn sign(header: &str, claims: &str, algorithm: Algorithm, secret: impl AsRef<[u8]>) -> String {
    let signing_input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let mac = HmacState::new(algorithm.hmac().unwrap(), secret.as_ref()).sign(signing_input.as_bytes());
    format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(mac))
}

/// The hash of an identifier under this secret.
pub(crate) fn hash_under(secret: impl AsRef<[u8]>, identifier: &str) -> String {
    let mac = HmacState::new(HmacDigest::Sha256, secret.as_ref()).sign(identifier.as_bytes());
    hex::encode(&mac)
}
