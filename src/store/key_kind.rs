//! The two kinds of keys that an organization has, and what a document and the database call each.

/// Of which kind a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// It verifies tokens.
    Jwt,
    /// It verifies hashes of identifiers.
    Identity,
}

impl KeyKind {
    /// The field of an organization that lists keys of this kind.
    pub(super) const fn list(self) -> &'static str {
        match self {
            Self::Jwt => "jwt_keys",
            Self::Identity => "identity_secrets",
        }
    }

    /// What the column `kind` says of such a key.
    pub(super) const fn column(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::Identity => "identity",
        }
    }

    /// The kind of which the column says this.
    pub(super) fn of_column(said: &str) -> Option<Self> {
        [Self::Jwt, Self::Identity].into_iter().find(|kind| kind.column() == said)
    }
}
