//! Keys as a snapshot holds them: the algorithm pinned, the validity, and for HMAC the keyed state (RFC 2104 §4), so that
//! no event pays for deriving it. A key never prints its material.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac, digest::common::Key};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::EventTime;

/// The signature algorithms (RFC 7518 §3.1, RFC 8037 §3.1). The key says which; a token can only agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
}

impl Algorithm {
    /// The algorithm of this `alg` value; compared exactly (RFC 7515 §4.1.1).
    #[must_use]
    pub fn from_alg(alg: &str) -> Option<Self> {
        match alg {
            "HS256" => Some(Self::HS256),
            "HS384" => Some(Self::HS384),
            "HS512" => Some(Self::HS512),
            _ => None,
        }
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
        Hmac::<$hash>::new(&block)
    }};
}

/// The keyed state of an HMAC (RFC 2104).
#[derive(Clone)]
pub enum HmacState {
    /// HMAC-SHA256
    Sha256(Hmac<Sha256>),
    /// HMAC-SHA384
    Sha384(Hmac<Sha384>),
    /// HMAC-SHA512
    Sha512(Hmac<Sha512>),
}

impl HmacState {
    /// The state keyed with `secret`, taken as the bytes it is.
    #[must_use]
    pub fn new(algorithm: Algorithm, secret: &[u8]) -> Self {
        match algorithm {
            Algorithm::HS256 => Self::Sha256(keyed!(Sha256, secret)),
            Algorithm::HS384 => Self::Sha384(keyed!(Sha384, secret)),
            Algorithm::HS512 => Self::Sha512(keyed!(Sha512, secret)),
        }
    }

    /// Whether `tag` is the whole MAC of `message`; compared in constant time.
    #[must_use]
    pub fn verifies(&self, message: &[u8], tag: &[u8]) -> bool {
        match self {
            Self::Sha256(state) => state.clone().chain_update(message).verify_slice(tag).is_ok(),
            Self::Sha384(state) => state.clone().chain_update(message).verify_slice(tag).is_ok(),
            Self::Sha512(state) => state.clone().chain_update(message).verify_slice(tag).is_ok(),
        }
    }

    /// The MAC of `message`: for those who sign, the traffic maker and tests.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256(state) => state.clone().chain_update(message).finalize().into_bytes().to_vec(),
            Self::Sha384(state) => state.clone().chain_update(message).finalize().into_bytes().to_vec(),
            Self::Sha512(state) => state.clone().chain_update(message).finalize().into_bytes().to_vec(),
        }
    }
}

impl fmt::Debug for HmacState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
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
            assert_eq!(HmacState::new(Algorithm::HS256, &secret).sign(b"m"), library.to_vec(), "{length}");
            let library = Hmac::<Sha512>::new_from_slice(&secret).unwrap().chain_update(b"m").finalize().into_bytes();
            assert_eq!(HmacState::new(Algorithm::HS512, &secret).sign(b"m"), library.to_vec(), "{length}");
        }
    }

    #[test]
    fn a_shortened_tag_does_not_verify() {
        let state = HmacState::new(Algorithm::HS256, b"secret");
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
        assert_eq!(format!("{:?}", HmacState::new(Algorithm::HS256, b"secret")), "[redacted]");
    }
}
