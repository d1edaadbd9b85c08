//! The question before what is destructive, or refuses what was accepted until then: asked on a terminal, or answered beforehand.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::bail;
use clap::Args;

use super::output::{DOUBTFUL, Usage, styled};

/// Whether it is answered beforehand.
#[derive(Debug, Args)]
pub(super) struct Consent {
    /// Don't ask
    #[arg(short, long)]
    pub(super) yes: bool,
}

impl Consent {
    /// Asks on a terminal. Where nobody can answer, `--yes` has to have been said.
    pub(super) fn ask(&self, what: &str) -> anyhow::Result<()> {
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() {
            return Err(Usage::new(format!("{what}: nobody is there to be asked; say --yes")).into());
        }
        write!(anstream::stderr(), "{what}? Type yes: ")?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        if answer.trim() != "yes" {
            bail!("not confirmed; nothing was done");
        }
        Ok(())
    }

    /// The same where there is something to know or to look at first: it stands above the question.
    pub(super) fn ask_after(&self, advice: &str, what: &str) -> anyhow::Result<()> {
        if !self.yes {
            writeln!(anstream::stderr(), "{} {advice}", styled(DOUBTFUL, "before you do this:"))?;
        }
        self.ask(what)
    }
}
