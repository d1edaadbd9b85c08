//! Which events: the options that every command over history has.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{super::judging::Input, moment::moment};
use crate::{
    domain::{EventTime, Policy},
    replay::{Defaults, File, Filter, Source},
};

/// Which events of history.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which events")]
pub(in crate::cli) struct HistoryOptions {
    /// Records from a file, one a line; - for standard input
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) from_file: PathBuf,

    /// Events from this time on: a date, RFC 3339, or how long ago, as in 7d
    #[arg(long, visible_alias = "since", value_name = "TIME", value_parser = moment)]
    from: Option<EventTime>,

    /// Events before this time
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<EventTime>,

    /// Events of this organization, by its slug
    #[arg(long, value_name = "SLUG")]
    organization: Option<String>,

    /// Events of this type: boot, identify, or a widget's
    #[arg(long, value_name = "TYPE")]
    event_type: Option<String>,

    /// Events about this user: an id, an e-mail or a visitor's id
    #[arg(long, value_name = "USER")]
    user: Option<String>,
}

/// The history that was chosen.
pub(in crate::cli) struct Chosen {
    /// Where it is.
    pub(in crate::cli) source: Box<dyn Source + Send>,
    /// Which of its events; asked by the work, after the judgement.
    pub(in crate::cli) filter: Filter,
}

impl HistoryOptions {
    /// The file that is read.
    pub(in crate::cli) fn file(&self) -> Option<&Path> {
        Some(&self.from_file)
    }

    /// Opens the history that was chosen.
    pub(in crate::cli) fn open(&self, policy: &Policy, defaults: Defaults) -> anyhow::Result<Chosen> {
        let input = Input::open(&self.from_file)?;
        let source = File::new((input.name, input.bytes), input.reader, policy, defaults);
        let filter = Filter {
            organization: self.organization.clone(),
            event_type: self.event_type.clone(),
            user: self.user.clone(),
            from: self.from,
            to: self.to,
        };
        Ok(Chosen { source: Box::new(source), filter })
    }
}
