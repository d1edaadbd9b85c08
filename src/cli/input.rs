//! What a command reads: a file, or standard input for `-`.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use anyhow::{Context, bail};

/// What is read.
pub(super) struct Input {
    /// What stands for the topic of an event alone.
    pub(super) name: String,
    /// How many bytes there are, where that is known.
    pub(super) bytes: Option<u64>,
    /// The bytes themselves.
    pub(super) reader: Box<dyn Read + Send>,
}

impl Input {
    /// What stands for the topic of an event alone that comes from here.
    fn name(path: &Path) -> String {
        if path == Path::new("-") {
            return "stdin".to_owned();
        }
        path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
    }

    /// Opens a file, or standard input for `-`.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let name = Self::name(path);
        if path == Path::new("-") {
            return Ok(Self { name, bytes: None, reader: Box::new(io::stdin()) });
        }
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
        let (about, file) = opened.with_context(|| format!("{} cannot be opened", path.display()))?;
        if about.is_dir() {
            bail!("{} is a folder; name a file", path.display());
        }
        let bytes = about.is_file().then_some(about.len());
        Ok(Self { name, bytes, reader: Box::new(file) })
    }
}
