//! `attrsync settings enforcement ORG enforced|observe|off`.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::change::{ChangeOptions, Consent, advise};
use crate::domain::snapshot::Enforcement;

/// Set what happens to an identity that is claimed without proof
#[derive(Debug, Args)]
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    Enforced,
    Observe,
    Off,
}

impl EnforcementArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let mode = match self.mode {
            Mode::Enforced => {
                advise(
                    "every identity without a proof is rejected from then on. Under `observe` the accepted topic says what that \
                     would be (`verification.wouldReject`); enforce when it no longer names clients of yours",
                )?;
                Enforcement::Enforced
            }
            Mode::Observe => Enforcement::Observe,
            Mode::Off => Enforcement::Off,
        };
        if self.mode != Mode::Enforced {
            self.consent.ask(&format!("let {} accept identities without proof", self.organization))?;
        }
        self.change.edit(&self.organization, |organization| {
            organization.enforcement = mode;
            Ok(())
        })
    }
}
