//! `attrsync settings reseal`: every secret under the master key that seals.

use std::{io::Write, process::ExitCode};

use clap::Args;

use crate::cli::{
    options::ConfigOptions,
    output::{FAULT, error, print, print_json},
    source::{block_on, connect, master_keys},
};

/// Seal every secret anew under the master key that seals (settings.master_key)
///
/// To rotate: give every worker the new master key beside the old one; make it settings.master_key, for everybody who changes
/// settings, too; reseal until none is left; then take the old one away. Interrupted, it goes on where it stopped when it is run
/// again. Workers go on meanwhile. Exit code 1 while any is left, but for secrets that don't open and that only history needs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  attrsync settings reseal\n  attrsync settings reseal --batch 100 --json")]
pub(super) struct ResealArgs {
    /// How many secrets are sealed in one transaction
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigOptions,
}

impl ResealArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let config = self.config.load_for_work()?.config;
        let keys = master_keys(&config)?;
        let resealed = block_on(async {
            let mut database = connect(&config).await?;
            let told = |count| {
                // Progress that nobody can read is no fault.
                _ = writeln!(anstream::stderr(), "{count} sealed anew");
            };
            Ok(database.reseal(&keys, self.batch.into(), told).await?)
        })?;
        for problem in &resealed.problems {
            error(problem)?;
        }
        let (left, history) = (resealed.left, resealed.left_in_history);
        if left + history > 0 {
            let told = format!(
                "{left} left under another master key, which has to be kept until none is, and {history} that only history needs"
            );
            let way_out = if left + history > resealed.problems.len() as u64 {
                "what somebody held or added meanwhile is sealed when this is run again"
            } else if left > 0 {
                "those don't open: they need the master key that they were sealed under, or a new secret"
            } else {
                "those don't open: without that key settings of the past can't be used where they name them, and nothing else needs it"
            };
            error(format_args!("{told}; {way_out}"))?;
        }
        if self.json {
            print_json(&resealed)?;
        } else {
            let problems = resealed.problems.len();
            print(&format!("{} secrets sealed anew, {problems} did not open, {left} left\n", resealed.resealed))?;
        }
        Ok(if resealed.is_done() { ExitCode::SUCCESS } else { ExitCode::from(FAULT) })
    }
}
