//! Keys and identity secrets: fetched, checked, newest first. What a public key must be is in `public_keys`.

use std::{cmp::Ordering, collections::HashSet};

use compact_str::CompactString;
use smallvec::SmallVec;

use super::{Compiler, material, public_keys};
use crate::{
    domain::{
        EventTime,
        key::{Algorithm, HmacDigest, HmacState, Standing, Validity, Verifier},
        snapshot,
    },
    store::{
        document::{IdentitySecret, JwtKey, Organization},
        effective::disguise,
        moment::Moment,
        problem::Place,
        secret::Secret,
    },
};

/// The most keys that may be valid at any one time: each is a try that a token without a known `kid` costs.
const MAX_VALID_KEYS: usize = 10;

/// What keys and identity secrets have in common.
struct Held<'k> {
    id: &'k str,
    algorithm: Algorithm,
    secret: Option<&'k mut Secret>,
    public_key: Option<&'k mut Secret>,
    times: [Option<Moment>; 3],
}

impl Held<'_> {
    fn validity(&self) -> Validity {
        let [from, retired, revoked] = self.times.map(|time| time.map(|moment| moment.0));
        Validity { from, retired, revoked: revoked.is_some() }
    }
}

impl<'k> From<&'k mut JwtKey> for Held<'k> {
    fn from(key: &'k mut JwtKey) -> Self {
        let JwtKey { id, algorithm, secret, public_key, valid_from, retired_at, revoked_at } = key;
        let times = [*valid_from, *retired_at, *revoked_at];
        Held { id, algorithm: *algorithm, secret: secret.as_mut(), public_key: public_key.as_mut(), times }
    }
}

impl<'k> From<&'k mut IdentitySecret> for Held<'k> {
    fn from(key: &'k mut IdentitySecret) -> Self {
        let times = [key.valid_from, key.retired_at, key.revoked_at];
        Held { id: &key.id, algorithm: Algorithm::HS256, secret: Some(&mut key.secret), public_key: None, times }
    }
}

/// A key that is ready to verify.
struct Ready {
    id: CompactString,
    algorithm: Algorithm,
    validity: Validity,
    verifier: Verifier,
}

