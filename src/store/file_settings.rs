//! A settings file beside a database: what is to be written into it.

use std::{collections::BTreeSet, path::Path};

use super::{SettingsError, Source, document::Document, file::Parsed, secret::Vault};

/// How the comment begins in which an exported file says the revision of the settings that it is.
pub const REVISION: &str = "# revision ";

/// A settings file that is to be written into a database.
pub struct FileSettings {
    /// Its path, for people.
    pub(super) name: String,
    pub(super) parsed: Parsed,
    pub(super) vault: Vault,
    /// The revision that it was exported at, where it says so.
    pub(super) revision: Option<i64>,
    /// Organizations and their keys that may be honoured again although they were revoked.
    pub(super) unrevoked: BTreeSet<(String, String)>,
}

impl FileSettings {
    /// Reads a file. What is wrong with what it says is told when it is used.
    ///
    /// # Errors
    /// When it can't be read, or is no TOML.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let source = Source::File(path.to_owned());
        let text = source.read()?;
        let parsed = source.parse(&text)?;
        let (revision, unrevoked) = (revision_of(&text), BTreeSet::new());
        Ok(Self { name: source.to_string(), parsed, vault: source.vault(), revision, unrevoked })
    }

    /// Lets it take back that these keys were revoked: each an organization's slug and a key's id.
    #[must_use]
    pub fn unrevoking(mut self, keys: impl IntoIterator<Item = (String, String)>) -> Self {
        self.unrevoked.extend(keys);
        self
    }

    /// The organizations that it names.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.parsed.document
    }
}

/// What a file says of the revision that it was exported at, in the comments at its top.
fn revision_of(text: &str) -> Option<i64> {
    let comments = text.lines().take_while(|line| line.starts_with('#'));
    comments.filter_map(|line| line.strip_prefix(REVISION)).find_map(|number| number.trim().parse().ok())
}
