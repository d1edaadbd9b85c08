//! Why a proof failed, as far as a fixed number of tries can tell. A forged event pays for at most [`TRIES`] keyed hashes
//! beside the judgement itself, and for none where a try is dear, so that a flood of forgeries can't burn much, and the
//! verdict stays a function of its input.
//!
//! What is found goes into the rejected record alone. It names no secret and no value; still, sent back to a browser it
//! would tell whoever forges which guess came close.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Case, hash, jws, keys};
use crate::{
    decode::{profile::Tenant, scalar},
    domain::{
        Hint, Object, Reason, Rejection, Value, hex,
        key::{Algorithm, HmacDigest, HmacState, SecretBytes, Standing, Verifier},
        snapshot::{IdentitySecret, JwtKey},
    },
};

/// The most keyed hashes for one failed proof.
const TRIES: u8 = 4;

/// The longest secret that is tried decoded: nobody pastes a longer one, and keying costs by its length.
const PASTED_BYTES: usize = 512;

/// The rejection of a token, with a hint.
pub(super) fn of_token<'a>(case: &Case<'_, 'a>, token: Value<'a>, rejection: Rejection<'a>) -> Rejection<'a> {
    let hint = match rejection.reason {
        Reason::TokenMalformed if hash::parse(token).is_some() => Some(Hint::HashInToken),
        Reason::SignatureInvalid => token.as_text().and_then(|text| wrong_signature(case, text)),
        _ => None,
    };
    rejection.hinting(hint)
}

/// The rejection of a hash, with a hint.
pub(super) fn of_hash<'a>(case: &Case<'_, 'a>, hash: Value<'a>, rejection: Rejection<'a>) -> Rejection<'a> {
    let text = hash.as_text().unwrap_or_default();
    let hint = match rejection.reason {
        Reason::HashMalformed if text.bytes().filter(|byte| *byte == b'.').count() == 2 => Some(Hint::TokenInUserHash),
        Reason::HashMalformed if hash::parse(Value::Text(text.trim())).is_some() => Some(Hint::HashHasBlanks),
        Reason::HashMismatch => hash::parse(hash).and_then(|mac| wrong_hash(case, &mac)),
        _ => None,
    };
    rejection.hinting(hint)
}

/// A token that none of the organization's keys signed.
fn wrong_signature(case: &Case<'_, '_>, text: &str) -> Option<Hint> {
    let arena = case.context.arena;
    let limits = &case.context.policy.limits;
    let (token, header) = jws::open(arena, text, limits).ok()?;
    let organization = case.organization;
    let cheap = Algorithm::from_alg(header.alg).is_some_and(|algorithm| keys::cheap(algorithm, &token));
    let allowed = if cheap { TRIES } else { 0 };
    let mut tries = Tries { message: token.signing_input.as_bytes(), mac: token.signature, left: allowed };
    if newest_identity_secret(case).is_some_and(|secret| tries.state(&secret.state)) {
        return Some(Hint::SignedWithIdentitySecret);
    }
    if let Some(hint) = newest_jwt_secret(case).and_then(|(digest, secret)| tries.decoded(digest, secret)) {
        return Some(hint);
    }
    if token.claims(arena, limits).is_ok_and(|claims| names_another(claims, case)) {
        return Some(Hint::OtherOrganization);
    }
    let ours = header.kid.is_some_and(|kid| organization.jwt_keys.iter().any(|key| key.id.as_str() == kid));
    ours.then_some(Hint::TokenEdited)
}

