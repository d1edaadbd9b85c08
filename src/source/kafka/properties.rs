//! The properties of a consumer: defaults that an operator can override, and on top those without which exactly-once would
//! not hold, which nobody can.

use std::time::Duration;

use rdkafka::{ClientConfig, Offset};

use crate::native;

/// The longest pause between two polls by default, librdkafka's own.
const BETWEEN_POLLS: Duration = Duration::from_secs(300);

/// The most bytes that are asked of one partition at a time; a larger batch comes whole all the same. librdkafka unpacks all that an
/// answer has of a partition before the first record is handed out, and then looks at what the queue may hold: with its default of a
/// megabyte a worker took a quarter more memory, and was no faster.
const PARTITION_BYTES: usize = 256 * 1024;

/// The most that librdkafka lets wait, in its own unit.
const MOST_QUEUED_KBYTES: usize = 2_097_151;

/// Which member of which group a consumer is.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// The group.
    pub(crate) group: String,
    /// The client's name in logs and in the broker's view.
    pub(crate) client: String,
    /// Its name as a static member.
    pub(crate) instance: Option<String>,
    /// How long the group waits for it when it is silent.
    pub(crate) session_timeout: Duration,
    /// How long it may pause after a fault, and poll nothing.
    pub(crate) longest_pause: Duration,
    /// Bytes of fetched records that may wait.
    pub(crate) queue_bytes: usize,
}

/// The properties of this member, `passed` being the operator's.
pub(crate) fn properties(member: &Member, passed: &ClientConfig) -> ClientConfig {
    let mut config = passed.clone();
    for (name, value) in defaults(member, passed) {
        if passed.get(name).is_none() {
            config.set(name, value);
        }
    }
    for (name, value) in owned(member) {
        config.set(name, value);
    }
    native::hear_warnings(&mut config);
    config
}

fn defaults(member: &Member, passed: &ClientConfig) -> Vec<(&'static str, String)> {
    let mut defaults = vec![
        // A new group starts where the topic starts: an event that came before the worker is an event all the same.
        ("auto.offset.reset", "earliest".to_owned()),
        // With the default of a second the consumer would stall that long each time its queue has been full.
        ("fetch.queue.backoff.ms", "10".to_owned()),
        ("queued.max.messages.kbytes", (member.queue_bytes / 1024).clamp(1024, MOST_QUEUED_KBYTES).to_string()),
        // A bound on what a broker may answer, not on what is asked for: a batch that is larger stands in a topic that allows it.
        ("receive.message.max.bytes", (1_usize << 30).to_string()),
        ("fetch.max.bytes", answer_bytes(member.queue_bytes, passed).to_string()),
        ("max.partition.fetch.bytes", PARTITION_BYTES.to_string()),
        ("statistics.interval.ms", "5000".to_owned()),
        // After an outage of minutes the default would wait up to ten seconds more.
        ("reconnect.backoff.max.ms", "2000".to_owned()),
    ];
    // KIP-848 leaves both to the broker, and librdkafka refuses them there.
    if members_assign(passed) {
        defaults.push(("partition.assignment.strategy", "cooperative-sticky".to_owned()));
        defaults.push(("session.timeout.ms", member.session_timeout.as_millis().to_string()));
        // librdkafka refuses one that is shorter than the session.
        let between_polls = BETWEEN_POLLS.max(member.session_timeout).max(2 * member.longest_pause);
        defaults.push(("max.poll.interval.ms", between_polls.as_millis().to_string()));
        // A member learns of a rebalance by its next heartbeat, and partitions that move stand still until all have: with
        // the default of three seconds for as long as six.
        defaults.push(("heartbeat.interval.ms", "500".to_owned()));
    }
    defaults
}

/// Where a partition begins of which the group never committed anything. Whatever isn't known here librdkafka decides on.
pub(super) fn first(config: &ClientConfig) -> Offset {
    match config.get("auto.offset.reset").map(str::to_ascii_lowercase).as_deref() {
        Some("earliest" | "beginning" | "smallest") => Offset::Beginning,
        Some("latest" | "end" | "largest") => Offset::End,
        _ => Offset::Stored,
    }
}

