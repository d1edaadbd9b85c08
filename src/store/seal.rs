//! Secrets sealed with AES-256-GCM under a master key that the database never sees. The crypto library is aws-lc, which
//! verifies signatures already: constant time on every machine, its random nonces its own. With them one master key is good
//! for 2³² secrets (NIST SP 800-38D §8.3).
//!
//! What is sealed says whose it is, as associated data: moved to another organization, another key or another secret of the
//! same key it does not open.

use std::{collections::BTreeMap, fmt};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};

/// The first byte of everything sealed: how.
const FORMAT: u8 = 1;
/// Bytes of a master key.
const KEY_BYTES: usize = 32;

/// Master keys by id. They never print.
#[derive(Default)]
pub struct MasterKeys {
    keys: BTreeMap<String, RandomizedNonceKey>,
    sealing: String,
}

/// What is wrong with the master keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the master key `{id}` {problem}")]
pub struct MasterKeyError {
    id: String,
    problem: String,
}

/// Whose a secret is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whose<'a> {
    /// The organization's number.
    pub(super) organization: i64,
    /// `jwt` or `identity`.
    pub(super) kind: &'a str,
    /// The key's id.
    pub(super) key: &'a str,
    /// The secret's number.
    pub(super) secret: i64,
}

/// A sealed secret.
pub(super) struct Sealed {
    pub(super) bytes: Vec<u8>,
    pub(super) master_key: String,
}

impl MasterKeys {
    /// Master keys in base64; `sealing` names the one that seals, and may be empty where there is only one.
    ///
    /// # Errors
    /// When one is no key of 32 bytes, or `sealing` names none.
    pub fn new(keys: &BTreeMap<String, String>, sealing: &str) -> Result<Self, MasterKeyError> {
        let wrong = |id: &str, problem: &str| MasterKeyError { id: id.to_owned(), problem: problem.to_owned() };
        let read = |(id, text): (&String, &String)| {
            let bytes = BASE64.decode(text.trim()).ok().filter(|bytes| bytes.len() == KEY_BYTES);
            let bytes =
                bytes.ok_or_else(|| wrong(id, "is not 32 bytes in base64; `openssl rand -base64 32` makes one"))?;
            let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes);
            Ok((id.clone(), key.map_err(|_| wrong(id, "is refused by the crypto library"))?))
        };
        let keys: BTreeMap<_, _> = keys.iter().map(read).collect::<Result<_, _>>()?;
        let sealing = match (sealing, keys.first_key_value()) {
            ("", Some((only, _))) if keys.len() == 1 => only.clone(),
            ("", None) => String::new(),
            (named, _) if keys.contains_key(named) => named.to_owned(),
            (named, _) => return Err(wrong(named, "is to seal, and is not among the master keys")),
        };
        Ok(Self { keys, sealing })
    }

    /// The id of the key that seals.
    pub(super) fn sealing(&self) -> &str {
        &self.sealing
    }

    /// A sealed secret, as a row of the database holds it: of this organization's number, of this kind (`jwt` or `identity`),
    /// of this key, and of this number. For those who fill a database by other means than ours.
    ///
    /// # Errors
    /// When there is no master key.
    pub fn seal_for(
        &self,
        (organization, kind, key, secret): (i64, &str, &str, i64),
        bytes: &[u8],
    ) -> Result<Vec<u8>, String> {
        self.seal(&Whose { organization, kind, key, secret }, bytes).map(|sealed| sealed.bytes)
    }

    /// Seals a secret.
    ///
    /// # Errors
    /// When there is no master key.
    pub(super) fn seal(&self, whose: &Whose<'_>, secret: &[u8]) -> Result<Sealed, String> {
        let key = self.keys.get(&self.sealing).ok_or(
            "there is no master key to seal secrets with; name one in settings.master_keys (`openssl rand -base64 32` makes one)",
        )?;
        let mut sealed = secret.to_vec();
        let nonce = key.seal_in_place_append_tag(whose.aad(), &mut sealed).map_err(|_| "the secret can't be sealed")?;
        let bytes = [&[FORMAT], nonce.as_ref().as_slice(), &sealed].concat();
        Ok(Sealed { bytes, master_key: self.sealing.clone() })
    }

    /// Opens a secret.
    ///
    /// # Errors
    /// Why it does not open.
    pub(super) fn open(&self, whose: &Whose<'_>, sealed: &[u8], master_key: &str) -> Result<Vec<u8>, String> {
        let id = master_key.escape_debug();
        let key = self.keys.get(master_key).ok_or_else(|| {
            format!("is sealed with the master key `{id}`, which is not among settings.master_keys; add it there")
        })?;
        let broken = || {
            format!(
                "does not open with the master key `{id}`: that is another key of this id, or the secret was changed or moved"
            )
        };
        let Some((&[FORMAT], rest)) = sealed.split_at_checked(1) else { return Err(broken()) };
        let (nonce, rest) = rest.split_at_checked(NONCE_LEN).ok_or_else(broken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
        let mut opened = rest.to_vec();
        let length = key.open_in_place(nonce, whose.aad(), &mut opened).map_err(|_| broken())?.len();
        opened.truncate(length);
        Ok(opened)
    }
}

