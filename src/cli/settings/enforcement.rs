//! `attrsync settings enforcement ORG enforced|observe|off`.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::change::ChangeOptions;
use crate::{
    cli::{consent::Consent, terminal::safe},
    domain::snapshot::Enforcement,
};

/// What enforcement does, and where to look first.
fn enforcement_advice(organization: &str) -> String {
    format!(
        "every identity without a proof is rejected from then on. What that would be, by reason, and of how many users: attrsync \
         advise --since 7d --organization {organization}. By sender, with enforcement on in a file of settings: attrsync replay \
         --since 7d --compare now next.toml --organization {organization}"
    )
}

/// Set what happens to an identity that is claimed without proof
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  attrsync settings enforcement acme observe --reason 'on the way'")]
pub(super) struct EnforcementArgs {
    /// The organization's slug
    organization: String,
    /// enforced: it is rejected; observe: accepted as unverified, marked with what would have rejected it; off: accepted
    mode: Mode,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    change: ChangeOptions,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mode {
    Enforced,
    Observe,
    Off,
}

impl EnforcementArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let mode = match self.mode {
            Mode::Enforced => Enforcement::Enforced,
            Mode::Observe => Enforcement::Observe,
            Mode::Off => Enforcement::Off,
        };
        if mode == Enforcement::Enforced {
            let what = format!("have {} reject identities without proof", self.organization);
            self.change.ask_after(&self.consent, &enforcement_advice(&safe(&self.organization)), &what)?;
        } else {
            let what = format!("let {} accept identities without proof", self.organization);
            self.change.ask(&self.consent, &what)?;
        }
        self.change.edit(&self.organization, |organization| {
            organization.enforcement = mode;
            Ok(())
        })
    }
}
