//! Which verdicts somebody wants to see.

use super::told::{Kept, Named};
use crate::domain::{hex, verdict::Outcome};

/// What a verdict must be; what is not said does not matter.
#[derive(Clone, Default)]
pub(crate) struct Filter {
    pub(crate) verdict: Option<Outcome>,
    pub(crate) organization: Option<Box<str>>,
    /// Of the event, or of something that was rejected or dropped of it; beside an attribute, of that one or of the event.
    pub(crate) reason: Option<Box<str>>,
    pub(crate) attribute: Option<Box<str>>,
    pub(crate) event_type: Option<Box<str>>,
    pub(crate) user: Option<Who>,
}

/// A user.
#[derive(Clone)]
pub(crate) enum Who {
    /// By any of the identities, without blanks around it, and an e-mail address however it is capitalized.
    Named(Box<str>),
    /// By the SHA-256 of one, for whoever may not know it.
    Hashed([u8; 32]),
}

impl Who {
    /// Reads `sha256:` and 64 digits as a hash, anything else as an identity.
    ///
    /// # Errors
    /// When what follows `sha256:` is no hash.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let Some(digits) = text.strip_prefix("sha256:") else { return Ok(Self::Named(text.into())) };
        let hash = hex::decode(digits.as_bytes()).map(Self::Hashed);
        hash.ok_or_else(|| "user: expected sha256: and 64 hexadecimal digits".to_owned())
    }
}

impl Who {
    fn is_of(&self, kept: &Kept) -> bool {
        match self {
            Self::Named(wanted) => kept
                .users
                .iter()
                .map(|user| user.trim())
                .any(|user| user == &**wanted || (user.contains('@') && user.eq_ignore_ascii_case(wanted))),
            Self::Hashed(hash) => kept.hashes().contains(hash),
        }
    }
}

impl Filter {
    /// Whether this verdict is one of them.
    pub(crate) fn takes(&self, kept: &Kept) -> bool {
        let is = |wanted: &Option<Box<str>>, found: &Option<Box<str>>| wanted.is_none() || wanted == found;
        self.verdict.is_none_or(|verdict| verdict == kept.outcome)
            && is(&self.organization, &kept.organization)
            && is(&self.event_type, &kept.event_type)
            && self.takes_named(kept)
            && self.user.as_ref().is_none_or(|user| user.is_of(kept))
    }

    /// Whether the reason and the attribute are there; where both are asked for, together.
    fn takes_named(&self, kept: &Kept) -> bool {
        match (&self.reason, &self.attribute) {
            (None, None) => true,
            (Some(reason), None) => kept.reasons.contains(reason) || kept.dropped.contains(reason),
            (None, Some(attribute)) => kept.named.iter().any(|named| named.attribute == *attribute),
            (Some(reason), Some(attribute)) => {
                // The event's own reason is one for everything that it names.
                let whole = kept.reason.as_ref() == Some(reason);
                let is =
                    |named: &Named| named.attribute == *attribute && (whole || named.reason.as_ref() == Some(reason));
                kept.named.iter().any(is)
            }
        }
    }
}
