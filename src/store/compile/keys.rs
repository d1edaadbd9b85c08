//! Keys and identity secrets: fetched, checked, newest first.

use std::{cmp::Reverse, collections::HashSet};

use super::Compiler;
use crate::{
    domain::{
        EventTime,
        key::{Algorithm, HmacState, Standing, Validity},
        snapshot,
    },
    store::{
        document::{IdentitySecret, JwtKey},
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
    secret: &'k mut Secret,
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
        let times = [key.valid_from, key.retired_at, key.revoked_at];
        Held { id: &key.id, algorithm: key.algorithm, secret: &mut key.secret, times }
    }
}

impl<'k> From<&'k mut IdentitySecret> for Held<'k> {
    fn from(key: &'k mut IdentitySecret) -> Self {
        let times = [key.valid_from, key.retired_at, key.revoked_at];
        Held { id: &key.id, algorithm: Algorithm::HS256, secret: &mut key.secret, times }
    }
}

/// A key that is ready to verify.
struct Ready {
    id: Box<str>,
    algorithm: Algorithm,
    validity: Validity,
    state: HmacState,
}

impl Compiler<'_> {
    /// The keys for tokens; sorts the document's own, and disguises their secrets.
    pub(super) fn jwt_keys(&mut self, place: &Place, keys: &mut [JwtKey]) -> Vec<snapshot::JwtKey> {
        keys.sort_by_key(|key| Reverse(key.valid_from));
        let ready = self.keys(place, keys.iter_mut().map(Held::from).collect());
        let key = |Ready { id, algorithm, validity, state }| snapshot::JwtKey { id, validity, algorithm, state };
        ready.into_iter().map(key).collect()
    }

    /// The secrets for hashes; sorts the document's own, and disguises them.
    pub(super) fn identity_secrets(
        &mut self,
        place: &Place,
        secrets: &mut [IdentitySecret],
    ) -> Vec<snapshot::IdentitySecret> {
        secrets.sort_by_key(|secret| Reverse(secret.valid_from));
        let ready = self.keys(place, secrets.iter_mut().map(Held::from).collect());
        let secret = |Ready { id, validity, state, .. }| snapshot::IdentitySecret { id, validity, state };
        ready.into_iter().map(secret).collect()
    }

    fn keys(&mut self, place: &Place, mut held: Vec<Held<'_>>) -> Vec<Ready> {
        let mut ids = HashSet::new();
        for Held { id, .. } in &held {
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
        let place = place.field("secret");
        let bytes = self.vault.open(held.secret).map_err(|message| self.findings.problem(&place, message)).ok()?;
        let asked = secret_bytes(held.algorithm);
        if bytes.len() < asked {
            let message = format!(
                "has {} bytes; RFC 7518 §3.2 asks for at least {asked} with {:?}, since a shorter one can be guessed from \
                 any token",
                bytes.len(),
                held.algorithm
            );
            self.findings.warning(&place, message);
        }
        let state = HmacState::new(held.algorithm, &bytes);
        *held.secret = disguise(&state);
        Some(Ready { id: held.id.into(), algorithm: held.algorithm, validity, state })
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

/// What RFC 7518 §3.2 asks of a secret: as many bytes as the hash has.
fn secret_bytes(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::HS256 => 32,
        Algorithm::HS384 => 48,
        Algorithm::HS512 => 64,
    }
}
