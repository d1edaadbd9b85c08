//! The whole of `attrsync run` against a real Kafka: how fast it works off a backlog, at what cost of CPU and memory, and how
//! long an event takes from being sent to its verdict being visible.
//!
//! ```text
//! scripts/services up kafka && eval "$(scripts/services env kafka)"
//! cargo bench --bench run                    # a million events, then a minute at 20,000 a second
//! cargo bench --bench run -- throughput 300000
//! cargo bench --bench run -- latency 20000 30
//! ```
//!
//! The broker, this program and the worker share the machine; figures and the machine they are from stand in
//! docs/BENCHMARKS.md.

mod cluster;
mod latency;
mod process;
mod throughput;
mod worker;

fn main() {
    // cargo adds `--bench`.
    let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let number = |at: usize, default| arguments.get(at).map_or(default, |text| text.parse().expect("a number"));
    match arguments.first().map(String::as_str) {
        None => {
            throughput::measure(1_000_000);
            latency::measure(20_000, 60);
        }
        Some("throughput") => throughput::measure(number(1, 1_000_000)),
        Some("latency") => latency::measure(number(1, 20_000), number(2, 60)),
        Some(other) => panic!("{other}: expected throughput [EVENTS] or latency [PER_SECOND] [SECONDS]"),
    }
}

/// Prints a line of the result.
#[expect(clippy::print_stdout, reason = "a bench tells its figures")]
fn print(line: &str) {
    println!("{line}");
}
