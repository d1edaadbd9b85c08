//! Public keys: PEM or JWK (RFC 7517), held to the algorithm that they are for. A weak one is refused, and so is a private
//! one: it has no business in the settings of whoever verifies.

use aws_lc_rs::signature::{self, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm};
use jsonwebtoken::{
    DecodingKey, DecodingKeyKind,
    crypto::aws_lc::DEFAULT_PROVIDER,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse},
};
use serde_json::Value;

use crate::{
    domain::key::Algorithm,
    store::{document::JwtKey, secret::Secret},
};

/// The least bits of an RSA modulus (RFC 7518 §3.3).
const RSA_BITS: usize = 2048;
/// The most that the crypto library verifies with.
const RSA_MOST_BITS: usize = 8192;

/// What an algorithm's keys are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Rsa,
    /// An elliptic curve, and the bytes of an uncompressed point on it.
    Curve(&'static str, usize),
    Ed25519,
}

fn family(algorithm: Algorithm) -> Option<Family> {
    match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => None,
        Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512 | Algorithm::PS256 => Some(Family::Rsa),
        Algorithm::ES256 => Some(Family::Curve("P-256", 65)),
        Algorithm::ES384 => Some(Family::Curve("P-384", 97)),
        Algorithm::EdDSA => Some(Family::Ed25519),
    }
}

/// Reads a public key for this algorithm.
///
/// # Errors
/// What is wrong with it, for whoever wrote the settings.
pub(super) fn read(algorithm: Algorithm, bytes: &[u8]) -> Result<ParsedPublicKey, String> {
    let alg = algorithm.alg();
    let text = std::str::from_utf8(bytes).map_err(|_| "is neither PEM nor a JWK".to_owned())?.trim();
    let family = family(algorithm).ok_or_else(|| format!("{alg} takes a secret"))?;
    let key = if text.starts_with('{') {
        let value: Value = serde_json::from_str(text).map_err(|error| format!("is not a JWK: {error}"))?;
        of_jwk(algorithm, &value)?
    } else {
        of_pem(alg, family, text)?
    };
    parsed(algorithm, &key).ok_or_else(|| format!("is no key that {alg} could verify with: a number of it is wrong"))
}

/// Whether the text of a secret is that of a key pair's key: PEM, or a JWK or a set of them (RFC 7517) of an asymmetric type.
pub(super) fn looks_asymmetric(secret: &[u8]) -> bool {
    let text = secret.trim_ascii();
    if !text.starts_with(b"{") {
        return text.starts_with(b"-----BEGIN");
    }
    let jwk: Value = serde_json::from_slice(text).unwrap_or_default();
    let asymmetric = |jwk: &Value| jwk["kty"].as_str().is_some_and(|kty| ["RSA", "EC", "OKP"].contains(&kty));
    asymmetric(&jwk) || jwk["keys"].as_array().is_some_and(|keys| keys.iter().any(asymmetric))
}

fn of_pem(alg: &str, family: Family, text: &str) -> Result<DecodingKey, String> {
    if text.contains("PRIVATE KEY") {
        return Err(PRIVATE.to_owned());
    }
    let key = match family {
        Family::Rsa => DecodingKey::from_rsa_pem(text.as_bytes()),
        Family::Curve(..) => DecodingKey::from_ec_pem(text.as_bytes()),
        Family::Ed25519 => DecodingKey::from_ed_pem(text.as_bytes()),
    };
    let key = key.map_err(|error| format!("is no public key for {alg} in PEM: {error}"))?;
    let der = key.try_get_as_bytes().map_err(|error| error.to_string())?;
    match family {
        Family::Rsa => {
            let components = (DEFAULT_PROVIDER.key_utils.rsa_pub_components_from_public_key)(der);
            let (modulus, exponent) = components.map_err(|error| format!("is no RSA key: {error}"))?;
            rsa_numbers(&modulus, &exponent)?;
        }
        Family::Curve(curve, point) if der.len() != point => {
            return Err(format!("is not a point on {curve}, which {alg} demands (RFC 7518 §3.4)"));
        }
        Family::Curve(..) | Family::Ed25519 => {}
    }
    Ok(key)
}

