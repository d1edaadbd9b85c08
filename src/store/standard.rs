//! The attributes that every organization has without listing them. `email` and `roles` start locked, as membership does: each
//! grants access to something.

use super::document::AttributeKind::{self, Date, Number, Text, TextList};

/// A standard attribute.
pub(super) struct Standard {
    /// The name.
    pub(super) name: &'static str,
    /// The type.
    pub(super) kind: AttributeKind,
    /// The most Unicode scalar values of a text.
    pub(super) max_chars: usize,
    /// Whether it starts locked.
    pub(super) locked: bool,
}

/// The most Unicode scalar values of a text that says no limit of its own.
pub(super) const TEXT_CHARS: usize = 255;
/// Addresses of pictures and sites are longer than that; this is as much as every browser takes.
const URL_CHARS: usize = 2048;

const fn open(name: &'static str, kind: AttributeKind) -> Standard {
    Standard { name, kind, max_chars: TEXT_CHARS, locked: false }
}

const fn locked(name: &'static str, kind: AttributeKind) -> Standard {
    Standard { locked: true, ..open(name, kind) }
}

const fn url(name: &'static str) -> Standard {
    Standard { max_chars: URL_CHARS, ..open(name, Text) }
}

/// Those of users.
pub(super) const USERS: &[Standard] = &[
    open("name", Text),
    locked("email", Text),
    url("profilePicture"),
    open("locale", Text),
    open("phone", Text),
    open("createdAt", Date),
    open("tags", TextList),
    locked("roles", TextList),
];

/// Those of companies.
pub(super) const COMPANIES: &[Standard] = &[
    open("name", Text),
    url("website"),
    open("createdAt", Date),
    open("industry", Text),
    open("companySize", Number),
    open("monthlySpend", Number),
    open("plan", Text),
];
