//! One function for each kind of event. They come as an ingestion gateway passes them on: most in an envelope, some as the
//! SDK's object alone with the type in a header.

use serde_json::{Value, json};

use super::{
    Event, Kind,
    people::Person,
    sign::{Key, Secrets},
};
use crate::domain::{EventTime, Reason, random::Random, verdict::Outcome};

const TITLES: &[&str] = &["Engineer", "Analyst", "Designer", "Founder", "Support", "Researcher"];
const PLANS: &[&str] = &["Free", "Premium", "Enterprise"];
const LOCALES: &[&str] = &["en", "de", "fr", "pt-BR", "ja"];
const HOUR_S: i64 = 3600;

/// What an event is made with.
pub(super) struct Maker<'m> {
    pub(super) random: &'m mut Random,
    pub(super) secrets: &'m Secrets,
    pub(super) now: EventTime,
}

/// An event of this kind about this person.
pub(super) fn make(kind: Kind, person: &Person, mut maker: Maker<'_>) -> Event {
    use Outcome::{Accepted, Partial, Rejected};
    let maker = &mut maker;
    let (outcome, reason, made) = match kind {
        Kind::Signed => (Accepted, None, maker.signed(person)),
        Kind::Companies => (Accepted, None, maker.companies(person)),
        Kind::Hashed => (Accepted, None, maker.hashed(person, &maker.secrets.hash(&person.id))),
        Kind::Anonymous => (Accepted, None, maker.anonymous(person)),
        Kind::Observed => (Accepted, None, maker.unsigned(person, "globex")),
        Kind::Unconfigured => (Accepted, None, maker.unconfigured(person)),
        Kind::Locked => (Partial, None, maker.beside_token(person, "plan", json!("Enterprise"))),
        Kind::Misfit => (Partial, None, maker.beside_token(person, "onboarded", json!("yes"))),
        Kind::Forged => (Rejected, Some(Reason::SignatureInvalid), maker.signed_with(person, &maker.secrets.foreign)),
        Kind::Expired => (Rejected, Some(Reason::TokenExpired), maker.expired(person)),
        Kind::Retired => (Rejected, Some(Reason::KeyRetired), maker.signed_with(person, &maker.secrets.retired)),
        Kind::ForgedHash => {
            (Rejected, Some(Reason::HashMismatch), maker.hashed(person, &maker.secrets.hash("somebody else")))
        }
        Kind::Unsigned => (Rejected, Some(Reason::ProofMissing), maker.unsigned(person, "acme")),
        Kind::Stranger => (Rejected, Some(Reason::UnknownOrganization), maker.unsigned(person, "initech")),
        Kind::Broken => {
            let (reason, value) = maker.broken(person);
            (Rejected, Some(reason), Made { event_type: None, value })
        }
    };
    Event { kind, outcome, reason, event_type: made.event_type, key: person.id.clone(), value: made.value }
}

/// A value, and the type where it does not say it itself.
struct Made {
    event_type: Option<&'static str>,
    value: Vec<u8>,
}

