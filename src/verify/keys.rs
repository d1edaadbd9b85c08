//! Which key a token must be verified with. The algorithm belongs to the key: a token can only agree (RFC 8725 §3.1).

use super::jws::{UnverifiedHeader, UnverifiedToken};
use crate::domain::{
    EventTime, Organization, Reason,
    key::{Algorithm, Standing},
    snapshot::JwtKey,
};

/// The most valid keys that are tried for one token; settings refuse more. A good token may cost as much.
const VALID: usize = 10;

/// How many keys that are not honoured are tried beyond them, to say that the key is at fault: only a forged proof pays it.
pub(super) const SPARE: usize = 3;

/// The same where one try is most of what the event costs: for a public key, or a long token.
const SPARE_OF_DEAR_ONES: usize = 2;

/// The `most` keys that are tried of those that aren't honoured. A sender that was forgotten has a retired key rather than one that was
/// revoked, and one that is to come least of all; but no number of retired ones keeps a revoked one from being found in use.
pub(super) fn not_honoured<'k, K: 'k, I: Iterator<Item = &'k K>>(
    most: usize,
    of: impl Fn(Standing) -> I,
) -> impl Iterator<Item = &'k K> {
    let of_each = most.saturating_sub(1);
    let retired = of(Standing::Retired);
    let first = of(Standing::Retired).take(of_each).chain(of(Standing::Revoked).take(of_each));
    first.chain(of(Standing::NotYet)).chain(retired.skip(of_each)).take(most)
}

/// The longest token for which a try is cheap beside the rest of its judgement.
const SHORT_BYTES: usize = 1024;

/// Whether one more try with a key of this algorithm is cheap beside the rest of the token's judgement.
pub(super) fn cheap(algorithm: Algorithm, token: &UnverifiedToken<'_>) -> bool {
    algorithm.hmac().is_some() && token.signing_input.len() <= SHORT_BYTES
}

/// The key that verifies the token at this time.
pub(super) fn select<'a>(
    organization: &'a Organization,
    header: &UnverifiedHeader<'_>,
    token: &UnverifiedToken<'_>,
    time: EventTime,
) -> Result<&'a JwtKey, Reason> {
    let algorithm = Algorithm::from_alg(header.alg).ok_or(Reason::AlgorithmNotAllowed)?;
    let named = header.kid.and_then(|kid| organization.jwt_keys.iter().find(|key| key.id.as_str() == kid));
    match named {
        Some(key) => only(key, algorithm, token, time),
        None => any(organization, algorithm, token, time),
    }
}

/// The key that `kid` names. What is wrong with it never falls back to another key.
fn only<'a>(
    key: &'a JwtKey,
    algorithm: Algorithm,
    token: &UnverifiedToken<'_>,
    time: EventTime,
) -> Result<&'a JwtKey, Reason> {
    if key.algorithm != algorithm {
        return Err(Reason::AlgorithmNotAllowed);
    }
    unusable(key.validity.at(time)).map_or(Ok(()), Err)?;
    if verifies(key, token) { Ok(key) } else { Err(Reason::SignatureInvalid) }
}

/// Each valid key of the algorithm, newest first; and if none verifies some of the others, to say that the key is at fault.
fn any<'a>(
    organization: &'a Organization,
    algorithm: Algorithm,
    token: &UnverifiedToken<'_>,
    time: EventTime,
) -> Result<&'a JwtKey, Reason> {
    let of_algorithm = organization.jwt_keys.iter().filter(move |key| key.algorithm == algorithm);
    let standing = |standing| of_algorithm.clone().filter(move |key| key.validity.at(time) == standing);
    let mut valid = standing(Standing::Valid).take(VALID).peekable();
    let usable = valid.peek().is_some();
    let spare = if cheap(algorithm, token) { SPARE } else { SPARE_OF_DEAR_ONES };
    let others = not_honoured(spare, standing);
    match valid.chain(others).find(|key| verifies(key, token)) {
        Some(key) => unusable(key.validity.at(time)).map_or(Ok(key), Err),
        None if usable => Err(Reason::SignatureInvalid),
        None => Err(Reason::AlgorithmNotAllowed),
    }
}

/// Why a key of this standing is not honoured.
pub(super) fn unusable(standing: Standing) -> Option<Reason> {
    match standing {
        Standing::Valid => None,
        Standing::NotYet => Some(Reason::KeyNotYetValid),
        Standing::Retired => Some(Reason::KeyRetired),
        Standing::Revoked => Some(Reason::KeyRevoked),
    }
}

fn verifies(key: &JwtKey, token: &UnverifiedToken<'_>) -> bool {
    key.verifier.verifies(token.signing_input, token.signature)
}
