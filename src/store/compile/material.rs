//! What a key of a document verifies with, as bytes: by them two ids are found to mean one key, however each was written.

use super::public_keys;
use crate::store::{
    document::{JwtKey, Organization},
    secret::Vault,
};

/// The bytes of a secret or of a public key; none where they can't be read.
pub(in crate::store) fn of_key(key: &JwtKey, vault: &Vault) -> Option<Vec<u8>> {
    if key.algorithm.hmac().is_some() {
        return vault.open(key.secret.as_ref()?).ok();
    }
    let text = vault.open(key.public_key.as_ref()?).ok()?;
    public_keys::read(key.algorithm, &text).ok().map(|key| key.as_ref().to_vec())
}

/// The keys of an organization's JWK Set, where it can be read, but for those that `jwt_keys` has revoked.
pub(in crate::store) fn of_set(organization: &Organization, vault: &Vault) -> Vec<JwtKey> {
    let text = organization.jwks.as_ref().and_then(|jwks| vault.open(jwks).ok());
    let keys = text.and_then(|text| public_keys::of_set(&text).ok()).map(|(keys, _)| keys).unwrap_or_default();
    keys.into_iter().filter(|key| !is_revoked(key, &organization.jwt_keys, vault)).collect()
}

/// Whether a key of a set is revoked: `jwt_keys` has it too, by the same id and with the same bytes, and says so.
pub(super) fn is_revoked(of_set: &JwtKey, own: &[JwtKey], vault: &Vault) -> bool {
    let same = own.iter().find(|key| key.revoked_at.is_some() && key.id == of_set.id);
    same.is_some_and(|own| of_key(own, vault).is_some_and(|bytes| of_key(of_set, vault) == Some(bytes)))
}
