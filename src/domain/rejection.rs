//! A rejection is about the event and becomes a record. It never mixes with a fault, which is about us and leaves the
//! batch uncommitted: there is no conversion between the two.

use super::{Detail, Hint, Reason};

/// Why an event is rejected as a whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rejection<'a> {
    /// The reason.
    pub reason: Reason,
    /// The facts behind it.
    pub detail: Option<Detail<'a>>,
    /// What the diagnosis found.
    pub hint: Option<Hint>,
}

impl<'a> Rejection<'a> {
    /// A rejection that lies at one field.
    #[must_use]
    pub fn at(reason: Reason, field: &'a str) -> Self {
        Self { reason, detail: Some(Detail::Field { field }), hint: None }
    }

    /// A rejection with its facts.
    #[must_use]
    pub fn with(reason: Reason, detail: Detail<'a>) -> Self {
        Self { reason, detail: Some(detail), hint: None }
    }

    /// The same rejection with what a diagnosis found.
    #[must_use]
    pub fn hinting(self, hint: Option<Hint>) -> Self {
        Self { hint: hint.or(self.hint), ..self }
    }
}

impl From<Reason> for Rejection<'_> {
    fn from(reason: Reason) -> Self {
        Self { reason, detail: None, hint: None }
    }
}
