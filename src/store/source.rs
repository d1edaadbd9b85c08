//! Where a settings document is, and how it becomes one.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::{
    DatabaseSource, SettingsError,
    compile::{Compiled, compile},
    file::{self, Parsed},
    problem::Problem,
    secret::Vault,
};
use crate::domain::Policy;

/// More than any settings file has: room for ten thousand organizations.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Where a settings document is.
#[derive(Clone)]
pub enum Source {
    /// In a file.
    File(PathBuf),
    /// In the program.
    Embedded(&'static str),
    /// In a database.
    Database(DatabaseSource),
}

impl Source {
    /// The text of the document.
    pub(super) fn read(&self) -> Result<String, SettingsError> {
        match self {
            Source::Embedded(text) => Ok((*text).to_owned()),
            // A database is followed, not read as a text.
            Source::Database(_) => Ok(String::new()),
            Source::File(path) => {
                read(path).map_err(|error| SettingsError::Unreadable { path: path.display().to_string(), error })
            }
        }
    }

    /// Where the secrets are looked up that the document names and doesn't hold.
    pub(super) fn vault(&self) -> Vault {
        let folder = match self {
            Source::Embedded(_) | Source::Database(_) => PathBuf::new(),
            Source::File(path) => path.parent().map(Path::to_owned).unwrap_or_default(),
        };
        Vault { folder, environment: |name| std::env::var_os(name) }
    }

    /// The document of a text.
    pub(super) fn parse(&self, text: &str) -> Result<Parsed, SettingsError> {
        file::parse(text).map_err(|problems| self.broken(problems))
    }

    /// What judges, of a document.
    pub(super) fn compile(&self, parsed: Parsed, vault: &Vault, policy: &Policy) -> Result<Compiled, SettingsError> {
        compile(parsed, vault, policy).map_err(|problems| self.broken(problems))
    }

    fn broken(&self, problems: Vec<Problem>) -> SettingsError {
        SettingsError::Broken { source_name: self.to_string(), problems }
    }
}

/// Reads no more than a settings file can have: what was named by mistake may have no end.
fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {MAX_BYTES} bytes")));
    }
    Ok(text)
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(path) => path.display().fmt(f),
            Source::Embedded(_) => f.write_str("the sample settings"),
            Source::Database(database) => database.address.fmt(f),
        }
    }
}

/// Where it is, and not what it says: an embedded document holds secrets, be they samples.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({self})")
    }
}
