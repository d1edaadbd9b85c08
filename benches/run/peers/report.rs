//! What was measured, as tables for people and as JSON for machines, and the section of docs/BENCHMARKS.md.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Measured, Table, measure::Figures, options::Options, worker::Pace};
use crate::{
    document,
    figures::{Spread, grouped, spread},
    machine::Machine,
    watch::Window,
};

/// All that was measured.
pub(crate) struct Report<'r> {
    pub(crate) machine: &'r Machine,
    pub(crate) options: &'r Options,
    pub(crate) tables: &'r [Table],
}

impl Report<'_> {
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!(
            "{}.\nRounds: {}, the workers in turn within each, one at a time, one process each; a commit each {} ms. Median (least to most).\n",
            self.machine.told(),
            self.options.rounds(),
            self.options.commit_ms,
        );
        for table in self.tables {
            // Writing into a String cannot fail.
            let _ = write!(text, "\n{}", table.markdown());
        }
        text.push_str("\nMade with:\n");
        for worker in self.options.workers() {
            let _ = writeln!(text, "- {}: {}", worker.name(), worker.versions);
        }
        text
    }

    pub(crate) fn json(&self) -> String {
        let tables: Vec<_> = self.tables.iter().map(Table::json).collect();
        let versions: serde_json::Map<_, _> =
            self.options.workers().map(|worker| (worker.name().to_owned(), json!(worker.versions))).collect();
        json!({
            "machine": self.machine.told(), "commit_ms": self.options.commit_ms, "versions": versions, "mixes": tables,
        })
        .to_string()
    }

    /// Puts the tables into the document.
    pub(crate) fn write(&self) -> anyhow::Result<()> {
        if let Some(standard) = self.tables.first() {
            document::write("in short", &format!("{}\n{}.\n", standard.in_short(), self.machine.told()))?;
        }
        document::write("", &self.markdown())
    }
}

/// A row of the table in short: what it is, digits after the point, and the values of a worker's rounds.
type Row = (&'static str, usize, fn(&Measured) -> Vec<f64>);

impl Table {
    /// Medians, a column for each worker; of one that warms up, those once it is warm.
    fn in_short(&self) -> String {
        let names = self.rows.iter().map(|row| match row.worker.pace() {
            Pace::Warms => format!("{}, warm", row.worker.name()),
            _ => row.worker.name().to_owned(),
        });
        let mut text = line("", names);
        text.push_str(&line("---", self.rows.iter().map(|_| "---".to_owned())));
        let rows: [Row; 4] = [
            ("events/s", 0, |row| row.windows().map(Window::events_per_s).collect()),
            ("CPU µs/event", 1, |row| row.windows().map(Window::cpu_micros).collect()),
            ("peak memory, MiB", 0, |row| row.peaks_mib().collect()),
            ("start to first verdict, s", 2, |row| row.first_verdicts_s().collect()),
        ];
        for (name, digits, values) in rows {
            let median = |row: &Measured| Spread::of(values(row).into_iter()).map(|spread| spread.median);
            let told = |row| median(row).map_or("failed".to_owned(), |median| grouped(median, digits));
            text.push_str(&line(name, self.rows.iter().map(told)));
        }
        text
    }

    fn markdown(&self) -> String {
        let mut text = format!(
            "### {}: {}\n\n| worker | events/s | CPU µs/event | peak memory, MiB | start to first verdict, s | between commits, ms |\n|---|---|---|---|---|---|\n",
            self.mix,
            self.mix.about(),
        );
        for row in &self.rows {
            let rounds = &row.rounds;
            let name = row.worker.name();
            let warms = row.worker.pace() == Pace::Warms;
            let count = |events: i64| grouped(events as f64, 0);
            let mut label =
                if warms { format!("{name}, the first {}", count(self.plan.events)) } else { name.to_owned() };
            if rounds.len() < self.asked {
                // Writing into a String cannot fail.
                let _ = write!(label, " ({} rounds failed)", self.asked - rounds.len());
            }
            let (memory, first) = (spread(row.peaks_mib(), 0), spread(row.first_verdicts_s(), 2));
            let gap = spread(rounds.iter().map(|round| round.commit_gap.as_secs_f64() * 1e3), 0);
            let window = |window: &dyn Fn(&Figures) -> Option<Window>| {
                let all: Vec<_> = rounds.iter().filter_map(window).collect();
                (spread(all.iter().map(|w| w.events_per_s()), 0), spread(all.iter().map(|w| w.cpu_micros()), 1))
            };
            let (rate, cpu) = window(&|round| Some(round.window));
            let _ = writeln!(text, "| {label} | {rate} | {cpu} | {memory} | {first} | {gap} |");
            if warms {
                let (rate, cpu) = window(&|round| round.warm);
                let _ = writeln!(text, "| {name}, warm: after {} | {rate} | {cpu} | | | |", count(self.plan.warm_from));
            }
        }
        text
    }

    fn json(&self) -> Value {
        let rows: Vec<_> = self.rows.iter().map(Measured::json).collect();
        json!({ "mix": self.mix.to_string(), "events": self.plan.events, "warm_from": self.plan.warm_from, "workers": rows })
    }
}

/// A line of a table.
fn line(first: &str, others: impl Iterator<Item = String>) -> String {
    format!("| {first} | {} |\n", others.collect::<Vec<_>>().join(" | "))
}

impl Measured {
    /// The last window of each round.
    fn windows(&self) -> impl Iterator<Item = Window> {
        self.rounds.iter().map(|round| round.warm.unwrap_or(round.window))
    }

    fn peaks_mib(&self) -> impl Iterator<Item = f64> {
        self.rounds.iter().map(|round| round.peak_mib as f64)
    }

    fn first_verdicts_s(&self) -> impl Iterator<Item = f64> {
        self.rounds.iter().map(|round| round.first_verdict.as_secs_f64())
    }

    fn json(&self) -> Value {
        let window = |window: Window| {
            json!({
                "events": window.events, "events_per_s": window.events_per_s(), "cpu_us_per_event": window.cpu_micros(),
            })
        };
        let round = |round: &Figures| {
            json!({
                "window": window(round.window), "warm": round.warm.map(window), "peak_mib": round.peak_mib,
                "between_commits_ms": round.commit_gap.as_secs_f64() * 1e3,
                "first_verdict_s": round.first_verdict.as_secs_f64(), "verdicts": round.counts,
            })
        };
        json!({ "worker": self.worker.name(), "rounds": self.rounds.iter().map(round).collect::<Vec<_>>() })
    }
}