impl Compiler<'_> {
    /// The keys for tokens; sorts the document's own, and disguises their secrets.
    pub(super) fn jwt_keys(
        &mut self,
        place: &Place,
        organization: &mut Organization,
    ) -> SmallVec<[snapshot::JwtKey; 1]> {
        let mut more = self.jwks(&place.field("jwks"), organization);
        let place = place.field("jwt_keys");
        let keys = &mut organization.jwt_keys;
        keys.sort_by(|one, other| {
            newest_first((one.valid_from, one.retired_at, &one.id), (other.valid_from, other.retired_at, &other.id))
        });
        let mut held: Vec<_> = keys.iter_mut().chain(&mut more).map(Held::from).collect();
        let ready = self.keys(&place, &mut held);
        let key = |Ready { id, algorithm, validity, verifier }| snapshot::JwtKey { id, validity, algorithm, verifier };
        ready.into_iter().map(key).collect()
    }

    /// The secrets for hashes; sorts the document's own, and disguises them.
    pub(super) fn identity_secrets(
        &mut self,
        place: &Place,
        secrets: &mut [IdentitySecret],
    ) -> Vec<snapshot::IdentitySecret> {
        secrets.sort_by(|one, other| {
            newest_first((one.valid_from, one.retired_at, &one.id), (other.valid_from, other.retired_at, &other.id))
        });
        let mut held: Vec<_> = secrets.iter_mut().map(Held::from).collect();
        let secret = |Ready { id, validity, verifier, .. }| match verifier {
            Verifier::Hmac(state, secret) => Some(snapshot::IdentitySecret { id, validity, state, secret }),
            Verifier::Public(..) => None,
        };
        self.keys(place, &mut held).into_iter().filter_map(secret).collect()
    }

    /// The keys of a JWK Set, as if each stood in the document. One that `jwt_keys` has revoked stands there already.
    fn jwks(&mut self, place: &Place, organization: &mut Organization) -> Vec<JwtKey> {
        let Some(jwks) = &mut organization.jwks else { return Vec::new() };
        match self.public(jwks).and_then(|bytes| public_keys::of_set(&bytes)) {
            Ok((keys, left_out)) => {
                left_out.into_iter().for_each(|why| self.findings.warning(place, why));
                let own = &organization.jwt_keys;
                keys.into_iter().filter(|key| !material::is_revoked(key, own, self.vault)).collect()
            }
            Err(message) => {
                self.findings.problem(place, message);
                Vec::new()
            }
        }
    }

    fn keys(&mut self, place: &Place, held: &mut [Held<'_>]) -> Vec<Ready> {
        let mut ids = HashSet::new();
        for Held { id, .. } in &*held {
            let place = place.entry(id);
            self.check_text(&place.field("id"), id);
            if !ids.insert(*id) {
                self.findings.problem(&place, "two have this id; a verdict names the one that verified by it");
            }
        }
        let ready: Vec<_> = held.iter_mut().filter_map(|held| self.key(&place.entry(held.id), held)).collect();
        self.check_number(place, &ready);
        ready
    }

    fn key(&mut self, place: &Place, held: &mut Held<'_>) -> Option<Ready> {
        let validity = held.validity();
        if let (Some(from), Some(retired)) = (validity.from, validity.retired)
            && retired < from
        {
            let message =
                format!("retired at {retired}, before it becomes valid at {from}; it would never be honoured");
            self.findings.problem(&place.field("retired_at"), message);
        }
        let verifier = match held.algorithm.hmac() {
            Some(digest) => self.secret(place, held, digest)?,
            None => self.public_key(place, held)?,
        };
        Some(Ready { id: held.id.into(), algorithm: held.algorithm, validity, verifier })
    }

    /// The secret of an HMAC; the document's own is disguised.
    fn secret(&mut self, place: &Place, held: &mut Held<'_>, digest: HmacDigest) -> Option<Verifier> {
        let alg = held.algorithm.alg();
        if held.public_key.is_some() {
            let message = format!("{alg} takes a secret; a public key as a secret would let anybody sign");
            self.findings.problem(&place.field("public_key"), message);
        }
        let place = place.field("secret");
        let Some(secret) = held.secret.as_deref_mut() else {
            self.findings.problem(&place, format!("missing; {alg} takes a secret"));
            return None;
        };
        let bytes = self.vault.open(secret).map_err(|message| self.findings.problem(&place, message)).ok()?;
        if public_keys::looks_asymmetric(&bytes) {
            let message = "is the text of a public key or of its key pair: anybody who has the public key could sign; name the \
                           key's own algorithm (RS256, ES256, …) and put it into public_key, or make a random secret";
            self.findings.problem(&place, message);
            return None;
        }
        let asked = secret_bytes(digest);
        if bytes.len() < asked {
            let message = format!(
                "has {} bytes; RFC 7518 §3.2 asks for at least {asked} with {alg}, since a shorter one can be guessed from \
                 any token",
                bytes.len()
            );
            self.findings.warning(&place, message);
        }
        *secret = disguise(&HmacState::new(digest, &bytes));
        Some(Verifier::hmac(digest, &bytes))
    }

    fn public_key(&mut self, place: &Place, held: &mut Held<'_>) -> Option<Verifier> {
        let alg = held.algorithm.alg();
        if held.secret.is_some() {
            self.findings.problem(&place.field("secret"), format!("{alg} takes a public_key, not a secret"));
        }
        let place = place.field("public_key");
        let Some(source) = held.public_key.as_deref_mut() else {
            self.findings.problem(&place, format!("missing; {alg} takes a public key, as PEM or as a JWK"));
            return None;
        };
        let key = self.public(source).and_then(|bytes| public_keys::read(held.algorithm, &bytes));
        let key = key.map_err(|message| self.findings.problem(&place, message)).ok()?;
        Some(Verifier::Public(Box::new(key)))
    }

    /// What a public key is read from; it takes the place of where it was found, so that a changed file is a changed version.
    fn public(&self, source: &mut Secret) -> Result<Vec<u8>, String> {
        let bytes = self.vault.open(source)?;
        *source = Secret::Text(String::from_utf8_lossy(&bytes).into_owned());
        Ok(bytes)
    }

    /// The number of keys that are valid at once is highest when one of them becomes valid.
    fn check_number(&mut self, place: &Place, keys: &[Ready]) {
        let begins = keys.iter().map(|key| key.validity.from.unwrap_or(EventTime::from_millis(i64::MIN)));
        let honoured = |at| keys.iter().filter(|key| key.validity.at(at) == Standing::Valid).count();
        if let Some((most, at)) = begins.map(|at| (honoured(at), at)).max()
            && most > MAX_VALID_KEYS
        {
            let message = format!(
                "{most} are valid at {at}, at most {MAX_VALID_KEYS} may be; set retired_at where one is no longer in use"
            );
            self.findings.problem(place, message);
        }
    }
}

/// From when and until when a key is valid, and its id.
type Age<'k> = (Option<Moment>, Option<Moment>, &'k str);

/// The order in which keys are tried. Of those that become valid together, those that end last come first, and of these too the
/// ids decide, and not the order of a document.
fn newest_first((from, retired, id): Age<'_>, (other_from, other_retired, other_id): Age<'_>) -> Ordering {
    let ends = |retired: Option<Moment>| (retired.is_none(), retired);
    other_from.cmp(&from).then_with(|| ends(other_retired).cmp(&ends(retired))).then_with(|| id.cmp(other_id))
}

/// What RFC 7518 §3.2 asks of a secret: as many bytes as the hash has.
fn secret_bytes(digest: HmacDigest) -> usize {
    match digest {
        HmacDigest::Sha256 => 32,
        HmacDigest::Sha384 => 48,
        HmacDigest::Sha512 => 64,
    }
}
