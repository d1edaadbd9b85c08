//! The number by which a version of the settings is known.
//!
//! It is derived from the content, so that every process of a deployment, `replay` and `explain` give the same settings the same
//! number without talking to each other, and comments, spacing and order change nothing. It takes in the deployment's policy
//! too: equal numbers mean an equal judgement. It has 53 bits, which every JSON reader keeps exactly.

use sha2::{Digest, Sha256};

use super::document::Organization;
use crate::domain::Policy;

/// Organizations in a number. It is the sum of theirs, so that one that changes is exchanged without a look at the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sum(u128);

impl Sum {
    /// One complete organization, its secrets disguised.
    pub(super) fn of(organization: &Organization) -> Self {
        Self::of_bytes(&serde_json::to_vec(organization).expect("plain data with text keys"))
    }

    /// An organization whose settings can't be used, by the names that its events may have. No document is written like that.
    pub(super) fn of_unusable(slug: &str, app_id: Option<&str>) -> Self {
        Self::of_bytes(&serde_json::to_vec(&("unusable", slug, app_id)).expect("plain data"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_that_can_not_be_used_has_another_version_by_each_of_its_names() {
        let policy = Policy::default();
        let version = |slug: &str, app_id: Option<&str>| Sum::of_unusable(slug, app_id).version(&policy);
        let with = version("acme", Some("x"));
        assert_eq!(with, version("acme", Some("x")));
        for other in [version("acme", None), version("acme", Some("y")), version("acme-inc", Some("x"))] {
            assert_ne!(with, other);
        }
    }
}
