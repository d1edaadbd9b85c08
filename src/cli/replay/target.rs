//! Where verdicts are written: a file that appears whole or not at all, or a stream.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, IsTerminal, stdout},
    path::{Path, PathBuf},
    process,
};

use anyhow::{Context, bail};

use crate::replay::Output;

/// What becomes of what was written. Dropped before [`Target::keep`], a file that is not whole is removed.
pub(super) enum Target {
    /// Nothing is written.
    Nowhere,
    /// Standard output, a pipe or a device: written to as it comes.
    Stream {
        /// It is the terminal itself.
        terminal: bool,
        /// It is this process's standard output.
        standard: bool,
    },
    /// A file: written beside its place, under another name.
    File {
        /// Where the verdicts are while they are written.
        partial: PathBuf,
        /// Where they belong.
        path: PathBuf,
    },
}

impl Target {
    /// Nowhere.
    pub(super) fn nowhere() -> (Self, Output) {
        (Self::Nowhere, Box::new(io::sink()))
    }

    /// Opens where verdicts go: a file, or standard output for `-` and `/dev/stdout`.
    pub(super) fn open(path: &Path, force: bool) -> anyhow::Result<(Self, Output)> {
        if [Path::new("-"), Path::new("/dev/stdout")].contains(&path) {
            return Ok((Self::Stream { terminal: stdout().is_terminal(), standard: true }, Box::new(stdout())));
        }
        match fs::metadata(path) {
            Ok(about) if about.is_dir() => bail!("{} is a folder; name a file for the verdicts", path.display()),
            Ok(about) if !about.is_file() => {
                let file = OpenOptions::new().write(true).open(path);
                let file = file.with_context(|| format!("{} cannot be opened", path.display()))?;
                return Ok((Self::Stream { terminal: file.is_terminal(), standard: false }, Box::new(file)));
            }
            Ok(_) if !force => bail!("{} is there already; --force replaces it", path.display()),
            _ => {}
        }
        let partial = beside(path);
        let file = File::create(&partial).with_context(|| format!("{} cannot be written", path.display()))?;
        Ok((Self::File { partial, path: path.to_owned() }, Box::new(file)))
    }

    /// Whether a progress bar on the terminal would not come between verdicts.
    pub(super) fn leaves_terminal_free(&self) -> bool {
        !matches!(self, Self::Stream { terminal: true, .. })
    }

    /// Whether it is this process's standard output, where nothing else may stand.
    pub(super) fn is_standard_output(&self) -> bool {
        matches!(self, Self::Stream { standard: true, .. })
    }

    /// Puts the file in its place.
    pub(super) fn keep(&self) -> anyhow::Result<()> {
        if let Self::File { partial, path } = self {
            let placed = File::open(partial).and_then(|file| file.sync_all()).and_then(|()| fs::rename(partial, path));
            placed.with_context(|| format!("{} cannot be put in its place", path.display()))?;
        }
        Ok(())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Self::File { partial, .. } = self {
            // Gone already where the file was kept; and there is no better place for it where it cannot be removed.
            let _ = fs::remove_file(partial);
        }
    }
}

/// A name in the same folder, so that renaming moves no data; the process's number keeps two replays apart.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.partial", process::id()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("verdicts.ndjson");
        let (target, mut output) = Target::open(&path, false).unwrap();
        output.write_all(b"half")?;
        assert!(!path.exists());
        drop(target);
        assert_eq!(names(folder.path()), [] as [String; 0]);
        let (target, mut output) = Target::open(&path, false).unwrap();
        output.write_all(b"whole")?;
        target.keep().unwrap();
        assert_eq!(names(folder.path()), ["verdicts.ndjson"]);
        assert_eq!(fs::read(&path)?, b"whole");
        Ok(())
    }

    #[test]
    fn a_file_that_is_there_is_replaced_by_force_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("verdicts.ndjson");
        fs::write(&path, "old").unwrap();
        let Err(error) = Target::open(&path, false) else { panic!("replaced") };
        assert!(error.to_string().contains("--force"), "{error}");
        let (target, _) = Target::open(&path, true).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old", "until the new one is whole");
        target.keep().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
    }

    #[test]
    fn a_device_is_written_to_as_it_is() {
        let (target, mut output) = Target::open(Path::new("/dev/null"), false).unwrap();
        output.write_all(b"gone").unwrap();
        assert!(matches!(target, Target::Stream { terminal: false, standard: false }));
        for standard in ["-", "/dev/stdout"] {
            assert!(Target::open(Path::new(standard), false).unwrap().0.is_standard_output(), "{standard}");
        }
        let Err(error) = Target::open(Path::new("/"), true) else { panic!("opened") };
        assert!(error.to_string().contains("is a folder"), "{error}");
    }
}
