//! The complete document without its secrets: by it two versions of the settings are told apart.
//!
//! A version is a number derived from the content, so that every process of a deployment, `replay` and `explain` give the
//! same settings the same number without talking to each other, and comments, spacing and order change nothing. It takes in
//! the deployment's policy too: equal numbers mean an equal judgement. It has 53 bits, which every JSON reader keeps exactly.
//!
//! A secret takes part by a MAC under it, never by itself. An outsider who tests guesses of a secret against the number
//! learns nothing that a token signed with it, which every visitor's browser holds, would not have told more easily.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::{
    document::{Attribute, IdentitySecret, JwtKey, Organization},
    secret::Secret,
};
use crate::domain::{Policy, hex, key::HmacState};

/// What a secret's MAC is of.
const LABEL: &[u8] = b"attrsync settings version";

/// The organizations by slug, complete, their secrets disguised.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Effective(BTreeMap<String, Organization>);

impl Effective {
    /// The complete organizations of a document; their secrets are disguised already.
    pub(super) fn new(organizations: Vec<Organization>) -> Self {
        Self(organizations.into_iter().map(|organization| (organization.slug.clone(), organization)).collect())
    }

    /// The complete organizations by slug.
    pub(super) fn into_organizations(self) -> BTreeMap<String, Organization> {
        self.0
    }

    /// What another document changes, in lines that name organizations, keys and fields, and no value.
    pub(super) fn changes(&self, newer: &Self) -> Vec<String> {
        let removed = self.0.keys().filter(|slug| !newer.0.contains_key(*slug));
        let removed = removed.map(|slug| format!("organization {} removed", slug.escape_debug()));
        let rest = newer.0.iter().filter_map(|(slug, new)| {
            let what = self.0.get(slug).map_or_else(|| "added".to_owned(), |old| changes_of(old, new));
            (!what.is_empty()).then(|| format!("organization {} {what}", slug.escape_debug()))
        });
        removed.chain(rest).collect()
    }
}

/// An organization whose listed attributes say everything, as its complete document has them. Standard attributes that it
/// doesn't list stay out: it follows them.
pub(super) fn complete_listed(mut organization: Organization, effective: &Organization) -> Organization {
    let tables = [
        (&mut organization.attributes, &effective.attributes),
        (&mut organization.company_attributes, &effective.company_attributes),
    ];
    for (listed, complete) in tables {
        for (name, attribute) in listed {
            if let Some(complete) = complete.get(name) {
                attribute.clone_from(complete);
            }
        }
    }
    organization
}

/// What stands in for a secret: a MAC under it.
pub(super) fn disguise(state: &HmacState) -> Secret {
    Secret::Text(hex::encode(&state.sign(LABEL)))
}

/// Organizations in a number. It is the sum of theirs, so that one that changes is exchanged without a look at the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sum(u128);

impl Sum {
    /// One complete organization.
    pub(super) fn of(organization: &Organization) -> Self {
        Self::of_bytes(&serde_json::to_vec(organization).expect("plain data with text keys"))
    }

    /// An organization whose settings can't be used, by its slug.
    pub(super) fn of_unusable(slug: &str) -> Self {
        Self::of_bytes(slug.as_bytes())
    }

    fn of_bytes(bytes: &[u8]) -> Self {
        Self(u128::from_be_bytes(*Sha256::digest(bytes).first_chunk().expect("SHA-256 has 32 bytes")))
    }

    /// These organizations and those.
    pub(super) fn plus(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }

    /// These organizations without those.
    pub(super) fn minus(self, other: Self) -> Self {
        Self(self.0.wrapping_sub(other.0))
    }

    /// The version of these organizations under this policy.
    pub(super) fn version(self, policy: &Policy) -> u64 {
        let mut json = serde_json::to_vec(&(policy, &policy.topic_types)).expect("plain data with text keys");
        json.extend(self.0.to_be_bytes());
        let digest = Sha256::digest(json);
        u64::from_be_bytes(*digest.first_chunk().expect("SHA-256 has 32 bytes")) >> 11
    }
}

/// What differs between two versions of one organization; empty where nothing does.
pub(super) fn changes_of(old: &Organization, new: &Organization) -> String {
    let mut changes = vec![
        difference("jwt_keys", &jwt_keys(old), &jwt_keys(new)),
        difference("identity_secrets", &identity_secrets(old), &identity_secrets(new)),
        difference("attributes", &attributes(&old.attributes), &attributes(&new.attributes)),
        difference("company_attributes", &attributes(&old.company_attributes), &attributes(&new.company_attributes)),
    ];
    let fields = [
        ("app_id", old.app_id != new.app_id),
        ("enforcement", old.enforcement != new.enforcement),
        ("on_rejected_attribute", old.on_rejected_attribute != new.on_rejected_attribute),
        ("token", old.token != new.token),
        ("jwks", old.jwks != new.jwks),
        ("membership", old.membership != new.membership),
    ];
    changes.extend(fields.iter().filter(|(_, changed)| *changed).map(|(field, _)| Some((*field).to_owned())));
    changes.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn jwt_keys(organization: &Organization) -> BTreeMap<&str, &JwtKey> {
    organization.jwt_keys.iter().map(|key| (key.id.as_str(), key)).collect()
}

fn identity_secrets(organization: &Organization) -> BTreeMap<&str, &IdentitySecret> {
    organization.identity_secrets.iter().map(|secret| (secret.id.as_str(), secret)).collect()
}

fn attributes(attributes: &BTreeMap<String, Attribute>) -> BTreeMap<&str, &Attribute> {
    attributes.iter().map(|(name, attribute)| (name.as_str(), attribute)).collect()
}

/// `jwt_keys +2026-11 ~2026-10 -2025-01`: added, changed, removed.
fn difference<T: PartialEq>(name: &str, old: &BTreeMap<&str, &T>, new: &BTreeMap<&str, &T>) -> Option<String> {
    let added = new.keys().filter(|id| !old.contains_key(*id)).map(|id| ('+', id));
    let changed =
        new.iter().filter(|(id, entry)| old.get(*id).is_some_and(|old| old != *entry)).map(|(id, _)| ('~', id));
    let removed = old.keys().filter(|id| !new.contains_key(*id)).map(|id| ('-', id));
    let parts: Vec<_> =
        added.chain(changed).chain(removed).map(|(sign, id)| format!("{sign}{}", id.escape_debug())).collect();
    (!parts.is_empty()).then(|| format!("{name} {}", parts.join(" ")))
}
