//! From an event being due to its verdict being visible to readers of committed records: `scripts/bench latency`.
//!
//! The sender keeps to a schedule, and an event's time counts from when it was **due**, not from when it was sent: where the sender is
//! held up, by the client, the broker or the scheduler, the wait of all events that were due meanwhile is in the figures. That is the
//! correction for coordinated omission that loses nothing; none has to be made up afterwards.
//!
//! The highest rate is what the same sender, broker, worker and reader carry together when the sender keeps a window of events in flight: over
//! a backlog a worker alone is faster, for nobody sends or reads beside it.

mod stream;

use std::{fmt::Write as _, process::ExitCode};

use anyhow::Context as _;

use self::stream::{Measured, Pace, WARM_UP};
use crate::{
    document,
    events::Repeated,
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
/// Events that are made before anything is measured.
const DIFFERENT: i64 = 20_000;

/// What can be asked of it.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Events a second, one run each.
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
    /// Writes no document.
    #[arg(long)]
    no_write: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { rates: vec![20_000], share: 0, highest: None, seconds: 60, no_write: true }
    }
}

impl Options {
    /// Whether the figures are to be kept: those of other rates or times would take the place of all.
    fn writes(&self) -> bool {
        let usual = (&self.rates[..], self.share, self.highest, self.seconds) == (&RATES, SHARE, None, SECONDS);
        usual && !self.no_write && !is_tuned()
    }
}

/// Measures at each rate, and tells it.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let machine = Machine::look();
    let events = Repeated::new(Maker::new(Mix::Hs256), DIFFERENT);
    let (mut all, mut failed) = (Vec::new(), false);
    let mut measure = |per_second: i64, about: String| {
        let pace = Pace::Schedule { per_second, events: per_second * options.seconds };
        match stream::measure(&events, pace) {
            Ok(measured) => {
                progress(&format!("{about}: {}", measured.told()));
                all.push((about, measured));
            }
            Err(error) => {
                progress(&format!("{about}: FAILED: {error:#}"));
                failed = true;
            }
        }
    };
    for rate in &options.rates {
        measure(*rate, rate.to_string());
    }
    // Last: a broker that was just started carries a fifth of what it does after a minute.
    if options.share > 0 {
        let highest = options.highest.map_or_else(|| highest(&events), Ok)?;
        let rate = (highest * options.share / 100).max(1);
        measure(rate, format!("{rate}: {} % of the highest, {highest}", options.share));
    }
    let text = table(&all, &machine, options);
    print(&text);
    if options.writes() && !failed {
        document::write("latency", &text)?;
        progress("docs/BENCHMARKS.md has it now");
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn highest(events: &Repeated<Maker>) -> anyhow::Result<i64> {
    let measured = stream::measure(events, Pace::InFlight).context("looking for the highest rate")?;
    progress(&format!("highest rate: {:.0} events/s with sender and reader beside the worker", measured.per_second));
    Ok(measured.per_second as i64)
}

fn table(all: &[(String, Measured)], machine: &Machine, options: &Options) -> String {
    let mut text = format!(
        "{}.\n{} s each, the first {} left out; milliseconds.\n\n",
        machine.told(),
        options.seconds,
        WARM_UP.as_secs(),
    );
    text.push_str("| events/s | p50 | p99 | p99.9 | most | the sender behind its schedule, at most |\n|---|---|---|---|---|---|\n");
    for (about, measured) in all {
        let [p50, p99, p999, most] = measured.millis();
        let late = measured.sender_late.as_secs_f64() * 1e3;
        // Writing into a String cannot fail.
        let _ = writeln!(text, "| {about} | {p50:.1} | {p99:.1} | {p999:.1} | {most:.1} | {late:.1} |");
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
            "p50 {p50:.1} ms, p99 {p99:.1} ms, p99.9 {p999:.1} ms, at most {most:.1} ms; {:.0} verdicts/s; the sender was {:.1} ms late at most",
            self.per_second,
            self.sender_late.as_secs_f64() * 1e3,
        )
    }
}
