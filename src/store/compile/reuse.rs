//! One secret or public key under two ids of an organization. What was revoked must not come back under another id; and a
//! secret that is used twice is doubtful: it has to be revoked twice, and as a secret of both kinds it signs tokens for whoever
//! gets a hash of a text of their choice. An organization has a handful of keys: each is held against each.

use super::Compiler;
use crate::{
    domain::{key::Verifier, snapshot},
    store::{key_kind::KeyKind, problem::Place},
};

/// A key or a secret of an organization. It has no `Debug`: it would print what it must not.
#[derive(Clone, Copy)]
struct Used<'k> {
    kind: KeyKind,
    id: &'k str,
    revoked: bool,
    /// The field that holds the bytes.
    field: &'static str,
    bytes: &'k [u8],
}

impl<'k> Used<'k> {
    fn key(key: &'k snapshot::JwtKey) -> Self {
        let (field, bytes) = match &key.verifier {
            Verifier::Hmac(_, secret) => (SECRET, secret.expose()),
            Verifier::Public(public) => ("public_key", (**public).as_ref()),
        };
        Self { kind: KeyKind::Jwt, id: &key.id, revoked: key.validity.revoked, field, bytes }
    }

    fn secret(secret: &'k snapshot::IdentitySecret) -> Self {
        let bytes = secret.secret.expose();
        Self { kind: KeyKind::Identity, id: &secret.id, revoked: secret.validity.revoked, field: SECRET, bytes }
    }

    /// Its place within the organization, for people.
    fn named(&self) -> String {
        format!("{}[{}]", self.kind.list(), self.id.escape_debug())
    }
}

const SECRET: &str = "secret";

impl Compiler<'_> {
    /// Refuses what was revoked under another id, and warns of a secret that is used twice.
    pub(super) fn check_reuse(
        &mut self,
        organization: &Place,
        keys: &[snapshot::JwtKey],
        secrets: &[snapshot::IdentitySecret],
    ) {
        let used = || keys.iter().map(Used::key).chain(secrets.iter().map(Used::secret));
        for (at, one) in used().enumerate().filter(|(_, one)| !one.revoked) {
            let place = || organization.field(one.kind.list()).entry(one.id).field(one.field);
            if let Some(revoked) = used().find(|other| other.revoked && other.bytes == one.bytes) {
                let revoked = revoked.named();
                let message =
                    format!("is that of {revoked}, which is revoked: never again, under no other id; make a new one");
                self.findings.problem(&place(), message);
            } else if let Some(other) = used().skip(at + 1).find(|other| other.bytes == one.bytes)
                && one.field == SECRET
            {
                self.findings.warning(&place(), doubtful(&one, &other));
            }
        }
    }
}

fn doubtful(one: &Used<'_>, other: &Used<'_>) -> String {
    let why = if one.kind == other.kind {
        "to revoke one would leave the other in use"
    } else {
        "whoever gets a hash of a text of their choice has the signature of a token"
    };
    format!("is that of {} too, and {why}; give each a secret of its own", other.named())
}
