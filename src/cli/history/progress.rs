//! How far a replay is: a bar on a terminal, a line now and then elsewhere.

use std::{
    io::{IsTerminal, Write, stderr},
    time::{Duration, Instant},
};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use crate::{
    count::words::{grouped, times},
    observe::log,
    replay::{Counter, Measure},
};

/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

const BYTES: &str = "{bar:30} {bytes}/{total_bytes}, {msg}, {eta} left";
const OFFSETS: &str = "{bar:30} {percent}%, {msg}, {per_sec}, {eta} left";
const SPINNER: &str = "{spinner} {bytes}, {msg}, {elapsed}";

/// What shows it.
pub(in crate::cli) enum Progress {
    /// On a terminal.
    Bar(ProgressBar),
    /// In a log.
    Lines {
        /// Since when.
        begun: Instant,
        /// When the next line is due.
        due: Instant,
        /// How much there is.
        size: Option<u64>,
    },
    /// On a terminal that is taken.
    Nothing,
}

/// What is left of the terminal beside what works write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Terminal {
    /// All of it.
    Free,
    /// Nothing: verdicts come on it, and a bar would come between them.
    Taken,
}

impl Progress {
    /// What fits where standard error leads to.
    pub(in crate::cli) fn new((size, measure): (Option<u64>, Measure), terminal: Terminal) -> Self {
        if !stderr().is_terminal() {
            let begun = Instant::now();
            return Self::Lines { begun, due: begun + LINE_EVERY, size };
        }
        if terminal == Terminal::Taken {
            return Self::Nothing;
        }
        let template = match (size, measure) {
            (None, _) => SPINNER,
            (Some(_), Measure::Bytes) => BYTES,
            (Some(_), Measure::Offsets) => OFFSETS,
        };
        log::over_progress(true);
        let bar = size.map_or_else(ProgressBar::no_length, ProgressBar::new);
        // A template that does not parse leaves the standard one, which is good enough.
        Self::Bar(match ProgressStyle::with_template(template) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        })
    }

    /// Shows how far it is.
    pub(in crate::cli) fn show(&mut self, counter: &Counter) {
        match self {
            Self::Bar(bar) => {
                bar.set_message(times(counter.records(), "record", "records"));
                bar.set_position(counter.size());
            }
            Self::Lines { begun, due, size } if Instant::now() >= *due => {
                // Progress that nobody reads is no reason to stop.
                let _ = writeln!(stderr(), "{}", line(counter, *size, begun.elapsed()));
                *due = Instant::now() + LINE_EVERY;
            }
            Self::Lines { .. } | Self::Nothing => {}
        }
    }

    /// Clears the bar: the summary says more.
    pub(in crate::cli) fn end(self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
            log::over_progress(false);
        }
    }
}

/// `judged 1,234 records so far, 600 a second, 12 % done, 1 minute left`.
fn line(counter: &Counter, size: Option<u64>, since: Duration) -> String {
    let (records, done, millis) = (counter.records(), counter.size(), since.as_millis().max(1));
    let rate = u128::from(records) * 1_000 / millis;
    let (judged, rate) = (times(records, "record", "records"), grouped(saturated(rate)));
    let mut line = format!("judged {judged} so far, {rate} a second");
    if let Some(size) = size.filter(|size| *size > 0 && done > 0) {
        let left = u128::from(size.saturating_sub(done)) * millis / u128::from(done) / 1_000;
        let left = HumanDuration(Duration::from_secs(saturated(left)));
        line += &format!(", {} % done, {left} left", saturated(u128::from(done) * 100 / u128::from(size)));
    }
    line
}

fn saturated(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
