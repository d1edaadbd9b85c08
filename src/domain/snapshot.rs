//! The settings as they judge: immutable, indexed by slug and app id, keys ready to use. A snapshot is built once by
//! `store` and shared by every batch until the next one replaces it whole.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
};

use rustc_hash::FxHasher;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Policy,
    key::{Algorithm, HmacState, SecretBytes, Validity, Verifier},
};

/// By name. What is in a table is what an operator configured; a sender's names are looked up and never put in, so that a
/// quick hash without a key gives nobody a way to crowd it.
type Table<T> = HashMap<Box<str>, T, BuildHasherDefault<FxHasher>>;

/// All organizations and the deployment's policy, at one version.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    version: u64,
    policy: Policy,
    by_slug: Table<Arc<Organization>>,
    by_app_id: Table<Arc<Organization>>,
}

impl Snapshot {
    /// A snapshot of these organizations. Slugs and app ids are unique; the store has checked that.
    #[must_use]
    pub fn new(version: u64, policy: Policy, organizations: Vec<Organization>) -> Self {
        let organizations: Vec<_> = organizations.into_iter().map(Arc::new).collect();
        let by_app_id = organizations.iter().filter_map(|org| Some((org.app_id.clone()?, Arc::clone(org)))).collect();
        let by_slug = organizations.into_iter().map(|org| (org.slug.clone(), org)).collect();
        Self { version, policy, by_slug, by_app_id }
    }

    /// The version that every verdict of this snapshot carries.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The deployment's policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The organization of this exact slug.
    #[must_use]
    pub fn by_slug(&self, slug: &str) -> Option<&Organization> {
        self.by_slug.get(slug).map(AsRef::as_ref)
    }

    /// The organization of this exact app id.
    #[must_use]
    pub fn by_app_id(&self, app_id: &str) -> Option<&Organization> {
        self.by_app_id.get(app_id).map(AsRef::as_ref)
    }

    /// All organizations, in no order.
    pub fn organizations(&self) -> impl ExactSizeIterator<Item = &Organization> {
        self.by_slug.values().map(AsRef::as_ref)
    }
}

/// One tenant: who it is, what it demands of proofs, and its attributes.
#[derive(Debug, Clone)]
pub struct Organization {
    /// The slug.
    pub slug: Box<str>,
    /// The app id (24 hex characters in the wild; any text here).
    pub app_id: Option<Box<str>>,
    /// What happens without a proof that counts.
    pub enforcement: Enforcement,
    /// What a rejected attribute rejects.
    pub on_rejected_attribute: OnRejectedAttribute,
    /// What is asked of a token beyond its signature.
    pub token: TokenRules,
    /// The keys that verify tokens, newest first.
    pub jwt_keys: Vec<JwtKey>,
    /// The secrets that verify `userHash` and `companyHash`, newest first.
    pub identity_secrets: Vec<IdentitySecret>,
    /// Whether membership in companies accepts signed values only.
    pub membership_locked: bool,
    /// The attributes of users.
    pub user_attributes: AttributeTable,
    /// The attributes of companies.
    pub company_attributes: AttributeTable,
}

impl Organization {
    /// The enforcement that holds: `off` is for local testing, and counts as `enforced` unless the deployment allows it.
    #[must_use]
    pub fn enforcement_under(&self, policy: &Policy) -> Enforcement {
        match self.enforcement {
            Enforcement::Off if !policy.allow_off => Enforcement::Enforced,
            enforcement => enforcement,
        }
    }
}

/// What happens to a claimed identity without proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// The event is rejected.
    Enforced,
    /// The event is accepted as unverified, and marked with the reason that would have rejected it.
    Observe,
    /// The event is accepted as unverified. For local testing, and only where the deployment allows it.
    Off,
}

/// What a rejected attribute rejects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnRejectedAttribute {
    /// Itself alone.
    Attribute,
    /// The whole event.
    Event,
}

/// What is asked of a token's claims beyond its signature.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenRules {
    /// `exp` must be there.
    pub require_expiry: bool,
    /// The most seconds since `iat`, which then must be there.
    pub max_age_s: Option<u32>,
    /// `aud` must name one of these; empty: not checked.
    pub audiences: Vec<Box<str>>,
    /// `iss` must be one of these; empty: not checked.
    pub issuers: Vec<Box<str>>,
}

/// A key that verifies tokens.
#[derive(Debug, Clone)]
pub struct JwtKey {
    /// The key id (`kid`, RFC 7515 §4.1.4).
    pub id: Box<str>,
    /// When it is honoured.
    pub validity: Validity,
    /// The one algorithm it is for.
    pub algorithm: Algorithm,
    /// What verifies a signature.
    pub verifier: Verifier,
}

/// A secret that verifies hashes of identifiers.
#[derive(Debug, Clone)]
pub struct IdentitySecret {
    /// The secret's id.
    pub id: Box<str>,
    /// When it is honoured.
    pub validity: Validity,
    /// The keyed state, HMAC-SHA256.
    pub state: HmacState,
    /// The secret, for the diagnosis of a hash that was made with a decoded one.
    pub secret: SecretBytes,
}

/// Attributes by name.
#[derive(Debug, Clone, Default)]
pub struct AttributeTable {
    by_name: Table<Attribute>,
    /// Digests of the names without case and punctuation: what a near miss is told by.
    folded: HashSet<u64, BuildHasherDefault<FxHasher>>,
}

impl AttributeTable {
    /// The attribute of this exact name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        self.by_name.get(name)
    }

    /// Whether a configured name differs from `name` in case and punctuation alone. A collision of 64 bits would make a hint
    /// wrong, and nothing else.
    #[must_use]
    pub fn nearly(&self, name: &str) -> bool {
        self.folded.contains(&folded(name))
    }

    /// All attributes, in no order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Attribute)> {
        self.by_name.iter().map(|(name, attribute)| (name.as_ref(), attribute))
    }
}

impl FromIterator<(Box<str>, Attribute)> for AttributeTable {
    fn from_iter<I: IntoIterator<Item = (Box<str>, Attribute)>>(attributes: I) -> Self {
        let by_name: Table<_> = attributes.into_iter().collect();
        let folded = by_name.keys().map(|name| folded(name)).collect();
        Self { by_name, folded }
    }
}

/// A digest of a name without case and punctuation.
fn folded(name: &str) -> u64 {
    let mut hasher = FxHasher::default();
    if name.is_ascii() {
        // The same letters, without the tables of Unicode: nearly every name is of this kind.
        let letters = name.bytes().filter(u8::is_ascii_alphanumeric);
        letters.for_each(|letter| hasher.write_u32(letter.to_ascii_lowercase().into()));
    } else {
        let letters = name.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase);
        letters.for_each(|letter| hasher.write_u32(letter.into()));
    }
    hasher.finish()
}

/// A configured attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// What values it takes.
    pub kind: AttributeType,
    /// Accepts signed values only.
    pub locked: bool,
    /// Accepts nothing any more.
    pub archived: bool,
}

/// What values an attribute takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeType {
    /// A text of at most `max_chars` Unicode scalar values, one of `options` where there are any.
    Text {
        /// The most Unicode scalar values.
        max_chars: usize,
        /// The only texts accepted; empty: any.
        options: Vec<Box<str>>,
    },
    /// A number within a double's range, its digits kept.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A date in any spelling that `EventTime` reads; emitted as RFC 3339.
    Date,
    /// A list of such texts.
    TextList {
        /// The most Unicode scalar values of each text.
        max_chars: usize,
        /// The only texts accepted; empty: any.
        options: Vec<Box<str>>,
    },
}
