//! What faults are called where they are counted: a closed list, so that a label never holds what a broker or a sender said.

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
    /// Another consumer has its name.
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
            Fault::Aborted { .. } => Self::Aborted,
            Fault::AssignmentLost => Self::AssignmentLost,
            Fault::Lost { .. } => Self::Producer,
            Fault::Reading(Failure::Fenced { .. }) => Self::Fenced,
            Fault::Reading(Failure::Broken(_) | Failure::Misled) | Fault::OutOfOrder { .. } => Self::Consumer,
            Fault::Reading(Failure::Unreadable(_)) => Self::Unreadable,
            Fault::Position { .. } => Self::Position,
            Fault::Unreachable { .. } => Self::Unreachable,
            Fault::Panicked { .. } | Fault::Unencodable { .. } | Fault::Thread { .. } => Self::Bug,
            Fault::Persistent { last, .. } => Self::of(last),
            Fault::Timeouts { .. } | Fault::TopicMissing { .. } | Fault::Client { .. } => Self::Start,
        }
    }
}
