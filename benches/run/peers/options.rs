//! What can be asked of the bench.

use std::num::NonZeroUsize;

use crate::peers::{
    measure::Plan,
    mixes::Mix,
    worker::{self, Worker},
};
use crate::worker::is_tuned;

/// Short enough for a dashboard, and long enough that what a commit takes is little beside the events of it.
const COMMIT_MS: u32 = 100;

/// Measures attrsync beside what people would write themselves. `scripts/bench --help` tells it with examples.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// A first look: HS256 alone, three rounds, 150,000 events.
    #[arg(long)]
    quick: bool,
    /// Only these workers: attrsync, go, java, node, python.
    #[arg(long, value_delimiter = ',', value_name = "WORKERS")]
    only: Vec<String>,
    /// Only these mixes of events.
    #[arg(long, value_delimiter = ',', value_enum, value_name = "MIXES")]
    mix: Vec<Mix>,
    /// How often each worker is measured [default: 5, quick 3].
    #[arg(long)]
    rounds: Option<NonZeroUsize>,
    /// How many events a worker is measured over [default: by mix].
    #[arg(long)]
    events: Option<i64>,
    /// Milliseconds between two commits, for every worker.
    #[arg(long, default_value_t = COMMIT_MS)]
    pub(crate) commit_ms: u32,
    /// Prints JSON for machines, with every round.
    #[arg(long)]
    pub(crate) json: bool,
    /// Writes docs/BENCHMARKS.md, which only a whole run does by itself.
    #[arg(long)]
    write: bool,
}

impl Options {
    /// The mixes to measure, the standard one first.
    pub(crate) fn mixes(&self) -> Vec<Mix> {
        match &self.mix[..] {
            [] if self.quick => vec![Mix::Hs256],
            [] => Mix::ALL.to_vec(),
            some => some.to_vec(),
        }
    }

    /// The workers to measure: attrsync, then the peers that were built.
    pub(crate) fn workers(&self) -> impl Iterator<Item = Worker> {
        worker::built(self.commit_ms)
            .filter(|worker| self.only.is_empty() || self.only.iter().any(|name| name == worker.name()))
    }

    pub(crate) fn rounds(&self) -> usize {
        self.rounds.map_or(if self.quick { 3 } else { 5 }, NonZeroUsize::get)
    }

    pub(crate) fn plan(&self, mix: Mix) -> Plan {
        Plan::of(self.events.unwrap_or(if self.quick { 150_000 } else { mix.events() }))
    }

    /// Whether the figures are to be kept: a part of them, those of other conditions, or those without a peer that can't be built here
    /// would take the place of all.
    pub(crate) fn writes(&self) -> bool {
        let whole = !self.quick && self.only.is_empty() && self.mix.is_empty() && worker::all_are_built();
        let usual = self.events.is_none() && self.rounds.is_none() && self.commit_ms == COMMIT_MS;
        self.write || whole && usual && !is_tuned()
    }
}
