//! What the figures are from.

use std::{fs, hint::black_box, time::Instant};

use attrsync::domain::key::{HmacDigest, HmacState};

/// This machine, today.
pub(crate) struct Machine {
    pub(crate) date: String,
    /// What its name doesn't tell: how fast it is.
    pub(crate) hmac_ns: u128,
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
            hmac_ns: hmac_ns(),
            cpu: after(&read("/proc/cpuinfo"), "model name", ':'),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: kibibytes.split(' ').next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0)
                / (1 << 20),
            system: format!(
                "{}, Linux {}",
                after(&read("/etc/os-release"), "PRETTY_NAME", '='),
                read("/proc/sys/kernel/osrelease").trim()
            ),
            load: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
            kafka: kafka(),
        }
    }

    /// In a sentence.
    pub(crate) fn told(&self) -> String {
        let Self { date, hmac_ns, cpu, cores, memory_gib, system, load, kafka } = self;
        format!(
            "{date}; {cores} cores ({cpu}, {hmac_ns} ns for an HMAC-SHA256 of 300 bytes), {memory_gib} GiB, {system}; Apache Kafka {kafka} on the same cores; load average {load} at the start"
        )
    }
}

/// Nanoseconds of one HMAC-SHA256 of 300 bytes, a token's usual size: the mean of a thousand, of fifty such the least.
fn hmac_ns() -> u128 {
    const TIMES: u32 = 1_000;
    let (state, text) = (HmacState::new(HmacDigest::Sha256, b"a yardstick"), [b'a'; 300]);
    let mean = |_| {
        let begun = Instant::now();
        for _ in 0..TIMES {
            black_box(state.sign(black_box(&text)));
        }
        begun.elapsed().as_nanos() / u128::from(TIMES)
    };
    (0..50).map(mean).min().unwrap_or_default()
}

/// The version of the broker that scripts/services runs.
fn kafka() -> &'static str {
    let pom = include_str!("../../scripts/kafka/pom.xml");
    let version = pom.split_once("<kafka.version>").and_then(|(_, rest)| rest.split_once('<'));
    version.map_or("unknown", |(version, _)| version)
}
