//! `attrsync man`: a man page for each command, made of the tree that parses them.
//!
//! ```text
//! attrsync man /usr/local/share/man/man1
//! attrsync man . && man -l attrsync-run.1
//! ```

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::{Args, CommandFactory};

use super::{Cli, output::print};

/// What stands below the help.
const AFTER_HELP: &str = "\
Examples:
  attrsync man /usr/local/share/man/man1    then: man attrsync, man attrsync-run
  attrsync man . && man -l attrsync-run.1   without installing anything";

/// Write the man pages, one for each command
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ManArgs {
    /// The folder that they go to; it is made where it is missing
    #[arg(value_name = "FOLDER", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
}

impl ManArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let folder = self.folder.display();
        fs::create_dir_all(&self.folder).with_context(|| format!("{folder} cannot be made"))?;
        clap_mangen::generate_to(Cli::command(), &self.folder)
            .with_context(|| format!("the man pages cannot be written to {folder}"))?;
        print(&format!("{folder}/attrsync.1, and one for each command beside it\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}