/// A hash that is not that of the identifier under an identity secret.
fn wrong_hash(case: &Case<'_, '_>, mac: &[u8]) -> Option<Hint> {
    let payload = &case.event.payload;
    let user = payload.user;
    let identifier = user.user_id.or(user.email)?;
    let newest = newest_identity_secret(case)?;
    let mut tries = Tries { message: identifier.as_bytes(), mac, left: TRIES };
    let mut covers = |covered: Option<&str>| {
        covered.is_some_and(|text| tries.spend() && newest.state.verifies(text.as_bytes(), mac))
    };
    // An id that nobody read as one: it stands in `customFields`, where it may be as long as the record.
    let nested = || {
        let named = |name| payload.attributes.iter().find(|attribute| attribute.name == name);
        let id = ["userId", "user_id", "id"].into_iter().find_map(named)?;
        let limit = case.context.policy.limits.name_chars;
        id.value.as_text().filter(|text| scalar::too_long(text, limit).is_none())
    };
    let lower_case = Some(identifier.to_ascii_lowercase()).filter(|lower| lower != identifier);
    if user.user_id.is_some() {
        if covers(user.email) {
            return Some(Hint::HashCoversEmail);
        }
    } else if covers(nested()) {
        return Some(Hint::HashCoversUserId);
    } else if covers(lower_case.as_deref()) {
        return Some(Hint::HashCoversLowerCase);
    }
    if newest_jwt_secret(case).is_some_and(|(_, secret)| tries.key(HmacDigest::Sha256, secret.expose())) {
        return Some(Hint::HashedWithJwtSecret);
    }
    let IdentitySecret { secret, .. } = newest;
    tries.decoded(HmacDigest::Sha256, secret)
}

/// The claims of a token that did not verify name another organization. They are read for this one question.
fn names_another(unverified_claims: Object<'_>, case: &Case<'_, '_>) -> bool {
    let named = |field| unverified_claims.get(field).and_then(Value::as_text);
    let tenant = Tenant { organization: named("organization"), app_id: named("appId"), ..Tenant::default() };
    !super::organization::agrees(&tenant, case.organization)
}

/// The secret that a sender should have hashed with: the newest that is honoured at event time.
fn newest_identity_secret<'a>(case: &Case<'_, 'a>) -> Option<&'a IdentitySecret> {
    let honoured = |secret: &&IdentitySecret| secret.validity.at(case.event.head.time) == Standing::Valid;
    case.organization.identity_secrets.iter().find(honoured)
}

/// The secret that a sender should have signed with: the newest that is honoured at event time.
fn newest_jwt_secret<'a>(case: &Case<'_, 'a>) -> Option<(HmacDigest, &'a SecretBytes)> {
    let honoured = |key: &&JwtKey| key.validity.at(case.event.head.time) == Standing::Valid;
    let secret = |key: &'a JwtKey| match &key.verifier {
        Verifier::Hmac(_, secret) => Some((key.algorithm.hmac()?, secret)),
        Verifier::Public(..) => None,
    };
    case.organization.jwt_keys.iter().filter(honoured).find_map(secret)
}

/// A message and its MAC, tried with other keys a bounded number of times.
struct Tries<'m> {
    message: &'m [u8],
    mac: &'m [u8],
    left: u8,
}

impl Tries<'_> {
    /// Whether one more is allowed; it is then counted.
    fn spend(&mut self) -> bool {
        let left = self.left.checked_sub(1);
        self.left = left.unwrap_or_default();
        left.is_some()
    }

    fn state(&mut self, state: &HmacState) -> bool {
        self.spend() && state.verifies(self.message, self.mac)
    }

    fn key(&mut self, digest: HmacDigest, key: &[u8]) -> bool {
        self.state(&HmacState::new(digest, key))
    }

    /// The secret as bytes that its text spells in hex or base64.
    fn decoded(&mut self, digest: HmacDigest, secret: &SecretBytes) -> Option<Hint> {
        let text = Some(secret.expose()).filter(|text| text.len() <= PASTED_BYTES && self.left > 0)?;
        if hex::decode_all(text).is_some_and(|key| self.key(digest, &key)) {
            return Some(Hint::SecretDecodedFromHex);
        }
        STANDARD.decode(text).is_ok_and(|key| self.key(digest, &key)).then_some(Hint::SecretDecodedFromBase64)
    }
}
