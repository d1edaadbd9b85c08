//! What a fold finds wrong on its way through an object. It reads to the end and keeps the first in the order of reasons,
//! not of members: a verdict must not depend on the order in which an object happens to be written.

use super::scalar;
use crate::domain::{Arena, Detail, Limits, Reason, Rejection, Value};

/// The first fault of a payload or of a token's claims, and the count that the limit of attributes is about.
pub(super) struct Findings<'a, 'l> {
    pub(super) arena: &'a Arena,
    pub(super) limits: &'l Limits,
    /// Attributes, of which two spellings of one are one. Beyond the limit they may be counted apart.
    attributes: usize,
    /// What was sent of them, each spelling by itself.
    spellings: usize,
    first: Option<Rejection<'a>>,
}

impl<'a, 'l> Findings<'a, 'l> {
    pub(super) fn new(arena: &'a Arena, limits: &'l Limits) -> Self {
        Self { arena, limits, attributes: 0, spellings: 0, first: None }
    }

    /// Keeps the first in the order of reasons; of one reason the one whose detail sorts first.
    pub(super) fn note(&mut self, found: Rejection<'a>) {
        let rank = |rejection: &Rejection<'a>| (rejection.reason, rejection.detail);
        if self.first.as_ref().is_none_or(|first| rank(&found) < rank(first)) {
            self.first = Some(found);
        }
    }

    /// An identity or a tenant, of which two spellings must agree. Says whether it can be read as one.
    pub(super) fn identity(&mut self, slot: &mut Option<&'a str>, value: Value<'a>, field: &'static str) -> bool {
        match scalar::identity(value, field, self.limits) {
            Ok(None) => return true,
            Ok(Some(text)) if slot.is_none_or(|first| first == text) => {
                *slot = Some(text);
                return true;
            }
            Ok(Some(text)) => {
                // The smaller one, so that what a rejection shows does not depend on the order of members.
                *slot = (*slot).min(Some(text));
                self.note(Rejection::at(Reason::ConflictingFields, field));
            }
            Err(rejection) => self.note(rejection),
        }
        false
    }

    /// A hash, of which two spellings must agree. What type it has is looked at where it is verified.
    pub(super) fn credential(&mut self, slot: &mut Option<Value<'a>>, value: Value<'a>, field: &'static str) {
        if is_absent(value) {
            return;
        }
        if slot.is_some_and(|first| first != value) {
            self.note(Rejection::at(Reason::ConflictingFields, field));
        }
        *slot = Some(value);
    }

    /// Two nested attributes of one name differ. The name is told only where it may be passed on.
    pub(super) fn conflict(&mut self, name: &'a str) {
        let found = Reason::ConflictingFields;
        self.note(if scalar::usable_name(name, self.limits) { Rejection::at(found, name) } else { found.into() });
    }

    /// Counts one attribute. `false` past the limit: what lies beyond is rejected anyway, and comparing it with all others
    /// would cost the square of a hostile input.
    pub(super) fn count_attribute(&mut self, name: &str) -> bool {
        let limit = self.limits.name_chars;
        if let Some(size) = scalar::too_long(name, limit) {
            self.note(Rejection::with(Reason::NameTooLong, Detail::Limit { limit, size }));
        }
        if scalar::is_unfit_in_json(self.arena, name) {
            self.note(Reason::InvalidText.into());
        }
        self.attributes += 1;
        self.spellings += 1;
        self.attributes <= self.limits.attributes
    }

    /// Counts another spelling of an attribute that is counted.
    pub(super) fn count_twin(&mut self) {
        self.spellings += 1;
    }

    /// Whether so many nested attributes pass the limit even where each stands in every spelling of `customFields`. They are
    /// then counted and not looked at: comparing all with all would cost the square of a hostile input.
    pub(super) fn refuses(&mut self, nested: usize) -> bool {
        const SPELLINGS: usize = 3;
        let refused = nested > self.limits.attributes.saturating_mul(SPELLINGS);
        self.attributes += if refused { nested } else { 0 };
        self.spellings += if refused { nested } else { 0 };
        refused
    }

    /// The first finding, the limits of counts included.
    pub(super) fn finish(mut self, companies: usize) -> Option<Rejection<'a>> {
        let limits = self.limits;
        if self.attributes > limits.attributes {
            // How many of those beyond the limit are twins depends on their order.
            let detail = Detail::Limit { limit: limits.attributes, size: self.spellings };
            self.note(Rejection::with(Reason::TooManyAttributes, detail));
        }
        if let Some(found) = over(Reason::TooManyCompanies, limits.companies, companies) {
            self.note(found);
        }
        self.first
    }
}

/// A rejection, if `size` passes `limit`.
pub(crate) fn over<'a>(reason: Reason, limit: usize, size: usize) -> Option<Rejection<'a>> {
    (size > limit).then(|| Rejection::with(reason, Detail::Limit { limit, size }))
}

/// Null and the empty text say nothing.
pub(super) fn is_absent(value: Value<'_>) -> bool {
    matches!(value, Value::Null | Value::Text(""))
}
