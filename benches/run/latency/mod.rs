//! From an event being due to its verdict being visible to readers of committed records: `scripts/bench latency`.
//!
//! The sender keeps to a schedule, and an event's time counts from when it was **due**, not from when it was sent: where the sender is
//! held up, by the client, the broker or the scheduler, the wait of all events that were due meanwhile is in the figures. That is the
//! correction for coordinated omission that loses nothing; none has to be made up afterwards.
//!
//! The highest rate is what the same sender, broker, worker and reader carry together when the sender keeps a window of events in flight: over
//! a backlog a worker alone is faster, for nobody sends or reads beside it.
//!
//! On a shared machine one run says little about the longest times: every rate is measured in turn within a round, and a table has the
//! median of the rounds.

mod stream;

use std::{fmt::Write as _, num::NonZeroUsize, process::ExitCode};

use anyhow::Context as _;

use self::stream::{Measured, Pace, WARM_UP};
use crate::{
    document,
    events::Repeated,
    figures::{grouped, spread},
    machine::Machine,
    peers::mixes::{Maker, Mix},
    print, progress,
    worker::is_tuned,
};

/// Events a second.
const RATES: [i64; 2] = [1_000, 20_000];
/// Percent of the highest rate.
const SHARE: i64 = 80;
/// Of each run.
const SECONDS: i64 = 40;
/// How often each rate is measured.
const ROUNDS: NonZeroUsize = NonZeroUsize::new(3).expect("not zero");
/// Events that are made before anything is measured.
const DIFFERENT: i64 = 20_000;

/// What can be asked of it.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Events a second, measured in turn.
    #[arg(default_values_t = RATES, value_name = "PER_SECOND", value_parser = clap::value_parser!(i64).range(1..))]
    rates: Vec<i64>,
    /// Then so many percent of the highest rate; 0: not.
    #[arg(long, default_value_t = SHARE, value_parser = clap::value_parser!(i64).range(0..=100))]
    share: i64,
    /// The highest rate, where it need not be looked for.
    #[arg(long, value_name = "PER_SECOND")]
    highest: Option<i64>,
    /// Seconds of each run; the first five are left out.
    #[arg(long, default_value_t = SECONDS, value_parser = clap::value_parser!(i64).range(6..))]
    seconds: i64,
    /// How often each rate is measured.
    #[arg(long, default_value_t = ROUNDS)]
    rounds: NonZeroUsize,
    /// Writes no document.
    #[arg(long)]
    no_write: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { rates: vec![20_000], share: 0, highest: None, seconds: 60, rounds: NonZeroUsize::MIN, no_write: true }
    }
}

impl Options {
    /// Whether the figures are to be kept: those of other rates or times would take the place of all.
    fn writes(&self) -> bool {
        let usual = (RATES.as_slice(), SHARE, None, SECONDS, ROUNDS);
        (&self.rates[..], self.share, self.highest, self.seconds, self.rounds) == usual && !self.no_write && !is_tuned()
    }
}

/// A rate, and what was measured at it in each round that did not fail.
struct Row {
    about: String,
    per_second: i64,
    rounds: Vec<Measured>,
}

/// Measures at each rate, and tells it.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let machine = Machine::look();
    let events = Repeated::new(Maker::new(Mix::Hs256), DIFFERENT);
    let mut rows = rows(options, &events)?;
    for round in 1..=options.rounds.get() {
        for row in &mut rows {
            row.measure(&events, options, &format!("round {round} of {}", options.rounds));
        }
    }
    let whole = rows.iter().all(|row| row.rounds.len() == options.rounds.get());
    let text = table(&rows, &machine, options);
    print(&text);
    if options.writes() && whole {
        document::write("latency", &text)?;
        progress("docs/BENCHMARKS.md has it now");
    }
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The rates that are asked for, and the share of the highest, which is looked for first.
fn rows(options: &Options, events: &Repeated<Maker>) -> anyhow::Result<Vec<Row>> {
    let row = |per_second, about| Row { about, per_second, rounds: Vec::new() };
    let told = |rate: i64| grouped(rate as f64, 0);
    let mut rows: Vec<_> = options.rates.iter().map(|rate| row(*rate, told(*rate))).collect();
    if options.share > 0 {
        let highest = options.highest.map_or_else(|| highest(events), Ok)?;
        let rate = (highest * options.share / 100).max(1);
        rows.push(row(rate, format!("{}: {} % of the highest, {}", told(rate), options.share, told(highest))));
    }
    Ok(rows)
}

/// What they carry, the second time: a broker that was just started carries a fifth of what it does after a while.
fn highest(events: &Repeated<Maker>) -> anyhow::Result<i64> {
    let mut highest = 0;
    for _ in 0..2 {
        let measured = stream::measure(events, Pace::InFlight).context("looking for the highest rate")?;
        highest = measured.per_second as i64;
        progress(&format!("highest rate: {highest} events/s with sender and reader beside the worker"));
    }
    Ok(highest)
}

impl Row {
    /// Measures it once more and tells how it went.
    fn measure(&mut self, events: &Repeated<Maker>, options: &Options, round: &str) {
        let pace = Pace::Schedule { per_second: self.per_second, events: self.per_second * options.seconds };
        match stream::measure(events, pace) {
            Ok(measured) => {
                progress(&format!("{round}: {}: {}", self.about, measured.told()));
                self.rounds.push(measured);
            }
            Err(error) => progress(&format!("{round}: {}: FAILED: {error:#}", self.about)),
        }
    }

    /// Median, least and most of what each round measured.
    fn spread(&self, figure: impl Fn(&Measured) -> f64, digits: usize) -> String {
        spread(self.rounds.iter().map(figure), digits)
    }
}

fn table(rows: &[Row], machine: &Machine, options: &Options) -> String {
    let mut text = format!(
        "{}.\n{} rounds, the rates in turn within each, {} s each, the first {} left out; milliseconds. Median (least to most).\n\n",
        machine.told(),
        options.rounds,
        options.seconds,
        WARM_UP.as_secs(),
    );
    text.push_str("| events/s | verdicts/s | p50 | p99 | p99.9 | most | the sender behind its schedule, at most | taken from the cores by the host, in all |\n");
    text.push_str("|---|---|---|---|---|---|---|---|\n");
    for row in rows {
        let verdicts = row.spread(|measured| measured.per_second, 0);
        let [p50, p99, p999, most] = [0, 1, 2, 3].map(|which| row.spread(|measured| measured.millis()[which], 1));
        let late = row.spread(|measured| measured.sender_late.as_secs_f64() * 1e3, 1);
        let stolen = row.spread(|measured| measured.stolen.as_secs_f64() * 1e3, 0);
        // Writing into a String cannot fail.
        let _ = writeln!(text, "| {} | {verdicts} | {p50} | {p99} | {p999} | {most} | {late} | {stolen} |", row.about);
    }
    text
}

impl Measured {
    /// p50, p99, p99.9 and the most.
    fn millis(&self) -> [f64; 4] {
        [0.5, 0.99, 0.999, 1.0].map(|quantile| self.latency.value_at_quantile(quantile) as f64 / 1e3)
    }

    /// In a line.
    fn told(&self) -> String {
        let [p50, p99, p999, most] = self.millis();
        format!(
            "p50 {p50:.1} ms, p99 {p99:.1} ms, p99.9 {p999:.1} ms, at most {most:.1} ms; {:.0} verdicts/s; the sender was {:.1} ms late at most; the host took {} ms",
            self.per_second,
            self.sender_late.as_secs_f64() * 1e3,
            self.stolen.as_millis(),
        )
    }
}
