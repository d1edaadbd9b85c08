//! The settings as they judge: immutable, indexed by slug and app id, keys ready to use. A snapshot is built once by
//! `store` and shared by every batch until the next one replaces it whole.

mod attributes;
mod index;

use std::{collections::HashSet, hint::black_box, sync::Arc};

use compact_str::CompactString;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

pub use self::attributes::{Attribute, AttributeTable, AttributeType, Found, Pool};
use self::index::Index;
use super::{
    Policy,
    key::{Algorithm, HmacState, SecretBytes, Validity, Verifier},
};

/// All organizations and the deployment's policy, at one version.
#[derive(Debug, Clone)]
pub struct Snapshot {
    version: u64,
    policy: Arc<Policy>,
    by_slug: Index,
    by_app_id: Index,
    unusable: Arc<Unusable>,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            version: 0,
            policy: Arc::default(),
            by_slug: Index::by(|organization| Some(&organization.slug)),
            by_app_id: Index::by(|organization| organization.app_id.as_deref()),
            unusable: Arc::default(),
        }
    }
}

/// The names of organizations whose settings can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unusable {
    /// Their slugs.
    pub slugs: HashSet<Box<str>>,
    /// Their app ids.
    pub app_ids: HashSet<Box<str>>,
}

/// What is different in a newer snapshot.
#[derive(Debug, Default)]
pub struct Difference {
    /// Organizations that are no longer as they were, or no longer there.
    pub out: Vec<Arc<Organization>>,
    /// Organizations that are new, or as they are now.
    pub into: Vec<Arc<Organization>>,
    /// All organizations whose settings can't be used.
    pub unusable: Unusable,
}

impl Snapshot {
    /// A snapshot of these organizations. Slugs and app ids are unique; the store has checked that.
    #[must_use]
    pub fn new(version: u64, policy: Policy, organizations: Vec<Organization>) -> Self {
        let into = organizations.into_iter().map(Arc::new).collect();
        let empty = Self { policy: Arc::new(policy), ..Self::default() };
        empty.with(version, Difference { into, ..Difference::default() })
    }

    /// A newer snapshot, which shares with this one what is the same in both.
    #[must_use]
    pub fn with(&self, version: u64, difference: Difference) -> Self {
        let mut newer = Self { version, unusable: Arc::new(difference.unusable), ..self.clone() };
        // Out first: a name may go from one organization to another.
        for organization in &difference.out {
            newer.by_slug.take(organization);
            newer.by_app_id.take(organization);
        }
        for organization in &difference.into {
            newer.by_slug.put(organization);
            newer.by_app_id.put(organization);
        }
        newer
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
        self.by_slug.get(slug)
    }

    /// The organization of this exact app id.
    #[must_use]
    pub fn by_app_id(&self, app_id: &str) -> Option<&Organization> {
        self.by_app_id.get(app_id)
    }

    /// The organizations that there are, and whose settings can't be used.
    #[must_use]
    pub fn unusable(&self) -> &Unusable {
        &self.unusable
    }

    /// All organizations, in no order.
    pub fn organizations(&self) -> impl Iterator<Item = &Organization> {
        self.by_slug.iter()
    }

    /// How many organizations there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_slug.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One tenant: who it is, what it demands of proofs, and its attributes.
///
/// Of a hundred thousand of them hardly one is in the processor's caches when its event comes. Everything that an event usually needs
/// lies side by side: short names and the first key in the organization itself, its attributes in one table.
#[derive(Debug, Clone)]
pub struct Organization {
    /// The slug.
    pub slug: CompactString,
    /// The app id (24 hex characters in the wild; any text here).
    pub app_id: Option<CompactString>,
    /// What happens without a proof that counts.
    pub enforcement: Enforcement,
    /// What a rejected attribute rejects.
    pub on_rejected_attribute: OnRejectedAttribute,
    /// What is asked of a token beyond its signature.
    pub token: TokenRules,
    /// The keys that verify tokens, newest first.
    pub jwt_keys: SmallVec<[JwtKey; 1]>,
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
    /// Reads a little of everything that an event usually needs, all at once, so that memory brings it in one wait and not in
    /// one after the other, where an organization sends seldom.
    pub fn touch(&self) {
        let key = self.jwt_keys.first().map(|key| (key.algorithm, key.validity.revoked));
        black_box((key, self.enforcement, self.user_attributes.touch()));
    }

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
    pub id: CompactString,
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
    pub id: CompactString,
    /// When it is honoured.
    pub validity: Validity,
    /// The keyed state, HMAC-SHA256.
    pub state: HmacState,
    /// The secret, for the diagnosis of a hash that was made with a decoded one.
    pub secret: SecretBytes,
}
