//! How rate and CPU change with what is varied, one thing at a time: `scripts/bench scaling`.
//!
//! All points are measured in turn within a round, so that a machine that grows slower does so for all of them. Inputs are made once and
//! kept as topics, and a sample of each is judged here first: what is measured is verdicts as they were meant.

mod dimensions;
mod figures;
mod made;

use std::{num::NonZeroUsize, process::ExitCode, rc::Rc};

use self::{
    dimensions::{Dimension, Point, Source},
    figures::{Measured, Round, Series},
};
use crate::{
    input::Input,
    machine::Machine,
    print, progress,
    watch::{Watch, Window},
    worker::{Running, is_tuned},
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
    rounds: Option<NonZeroUsize>,
    /// Measures nothing: draws the plots and writes the tables of docs/benchmarks/scaling.json anew.
    #[arg(long)]
    redraw: bool,
}

impl Options {
    /// Whether the figures are to be kept.
    fn writes(&self) -> bool {
        !self.quick && self.rounds.is_none() && !is_tuned()
    }

    fn rounds(&self) -> usize {
        self.rounds.map_or(if self.quick { 1 } else { 3 }, NonZeroUsize::get)
    }

    /// A window of this many events, or a part of it.
    fn events(&self, window: i64) -> i64 {
        if self.quick { window / 10 } else { window }
    }
}

/// A point, its input, and what was measured of it so far.
struct Row {
    dimension: Dimension,
    point: Point,
    /// None where it could not be made.
    input: Option<Rc<Input>>,
    rounds: Vec<Round>,
}

/// Measures what is asked for, tells it and keeps it.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    if options.redraw {
        figures::read()?.iter().try_for_each(Series::write)?;
        return Ok(ExitCode::SUCCESS);
    }
    let machine = Machine::look();
    let dimensions = if options.only.is_empty() { &Dimension::ALL[..] } else { &options.only };
    let mut rows = rows(dimensions, options);
    for round in 1..=options.rounds() {
        for row in &mut rows {
            row.measure(options, &format!("round {round} of {}", options.rounds()));
        }
    }
    let (mut whole, mut failed) = (Vec::new(), false);
    for dimension in dimensions {
        let (of_it, others) = rows.into_iter().partition(|row| row.dimension == *dimension);
        rows = others;
        let series = series(*dimension, of_it, &machine, options);
        print(&series.table()?);
        if series.points.iter().all(|point| point.rounds.len() == options.rounds()) {
            whole.push(series);
        } else {
            failed = true;
        }
    }
    if options.writes() {
        figures::keep(whole)?.iter().try_for_each(Series::write)?;
        progress("docs/BENCHMARKS.md and docs/benchmarks have what is whole");
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn series(dimension: Dimension, rows: Vec<Row>, machine: &Machine, options: &Options) -> Series {
    let point = |Row { point, rounds, .. }: Row| Measured {
        label: point.label,
        bytes: mean_bytes(point.source).round(),
        rounds,
    };
    Series {
        name: dimension.name().to_owned(),
        machine: format!("{}. Median of {} rounds (least to most)", machine.told(), options.rounds()),
        points: rows.into_iter().map(point).collect(),
    }
}

/// All points with their inputs, each of which is made once. One that fails is told, and its points are left out.
fn rows(dimensions: &[Dimension], options: &Options) -> Vec<Row> {
    let mut made: Vec<(Source, i64, Option<Rc<Input>>)> = Vec::new();
    let mut all = Vec::new();
    for dimension in dimensions {
        for point in dimension.points() {
            let count = backlog(options.events(point.source.largest_window(point.window)));
            let input = match made.iter().find(|(source, had, _)| (*source, *had) == (point.source, count)) {
                Some((.., input)) => input.clone(),
                None => {
                    let failed =
                        |error: &_| progress(&format!("{} {}: FAILED: {error:#}", dimension.name(), point.label));
                    let input = Input::prepare(point.source.events(), count).inspect_err(failed).ok().map(Rc::new);
                    made.push((point.source, count, input.clone()));
                    input
                }
            };
            all.push(Row { dimension: *dimension, point, input, rounds: Vec::new() });
        }
    }
    all
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
    fn measure(&mut self, options: &Options, round: &str) {
        let Some(input) = &self.input else { return };
        let about = format!("{round}: {} {}", self.dimension.name(), self.point.label);
        match measure(input, &self.point.set, options.events(self.point.window)) {
            Ok(window) => {
                progress(&format!("{about}: {}", window.told()));
                let (events_per_s, cpu_us_per_event) = (window.events_per_s(), window.cpu_micros());
                self.rounds.push(Round { events_per_s, cpu_us_per_event });
            }
            Err(error) => progress(&format!("{about}: FAILED: {error:#}")),
        }
    }
}

/// From a fifth of the events, by when every shard has its partitions, to six fifths. A look that came late makes the window shorter,
/// and never one that the backlog is too short for.
fn measure(input: &Input, set: &[String], events: i64) -> anyhow::Result<Window> {
    let mut watch = Watch::new(Running::attrsync(&input.topic, input.settings.path(), set)?, &input.topic)?;
    let from = watch.until(events / 5)?;
    let window = watch.until(events * 6 / 5)?.since(from);
    watch.stop()?;
    anyhow::ensure!(window.events >= events / 2, "only {} events were seen going by", window.events);
    Ok(window)
}
