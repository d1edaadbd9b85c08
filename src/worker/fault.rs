//! Faults: what goes wrong on our side (broker, network, bug). A fault never becomes a record and a rejection never becomes
//! a fault; nothing converts one into the other. A fault leaves the batch uncommitted and says which [`Remedy`] puts
//! the shard back to where the batch began. Messages name topics, ids and offsets, never a record's content.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::{
    native::CallError,
    source::kafka::{Failure, LookUpError, is_refusal, lacking},
};

/// Something went wrong on our side.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Two timeouts contradict each other.
    #[error("{shorter} ({shorter_ms}) must be less than {longer} ({longer_ms}); lower the first or raise the second")]
    Timeouts {
        /// The one that has to be shorter.
        shorter: &'static str,
        /// Its value.
        shorter_ms: u128,
        /// The one that has to be longer.
        longer: &'static str,
        /// Its value.
        longer_ms: u128,
    },
    /// A topic isn't there.
    #[error("topic {topic:?} does not exist on {brokers}; create it (`attrsync topics create`) or correct the name")]
    TopicMissing {
        /// The topic.
        topic: String,
        /// Where it was looked for.
        brokers: String,
    },
    /// The brokers don't say what a topic has.
    #[error("topic {topic:?}: {source}")]
    TopicRefused {
        /// The topic.
        topic: String,
        /// Why.
        source: LookUpError,
    },
    /// A client can't be made, because of its properties as a rule.
    #[error("{client}: {source}")]
    Client {
        /// Which client.
        client: String,
        /// Why.
        source: KafkaError,
    },
    /// No broker answers.
    #[error("no broker of {brokers} answers; last: {last}")]
    Unreachable {
        /// The brokers.
        brokers: String,
        /// What the last try failed of.
        last: String,
    },
    /// The consumer reads no further.
    #[error(transparent)]
    Reading(Failure),
    /// A position can't be looked up or changed.
    #[error("the position of a partition can't be looked up or changed: {source}")]
    Position {
        /// Why.
        source: KafkaError,
        /// Whether the try before failed at the same.
        again: bool,
    },
    /// The transaction failed and was aborted.
    #[error(
        "{id}: {call} failed, the batch was aborted: {source}{}{}",
        .delivery.map(|code| format!("; first delivery error: {code}")).unwrap_or_default(),
        advice(source.code)
    )]
    Aborted {
        /// The transactional id.
        id: String,
        /// The call.
        call: &'static str,
        /// Why it failed.
        source: CallError,
        /// The first error of a record's delivery.
        delivery: Option<RDKafkaErrorCode>,
    },
    /// The producer is fatally broken, or nobody knows how its last call ended.
    #[error("{id}: {call} failed and its producer is given up: {source}{}", advice(source.code))]
    Lost {
        /// The transactional id.
        id: String,
        /// The call.
        call: &'static str,
        /// Why it failed.
        source: CallError,
    },
    /// The partitions were taken from us before the batch was done.
    #[error("the assignment was lost before the batch was committed")]
    AssignmentLost,
    /// The judgement panicked.
    #[error("judging the record at {position} panicked: a bug in attrsync; a `panic` line in the log says where")]
    Panicked {
        /// The record: topic/partition/offset.
        position: String,
    },
    /// A record came a second time, or out of order. librdkafka does that where a group without committed offsets loses its session
    /// before it was told where a partition begins: the late answer makes it ask once more, and go back.
    #[error(
        "record {position} came when {expected} was due: the client went back by itself; nothing of the batch is committed"
    )]
    OutOfOrder {
        /// The record: topic/partition/offset.
        position: String,
        /// The least offset that could come.
        expected: i64,
    },
    /// A verdict can't be written.
    #[error("the verdict of the record at {position} can't be encoded: a bug in attrsync")]
    Unencodable {
        /// The record: topic/partition/offset.
        position: String,
    },
    /// A fault that persists.
    #[error("shard {shard}: {}{last}", if *.tries > 0 { format!("given up after {tries} tries: ") } else { String::new() })]
    Persistent {
        /// The shard.
        shard: usize,
        /// How many tries failed in a row; none where there was no point in one.
        tries: u32,
        /// The last one.
        last: Box<Fault>,
    },
    /// A shard's thread can't be started or ended in a panic outside the judgement.
    #[error("shard {shard}: its thread {what}: a bug in attrsync or a lack of memory")]
    Thread {
        /// The shard.
        shard: usize,
        /// What happened to it.
        what: &'static str,
    },
}

