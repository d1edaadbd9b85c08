//! Nothing is stored that nobody configured: an unknown name is dropped, as is an archived attribute.

use super::{Candidate, Ruling};
use crate::domain::{
    Hint, Reason,
    snapshot::{self, Found},
};

/// The configured attribute of this exact name.
pub(super) fn find<'a>(candidate: &Candidate<'a>) -> Result<&'a snapshot::Attribute, Ruling<'a>> {
    match candidate.table.find(candidate.item.name) {
        Found::Configured(attribute) => Ok(attribute),
        Found::NearMiss => Err(Ruling::Dropped(Reason::NotConfigured, Some(Hint::NearMiss))),
        Found::Nothing => Err(Ruling::Dropped(Reason::NotConfigured, None)),
    }
}

/// An archived attribute accepts nothing, signed or not.
pub(super) fn archived<'a>(attribute: &snapshot::Attribute) -> Option<Ruling<'a>> {
    attribute.archived.then_some(Ruling::Dropped(Reason::Archived, None))
}
