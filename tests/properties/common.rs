//! What the properties share: one organization, and the proofs that its server makes.

use attrsync::domain::key::Algorithm;

pub(crate) use crate::shared::{Event, IDENTITY_SECRET, NOW, SECRET, encoder, hash_under, sign, snapshot};

/// One organization that enforces, with a locked plan.
pub(crate) const SETTINGS: &str = r#"
[[organizations]]
slug = "acme"
app_id = "65f1c0ffee65f1c0ffee65f1"
jwt_keys = [
  { id = "current", algorithm = "HS256", secret = "the current secret, 32 bytes or more" },
  { id = "longer", algorithm = "HS512", secret = "the current secret, 32 bytes or more; this one for SHA-512, 64 bytes" },
]
identity_secrets = [{ id = "iv", secret = "iv_your-secret-key" }]

[organizations.attributes.plan]
type = "text"
locked = true

[organizations.attributes.seats]
type = "number"

[organizations.attributes.trial]
type = "boolean"

[organizations.company_attributes.tier]
type = "text"
"#;

/// A token as a customer's server makes it.
pub(crate) fn token(claims: &str) -> String {
    sign(r#"{"alg":"HS256","typ":"JWT"}"#, claims, Algorithm::HS256, SECRET)
}

/// The hash of an identifier.
pub(crate) fn hash(identifier: &str) -> String {
    hash_under(IDENTITY_SECRET, identifier)
}
