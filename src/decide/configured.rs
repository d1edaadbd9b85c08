//! Nothing is stored that nobody configured: an unknown name is dropped, as is an archived attribute.

use super::{Candidate, Ruling};
use crate::domain::{Hint, Reason, snapshot};

/// The configured attribute of this exact name.
pub(super) fn find<'a>(candidate: &Candidate<'a>) -> Result<&'a snapshot::Attribute, Ruling<'a>> {
    candidate.table.get(candidate.item.name).ok_or_else(|| {
        let hint = candidate.table.nearly(candidate.item.name).then_some(Hint::NearMiss);
        Ruling::Dropped(Reason::NotConfigured, hint)
    })
}

/// An archived attribute accepts nothing, signed or not.
pub(super) fn archived<'a>(attribute: &snapshot::Attribute) -> Option<Ruling<'a>> {
    attribute.archived.then_some(Ruling::Dropped(Reason::Archived, None))
}