/// What puts a shard back to where its batch began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Read the batch again from its first offsets: nothing of it is committed, that is certain.
    Rewind,
    /// A new producer under the same id, which ends whatever its predecessor left open; then read on from what the group
    /// has committed, since only the broker knows.
    Rebuild,
    /// A new consumer, which reads on from what the group has committed. No transaction is open by then: the batch in hand was
    /// aborted, or its producer was rebuilt first.
    Rejoin,
    /// Wait until a broker answers.
    Wait,
    /// None: the process ends, and its supervisor starts it anew.
    End,
}

impl Fault {
    pub(crate) fn remedy(&self) -> Remedy {
        match self {
            // The consumer doesn't know it yet; reading on with it would end the same way.
            Self::Aborted { source, .. } if source.code == RDKafkaErrorCode::FencedInstanceId => Remedy::Rejoin,
            // The group has gone on without it, perhaps past this batch, and a static member isn't told that what it has was lost.
            Self::Aborted { source, .. } if source.code == RDKafkaErrorCode::UnknownMemberId => Remedy::Rejoin,
            // Nothing is sent by this producer any more.
            Self::Aborted { source, .. } if source.code == RDKafkaErrorCode::Fatal => Remedy::Rebuild,
            // Perhaps it would never be delivered: see `native::Log::misled`.
            Self::Aborted { delivery: Some(RDKafkaErrorCode::MessageTimedOut), .. } => Remedy::Rebuild,
            Self::Aborted { .. } | Self::AssignmentLost | Self::Panicked { .. } | Self::Unencodable { .. } => {
                Remedy::Rewind
            }
            Self::Lost { source, .. } if refused(source.code) => Remedy::End,
            // Whatever it is that this consumer waits for, another one may not.
            Self::Position { again: true, .. } => Remedy::Rejoin,
            Self::Lost { .. } | Self::Position { .. } => Remedy::Rebuild,
            Self::Reading(Failure::Fenced { .. } | Failure::Misled | Failure::Broken(_)) | Self::OutOfOrder { .. } => {
                Remedy::Rejoin
            }
            Self::Unreachable { .. } => Remedy::Wait,
            Self::Timeouts { .. }
            | Self::TopicMissing { .. }
            | Self::TopicRefused { .. }
            | Self::Client { .. }
            | Self::Reading(Failure::Unreadable { .. })
            | Self::Persistent { .. }
            | Self::Thread { .. } => Remedy::End,
        }
    }

    /// This fault, of the try that was to get over another one.
    pub(crate) fn after(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Position { source, .. }, Self::Position { .. }) => Self::Position { source, again: true },
            (fault, _) => fault,
        }
    }

    /// Whether the batch may have been committed: nobody answered to its commit.
    pub(crate) fn may_be_committed(&self) -> bool {
        matches!(self, Self::Lost { call: "commit_transaction", .. }) && !self.is_fenced()
    }

    /// Whether another producer has this one's id.
    pub(crate) fn is_fenced(&self) -> bool {
        use RDKafkaErrorCode as Code;
        let (Self::Lost { source, .. } | Self::Aborted { source, .. }) = self else { return false };
        matches!(source.code, Code::Fenced | Code::ProducerFenced)
    }
}

/// What to look for when a shard was fenced or refused.
fn advice(code: RDKafkaErrorCode) -> &'static str {
    use RDKafkaErrorCode as Code;
    match code {
        Code::Fenced | Code::ProducerFenced => {
            "; the broker timed its transaction out, or another producer has this id: give each process a kafka.instance of its own, each deployment a \
             kafka.transactional_id_prefix"
        }
        Code::FencedInstanceId => "; another consumer has this name: give each process a kafka.instance of its own",
        code => lacking(code),
    }
}

