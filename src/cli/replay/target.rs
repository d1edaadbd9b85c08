//! Where verdicts are written: a file that appears whole or not at all, or a stream.

use std::{
    borrow::Cow,
    fs::{self, File, OpenOptions, Permissions},
    io::{self, IsTerminal, stdout},
    path::{Path, PathBuf},
};

use anyhow::Context;
use tempfile::TempPath;

use crate::{
    cli::{
        history::Terminal,
        output::{StandardOutput, Usage},
    },
    replay::Output,
};

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
        /// Where the verdicts are while they are written, until they are kept, and are no more once this is dropped.
        partial: Option<TempPath>,
        /// Where they belong.
        path: PathBuf,
        /// A file that is there is replaced.
        replace: bool,
    },
}

impl Target {
    /// Nowhere.
    pub(super) fn nowhere() -> (Self, Output) {
        (Self::Nowhere, Box::new(io::sink()))
    }

    /// Opens where verdicts go, unless that is the very file that events come from: a replay of it could never be repeated.
    pub(super) fn apart_from(from: Option<&Path>, path: &Path, force: bool) -> anyhow::Result<(Self, Output)> {
        let real = |path: &Path| path.canonicalize().ok().filter(|path| path.is_file());
        if let (Some(from), Some(to)) = (from.and_then(real), real(path))
            && from == to
        {
            return Err(Usage::new(format!("{} is read from and written to; name another file", to.display())).into());
        }
        Self::open(path, force)
    }

    /// Opens where verdicts go: a file, or standard output for `-` and `/dev/stdout`.
    fn open(path: &Path, force: bool) -> anyhow::Result<(Self, Output)> {
        if [Path::new("-"), Path::new("/dev/stdout")].contains(&path) {
            let output: Output = Box::new(StandardOutput(stdout()));
            return Ok((Self::Stream { terminal: stdout().is_terminal(), standard: true }, output));
        }
        let replaced = match fs::metadata(path) {
            Ok(about) if about.is_dir() => {
                return Err(Usage::new(format!("{} is a folder; name a file for the verdicts", path.display())).into());
            }
            Ok(about) if !about.is_file() => {
                let file = OpenOptions::new().write(true).open(path);
                let file = file.with_context(|| format!("{} cannot be opened", path.display()))?;
                return Ok((Self::Stream { terminal: file.is_terminal(), standard: false }, Box::new(file)));
            }
            Ok(_) if !force => {
                return Err(Usage::new(format!("{} is there already; --force replaces it", path.display())).into());
            }
            there => there.ok().map(|about| about.permissions()),
        };
        Self::file(path, replaced).with_context(|| format!("{} cannot be written", path.display()))
    }

    /// A file in place of one with these permissions, or of none, and then its owner's alone: verdicts hold personal data. Where a link
    /// leads to it, the link stays.
    fn file(path: &Path, replaced: Option<Permissions>) -> io::Result<(Self, Output)> {
        let path = if replaced.is_some() { Cow::Owned(path.canonicalize()?) } else { Cow::Borrowed(path) };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // In the same folder, so that renaming moves no data.
        let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        let partial = tempfile::Builder::new().prefix(&format!(".{name}.")).suffix(".partial").tempfile_in(folder)?;
        let (file, partial) = partial.into_parts();
        let replace = replaced.is_some();
        if let Some(permissions) = replaced {
            file.set_permissions(permissions)?;
        }
        Ok((Self::File { partial: Some(partial), path: path.into_owned(), replace }, Box::new(file)))
    }

    /// What it leaves of the terminal.
    pub(super) fn terminal(&self) -> Terminal {
        match self {
            Self::Stream { terminal: true, .. } => Terminal::Taken,
            Self::Stream { terminal: false, .. } | Self::Nowhere | Self::File { .. } => Terminal::Free,
        }
    }

    /// Whether it is this process's standard output, where nothing else may stand.
    pub(super) fn is_standard_output(&self) -> bool {
        matches!(self, Self::Stream { standard: true, .. })
    }

    /// Puts the file in its place. Where one has appeared since that nobody wanted replaced, that one stays.
    pub(super) fn keep(&mut self) -> anyhow::Result<()> {
        let Self::File { partial, path, replace } = self else { return Ok(()) };
        let Some(partial) = partial.take() else { return Ok(()) };
        let placed = File::open(&partial).and_then(|file| file.sync_all()).and_then(|()| {
            let placed = if *replace { partial.persist(&path) } else { partial.persist_noclobber(&path) };
            placed.map_err(|refused| refused.error)
        });
        placed.with_context(|| format!("{} cannot be put in its place", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        os::unix::fs::{PermissionsExt, symlink},
    };

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
        let (mut target, mut output) = Target::open(&path, false).unwrap();
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
        let (mut target, _) = Target::open(&path, true).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old", "until the new one is whole");
        target.keep().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
    }

    #[test]
    fn a_file_that_appeared_meanwhile_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("verdicts.ndjson");
        let (mut target, _) = Target::open(&path, false).unwrap();
        fs::write(&path, b"another's").unwrap();
        let refused = format!("{:#}", target.keep().unwrap_err());
        assert!(refused.contains("cannot be put in its place") && refused.contains("exists"), "{refused}");
        assert_eq!((fs::read(&path).unwrap(), names(folder.path()).len()), (b"another's".to_vec(), 1));
    }

    #[test]
    fn a_file_is_its_owners_alone_or_as_the_one_that_it_replaces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("verdicts.ndjson");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        Target::open(&path, false).unwrap().0.keep().unwrap();
        assert_eq!(mode(), 0o600);
        for kept in [0o600, 0o640, 0o666] {
            fs::set_permissions(&path, Permissions::from_mode(kept)).unwrap();
            Target::open(&path, true).unwrap().0.keep().unwrap();
            assert_eq!(mode(), kept, "{kept:o}");
        }
    }

    #[test]
    fn a_link_to_a_file_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let (link, path) = (folder.path().join("latest"), folder.path().join("verdicts.ndjson"));
        fs::write(&path, "old").unwrap();
        symlink("verdicts.ndjson", &link).unwrap();
        let (mut target, mut output) = Target::open(&link, true).unwrap();
        output.write_all(b"new").unwrap();
        target.keep().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!((fs::read(&path).unwrap(), names(folder.path()).len()), (b"new".to_vec(), 2));
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
