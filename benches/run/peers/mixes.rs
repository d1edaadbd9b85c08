//! The mixes of events. The n-th event of a mix is always the same one, and what it is made for follows from n alone; ECDSA alone
//! signs the same thing in another way each time.
//!
//! Every event carries three attributes that nobody configured and `plan`, which is locked: signed as a rule, unsigned in one of
//! ten. Another one of ten is forged: its token was signed for other claims. Tokens expire an hour after the events, which are long
//! past when they are judged, so that whoever goes by the wall clock refuses them all; but one of fifty had expired an hour before its
//! event, so that whoever doesn't look accepts too many.

use std::collections::HashMap;

use attrsync::{
    domain::{
        hex,
        key::{HmacDigest, HmacState},
        random::Random,
        verdict::Outcome,
    },
    traffic::Person,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::events::{BEGIN_MS, Events};

/// What everybody judges by.
pub(crate) const SETTINGS: &str = include_str!("settings.toml");

/// What an event is made for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Made {
    Good,
    /// Its locked attribute is unsigned.
    Locked,
    /// Its token or hash is of something else.
    Forged,
    /// Its token had expired.
    Expired,
}

/// Which events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Mix {
    /// 700 bytes, HS256
    Hs256,
    /// The same, RS256 and ES256 in turn
    PublicKey,
    /// 500 bytes, `userHash` alone
    Hmac,
    /// 5 kB, HS256, with fifteen companies in the token
    Companies,
    /// As hs256, but every event's locked attribute is unsigned, so that each makes two records
    Locked,
}

impl Mix {
    pub(crate) const ALL: [Self; 5] = [Self::Hs256, Self::PublicKey, Self::Hmac, Self::Companies, Self::Locked];

    /// What it is, for the table's heading.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::Hs256 => "700 B, HS256",
            Self::PublicKey => "700 B to 1 kB, RS256 and ES256 in turn",
            Self::Hmac => "500 B, HMAC of the user's id alone",
            Self::Companies => "5 kB, HS256, fifteen companies in the token",
            Self::Locked => "700 B, HS256, the locked attribute unsigned in every event: two records each",
        }
    }

    /// How many events a worker is measured over. Where verifying is dear there are fewer, and so they are where events are large.
    pub(crate) fn events(self) -> i64 {
        match self {
            Self::Hs256 => 600_000,
            Self::Hmac | Self::Locked => 150_000,
            Self::Companies => 50_000,
            Self::PublicKey => 60_000,
        }
    }

    /// What the n-th event is made for.
    fn made(self, number: i64) -> Made {
        match (Random::new(number.unsigned_abs()).below(50), self) {
            (..5, _) => Made::Forged,
            // Hashes don't expire.
            (5, mix) if mix != Self::Hmac => Made::Expired,
            (6..11, _) | (_, Self::Locked) => Made::Locked,
            _ => Made::Good,
        }
    }
}

impl std::fmt::Display for Mix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use clap::ValueEnum as _;
        f.write_str(self.to_possible_value().expect("every mix has a name").get_name())
    }
}

/// Makes the events of a mix.
pub(crate) struct Maker {
    mix: Mix,
    keys: [Key; 3],
    identity: HmacState,
    /// Tokens of public keys by key and claims: to sign one takes longer than all else, and users come back.
    signed: HashMap<(usize, String), String>,
}

struct Key {
    header: Header,
    key: EncodingKey,
}

impl Key {
    fn new(id: &str, algorithm: Algorithm, key: EncodingKey) -> Self {
        Self { header: Header { kid: Some(id.to_owned()), ..Header::new(algorithm) }, key }
    }

    fn sign(&self, claims: &Value) -> String {
        encode(&self.header, claims, &self.key).unwrap()
    }
}

impl Maker {
    pub(crate) fn new(mix: Mix) -> Self {
        let document: Value = toml::from_str(SETTINGS).unwrap();
        let acme = &document["organizations"][0];
        let secret = |of: &Value| of["secret"].as_str().unwrap().as_bytes().to_vec();
        let rsa = EncodingKey::from_rsa_pem(include_bytes!("keys/rs256.pem")).unwrap();
        let ec = EncodingKey::from_ec_pem(include_bytes!("keys/es256.pem")).unwrap();
        let keys = [
            Key::new("2025-06", Algorithm::HS256, EncodingKey::from_secret(&secret(&acme["jwt_keys"][0]))),
            Key::new("rs", Algorithm::RS256, rsa),
            Key::new("es", Algorithm::ES256, ec),
        ];
        let identity = HmacState::new(HmacDigest::Sha256, &secret(&acme["identity_secrets"][0]));
        Self { mix, keys, identity, signed: HashMap::new() }
    }

