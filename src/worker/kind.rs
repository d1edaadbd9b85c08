//! What faults are called where they are counted: a closed list, so that a label never holds what a broker or a sender said.

use rdkafka::error::RDKafkaErrorCode as Code;

use super::fault::Fault;
use crate::source::kafka::Failure;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident $name:literal)*) => {
        /// A kind of fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Kind { $($(#[$doc])* $variant,)* }

        impl Kind {
            /// All of them, in order.
            pub(super) const ALL: &'static [Kind] = &[$(Kind::$variant,)*];

            /// The name, as it stands in the metric.
            pub(super) fn name(self) -> &'static str {
                match self { $(Kind::$variant => $name,)* }
            }
        }
    };
}

kinds! {
    /// A transaction failed and was aborted.
    Aborted "aborted"
    /// The partitions were taken away first.
    AssignmentLost "assignment_lost"
    /// A producer is broken, or nobody knows how its last call ended.
    Producer "producer"
    /// A consumer is broken, or went back by itself.
    Consumer "consumer"
    /// Another producer has its id, or another consumer its name.
    Fenced "fenced"
    /// The topic can't be read.
    Unreadable "unreadable"
    /// A position can't be looked up or changed.
    Position "position"
    /// No broker answers.
    Unreachable "unreachable"
    /// A bug of ours: the judgement panicked, a verdict can't be encoded.
    Bug "bug"
    /// What only the start of a worker knows.
    Start "start"
}

impl Kind {
    /// What a fault counts as.
    pub(super) fn of(fault: &Fault) -> Self {
        match fault {
            fault if fault.is_fenced() => Self::Fenced,
            Fault::Aborted { source, .. } | Fault::Lost { source, .. } if source.code == Code::FencedInstanceId => {
                Self::Fenced
            }
            Fault::Aborted { .. } => Self::Aborted,
            Fault::AssignmentLost => Self::AssignmentLost,
            Fault::Lost { .. } => Self::Producer,
            Fault::Reading(Failure::Fenced { .. }) => Self::Fenced,
            Fault::Reading(Failure::Broken(_) | Failure::Misled) | Fault::OutOfOrder { .. } => Self::Consumer,
            Fault::Reading(Failure::Unreadable { .. }) => Self::Unreadable,
            Fault::Position { .. } => Self::Position,
            Fault::Unreachable { .. } => Self::Unreachable,
            Fault::Panicked { .. } | Fault::Unencodable { .. } | Fault::Thread { .. } => Self::Bug,
            Fault::Persistent { last, .. } => Self::of(last),
            Fault::Timeouts { .. } | Fault::TopicMissing { .. } | Fault::TopicRefused { .. } | Fault::Client { .. } => {
                Self::Start
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::{CallClass, CallError};

    fn lost(code: Code) -> Fault {
        let source = CallError { code, class: CallClass::Lost, text: "refused".to_owned() };
        Fault::Lost { id: "id".to_owned(), call: "commit_transaction", source }
    }

    fn aborted(code: Code) -> Fault {
        let source = CallError { code, class: CallClass::RequiresAbort, text: "refused".to_owned() };
        Fault::Aborted { id: "id".to_owned(), call: "commit_transaction", source, delivery: None }
    }

    #[test]
    fn whoever_is_fenced_counts_as_that_whether_its_producer_meets_it_or_its_consumer() {
        let consumer = Failure::Fenced { group: "group".to_owned(), instance: "a-0".to_owned() };
        let last = Box::new(lost(Code::ProducerFenced));
        for fault in [
            lost(Code::Fenced),
            aborted(Code::ProducerFenced),
            aborted(Code::FencedInstanceId),
            Fault::Reading(consumer),
            Fault::Persistent { shard: 0, tries: 3, last },
        ] {
            assert_eq!(Kind::of(&fault), Kind::Fenced, "{fault}");
        }
        assert_eq!(Kind::of(&lost(Code::OperationTimedOut)), Kind::Producer);
        assert_eq!(Kind::of(&aborted(Code::IllegalGeneration)), Kind::Aborted);
    }
}
