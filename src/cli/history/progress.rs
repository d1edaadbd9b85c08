//! How far a replay is: a bar on a terminal, a line now and then elsewhere.

use std::{
    io::{IsTerminal, Write, stderr},
    time::{Duration, Instant},
};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use crate::replay::Counter;

/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

const BAR: &str = "{bar:30} {bytes}/{total_bytes}, {msg}, {eta} left";
const SPINNER: &str = "{spinner} {bytes}, {msg}, {elapsed}";

/// What shows it.
pub(in crate::cli) enum Progress {
    /// On a terminal.
    Bar(ProgressBar),
    /// In a log: when the next line is due.
    Lines(Instant),
    /// Verdicts come on this very terminal.
    Nothing,
}

impl Progress {
    /// What fits where standard error leads to.
    pub(in crate::cli) fn new(bytes: Option<u64>, terminal_is_free: bool) -> Self {
        if !stderr().is_terminal() {
            return Self::Lines(Instant::now() + LINE_EVERY);
        }
        if !terminal_is_free {
            return Self::Nothing;
        }
        let (bar, template) = match bytes {
            Some(bytes) => (ProgressBar::new(bytes), BAR),
            None => (ProgressBar::no_length(), SPINNER),
        };
        // A template that does not parse leaves the standard one, which is good enough.
        Self::Bar(match ProgressStyle::with_template(template) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        })
    }

    /// Shows how far it is.
    pub(in crate::cli) fn show(&mut self, counter: &Counter) {
        let judged = || records_in_words(counter.records());
        match self {
            Self::Bar(bar) => {
                bar.set_message(judged());
                bar.set_position(counter.size());
            }
            Self::Lines(due) if Instant::now() >= *due => {
                // Progress that nobody reads is no reason to stop.
                let _ = writeln!(stderr(), "judged {} so far", judged());
                *due = Instant::now() + LINE_EVERY;
            }
            Self::Lines(_) | Self::Nothing => {}
        }
    }

    /// Clears the bar: the summary says more.
    pub(in crate::cli) fn end(self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// `1 record`, `1,234 records`.
pub(in crate::cli) fn records_in_words(number: u64) -> String {
    match number {
        1 => "1 record".to_owned(),
        many => format!("{} records", HumanCount(many)),
    }
}
