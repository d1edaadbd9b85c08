//! What the values must hold beyond their types: ranges, names, and keys that must agree with each other. Each refusal names
//! every key it concerns, with values and origins, and says what follows from it.

use std::ops::RangeInclusive;

use toml::Value;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use super::{
    ClientRole, Config, brokers,
    error::Problem,
    findings::Findings,
    keys,
    layers::{MASTER_KEYS, open_table},
    properties,
    values::Values,
};
use crate::domain::event_type::{EVENT_TYPES, Kind};

/// The bounds of every number.
pub(super) const RANGES: [(&str, RangeInclusive<i64>); 29] = [
    ("worker.shards", 0..=256),
    ("worker.commit_interval_ms", 1..=10_000),
    ("worker.batch_records", 1..=1_000_000),
    ("worker.fetch_queue_bytes", 1 << 20..=1 << 40),
    ("worker.transaction_timeout_ms", 1_000..=900_000),
    ("worker.message_timeout_ms", 500..=900_000),
    ("worker.session_timeout_ms", 1_000..=1_800_000),
    ("worker.fault_tries", 0..=1_000_000),
    ("worker.fault_backoff_ms", 1..=60_000),
    ("worker.fault_backoff_max_ms", 1..=600_000),
    ("worker.shutdown_timeout_ms", 100..=600_000),
    ("settings.reload_interval_ms", 100..=3_600_000),
    ("settings.max_staleness_s", 1..=86_400),
    ("policy.leeway_s", 0..=3_600),
    ("limits.record_bytes", 1_024..=104_857_600),
    ("limits.depth", 1..=128),
    ("limits.attributes", 1..=1_000),
    ("limits.companies", 0..=1_000),
    ("limits.token_bytes", 64..=1_048_576),
    ("limits.name_chars", 1..=10_000),
    ("dashboard.window_h", 1..=24),
    ("dashboard.window_records", 1..=1_000_000_000),
    ("dashboard.organizations", 1..=100_000),
    ("dashboard.attributes", 1..=1_000),
    ("dashboard.verdicts", 1..=1_000_000),
    ("dashboard.verdicts_bytes", 65_536..=4_294_967_296),
    ("dashboard.subscribers", 1..=1_000),
    ("telemetry.metrics_interval_s", 0..=3_600),
    ("telemetry.queue_spans", 1..=1_000_000),
];

/// The levels of a log, as they are written.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Finds numbers out of their range.
pub(super) fn ranges(values: &mut Values, found: &mut Findings) {
    for (key, range) in &RANGES {
        let Some((value, origin)) = values.get(key) else { continue };
        if value.as_integer().is_some_and(|number| !range.contains(&number)) {
            let problem = format!("must be from {} to {}", range.start(), range.end());
            found.add(key, Problem::refused(key, Some(value), origin, problem));
            values.fall_back(key);
        }
    }
}

/// Finds values that are refused, alone or beside each other.
pub(super) fn contradictions(config: &Config, values: &Values, found: &mut Findings) {
    let mut checks = Checks { values, found };
    checks.names(config);
    checks.brokers(config);
    checks.topics(config);
    checks.timeouts(config);
    checks.settings(config);
    checks.filter(config);
    checks.dashboard(config);
    checks.telemetry(config);
    checks.properties();
}

struct Checks<'v> {
    values: &'v Values,
    found: &'v mut Findings,
}

