//! The complete document without its secrets: by it two versions of the settings are told apart.
//!
//! A secret takes part by a MAC under it, never by itself. An outsider who tests guesses of a secret against the number of a
//! version learns nothing that a token signed with it, which every visitor's browser holds, would not have told more easily.

use std::collections::BTreeMap;

use super::{
    difference::{FieldChange, between},
    document::Organization,
    secret::Secret,
};
use crate::domain::{hex, key::HmacState};

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
            let what = match self.0.get(slug) {
                None => "added".to_owned(),
                // Of many organizations few change, and only those are taken apart.
                Some(old) if old == new => return None,
                Some(old) => between(old, new).iter().map(FieldChange::in_brief).collect::<Vec<_>>().join(", "),
            };
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