/// The keys of a JWK Set, each with a `kid`, and why others were left out: an identity provider publishes those for encryption in the
/// same set, and RFC 7517 §5 has a reader pass over what it doesn't understand.
///
/// # Errors
/// What is wrong with the set, or with the first of its keys that are for signatures of an algorithm that is offered.
pub(super) fn of_set(bytes: &[u8]) -> Result<(Vec<JwtKey>, Vec<String>), String> {
    let set: Value = serde_json::from_slice(bytes).map_err(|error| format!("is not a JWK Set: {error}"))?;
    let keys = set["keys"].as_array().ok_or("is not a JWK Set: it has no list `keys` (RFC 7517 §5)")?;
    let (mut found, mut left_out) = (Vec::new(), Vec::new());
    for (at, jwk) in keys.iter().enumerate() {
        // Whatever it is for: the whole set is kept as it was given. A secret (`k`) is no better (RFC 7518 §6).
        if is_private(jwk) || jwk.get("k").is_some() {
            return Err(format!("keys[{at}]: {PRIVATE}"));
        }
        match other_purpose(jwk) {
            Some(purpose) => left_out.push(format!("keys[{at}] is left out: it {purpose}")),
            None => found.push(of_member(jwk).map_err(|error| format!("keys[{at}]: {error}"))?),
        }
    }
    if found.is_empty() && !left_out.is_empty() {
        return Err(format!("has no key that verifies a token: {}", left_out.join("; ")));
    }
    Ok((found, left_out))
}

/// What a key is for, if not for signatures of an algorithm that is offered.
fn other_purpose(jwk: &Value) -> Option<String> {
    if jwk["use"].as_str() == Some("enc") {
        return Some("is for encryption (`use`, RFC 7517 §4.2)".to_owned());
    }
    let alg = jwk["alg"].as_str()?;
    Algorithm::from_alg(alg).is_none().then(|| format!("is for {alg:?}, which is not offered"))
}

fn of_member(jwk: &Value) -> Result<JwtKey, String> {
    let id = jwk["kid"].as_str().ok_or("has no `kid`, by which a verdict names it")?.to_owned();
    let algorithm = match (jwk["alg"].as_str(), jwk["crv"].as_str()) {
        (Some(alg), _) => Algorithm::from_alg(alg).ok_or_else(|| format!("`alg` {alg:?} is not offered"))?,
        (None, Some("P-256")) => Algorithm::ES256,
        (None, Some("P-384")) => Algorithm::ES384,
        (None, Some("Ed25519")) => Algorithm::EdDSA,
        (None, _) => return Err("has no `alg`, and its type alone does not tell the algorithm".to_owned()),
    };
    of_jwk(algorithm, jwk)?;
    let public_key = Some(Secret::Text(jwk.to_string()));
    Ok(JwtKey { id, algorithm, secret: None, public_key, valid_from: None, retired_at: None, revoked_at: None })
}

const PRIVATE: &str =
    "is a private key; put only its public half here, and keep the private one where tokens are signed";

/// Whether a key holds what nobody but its owner may have: a private exponent or scalar.
fn is_private(jwk: &Value) -> bool {
    jwk.get("d").is_some()
}

