//! Why a consumer reads no further, and whether another one in its place would; and how librdkafka says that nobody answers.

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use super::lacking;

/// Why a consumer reads no further: what was read since the last commit must not be committed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Another consumer joined as the same static member. It may have been an earlier join of this very one whose answer got
    /// lost with the connection.
    #[error(
        "group {group:?} has another consumer as its static member {instance:?}; where that is another process, give each \
         a kafka.instance of its own"
    )]
    Fenced {
        /// The group.
        group: String,
        /// The static member.
        instance: String,
    },
    /// It was told that nobody leads a partition, and may never ask for that partition again.
    #[error("a partition had no leader for a moment, which the consumer may never get over")]
    Misled,
    /// This consumer is broken for good, and nothing says that a new one would be.
    #[error("the consumer is broken: {0}")]
    Broken(KafkaError),
    /// Records may have been passed over, or the broker refuses to hand out any. A new consumer would fare no better.
    #[error("reading {what}: {source}{}", .source.rdkafka_error_code().map_or("", lacking))]
    Unreadable {
        /// What can't be read: topics, or the group's part of them.
        what: String,
        /// Why.
        source: KafkaError,
    },
}

/// The failure of a reader of these topics in this group.
pub(super) fn unreadable(source: KafkaError, group: &str, topics: &[String]) -> Failure {
    let what = match source.rdkafka_error_code() {
        Some(Code::GroupAuthorizationFailed) => format!("as group {group:?}"),
        _ => topics.join(", "),
    };
    Failure::Unreadable { what, source }
}

/// Whether librdkafka passes over a batch that it can't read or a position that it can't find, or none will come for
/// what this client is.
pub(super) fn is_unreadable(error: &KafkaError) -> bool {
    error.rdkafka_error_code().is_some_and(|code| {
        matches!(
            code,
            Code::BadMessage
                | Code::BadCompression
                | Code::InvalidMessage
                | Code::InvalidMessageSize
                | Code::MessageSizeTooLarge
                | Code::UnsupportedCompressionType
                | Code::NotImplemented
                | Code::AutoOffsetReset
                | Code::NoOffset
                | Code::LogTruncation
                | Code::TopicAuthorizationFailed
                | Code::GroupAuthorizationFailed
                | Code::InconsistentGroupProtocol
                | Code::InvalidSessionTimeout
                | Code::InvalidGroupId
        )
    })
}

/// Whether a connection to a broker failed. That all are down is not told reliably: a cluster of one that goes away while
/// nothing is read is told as one broker after the other.
pub(super) fn is_unreachable(code: Code) -> bool {
    matches!(
        code,
        Code::AllBrokersDown | Code::BrokerTransportFailure | Code::Resolve | Code::Authentication | Code::SSL
    )
}

/// Whether librdkafka says with this code that nobody answered a question.
pub(super) fn is_silence(code: Code) -> bool {
    is_unreachable(code) || matches!(code, Code::OperationTimedOut | Code::RequestTimedOut | Code::TimedOutQueue)
}

/// Whether the consumer itself is at its end.
pub(super) fn is_fatal(error: &KafkaError) -> bool {
    matches!(error, KafkaError::MessageConsumptionFatal(_))
        || matches!(error.rdkafka_error_code(), Some(Code::Fatal | Code::FencedInstanceId))
}
