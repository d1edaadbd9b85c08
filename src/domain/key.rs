//! Keys as a snapshot holds them: the algorithm pinned, the validity, and for HMAC the keyed state (RFC 2104 §4), so that
//! no event pays for deriving it. HS* runs on `hmac` and `sha2`; public keys are parsed once and verify through `aws-lc-rs`: `jsonwebtoken`,
//! which is built on it, parses and copies a key for each signature. A key never prints its material.

use std::fmt;

use aws_lc_rs::signature::ParsedPublicKey;
use hmac::{
    EagerHash, Hmac, KeyInit, Mac,
    block_api::HmacCore,
    digest::{
        block_api::{Buffer, CoreProxy},
        common::Key,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::EventTime;

/// The signature algorithms (RFC 7518 §3.1, RFC 8037 §3.1). The key says which; a token can only agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// Ed25519.
    EdDSA,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: &'static [Self] = &[
        Self::HS256,
        Self::HS384,
        Self::HS512,
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
    ];

    /// The algorithm's `alg` value.
    #[must_use]
    pub fn alg(self) -> &'static str {
        match self {
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
        }
    }

    /// The algorithm of this `alg` value; compared exactly (RFC 7515 §4.1.1).
    #[must_use]
    pub fn from_alg(alg: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|algorithm| algorithm.alg() == alg)
    }

    /// The digest of an HMAC, if it is one.
    #[must_use]
    pub fn hmac(self) -> Option<HmacDigest> {
        match self {
            Self::HS256 => Some(HmacDigest::Sha256),
            Self::HS384 => Some(HmacDigest::Sha384),
            Self::HS512 => Some(HmacDigest::Sha512),
            _ => None,
        }
    }
}

/// The digest of an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HmacDigest {
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}

/// What verifies a signature: the keyed state of an HMAC, or a public key. It never prints.
#[derive(Clone)]
pub enum Verifier {
    /// An HMAC; its secret is kept for the diagnosis of a token that was signed with a decoded one.
    Hmac(HmacState, SecretBytes),
    /// A public key, parsed for the one algorithm that it is for.
    Public(Box<ParsedPublicKey>),
}

impl Verifier {
    /// The verifier of an HMAC key.
    #[must_use]
    pub fn hmac(digest: HmacDigest, secret: &[u8]) -> Self {
        Self::Hmac(HmacState::new(digest, secret), SecretBytes::new(secret))
    }

    /// Whether `signature` is this key's over the signing input (RFC 7515 §5.2).
    #[must_use]
    pub fn verifies(&self, signing_input: &str, signature: &[u8]) -> bool {
        match self {
            Self::Hmac(state, _) => state.verifies(signing_input.as_bytes(), signature),
            Self::Public(key) => {
                #[cfg(test)]
                cost::COST.with(|cost| cost.set(cost.get() + cost::Cost { signatures: 1, ..cost::Cost::default() }));
                key.verify_sig(signing_input.as_bytes(), signature).is_ok()
            }
        }
    }
}

/// A secret as its owner has it. It never prints.
#[derive(Clone)]
pub struct SecretBytes(Box<[u8]>);

impl SecretBytes {
    /// Takes the bytes as they are.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// The bytes, for a key to be made of them, or to be held against another's.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// When a key is honoured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Validity {
    /// Events before it are not honoured.
    pub from: Option<EventTime>,
    /// Events after it are not honoured.
    pub retired: Option<EventTime>,
    /// Never honoured again, whatever the event's time: replay included.
    pub revoked: bool,
}

/// What a key is worth at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Honoured.
    Valid,
    /// Its time has not come.
    NotYet,
    /// Its time is over.
    Retired,
    /// Never again.
    Revoked,
}

impl Validity {
    /// from ≤ t ≤ retired, without leeway; revoked counts for every t.
    #[must_use]
    pub fn at(self, time: EventTime) -> Standing {
        if self.revoked {
            Standing::Revoked
        } else if self.from.is_some_and(|from| time < from) {
            Standing::NotYet
        } else if self.retired.is_some_and(|retired| time > retired) {
            Standing::Retired
        } else {
            Standing::Valid
        }
    }
}

/// The state for a key of any length: padded with zeros to a block, or hashed first where it is longer (RFC 2104 §2).
macro_rules! keyed {
    ($hash:ty, $secret:expr) => {{
        let mut block = Key::<Hmac<$hash>>::default();
        if $secret.len() <= block.len() {
            block[..$secret.len()].copy_from_slice($secret);
        } else {
            let digest = <$hash>::digest($secret);
            block[..digest.len()].copy_from_slice(&digest);
        }
        HmacCore::<$hash>::new(&block)
    }};
}

/// The MAC of a message that begins here.
fn begun<D: EagerHash>(core: &HmacCore<D>) -> Hmac<D> {
    Hmac::compose(core.clone(), Buffer::<HmacCore<D>>::default())
}