fn of_jwk(algorithm: Algorithm, value: &Value) -> Result<DecodingKey, String> {
    let alg = algorithm.alg();
    if is_private(value) {
        return Err(PRIVATE.to_owned());
    }
    if value["alg"].as_str().is_some_and(|named| named != alg) {
        return Err(format!("is a JWK for {}, not for {alg}", value["alg"]));
    }
    // serde's error could quote the value; a JWK of a secret must not end up in a log.
    let jwk: Jwk = serde_json::from_value(value.clone()).map_err(|_| "is not a JWK (RFC 7517 §4)".to_owned())?;
    if jwk.common.public_key_use.as_ref().is_some_and(|usage| *usage != PublicKeyUse::Signature) {
        return Err("is a JWK for something else than signatures (`use`, RFC 7517 §4.2)".to_owned());
    }
    let fits = match (&jwk.algorithm, family(algorithm)) {
        (AlgorithmParameters::RSA(_), Some(Family::Rsa)) => true,
        (AlgorithmParameters::EllipticCurve(key), Some(Family::Curve(curve, _))) => match key.curve {
            EllipticCurve::P256 => curve == "P-256",
            EllipticCurve::P384 => curve == "P-384",
            _ => false,
        },
        (AlgorithmParameters::OctetKeyPair(key), Some(Family::Ed25519)) => key.curve == EllipticCurve::Ed25519,
        _ => false,
    };
    if !fits {
        return Err(format!("is a JWK of another type than {alg} demands (RFC 7518 §3.1)"));
    }
    let key = DecodingKey::from_jwk(&jwk).map_err(|error| format!("is not a usable JWK: {error}"))?;
    if let DecodingKeyKind::RsaModulusExponent { n, e } = key.kind() {
        rsa_numbers(n, e)?;
    }
    Ok(key)
}

/// What the crypto library makes of it, and verifies with: a point on its curve, the right number of bytes, a modulus and an exponent that
/// belong to a key.
fn parsed(algorithm: Algorithm, key: &DecodingKey) -> Option<ParsedPublicKey> {
    match (key.kind(), rsa(algorithm)) {
        (DecodingKeyKind::RsaModulusExponent { n, e }, rsa) => {
            RsaPublicKeyComponents { n, e }.to_parsed_public_key(rsa?).ok()
        }
        (DecodingKeyKind::SecretOrDer(der), Some(rsa)) => {
            // By its numbers, as a JWK's: one key is then the same bytes, however it was written.
            let (n, e) = (DEFAULT_PROVIDER.key_utils.rsa_pub_components_from_public_key)(der).ok()?;
            RsaPublicKeyComponents { n, e }.to_parsed_public_key(rsa).ok()
        }
        (DecodingKeyKind::SecretOrDer(bytes), None) => ParsedPublicKey::new(curve(algorithm)?, bytes).ok(),
    }
}

/// RSASSA by this algorithm (RFC 7518 §3.3, §3.5).
fn rsa(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::RS256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
        _ => None,
    }
}

/// Signatures on a curve by this algorithm, as two numbers side by side and not in DER (RFC 7518 §3.4, RFC 8037 §3.1).
fn curve(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    match algorithm {
        Algorithm::ES256 => Some(&signature::ECDSA_P256_SHA256_FIXED),
        Algorithm::ES384 => Some(&signature::ECDSA_P384_SHA384_FIXED),
        Algorithm::EdDSA => Some(&signature::ED25519),
        _ => None,
    }
}

/// Both numbers of an RSA key, in big-endian bytes: the modulus neither short nor too long, both odd, and an exponent of more
/// than one (RFC 8017 §3.1), with which anybody could sign.
fn rsa_numbers(modulus: &[u8], exponent: &[u8]) -> Result<(), String> {
    let significant = modulus.iter().position(|byte| *byte != 0).map_or(&[][..], |at| &modulus[at..]);
    let leading = significant.first().map_or(0, |byte| byte.leading_zeros() as usize);
    let bits = significant.len() * 8 - leading;
    if !(RSA_BITS..=RSA_MOST_BITS).contains(&bits) {
        return Err(format!(
            "is an RSA key of {bits} bits; RFC 7518 §3.3 asks for at least {RSA_BITS}, at most {RSA_MOST_BITS} are verified"
        ));
    }
    let odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
    let one = exponent.iter().rev().skip(1).all(|byte| *byte == 0) && exponent.last() == Some(&1);
    if odd(modulus) && odd(exponent) && !one {
        return Ok(());
    }
    Err("is no RSA key: modulus and exponent are odd, and the exponent at least 3 (RFC 8017 §3.1)".to_owned())
}
