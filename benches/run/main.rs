//! The whole of `attrsync run` against a real Kafka: beside what people would write themselves, over one measure of load after another,
//! how long an event takes from being due to its verdict being visible, and whether a long backlog is worked off evenly.
//!
//! `scripts/bench` builds everything, starts Kafka and this, and writes the figures into docs/BENCHMARKS.md; by hand:
//!
//! ```text
//! scripts/services up kafka && eval "$(scripts/services env kafka)"
//! cargo bench --bench run                               # throughput, then latency
//! cargo bench --bench run -- throughput 300000
//! cargo bench --bench run -- latency 20000 --seconds 30
//! ```
//!
//! The broker, this program and the worker share the machine.

mod backlog;
mod check;
mod cluster;
mod document;
mod events;
mod figures;
mod input;
mod latency;
mod machine;
mod peers;
mod plot;
mod process;
mod scaling;
mod throughput;
mod watch;
mod worker;

use std::process::ExitCode;

use clap::Parser as _;

/// Measures attrsync on a real Kafka. `scripts/bench --help` tells it with examples.
#[derive(clap::Parser)]
#[command(name = "scripts/bench")]
struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    /// cargo adds it.
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(clap::Subcommand)]
enum What {
    /// attrsync beside what people would write themselves.
    Peers(peers::Options),
    /// One measure of load after another.
    Scaling(scaling::Options),
    /// From an event being due to its verdict being visible.
    Latency(latency::Options),
    /// A long backlog, second by second.
    Backlog(backlog::Options),
    /// One run over a backlog, on one line.
    Throughput {
        /// Events of 700 bytes.
        #[arg(default_value_t = 1_000_000)]
        events: i64,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().what {
        Some(What::Peers(options)) => return peers::run(&options),
        Some(What::Scaling(options)) => return scaling::run(&options),
        Some(What::Latency(options)) => return latency::run(&options),
        Some(What::Backlog(options)) => backlog::run(&options)?,
        Some(What::Throughput { events }) => throughput::measure(events)?,
        None => {
            throughput::measure(1_000_000)?;
            return latency::run(&latency::Options::default());
        }
    }
    Ok(ExitCode::SUCCESS)
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
