//! The settings document: the shape of a settings file, and of what a database holds. Plain data; what it means is said in
//! `compile`. A key that is not known is refused: a misspelt `locked` must not leave an attribute open.
//!
//! Writing a document writes its secrets; `Debug` does not.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};

use super::{moment::Moment, secret::Secret};
use crate::domain::{
    key::Algorithm,
    snapshot::{Enforcement, OnRejectedAttribute},
};

/// The settings of attrsync: organizations, the keys that verify what they send, and the attributes that they accept.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The tenants.
    #[serde(default)]
    pub organizations: Vec<Organization>,
}

impl Document {
    /// The JSON Schema (2020-12) of a settings document, for editors and for what checks settings before they are merged. It
    /// knows the shape alone; `attrsync config check` knows what fits together.
    #[must_use]
    pub fn schema() -> Schema {
        SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Self>()
    }

    /// The files that hold secrets of this document, as it names them.
    #[must_use]
    pub fn secret_files(&self) -> Vec<PathBuf> {
        let secrets = self.organizations.iter().flat_map(|organization| {
            let jwt = organization.jwt_keys.iter().flat_map(|key| key.secret.iter().chain(&key.public_key));
            let identity = organization.identity_secrets.iter().map(|secret| &secret.secret);
            jwt.chain(identity).chain(&organization.jwks)
        });
        secrets.filter_map(|secret| if let Secret::File(path) = secret { Some(path.clone()) } else { None }).collect()
    }
}

/// One tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// The slug, compared exactly with what events send as `organization`. It holds no `:`.
    pub slug: String,
    /// The id, compared exactly with what events send as `appId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// What happens to an identity that is claimed without proof: `enforced` rejects the event, `observe` accepts it and
    /// marks what would have been rejected, `off` accepts it (honoured only where the deployment says `security.allow_off`).
    #[serde(default = "enforced")]
    pub enforcement: Enforcement,
    /// What a rejected attribute rejects: itself alone (`attribute`) or the whole `event`.
    #[serde(default = "itself_alone")]
    pub on_rejected_attribute: OnRejectedAttribute,
    /// What is asked of a token beyond its signature.
    #[serde(default)]
    pub token: Token,
    /// The keys that verify tokens; at most ten are valid at any one time.
    #[serde(default)]
    pub jwt_keys: Vec<JwtKey>,
    /// More public keys that verify tokens, as a JWK Set (RFC 7517 §5): each with a `kid`, and valid without end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Secret>,
    /// The secrets that verify `userHash` and `companyHash`; at most ten are valid at any one time.
    #[serde(default)]
    pub identity_secrets: Vec<IdentitySecret>,
    /// The attributes of users, by name. The standard ones are there without being listed; listing one changes it.
    #[serde(default)]
    pub attributes: BTreeMap<String, Attribute>,
    /// The attributes of companies, by name; standard ones likewise.
    #[serde(default)]
    pub company_attributes: BTreeMap<String, Attribute>,
    /// Who may change which companies a user belongs to.
    #[serde(default)]
    pub membership: Membership,
}

impl Organization {
    /// An organization of this slug, about which nothing else is said.
    #[must_use]
    pub fn new(slug: &str) -> Self {
        Self {
            slug: slug.to_owned(),
            app_id: None,
            enforcement: enforced(),
            on_rejected_attribute: itself_alone(),
            token: Token::default(),
            jwt_keys: Vec::new(),
            jwks: None,
            identity_secrets: Vec::new(),
            attributes: BTreeMap::new(),
            company_attributes: BTreeMap::new(),
            membership: Membership::default(),
        }
    }
}

/// What is asked of a token's claims.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Token {
    /// Whether `exp` must be there. The vendor's own samples set none.
    pub require_expiry: bool,
    /// The most seconds since `iat`, which must then be there. Absent: any age.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age_s: Option<u32>,
    /// `aud` must name one of these. Empty: not checked.
    pub audiences: Vec<String>,
    /// `iss` must be one of these. Empty: not checked.
    pub issuers: Vec<String>,
}

/// A key that verifies tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JwtKey {
    /// The key's id, unique among the organization's keys. A token that names it as `kid` is verified with it alone.
    pub id: String,
    /// The one algorithm that the key is for, whatever a token says.
    pub algorithm: Algorithm,
    /// HS256, HS384, HS512: the secret, used as the text it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// All others: the public key, as PEM or as a JWK (RFC 7517).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<Secret>,
    /// Events before it are not honoured. Absent: from the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Moment>,
    /// Events after it are not honoured. Absent: without end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<Moment>,
    /// Set to any time, the key is never honoured again, for events before that time neither.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Moment>,
}

/// A secret that verifies hashes of identifiers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentitySecret {
    /// The secret's id, unique among the organization's secrets.
    pub id: String,
    /// The secret, used as the text it is.
    pub secret: Secret,
    /// Events before it are not honoured. Absent: from the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Moment>,
    /// Events after it are not honoured. Absent: without end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<Moment>,
    /// Set to any time, the secret is never honoured again, for events before that time neither.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Moment>,
}

/// A configured attribute.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// What values it takes. A standard attribute has its type already.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<AttributeKind>,
    /// The most Unicode scalar values of a text, or of each text of a list; 255 where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_chars: Option<usize>,
    /// The only texts accepted. Absent: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<String>>,
    /// Whether signed values alone are accepted. Absent: not locked, or as the standard attribute is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
    /// Whether the attribute is no longer in use; its values are dropped.
    #[serde(default)]
    pub archived: bool,
}

/// The type of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttributeKind {
    /// A text.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A date.
    Date,
    /// A list of texts.
    TextList,
}

/// Who may change which companies a user belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// Whether signed companies alone are accepted, and those proven by `companyHash`.
    #[serde(default = "yes")]
    pub locked: bool,
}

impl Default for Membership {
    fn default() -> Self {
        Self { locked: yes() }
    }
}

fn enforced() -> Enforcement {
    Enforcement::Enforced
}

fn itself_alone() -> OnRejectedAttribute {
    OnRejectedAttribute::Attribute
}

fn yes() -> bool {
    true
}