/// Whether the broker refuses this client for what it is: no new try changes that.
pub(super) fn refused(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    is_refusal(code)
        || matches!(code, Code::UnsupportedVersion | Code::UnsupportedFeature | Code::InvalidTransactionTimeout)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::CallClass;

    fn source(code: RDKafkaErrorCode, class: CallClass) -> CallError {
        CallError { code, class, text: "refused".to_owned() }
    }

    fn aborted(code: RDKafkaErrorCode) -> Fault {
        let source = source(code, CallClass::RequiresAbort);
        Fault::Aborted { id: "id".to_owned(), call: "commit_transaction", source, delivery: None }
    }

    fn lost(code: RDKafkaErrorCode) -> Fault {
        Fault::Lost { id: "id".to_owned(), call: "commit_transaction", source: source(code, CallClass::Lost) }
    }

    #[test]
    fn an_aborted_batch_is_read_again_but_not_by_a_consumer_that_is_fenced() {
        assert_eq!(aborted(RDKafkaErrorCode::IllegalGeneration).remedy(), Remedy::Rewind);
        assert_eq!(aborted(RDKafkaErrorCode::FencedInstanceId).remedy(), Remedy::Rejoin);
        assert_eq!(aborted(RDKafkaErrorCode::UnknownMemberId).remedy(), Remedy::Rejoin);
        assert_eq!(aborted(RDKafkaErrorCode::Fatal).remedy(), Remedy::Rebuild, "its producer is at its end");
        let mut late = aborted(RDKafkaErrorCode::State);
        if let Fault::Aborted { delivery, .. } = &mut late {
            *delivery = Some(RDKafkaErrorCode::MessageTimedOut);
        }
        assert_eq!(late.remedy(), Remedy::Rebuild, "by a producer that may never deliver it");
    }

    #[test]
    fn a_consumer_that_can_not_look_a_position_up_twice_in_a_row_is_replaced() {
        let position = || Fault::Position { source: KafkaError::Canceled, again: false };
        assert_eq!(position().remedy(), Remedy::Rebuild);
        assert_eq!(position().after(&Fault::AssignmentLost).remedy(), Remedy::Rebuild);
        assert_eq!(position().after(&position()).remedy(), Remedy::Rejoin);
    }

    #[test]
    fn a_consumer_that_went_back_by_itself_is_replaced_by_one_that_begins_at_what_is_committed() {
        let fault = Fault::OutOfOrder { position: "events/0/0".to_owned(), expected: 20 };
        assert_eq!(fault.remedy(), Remedy::Rejoin);
    }

    #[test]
    fn a_producer_that_is_given_up_is_replaced_unless_the_broker_refuses_it_for_what_it_is() {
        assert_eq!(lost(RDKafkaErrorCode::OperationTimedOut).remedy(), Remedy::Rebuild);
        assert_eq!(lost(RDKafkaErrorCode::TransactionalIdAuthorizationFailed).remedy(), Remedy::End);
    }

    #[test]
    fn a_batch_may_be_committed_where_nobody_answered_and_not_where_another_was_faster() {
        assert!(lost(RDKafkaErrorCode::OperationTimedOut).may_be_committed());
        assert!(!lost(RDKafkaErrorCode::Fenced).may_be_committed());
        assert!(!aborted(RDKafkaErrorCode::OperationTimedOut).may_be_committed());
    }

    #[test]
    fn whoever_is_fenced_is_told_where_to_look_for_the_other() {
        for fault in [aborted(RDKafkaErrorCode::FencedInstanceId), lost(RDKafkaErrorCode::Fenced)] {
            let line = fault.to_string();
            assert!(line.contains("kafka.instance of its own") && !line.contains('\n'), "{line}");
        }
        assert!(!lost(RDKafkaErrorCode::OperationTimedOut).to_string().contains("another"));
    }
}
