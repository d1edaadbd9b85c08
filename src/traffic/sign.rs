//! Proofs made the way a customer's server makes them, with the secrets of the sample settings.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{
    domain::{
        hex,
        key::{HmacDigest, HmacState},
    },
    store::{
        EXAMPLE,
        document::{Document, JwtKey},
        secret::Secret,
    },
};

/// The keys of the organization `acme`.
#[derive(Debug)]
pub(super) struct Secrets {
    /// The key in use.
    pub(super) current: Key,
    /// One that was retired.
    pub(super) retired: Key,
    /// One that the organization never had.
    pub(super) foreign: Key,
    /// The identity secret.
    identity: HmacState,
}

/// A key and its id.
#[derive(Debug)]
pub(super) struct Key {
    id: String,
    alg: &'static str,
    state: HmacState,
}

impl Secrets {
    /// Those of the sample settings.
    pub(super) fn of_the_samples() -> Self {
        let document: Document = toml::from_str(EXAMPLE).expect("a test reads the sample settings");
        let acme = &document.organizations[0];
        let retired = acme.jwt_keys.iter().find(|key| key.retired_at.is_some());
        Self {
            current: Key::of(&acme.jwt_keys[0]),
            retired: Key::of(retired.expect("the sample settings have a retired key")),
            foreign: Key { state: HmacState::new(HmacDigest::Sha256, b"a guess"), ..Key::of(&acme.jwt_keys[0]) },
            identity: HmacState::new(HmacDigest::Sha256, text(&acme.identity_secrets[0].secret).as_bytes()),
        }
    }

    /// The `userHash` of an identifier.
    pub(super) fn hash(&self, identifier: &str) -> String {
        hex::encode(&self.identity.sign(identifier.as_bytes()))
    }
}

impl Key {
    fn of(key: &JwtKey) -> Self {
        let digest = key.algorithm.hmac().unwrap_or(HmacDigest::Sha256);
        let secret = key.secret.as_ref().map(text).unwrap_or_default();
        Self { id: key.id.clone(), alg: key.algorithm.alg(), state: HmacState::new(digest, secret.as_bytes()) }
    }

    /// A token with these claims.
    pub(super) fn token(&self, claims: &Value) -> String {
        token(&self.id, self.alg, &self.state, claims)
    }
}

/// A token with these claims.
pub(crate) fn token(kid: &str, alg: &str, state: &HmacState, claims: &Value) -> String {
    let header = json!({ "alg": alg, "kid": kid, "typ": "JWT" });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut token = format!("{}.{}", part(&header), part(claims));
    let signature = state.sign(token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    token
}

/// The samples write their secrets as texts.
fn text(secret: &Secret) -> &str {
    if let Secret::Text(text) = secret { text } else { "" }
}
