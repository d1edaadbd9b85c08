//! attrsync beside what people would write themselves (`bench/peers`), at the same work with the same guarantee, on a real Kafka. `scripts/bench`
//! builds everything and starts this; `scripts/bench --help` says what can be asked of it.
//!
//! The input of a mix is made once. In each round every worker gets fresh output topics and a group of its own, one worker at a time. It is
//! watched by what its group has committed until that is enough, then stopped; then its output is read under `read_committed` and held
//! against what the events were made for: exactly one verdict for every event below the committed offsets, and none beyond.

mod check;
#[path = "../run/cluster.rs"]
#[expect(dead_code, reason = "what the bench of `run` alone uses")]
mod cluster;
mod input;
mod machine;
mod measure;
mod mixes;
mod options;
#[path = "../run/process.rs"]
mod process;
mod report;
mod worker;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;

use measure::Figures;
use mixes::Mix;
use options::Options;
use worker::Worker;

/// What was measured of one worker over one mix; a round that failed has none.
struct Measured {
    worker: Worker,
    rounds: Vec<Figures>,
}

/// All workers over one mix.
struct Table {
    mix: Mix,
    plan: measure::Plan,
    rows: Vec<Measured>,
}

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    let machine = machine::Machine::look();
    let mut failures = 0;
    let mut tables = Vec::new();
    for mix in options.mixes() {
        let (table, failed) = measure_mix(mix, &options)?;
        failures += failed;
        tables.push(table);
    }
    let report = report::Report { machine: &machine, options: &options, tables: &tables };
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
    let input = input::Input::prepare(mix, plan.backlog())?;
    let mut rows: Vec<_> = options.workers().map(|worker| Measured { worker, rounds: Vec::new() }).collect();
    let mut failed = 0;
    for round in 1..=options.rounds() {
        for row in &mut rows {
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
    Ok((Table { mix, plan, rows }, failed))
}

/// Prints the result.
#[expect(clippy::print_stdout, reason = "a bench tells its figures")]
fn print(text: &str) {
    println!("{text}");
}

/// Says how it goes.
#[expect(clippy::print_stderr, reason = "whoever waits wants to know for what")]
fn progress(line: &str) {
    eprintln!("{line}");
}