impl Checks<'_> {
    /// Refuses the keys where `holds` is false, unless one of them is refused already: a default stands in for it then.
    fn require(&mut self, holds: bool, keys: &[&str], problem: impl Into<String>) {
        if !holds && !keys.iter().any(|key| self.found.is_in_doubt(key)) {
            let given = keys.iter().filter_map(|key| self.values.given(key));
            let given = given.collect::<Vec<_>>().join(" and ");
            self.found.contradiction(Problem::Refused { given, problem: problem.into() });
        }
    }

    fn names(&mut self, config: &Config) {
        let kafka = &config.kafka;
        self.require(!kafka.group_id.trim().is_empty(), &["kafka.group_id"], "must not be empty");
        for (key, name) in
            [("kafka.instance", &kafka.instance), ("kafka.transactional_id_prefix", &kafka.transactional_id_prefix)]
        {
            let problem = "must be a name of 1 to 128 letters, digits, dots, dashes and underscores";
            self.require(is_name(name, 128), &[key], problem);
        }
    }

    fn brokers(&mut self, config: &Config) {
        let (key, kafka) = ("kafka.bootstrap_servers", &config.kafka);
        let servers = &kafka.bootstrap_servers;
        let problem = "expected host:port, separated by commas";
        self.require(brokers::are_addresses(servers), &[key], problem);
        let clients = [ClientRole::Consumer, ClientRole::Producer, ClientRole::Admin].map(|role| kafka.client(role));
        let mut spoken = clients.iter().map(|client| client.get("security.protocol").unwrap_or("plaintext"));
        let same = spoken.all(|spoken| brokers::protocols(servers).all(|named| named.eq_ignore_ascii_case(spoken)));
        let problem = "an address that names a protocol must name that of security.protocol among the properties, else \
                       librdkafka leaves it out, and all after it; or leave the protocol out";
        self.require(same || !brokers::are_addresses(servers), &[key, "kafka.properties.security.protocol"], problem);
    }

    fn topics(&mut self, config: &Config) {
        let kafka = &config.kafka;
        self.require(is_topic(&kafka.accepted_topic), &["kafka.accepted_topic"], TOPIC_NAME);
        self.require(is_topic(&kafka.rejected_topic), &["kafka.rejected_topic"], TOPIC_NAME);
        let topics = &kafka.input.topics;
        self.require(!topics.is_empty(), &["kafka.input.topics"], "names no topic to read from");
        self.require(topics.iter().all(|topic| is_topic(topic)), &["kafka.input.topics"], TOPIC_NAME);
        let twice = topics.iter().enumerate().any(|(place, topic)| topics[..place].contains(topic));
        self.require(!twice, &["kafka.input.topics"], "names a topic twice");
        for (key, topic) in
            [("kafka.accepted_topic", &kafka.accepted_topic), ("kafka.rejected_topic", &kafka.rejected_topic)]
        {
            let problem =
                "a topic of verdicts must not be read as one of events: the worker would judge its own output";
            self.require(!topics.contains(topic), &[key, "kafka.input.topics"], problem);
        }
        let outputs = ["kafka.accepted_topic", "kafka.rejected_topic"];
        let problem = "accepted and rejected verdicts need topics of their own";
        self.require(kafka.accepted_topic != kafka.rejected_topic, &outputs, problem);
        for (topic, name) in &kafka.input.types {
            let key = format!("kafka.input.types.{topic}");
            self.require(topics.contains(topic), &[&key, "kafka.input.topics"], "names a topic that is not read");
            self.require(Kind::named(name).is_some(), &[&key], EVENT_TYPES);
        }
    }

    fn timeouts(&mut self, config: &Config) {
        let worker = &config.worker;
        let [commit, message, transaction, session, first, most] = [
            "worker.commit_interval_ms",
            "worker.message_timeout_ms",
            "worker.transaction_timeout_ms",
            "worker.session_timeout_ms",
            "worker.fault_backoff_ms",
            "worker.fault_backoff_max_ms",
        ];
        for (below, lower, above, upper, why) in [
            (
                commit,
                worker.commit_interval_ms,
                message,
                worker.message_timeout_ms,
                "a batch is delivered within its transaction",
            ),
            (
                message,
                worker.message_timeout_ms,
                transaction,
                worker.transaction_timeout_ms,
                "a record that cannot be delivered must fail before its transaction does",
            ),
            (
                transaction,
                worker.transaction_timeout_ms,
                session,
                worker.session_timeout_ms,
                "a dead worker's transaction must end before others take up its partitions",
            ),
        ] {
            self.require(lower < upper, &[below, above], format!("the first must be below the second: {why}"));
        }
        let problem = "the first must not be above the second";
        self.require(worker.fault_backoff_ms <= worker.fault_backoff_max_ms, &[first, most], problem);
    }

    fn settings(&mut self, config: &Config) {
        let settings = &config.settings;
        let problem = "the second must be below the first: settings count as fresh from one look to the next";
        self.require(
            settings.reload_interval_ms < settings.max_staleness_s * 1_000,
            &["settings.max_staleness_s", "settings.reload_interval_ms"],
            problem,
        );
        let named = settings.master_key.is_empty() || settings.master_keys.0.contains_key(&settings.master_key);
        self.require(named, &["settings.master_key", MASTER_KEYS], "names no key of settings.master_keys");
        let one = settings.master_keys.0.len() < 2 || !settings.master_key.is_empty();
        let problem = "must name the one of settings.master_keys that seals, since there are several";
        self.require(one, &["settings.master_key", MASTER_KEYS], problem);
    }

    fn filter(&mut self, config: &Config) {
        let filter = &config.log.filter;
        if let Err(error) = EnvFilter::builder().parse(filter) {
            self.require(
                false,
                &["log.filter"],
                format!("{error}; write a level, or a list as in \"info,librdkafka=warn\""),
            );
        } else if let Some(word) = no_level(filter) {
            // It would be taken for a module's name, and everything else would be silent.
            let meant = keys::nearest(word, LEVELS.into_iter());
            let meant = meant.map_or_else(String::new, |level| format!("; did you mean {level}?"));
            let problem = format!("no level {word:?}{meant} (levels: {}; of a module: {word}=info)", LEVELS.join(", "));
            self.require(false, &["log.filter"], problem);
        }
    }

    fn dashboard(&mut self, config: &Config) {
        let open = config.dashboard.token_file.as_os_str().is_empty() && !config.dashboard.address.ip().is_loopback();
        let problem = "an address that others reach needs a token: `openssl rand -hex 32 > FILE`, name the file, and put TLS before it";
        self.require(!open, &["dashboard.address", "dashboard.token_file"], problem);
    }

    fn telemetry(&mut self, config: &Config) {
        let telemetry = &config.telemetry;
        let endpoint = telemetry.otlp_endpoint.as_str();
        let plain = endpoint.strip_prefix("http://").is_some_and(|rest| {
            let authority = rest.split('/').next().unwrap_or_default();
            let host = match authority.rsplit_once(':') {
                Some((host, port)) if !port.ends_with(']') => port.parse::<u16>().ok().map(|_| host),
                _ => Some(authority),
            };
            host.is_some_and(|host| !host.is_empty())
                && !authority.contains('@')
                && rest.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#'))
        });
        let problem =
            "must be http://HOST:PORT without a login or a query: the collector beside the worker speaks TLS to others";
        self.require(endpoint.is_empty() || plain, &["telemetry.otlp_endpoint"], problem);
        let whole = endpoint.trim_end_matches('/');
        let base = !["/v1/traces", "/v1/metrics"].iter().any(|path| whole.ends_with(path));
        let problem = "must be the collector's base: leave out /v1/traces and /v1/metrics, which are added to it";
        self.require(base || !plain, &["telemetry.otlp_endpoint"], problem);
        self.require(!telemetry.service_name.trim().is_empty(), &["telemetry.service_name"], "must not be empty");
    }

    fn properties(&mut self) {
        for (key, (value, _)) in self.values.iter() {
            if let (Some((table, name)), Value::String(text)) = (open_table(key), value)
                && let Err(problem) = properties::check((table, name), text, self.values.is_elsewhere(key))
            {
                self.require(false, &[key], problem);
            }
        }
    }
}

/// A word of a filter that stands alone and is no level. What is said of spans, between brackets, is not looked at.
fn no_level(filter: &str) -> Option<&str> {
    let words = filter.split(',').map(str::trim);
    let is_level = |word: &str| word.parse::<LevelFilter>().is_ok();
    words.filter(|_| !filter.contains('[')).find(|word| !word.is_empty() && !word.contains('=') && !is_level(word))
}

/// What the name of a topic must be.
pub(crate) const TOPIC_NAME: &str = "a topic's name has 1 to 249 letters, digits, dots, dashes and underscores";

/// Whether a topic may have this name.
pub(crate) fn is_topic(text: &str) -> bool {
    is_name(text, 249)
}

/// Whether a text is a name as Kafka allows for topics.
fn is_name(text: &str, most: usize) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (1..=most).contains(&text.len()) && text.bytes().all(allowed) && !matches!(text, "." | "..")
}