    fn hash(&self, identifier: &str) -> String {
        hex::encode(&self.identity.sign(identifier.as_bytes()))
    }

    fn token(&mut self, number: i64, person: &Person, made: Made) -> String {
        let begin = BEGIN_MS / 1000 - if made == Made::Expired { 7200 } else { 0 };
        let mut claims = json!({
            "userId": person.id, "email": person.email, "name": person.name, "iat": begin, "exp": begin + 3600,
        });
        if made != Made::Locked {
            claims["plan"] = json!("Free");
        }
        if self.mix == Mix::Companies {
            claims["companies"] = (0..15).map(|at| company(number * 15 + at)).collect();
        }
        let token = self.sign(number, &claims);
        if made != Made::Forged {
            return token;
        }
        // Somebody gives himself another plan.
        claims["plan"] = json!("Enterprise");
        let mut parts: Vec<_> = token.split('.').collect();
        let tampered = URL_SAFE_NO_PAD.encode(claims.to_string());
        parts[1] = &tampered;
        parts.join(".")
    }

    fn sign(&mut self, number: i64, claims: &Value) -> String {
        if self.mix != Mix::PublicKey {
            return self.keys[0].sign(claims);
        }
        let key = if number / 4 % 2 == 0 { 1 } else { 2 };
        self.signed.entry((key, claims.to_string())).or_insert_with(|| self.keys[key].sign(claims)).clone()
    }
}

impl Events for Maker {
    fn name(&self) -> String {
        self.mix.to_string()
    }

    fn settings(&self) -> String {
        SETTINGS.to_owned()
    }

    fn outcome(&self, number: i64) -> Outcome {
        match self.mix.made(number) {
            Made::Good => Outcome::Accepted,
            Made::Locked => Outcome::Partial,
            Made::Forged | Made::Expired => Outcome::Rejected,
        }
    }

    fn reason(&self, number: i64) -> Option<&'static str> {
        match self.mix.made(number) {
            Made::Good => None,
            Made::Locked => Some("locked"),
            Made::Forged if self.mix == Mix::Hmac => Some("hash_mismatch"),
            Made::Forged => Some("signature_invalid"),
            Made::Expired => Some("token_expired"),
        }
    }

    fn event(&mut self, number: i64) -> Vec<u8> {
        // The first number says what it is made for.
        let mut random = Random::new(number.unsigned_abs());
        random.next_number();
        let person = Person::random(&mut random);
        let mut payload = json!({
            "organization": "acme", "userId": person.id,
            "locale": random.pick(&["en", "de", "fr", "pt-BR", "ja"]),
            "title": random.pick(&["Engineer", "Analyst", "Designer", "Founder"]), "onboarded": true,
            "createdAt": "2024-03-01T09:30:00Z", "theme": "dark",
            "utm_source": "newsletter", "utm_campaign": "autumn", "experiment": format!("pricing-{}", random.below(4)),
        });
        let made = self.mix.made(number);
        if made == Made::Locked {
            payload["plan"] = json!("Enterprise");
        }
        if self.mix == Mix::Hmac {
            let proven = if made == Made::Forged { "somebody else" } else { &person.id };
            payload["userHash"] = json!(self.hash(proven));
            (payload["name"], payload["interests"]) = (json!(person.name), json!(["kafka", "identity"]));
        } else {
            payload["email"] = json!(person.email);
            payload["featurebaseJwt"] = json!(self.token(number, &person, made));
        }
        let event = json!({
            "id": format!("evt-{number:012x}"), "type": "identify", "receivedAt": "2026-11-22T10:00:00.000Z",
            "context": { "anonymousId": person.anonymous_id }, "payload": payload,
        });
        event.to_string().into_bytes()
    }
}

/// One of many companies; `crm_owner` is configured nowhere.
fn company(number: i64) -> Value {
    json!({
        "id": format!("c{number}"), "name": format!("Analytical Engines {number}"),
        "website": format!("https://c{number}.example"), "createdAt": "2021-05-17T08:00:00Z", "industry": "Software", "companySize": number % 900,
        "monthlySpend": number % 7000, "plan": "Premium", "seats": number % 200, "crm_owner": "grace",
    })
}