impl Whose<'_> {
    /// Numbers have a fixed length and a kind has no zero byte: no two of these read alike.
    fn aad(&self) -> Aad<Vec<u8>> {
        let Self { organization, kind, key, secret } = self;
        let numbers = [organization.to_be_bytes(), secret.to_be_bytes()].concat();
        Aad::from([b"attrsync secret\0", numbers.as_slice(), kind.as_bytes(), b"\0", key.as_bytes()].concat())
    }
}

/// Prints ids alone.
impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.keys.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOSE: Whose<'_> = Whose { organization: 1, kind: "jwt", key: "2026-10", secret: 7 };

    fn keys(ids: &[(&str, u8)], sealing: &str) -> MasterKeys {
        let text = |(id, byte): &(&str, u8)| ((*id).to_owned(), BASE64.encode([*byte; 32]));
        MasterKeys::new(&ids.iter().map(text).collect(), sealing).unwrap()
    }

    #[test]
    fn a_secret_opens_for_whom_it_was_sealed_and_for_nobody_else() {
        let keys = keys(&[("m", 1)], "");
        let Sealed { bytes, master_key } = keys.seal(&WHOSE, b"s3cret").unwrap();
        assert_eq!(keys.open(&WHOSE, &bytes, &master_key).as_deref(), Ok(&b"s3cret"[..]));
        assert!(!bytes.windows(6).any(|window| window == b"s3cret"));
        for other in [
            Whose { organization: 2, ..WHOSE },
            Whose { kind: "identity", ..WHOSE },
            Whose { key: "2026-11", ..WHOSE },
            Whose { secret: 8, ..WHOSE },
        ] {
            assert!(keys.open(&other, &bytes, &master_key).unwrap_err().contains("changed or moved"), "{other:?}");
        }
    }

    #[test]
    fn what_is_shortened_or_changed_does_not_open() {
        let keys = keys(&[("m", 1)], "");
        let sealed = keys.seal(&WHOSE, b"s3cret").unwrap().bytes;
        for length in 0..sealed.len() {
            assert!(keys.open(&WHOSE, &sealed[..length], "m").is_err(), "{length}");
        }
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(keys.open(&WHOSE, &changed, "m").is_err(), "{at}");
        }
    }

    #[test]
    fn a_lost_or_wrong_master_key_is_named() {
        let sealed = keys(&[("m", 1)], "").seal(&WHOSE, b"s3cret").unwrap().bytes;
        assert!(keys(&[("n", 1)], "").open(&WHOSE, &sealed, "m").unwrap_err().contains("`m`, which is not among"));
        assert!(keys(&[("m", 2)], "").open(&WHOSE, &sealed, "m").unwrap_err().contains("another key of this id"));
        assert!(MasterKeys::default().seal(&WHOSE, b"s3cret").is_err());
    }

    #[test]
    fn one_secret_sealed_twice_looks_different_and_both_open() {
        let keys = keys(&[("m", 1), ("n", 2)], "n");
        let (one, other) = (keys.seal(&WHOSE, b"s").unwrap(), keys.seal(&WHOSE, b"s").unwrap());
        assert_ne!(one.bytes, other.bytes);
        assert_eq!(keys.open(&WHOSE, &other.bytes, "n").as_deref(), Ok(&b"s"[..]));
    }

    #[test]
    fn master_keys_are_checked_and_never_print() {
        let text = |text: &str| MasterKeys::new(&[("m".to_owned(), text.to_owned())].into(), "");
        assert!(text("c2hvcnQ=").unwrap_err().to_string().contains("32 bytes"));
        assert!(!text("s3cret!").unwrap_err().to_string().contains("s3cret"));
        assert_eq!(format!("{:?}", keys(&[("m", 1)], "")), "{\"m\"}");
    }
}
