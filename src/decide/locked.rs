//! A locked attribute accepts signed values only; null would unset it and is refused like any other value.

use super::{Candidate, Ruling};
use crate::domain::{Reason, snapshot};

/// Rejects an unsigned value of a locked attribute, in every enforcement.
pub(super) fn rule<'a>(candidate: &Candidate<'a>, attribute: &snapshot::Attribute) -> Option<Ruling<'a>> {
    (attribute.locked && !candidate.signed).then_some(Ruling::Rejected(Reason::Locked, None))
}