/// The keyed state of an HMAC (RFC 2104): the two hashes that the key alone decides, without room for a message. Those of the
/// larger digests take twice the memory and are rare: they stand apart, so that the usual key doesn't pay for them.
#[derive(Clone)]
pub enum HmacState {
    /// HMAC-SHA256
    Sha256(HmacCore<Sha256>),
    /// HMAC-SHA384
    Sha384(Box<HmacCore<Sha384>>),
    /// HMAC-SHA512
    Sha512(Box<HmacCore<Sha512>>),
}

impl HmacState {
    /// The state keyed with `secret`, taken as the bytes it is.
    #[must_use]
    pub fn new(digest: HmacDigest, secret: &[u8]) -> Self {
        match digest {
            HmacDigest::Sha256 => Self::Sha256(keyed!(Sha256, secret)),
            HmacDigest::Sha384 => Self::Sha384(Box::new(keyed!(Sha384, secret))),
            HmacDigest::Sha512 => Self::Sha512(Box::new(keyed!(Sha512, secret))),
        }
    }

    /// Whether `tag` is the whole MAC of `message`; compared in constant time.
    #[must_use]
    pub fn verifies(&self, message: &[u8], tag: &[u8]) -> bool {
        #[cfg(test)]
        cost::COST
            .with(|cost| cost.set(cost.get() + cost::Cost { hashes: 1, hashed_bytes: message.len(), signatures: 0 }));
        match self {
            Self::Sha256(state) => begun(state).chain_update(message).verify_slice(tag).is_ok(),
            Self::Sha384(state) => begun(state).chain_update(message).verify_slice(tag).is_ok(),
            Self::Sha512(state) => begun(state).chain_update(message).verify_slice(tag).is_ok(),
        }
    }

    /// The MAC of `message`: for those who sign, the traffic maker and tests.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256(state) => begun(state).chain_update(message).finalize().into_bytes().to_vec(),
            Self::Sha384(state) => begun(state).chain_update(message).finalize().into_bytes().to_vec(),
            Self::Sha512(state) => begun(state).chain_update(message).finalize().into_bytes().to_vec(),
        }
    }
}

impl fmt::Debug for HmacState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What verifying has cost on this thread, counted: a bound of tries is held by numbers, which no machine changes.
#[cfg(test)]
pub(crate) mod cost {
    use std::{cell::Cell, ops::Add};

    thread_local! {
        /// Everything so far.
        pub(crate) static COST: Cell<Cost> = Cell::default();
    }

    /// Keyed hashes, the bytes of their messages, and signatures of public keys.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub(crate) struct Cost {
        pub(crate) hashes: usize,
        pub(crate) hashed_bytes: usize,
        pub(crate) signatures: usize,
    }

    impl Add for Cost {
        type Output = Self;

        fn add(self, more: Self) -> Self {
            Self {
                hashes: self.hashes + more.hashes,
                hashed_bytes: self.hashed_bytes + more.hashed_bytes,
                signatures: self.signatures + more.signatures,
            }
        }
    }

    /// What `work` costs.
    pub(crate) fn of<T>(work: impl FnOnce() -> T) -> (Cost, T) {
        COST.set(Cost::default());
        let done = work();
        (COST.get(), done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_of_any_length_keys_the_same_state_as_the_library() {
        for length in [0, 1, 31, 63, 64, 65, 127, 128, 129, 1000] {
            let secret = vec![7_u8; length];
            let library = Hmac::<Sha256>::new_from_slice(&secret).unwrap().chain_update(b"m").finalize().into_bytes();
            assert_eq!(HmacState::new(HmacDigest::Sha256, &secret).sign(b"m"), library.to_vec(), "{length}");
            let library = Hmac::<Sha512>::new_from_slice(&secret).unwrap().chain_update(b"m").finalize().into_bytes();
            assert_eq!(HmacState::new(HmacDigest::Sha512, &secret).sign(b"m"), library.to_vec(), "{length}");
        }
    }

    #[test]
    fn a_shortened_tag_does_not_verify() {
        let state = HmacState::new(HmacDigest::Sha256, b"secret");
        let tag = state.sign(b"message");
        assert!(state.verifies(b"message", &tag));
        assert!(!state.verifies(b"message", &tag[..31]));
        assert!(!state.verifies(b"message", b""));
    }

    #[test]
    fn validity_includes_both_ends_and_revocation_beats_both() {
        let at = EventTime::from_millis;
        let validity = Validity { from: Some(at(10)), retired: Some(at(20)), revoked: false };
        let standings = [9, 10, 20, 21].map(|millis| validity.at(at(millis)));
        assert_eq!(standings, [Standing::NotYet, Standing::Valid, Standing::Valid, Standing::Retired]);
        assert_eq!(Validity { revoked: true, ..validity }.at(at(15)), Standing::Revoked);
    }

    #[test]
    fn a_state_never_prints_its_key() {
        assert_eq!(format!("{:?}", HmacState::new(HmacDigest::Sha256, b"secret")), "[redacted]");
    }
}
