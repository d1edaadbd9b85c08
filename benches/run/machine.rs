//! What the figures are from.

use std::{fs, time::Duration};

/// This machine, today.
pub(crate) struct Machine {
    pub(crate) date: String,
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) memory_gib: u64,
    pub(crate) system: String,
    pub(crate) load: String,
    pub(crate) kafka: &'static str,
}

impl Machine {
    pub(crate) fn look() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let after = |text: &str, key: &str, separator| {
            let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
            line.split_once(separator).map_or("unknown", |(_, value)| value).trim().trim_matches('"').to_owned()
        };
        let kibibytes = after(&read("/proc/meminfo"), "MemTotal", ':');
        Self {
            date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
            cpu: after(&read("/proc/cpuinfo"), "model name", ':'),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: kibibytes.split(' ').next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0)
                / (1 << 20),
            system: format!(
                "{}, Linux {}",
                after(&read("/etc/os-release"), "PRETTY_NAME", '='),
                // What stands after a dash is who built it.
                read("/proc/sys/kernel/osrelease").trim().split('-').next().unwrap_or_default()
            ),
            load: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
            kafka: kafka(),
        }
    }

    /// In a sentence.
    pub(crate) fn told(&self) -> String {
        let Self { date, cpu, cores, memory_gib, system, load, kafka } = self;
        format!(
            "{date}; {cores} cores ({cpu}), {memory_gib} GiB, {system}; Apache Kafka {kafka} on the same cores; load average {load} at the start"
        )
    }
}

/// What the host of a virtual machine has taken from its cores so far, in all: steal of `/proc/stat` (proc(5)), in ticks of 10 ms. What
/// runs stands still meanwhile, whatever its priority.
pub(crate) fn stolen() -> Duration {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let ticks = text.split_whitespace().nth(8).and_then(|ticks| ticks.parse().ok());
    Duration::from_millis(10).saturating_mul(ticks.unwrap_or(0))
}

/// The version of the broker that scripts/services runs.
fn kafka() -> &'static str {
    let pom = include_str!("../../scripts/kafka/pom.xml");
    let version = pom.split_once("<kafka.version>").and_then(|(_, rest)| rest.split_once('<'));
    version.map_or("unknown", |(version, _)| version)
}
