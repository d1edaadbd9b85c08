//! attrsync beside what people would write themselves (`bench/peers`), at the same work with the same guarantee, on a real Kafka. `scripts/bench`
//! builds everything and starts this.
//!
//! The input of a mix is made once. In each round every worker gets fresh output topics and a group of its own, one worker at a time, and
//! each round begins with another one, so that what the one before leaves to the broker isn't always left to the same. It is
//! watched by what its group has committed until that is enough, then stopped; then its output is read under `read_committed` and held
//! against what the events were made for: exactly one verdict for every event below the committed offsets, and none beyond.

mod measure;
pub(crate) mod mixes;
mod options;
mod report;
mod worker;

use std::process::ExitCode;

use anyhow::Context as _;

use measure::Figures;
use mixes::{Maker, Mix};
pub(crate) use options::Options;
use worker::Worker;

use crate::{input::Input, machine, print, progress};

/// What was measured of one worker over one mix; a round that failed has none.
struct Measured {
    worker: Worker,
    rounds: Vec<Figures>,
}

/// All workers over one mix.
struct Table {
    mix: Mix,
    plan: measure::Plan,
    /// Rounds.
    asked: usize,
    rows: Vec<Measured>,
}

/// Measures what is asked for, and tells it.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let machine = machine::Machine::look();
    let mut failures = 0;
    let mut tables = Vec::new();
    for mix in options.mixes() {
        let (table, failed) = measure_mix(mix, options)?;
        failures += failed;
        tables.push(table);
    }
    let report = report::Report { machine: &machine, options, tables: &tables };
    print(&if options.json { report.json() } else { report.markdown() });
    if options.writes() && failures == 0 {
        report.write().context("writing docs/BENCHMARKS.md")?;
        progress("docs/BENCHMARKS.md has it now");
    }
    Ok(if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Measures every worker in turn, round after round; says how many runs failed.
fn measure_mix(mix: Mix, options: &Options) -> anyhow::Result<(Table, usize)> {
    let plan = options.plan(mix);
    let input = Input::prepare(Box::new(Maker::new(mix)), plan.backlog())?;
    let mut rows: Vec<_> = options.workers().map(|worker| Measured { worker, rounds: Vec::new() }).collect();
    let (mut failed, workers) = (0, rows.len());
    for round in 1..=options.rounds() {
        let (others, first) = rows.split_at_mut((round - 1) % workers);
        for row in first.iter_mut().chain(others) {
            let about = format!("{mix}, round {round} of {}: {}", options.rounds(), row.worker.name());
            match measure::measure(&row.worker, &input, plan) {
                Ok(figures) => {
                    progress(&format!("{about}: {}", figures.told()));
                    row.rounds.push(figures);
                }
                Err(error) => {
                    progress(&format!("{about}: FAILED: {error:#}"));
                    failed += 1;
                }
            }
        }
    }
    Ok((Table { mix, plan, asked: options.rounds(), rows }, failed))
}
