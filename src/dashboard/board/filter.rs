//! Which verdicts somebody wants to see.

use super::told::Kept;
use crate::domain::{hex, verdict::Outcome};

/// What a verdict must be; what is not said does not matter.
#[derive(Clone, Default)]
pub(crate) struct Filter {
    pub(crate) verdict: Option<Outcome>,
    pub(crate) organization: Option<Box<str>>,
    pub(crate) reason: Option<Box<str>>,
    pub(crate) attribute: Option<Box<str>>,
    pub(crate) event_type: Option<Box<str>>,
    pub(crate) user: Option<Who>,
}

/// A user.
#[derive(Clone)]
pub(crate) enum Who {
    /// By any of the identities, exactly.
    Exact(Box<str>),
    /// By the SHA-256 of one, for whoever may not know it.
    Hashed([u8; 32]),
}

impl Who {
    /// Reads `sha256:` and 64 digits as a hash, anything else as an identity.
    ///
    /// # Errors
    /// When what follows `sha256:` is no hash.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let Some(digits) = text.strip_prefix("sha256:") else { return Ok(Self::Exact(text.into())) };
        let hash = hex::decode(digits.as_bytes()).map(Self::Hashed);
        hash.ok_or_else(|| "user: expected sha256: and 64 hexadecimal digits".to_owned())
    }
}

impl Filter {
    /// Whether this verdict is one of them.
    pub(crate) fn takes(&self, kept: &Kept) -> bool {
        let is = |wanted: &Option<Box<str>>, found: &Option<Box<str>>| wanted.is_none() || wanted == found;
        let has =
            |wanted: &Option<Box<str>>, found: &[Box<str>]| wanted.as_ref().is_none_or(|name| found.contains(name));
        self.verdict.is_none_or(|verdict| verdict == kept.outcome)
            && is(&self.organization, &kept.organization)
            && is(&self.event_type, &kept.event_type)
            && has(&self.reason, &kept.reasons)
            && has(&self.attribute, &kept.attributes)
            && match &self.user {
                None => true,
                Some(Who::Exact(user)) => kept.users.contains(user),
                Some(Who::Hashed(hash)) => kept.hashes().contains(hash),
            }
    }
}
