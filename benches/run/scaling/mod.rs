//! How rate and CPU change with what is varied, one thing at a time: `scripts/bench scaling`.
//!
//! All points are measured in turn within a round, so that a machine that grows slower does so for all of them. Inputs are made once and
//! kept as topics, and a sample of each is judged here first: what is measured is verdicts as they were meant.

mod dimensions;
mod figures;
mod made;

use std::process::ExitCode;

use self::{
    dimensions::{Dimension, Point, Source},
    figures::{Measured, Round, Series},
};
use crate::{
    input::Input,
    machine::Machine,
    print, progress,
    watch::{Watch, Window},
    worker::Running,
};

/// What can be asked of it.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// A first look: one round, a tenth of the events; writes no document.
    #[arg(long)]
    quick: bool,
    /// Only these: shards, organizations, attributes, sizes, commits, delivery.
    #[arg(long, value_delimiter = ',', value_enum, value_name = "DIMENSIONS")]
    only: Vec<Dimension>,
    /// How often each point is measured [default: 3, quick 1].
    #[arg(long)]
    rounds: Option<usize>,
    /// Measures nothing: draws the plots and writes the tables of docs/benchmarks/scaling.json anew.
    #[arg(long)]
    redraw: bool,
}

impl Options {
    /// A window of this many events, or a part of it.
    fn events(&self, window: i64) -> i64 {
        if self.quick { window / 10 } else { window }
    }
}

/// A point, its input, and what was measured of it so far.
struct Row {
    point: Point,
    /// Where its input is; none where that could not be made.
    input: Option<usize>,
    measured: Measured,
}

/// Measures what is asked for, tells it and keeps it.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    if options.redraw {
        figures::read()?.iter().try_for_each(Series::write)?;
        return Ok(ExitCode::SUCCESS);
    }
    let machine = Machine::look().told();
    let dimensions = if options.only.is_empty() { &Dimension::ALL[..] } else { &options.only };
    let (inputs, mut all) = prepare(dimensions, options);
    let rounds = options.rounds.unwrap_or(if options.quick { 1 } else { 3 });
    for round in 1..=rounds {
        for (dimension, row) in
            all.iter_mut().flat_map(|(dimension, rows)| rows.iter_mut().map(|row| (*dimension, row)))
        {
            row.round(&inputs, options, &format!("round {round} of {rounds}: {}", dimension.name()));
        }
    }
    let missing = |row: &Row| row.measured.rounds.len() < rounds;
    let whole = !all.iter().flat_map(|(_, rows)| rows).any(missing);
    let series: Vec<_> = all
        .into_iter()
        .map(|(dimension, rows)| Series {
            name: dimension.name().to_owned(),
            machine: format!("{machine}. Median of {rounds} rounds (least to most)"),
            points: rows.into_iter().map(|row| row.measured).collect(),
        })
        .collect();
    for one in &series {
        print(&one.table()?);
    }
    if whole && !options.quick {
        figures::keep(series)?.iter().try_for_each(Series::write)?;
        progress("docs/BENCHMARKS.md and docs/benchmarks have it now");
    }
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Makes the inputs of all points, each once. One that fails is told, and its points are left out.
fn prepare(dimensions: &[Dimension], options: &Options) -> (Vec<Input>, Vec<(Dimension, Vec<Row>)>) {
    let (mut inputs, mut made): (Vec<Input>, Vec<(Source, i64, Option<usize>)>) = (Vec::new(), Vec::new());
    let mut rows = |dimension: Dimension| {
        let mut rows = Vec::new();
        for point in dimension.points() {
            let count = backlog(options.events(point.source.largest_window(point.window)));
            let known = made.iter().find(|(source, had, _)| *source == point.source && *had == count);
            let input = known.map(|(.., input)| *input).unwrap_or_else(|| {
                let input = Input::prepare(point.source.events(), count)
                    .inspect_err(|error| progress(&format!("{} {}: FAILED: {error:#}", dimension.name(), point.label)));
                let at = input.ok().map(|input| {
                    inputs.push(input);
                    inputs.len() - 1
                });
                made.push((point.source, count, at));
                at
            });
            let bytes = mean_bytes(point.source);
            rows.push(Row {
                measured: Measured { label: point.label.clone(), bytes, rounds: Vec::new() },
                point,
                input,
            });
        }
        rows
    };
    let all = dimensions.iter().map(|dimension| (*dimension, rows(*dimension))).collect();
    (inputs, all)
}

/// What a topic must hold: what is worked off before the window too, and enough that no partition runs dry within it.
fn backlog(window: i64) -> i64 {
    window * 3 / 2
}

/// The mean size of the first events.
fn mean_bytes(source: Source) -> f64 {
    const SOME: i64 = 100;
    let mut events = source.events();
    (0..SOME).map(|number| events.event(number).len() as f64).sum::<f64>() / SOME as f64
}

impl Row {
    /// Measures it once more and tells how it went.
    fn round(&mut self, inputs: &[Input], options: &Options, about: &str) {
        let Some(input) = self.input.map(|at| &inputs[at]) else { return };
        let label = &self.point.label;
        match measure(input, &self.point.set, options.events(self.point.window)) {
            Ok(window) => {
                progress(&format!("{about} {label}: {}", window.told()));
                let (events_per_s, cpu_us_per_event) = (window.events_per_s(), window.cpu_micros());
                self.measured.rounds.push(Round { events_per_s, cpu_us_per_event });
            }
            Err(error) => progress(&format!("{about} {label}: FAILED: {error:#}")),
        }
    }
}

/// A window after a fifth as many events: by then every shard has its partitions.
fn measure(input: &Input, set: &[String], events: i64) -> anyhow::Result<Window> {
    let mut watch = Watch::new(Running::attrsync(&input.topic, input.settings.path(), set)?, &input.topic)?;
    let window = watch.until(events / 5).and_then(|from| watch.window(from, events));
    let stopped = watch.stop();
    watch.running.topics.delete();
    stopped.and(window)
}
