//! The one name of a librdkafka property that has two: librdkafka's own, and mostly Kafka's. Properties are called by one of them
//! wherever they were given, so that whoever asks for one, sets a default or says whose it is need not know the other, and a
//! layer replaces what the one below it gave under either.

/// The other names that librdkafka takes (`_RK_C_ALIAS` in its `rdkafka_conf.c`), each with the one that is used here. Left out is
/// `enable.auto.commit`, another name of the topic's `auto.commit.enable` alone: the client has a property of this name itself.
const OTHER_NAMES: [(&str, &str); 11] = [
    ("metadata.broker.list", "bootstrap.servers"),
    ("max.in.flight", "max.in.flight.requests.per.connection"),
    ("sasl.mechanisms", "sasl.mechanism"),
    ("sasl.oauthbearer.client.credentials.client.id", "sasl.oauthbearer.client.id"),
    ("sasl.oauthbearer.client.credentials.client.secret", "sasl.oauthbearer.client.secret"),
    ("fetch.message.max.bytes", "max.partition.fetch.bytes"),
    ("queue.buffering.max.ms", "linger.ms"),
    ("message.send.max.retries", "retries"),
    ("compression.codec", "compression.type"),
    ("request.required.acks", "acks"),
    ("delivery.timeout.ms", "message.timeout.ms"),
];

/// What librdkafka lets stand before a property of topics.
const OF_TOPICS: &str = "topic.";

/// Properties of the client that begin so all the same.
const OF_THE_CLIENT: [&str; 2] = ["topic.metadata.", "topic.blacklist"];

/// The name that a property is called by.
pub(super) fn name(given: &str) -> &str {
    let of_the_client = OF_THE_CLIENT.iter().any(|begin| given.starts_with(begin));
    let bare = given.strip_prefix(OF_TOPICS).filter(|_| !of_the_client).unwrap_or(given);
    OTHER_NAMES.iter().find(|(other, _)| *other == bare).map_or(bare, |(_, name)| *name)
}

/// The other name of a property, if it has one.
pub(super) fn other_name(name: &str) -> Option<&'static str> {
    OTHER_NAMES.iter().find(|(_, known)| *known == name).map(|(other, _)| *other)
}

#[cfg(test)]
mod tests {
    use rdkafka::ClientConfig;

    use super::*;

    #[test]
    fn librdkafka_means_the_same_by_both_names() {
        for (other, one) in OTHER_NAMES {
            let value = match one {
                "sasl.mechanism" => "PLAIN",
                "compression.type" => "gzip",
                _ => "7",
            };
            for (given, asked) in [(other, one), (one, other)] {
                let native = ClientConfig::new().set(given, value).create_native_config().unwrap();
                assert_eq!(native.get(asked).unwrap(), value, "{given} is not {asked}");
            }
            assert_eq!((name(other), name(one), other_name(one)), (one, one, Some(other)));
        }
    }

    #[test]
    fn what_stands_before_a_property_of_topics_is_left_off() {
        let native = ClientConfig::new().set("topic.acks", "1").create_native_config().unwrap();
        assert_eq!(native.get("acks").unwrap(), "1", "librdkafka takes it so");
        assert_eq!(name("topic.request.required.acks"), "acks");
        assert_eq!(name("topic.auto.offset.reset"), "auto.offset.reset");
        for own in ["topic.metadata.refresh.interval.ms", "topic.blacklist", "ssl.ca.location"] {
            assert!(ClientConfig::new().set(own, "7").create_native_config().is_ok(), "{own}");
            assert_eq!((name(own), other_name(own)), (own, None));
        }
    }
}
