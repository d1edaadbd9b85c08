//! Of two values of one attribute one counts: the signed before the unsigned, even where it does not fit, and the flat
//! before the nested.

use super::{Candidate, Ruling};
use crate::domain::Reason;

/// Drops a value that another one of the same name beats.
pub(super) fn rule<'a>(candidate: &Candidate<'a>) -> Option<Ruling<'a>> {
    candidate.beaten.then_some(Ruling::Dropped(Reason::Superseded, None))
}