/// Whether one of the members assigns the partitions, as before KIP-848, where the broker does.
pub(crate) fn members_assign(passed: &ClientConfig) -> bool {
    passed.get("group.protocol").is_none_or(|protocol| protocol.eq_ignore_ascii_case("classic"))
}

/// The most bytes of one answer of a broker. It is held beside the queue, so that it counts towards the worker's memory as well.
/// librdkafka refuses less than what the operator says a message may have.
fn answer_bytes(queue_bytes: usize, passed: &ClientConfig) -> usize {
    let message = passed.get("message.max.bytes").and_then(|bytes| bytes.trim().parse().ok()).unwrap_or(0);
    (queue_bytes / 2).clamp(2 * 1024 * 1024, 50 * 1024 * 1024).max(message)
}

fn owned(member: &Member) -> Vec<(&'static str, String)> {
    let mut owned = vec![
        ("group.id", member.group.clone()),
        ("client.id", member.client.clone()),
        // Aborted records are no input, and an offset under an open transaction is not known yet (KIP-447).
        ("isolation.level", "read_committed".to_owned()),
        // Offsets are committed with the verdicts, or not at all.
        ("enable.auto.commit", "false".to_owned()),
        ("enable.auto.offset.store", "false".to_owned()),
        ("enable.partition.eof", "false".to_owned()),
    ];
    owned.extend(member.instance.clone().map(|instance| ("group.instance.id", instance)));
    owned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member() -> Member {
        Member {
            group: "g".to_owned(),
            client: "c".to_owned(),
            instance: None,
            session_timeout: Duration::from_secs(30),
            longest_pause: Duration::from_secs(5),
            queue_bytes: 16 << 20,
        }
    }

    #[test]
    fn an_operator_overrides_defaults_but_not_what_exactly_once_rests_on() {
        let passed =
            [("auto.offset.reset", "error"), ("isolation.level", "read_uncommitted"), ("enable.auto.commit", "true")];
        let passed = passed.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        let config = properties(&member(), &passed);
        assert_eq!(config.get("auto.offset.reset"), Some("error"));
        assert_eq!(config.get("isolation.level"), Some("read_committed"));
        assert_eq!(config.get("enable.auto.commit"), Some("false"));
        assert_eq!(config.get("group.instance.id"), None);
    }

    #[test]
    fn librdkafka_takes_the_properties_of_either_protocol_whatever_else_is_set() {
        for protocol in [None, Some("classic"), Some("consumer")] {
            for session_timeout in [Duration::from_secs(30), Duration::from_secs(1_800)] {
                let protocol = protocol.map(|protocol| ("group.protocol", protocol));
                let passed = protocol.into_iter().chain([("message.max.bytes", "50000000")]);
                let passed = passed.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                let member = Member { instance: Some("i".to_owned()), session_timeout, ..member() };
                let client: Result<rdkafka::consumer::BaseConsumer, _> = properties(&member, &passed).create();
                assert!(client.is_ok(), "{protocol:?}, {session_timeout:?}: {:?}", client.err());
            }
        }
    }

    #[test]
    fn what_an_operator_passes_decides_over_defaults_made_of_other_properties() {
        let passed = [("message.max.bytes", "5000000"), ("max.poll.interval.ms", "600000")];
        let passed = passed.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        let config = properties(&member(), &passed);
        assert_eq!(config.get("max.poll.interval.ms"), Some("600000"));
        assert_eq!(config.get("fetch.max.bytes"), Some("8388608"), "half of the queue is more");
        assert_eq!(answer_bytes(4 << 20, &passed), 5_000_000);
        assert_eq!(properties(&member(), &ClientConfig::new()).get("max.poll.interval.ms"), Some("300000"));
        let patient = Member { longest_pause: Duration::from_secs(600), queue_bytes: 1 << 40, ..member() };
        let config = properties(&patient, &ClientConfig::new());
        assert_eq!(config.get("max.poll.interval.ms"), Some("1200000"));
        assert!(config.create::<rdkafka::consumer::BaseConsumer>().is_ok(), "librdkafka takes a queue of any size");
    }
}
