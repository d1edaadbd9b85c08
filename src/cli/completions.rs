//! `attrsync completions`: what a shell needs to complete commands and flags, made of the tree that parses them.
//!
//! ```text
//! attrsync completions bash > /etc/bash_completion.d/attrsync
//! source <(attrsync completions zsh)
//! ```

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::{Cli, output::print};

/// What stands below the help.
const AFTER_HELP: &str = "\
Examples:
  source <(attrsync completions bash)                                         this shell alone
  attrsync completions bash > /etc/bash_completion.d/attrsync                 every bash from now on
  attrsync completions zsh > /usr/local/share/zsh/site-functions/_attrsync
  attrsync completions fish > ~/.config/fish/completions/attrsync.fish";

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl CompletionsArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "attrsync", &mut script);
        print(&String::from_utf8(script).context("the completions are no text")?)?;
        Ok(ExitCode::SUCCESS)
    }
}
