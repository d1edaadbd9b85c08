//! What a command reads: a file, or standard input for `-`.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use anyhow::{anyhow, bail};

use super::output::Usage;
use crate::{
    config::{reason, without_userinfo},
    decode::scalar::is_unfit,
};

/// As many characters as the shortest hash has, which are four bits each; a secret that was generated has more.
const HASH: usize = 64;

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
        let (about, file) = match opened {
            Err(_) if !path.exists() && may_be_secret(path) => return Err(no_file().into()),
            opened => opened.map_err(|error| {
                // What no file has for a name may be a login, however it is written.
                anyhow!("{} cannot be read: {}", without_userinfo(&path.to_string_lossy()), reason(&error))
            })?,
        };
        if about.is_dir() {
            bail!("{} is a folder; name a file", path.display());
        }
        let bytes = about.is_file().then_some(about.len());
        Ok(Self { name, bytes, reader: Box::new(file) })
    }
}

/// What is said of a path that is none, and that nobody should read again on a screen.
fn no_file() -> Usage {
    Usage::new(
        "there is no such file, and what was named may be a secret, so it is not repeated: a file is expected, or - for standard input; \
         what stands among the arguments stays in the shell's history, too: pipe it, as in … | attrsync explain -",
    )
}

/// Whether a path may be what a file was to hold: an event, a token, a hash, a secret.
fn may_be_secret(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let begins = text.trim_start_matches(|letter: char| letter.is_whitespace() || "\"'".contains(letter));
    begins.starts_with(['{', '[']) || may_be_credential(&text)
}

/// Whether a word of a text may be a token or the beginning of one, a hash, or a secret. Parts of a path are words, too.
pub(super) fn may_be_credential(text: &str) -> bool {
    let mut words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && !"-_.".contains(letter));
    words.any(|word| {
        let compact = word.matches('.').count() == 2 && word.len() > 100;
        word.starts_with("eyJ") || is_unfit(word) || compact || word.len() >= HASH && !word.contains('.')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str) -> String {
        let Err(error) = Input::open(Path::new(path)) else { panic!("{path} is opened") };
        error.to_string()
    }

    #[test]
    fn what_a_file_was_to_hold_is_never_told_as_its_name() {
        let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        for path in [
            "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VySWQiOiIxIn0.c2ln",
            "./eyJhbGciOiJIUzI1NiJ9.eyJ1c2VySWQiOiIxIn0.c2ln",
            "eyJhbGciOiJIUzI1NiJ9",
            "Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
            hash,
            &format!("./{hash}"),
            &"k3J-_x".repeat(15),
            r#"{"userId":"1"}"#,
            &format!(r#" {{"payload":{{"userId":"1","name":"{}"}}}}"#, "x".repeat(5_000)),
            "[1]",
        ] {
            let told = told(path);
            assert!(told.contains("a file is expected, or - for standard input"), "{path}: {told}");
            assert!(!told.contains(path.trim()), "{told}");
        }
    }

    #[test]
    fn any_other_file_that_is_not_there_is_named() {
        for path in [
            "none",
            "events.2026.11.json",
            "/no/such/events.ndjson",
            "no/such/folder/of/events/of/the/month/of/november/x",
        ] {
            assert_eq!(told(path), format!("{path} cannot be read: No such file or directory"));
        }
    }

    #[test]
    fn of_a_login_that_is_named_by_mistake_the_place_alone_is_told() {
        let why = "cannot be read: No such file or directory";
        assert_eq!(told("ada:geheim@db/x"), format!("[redacted]@db/x {why}"));
        assert_eq!(told("postgres://ada:geheim@db/x"), format!("postgres://[redacted]@db/x {why}"));
    }

    #[test]
    fn a_file_that_is_there_is_read_whatever_it_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(r#"{"userId":"1"}"#);
        std::fs::write(&path, "{}").unwrap();
        assert_eq!(Input::open(&path).unwrap().bytes, Some(2));
    }
}