impl Maker<'_> {
    /// Who it is, what is signed of them, and from when until when: a token of this hour.
    fn claims(&mut self, person: &Person) -> Value {
        let issued = self.now.millis() / 1000;
        json!({
            "userId": person.id, "email": person.email, "name": person.name, "plan": self.random.pick(PLANS),
            "iat": issued, "exp": issued + HOUR_S,
        })
    }

    /// The envelope of an ingestion gateway.
    fn envelope(&mut self, event_type: &'static str, person: &Person, payload: &Value) -> Made {
        let value = json!({
            "id": format!("evt-{:012x}", self.random.next_number() >> 16),
            "type": event_type,
            "receivedAt": self.now,
            "context": { "anonymousId": person.anonymous_id },
            "payload": payload,
        });
        Made { event_type: None, value: value.to_string().into_bytes() }
    }

    /// The SDK's object with its type in a header.
    fn alone(event_type: &'static str, payload: &Value) -> Made {
        Made { event_type: Some(event_type), value: payload.to_string().into_bytes() }
    }

    fn signed(&mut self, person: &Person) -> Made {
        self.signed_with(person, &self.secrets.current)
    }

    fn signed_with(&mut self, person: &Person, key: &Key) -> Made {
        let token = key.token(&self.claims(person));
        let payload = json!({
            "organization": "acme", "featurebaseJwt": token, "userId": person.id, "email": person.email,
            "locale": self.random.pick(LOCALES), "title": self.random.pick(TITLES), "onboarded": true,
            "createdAt": "2024-03-01T09:30:00Z", "interests": ["kafka", "identity"],
            "theme": "dark", "utm_source": "newsletter", "utm_campaign": "autumn",
        });
        self.envelope("identify", person, &payload)
    }

    fn companies(&mut self, person: &Person) -> Made {
        let mut claims = self.claims(person);
        let number = self.random.below(500);
        claims["companies"] = json!([{
            "id": format!("c{number}"), "name": format!("Analytical Engines {number}"), "plan": self.random.pick(PLANS),
            "seats": self.random.below(200), "monthlySpend": self.random.below(9_000),
        }]);
        let token = self.secrets.current.token(&claims);
        self.envelope("identify", person, &json!({ "organization": "acme", "featurebaseJwt": token }))
    }

    fn hashed(&mut self, person: &Person, hash: &str) -> Made {
        let payload = json!({
            "organization": "acme", "userId": person.id, "userHash": hash, "name": person.name,
            "title": self.random.pick(TITLES), "createdAt": "2024-03-01T09:30:00Z",
        });
        Self::alone("identify", &payload)
    }

    fn anonymous(&mut self, person: &Person) -> Made {
        let payload = json!({ "appId": "65f1c0de65f1c0de65f1c0de", "locale": self.random.pick(LOCALES) });
        self.envelope("boot", person, &payload)
    }

    fn unsigned(&mut self, person: &Person, organization: &str) -> Made {
        Self::alone(
            "identify",
            &json!({
                "organization": organization, "userId": person.id, "name": person.name, "locale": self.random.pick(LOCALES),
            }),
        )
    }

    fn unconfigured(&mut self, person: &Person) -> Made {
        let token = self.secrets.current.token(&self.claims(person));
        let payload = json!({
            "organization": "acme", "featurebaseJwt": token, "utm_source": "newsletter", "utm_campaign": "autumn",
            "experiment": self.random.below(4), "Title": self.random.pick(TITLES),
        });
        self.envelope("identify", person, &payload)
    }

    /// An attribute beside a token that does not carry it.
    fn beside_token(&mut self, person: &Person, name: &str, value: Value) -> Made {
        let mut claims = self.claims(person);
        if let Some(claims) = claims.as_object_mut() {
            claims.remove(name);
        }
        let mut payload = json!({ "organization": "acme", "featurebaseJwt": self.secrets.current.token(&claims) });
        payload[name] = value;
        self.envelope("identify", person, &payload)
    }

    fn expired(&mut self, person: &Person) -> Made {
        let mut claims = self.claims(person);
        let yesterday = self.now.millis() / 1000 - 24 * HOUR_S;
        (claims["iat"], claims["exp"]) = (json!(yesterday), json!(yesterday + HOUR_S));
        let token = self.secrets.current.token(&claims);
        self.envelope("identify", person, &json!({ "organization": "acme", "featurebaseJwt": token }))
    }

    /// What is no event, and why.
    fn broken(&mut self, person: &Person) -> (Reason, Vec<u8>) {
        let whole = self.signed(person).value;
        match self.random.below(5) {
            0 => (Reason::MalformedJson, whole[..whole.len() / 2].to_vec()),
            1 => (Reason::NotUtf8, [&whole[..], b"\xff\xfe"].concat()),
            2 => (Reason::DuplicateName, br#"{"type":"identify","payload":{"userId":"1","userId":"2"}}"#.to_vec()),
            3 => (Reason::MissingType, br#"{"organization":"acme","userId":"1"}"#.to_vec()),
            _ => (Reason::EmptyRecord, Vec::new()),
        }
    }
}
