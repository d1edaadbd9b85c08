//! Events that differ in one thing: their size, their attributes, or who sends them. All are signed and accepted.

use std::fmt::Write as _;

use attrsync::{
    domain::{
        key::{HmacDigest, HmacState},
        random::Random,
        verdict::Outcome,
    },
    traffic::Person,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::events::{BEGIN_MS, Events};

/// Attributes of an organization, and the names that they are taken from.
const OF_ORGANIZATION: usize = 8;
const NAMES: usize = 500;
const WORDS: &[&str] = &[
    "account",
    "billing",
    "customer",
    "dashboard",
    "export",
    "feedback",
    "germany",
    "holiday",
    "invoice",
    "journey",
    "keyboard",
    "latency",
    "monthly",
    "newsletter",
    "onboarding",
    "pricing",
];

/// What differs.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Made {
    /// So many bytes, by one long text.
    Sized(usize),
    /// So many attributes are configured, and so many sent: every other one is locked and signed.
    Attributes { configured: usize, sent: usize },
    /// So many organizations are configured, and so many send in turn.
    Organizations { configured: usize, senders: usize },
}

impl Made {
    fn organizations(self) -> usize {
        if let Self::Organizations { configured, .. } = self { configured } else { 1 }
    }

    /// The attributes of an organization by name, its locked ones first of each two.
    fn attributes(self, organization: usize) -> Vec<String> {
        match self {
            Self::Sized(_) => Vec::new(),
            Self::Attributes { configured, .. } => (0..configured).map(|at| format!("attribute_{at}")).collect(),
            Self::Organizations { .. } => (0..OF_ORGANIZATION)
                .map(|at| format!("attribute_{}", (organization * 7919 + at * 23) % NAMES))
                .collect(),
        }
    }

    fn sent(self) -> usize {
        match self {
            Self::Sized(_) => 0,
            Self::Attributes { sent, .. } => sent,
            Self::Organizations { .. } => OF_ORGANIZATION,
        }
    }

    /// Who sends the n-th event; nobody twice until everybody has.
    fn sender(self, number: i64) -> usize {
        let Self::Organizations { senders, .. } = self else { return 0 };
        let number = usize::try_from(number).unwrap_or(0) % senders;
        // A prime that divides no number of senders here.
        number.wrapping_mul(2_654_435_761) % senders
    }
}

fn slug(organization: usize) -> String {
    format!("organization-{organization}")
}

fn secret(organization: usize) -> String {
    format!("sample-secret-of-organization-{organization:06}")
}

fn token(organization: usize, claims: &Value) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let mac = HmacState::new(HmacDigest::Sha256, secret(organization).as_bytes()).sign(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac))
}

/// Words up to so many bytes.
fn words(random: &mut Random, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 16);
    while text.len() < bytes {
        let word: &&str = random.pick(WORDS);
        text.push_str(word);
        text.push(' ');
    }
    text.truncate(bytes);
    text
}

impl Events for Made {
    fn name(&self) -> String {
        match self {
            Self::Sized(bytes) => format!("sized-{bytes}"),
            Self::Attributes { configured, sent } => format!("attributes-{sent}-of-{configured}"),
            Self::Organizations { senders, .. } => format!("organizations-{senders}"),
        }
    }

    fn settings(&self) -> String {
        let mut text = String::new();
        for organization in 0..self.organizations() {
            // Writing into a String cannot fail.
            let _ = write!(
                text,
                "[[organizations]]\nslug = \"{}\"\n[[organizations.jwt_keys]]\nid = \"main\"\nalgorithm = \"HS256\"\nsecret = \"{}\"\n[organizations.attributes]\n",
                slug(organization),
                secret(organization)
            );
            for (at, name) in self.attributes(organization).iter().enumerate() {
                let _ = writeln!(text, "{name} = {{ type = \"text\", locked = {} }}", at % 2 == 0);
            }
            if matches!(self, Self::Sized(_)) {
                text.push_str("notes = { type = \"text\", max_chars = 200000 }\n");
            }
        }
        text
    }

    fn outcome(&self, _: i64) -> Outcome {
        Outcome::Accepted
    }

    fn event(&mut self, number: i64) -> Vec<u8> {
        let mut random = Random::new(number.unsigned_abs());
        let (person, organization) = (Person::random(&mut random), self.sender(number));
        let begin = BEGIN_MS / 1000;
        let mut claims = json!({ "userId": person.id, "email": person.email, "iat": begin, "exp": begin + 3600 });
        let mut payload = json!({ "organization": slug(organization), "userId": person.id });
        for (at, name) in self.attributes(organization).into_iter().take(self.sent()).enumerate() {
            let value = json!(random.pick(WORDS));
            if at % 2 == 0 { claims[name] = value } else { payload[name] = value }
        }
        payload["featurebaseJwt"] = json!(token(organization, &claims));
        let mut event = json!({
            "id": format!("evt-{number:012x}"), "type": "identify",
            "context": { "anonymousId": person.anonymous_id }, "payload": payload,
        });
        if let Self::Sized(bytes) = self {
            event["payload"]["notes"] = json!("");
            let without = event.to_string().len();
            event["payload"]["notes"] = json!(words(&mut random, bytes.saturating_sub(without)));
        }
        event.to_string().into_bytes()
    }
}
