//! Why a job ends before its history does. Messages name positions, never a record's content.

use std::io;

use rdkafka::error::KafkaError;

use crate::{
    source::kafka::{self, LookUpError},
    worker::Fault,
};

/// Why a job ends early.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A file can't be read.
    #[error("the records cannot be read")]
    Reading(#[source] io::Error),
    /// A topic isn't there.
    #[error("topic {topic:?} does not exist; name another one with --topic, or correct kafka.input.topics")]
    NoTopic {
        /// The topic.
        topic: String,
    },
    /// A partition isn't there.
    #[error("topic {topic:?} has no partition {partition}")]
    NoPartition {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
    },
    /// Something about a topic can't be looked up.
    #[error("{what} of topic {topic:?} can't be looked up")]
    LookUp {
        /// What.
        what: &'static str,
        /// The topic.
        topic: String,
        /// Why.
        source: LookUpError,
    },
    /// A client can't be made or told what to read.
    #[error("the client of Kafka can't be used")]
    Client(#[source] KafkaError),
    /// The consumer reads no further.
    #[error(transparent)]
    Consumer(#[from] kafka::Failure),
    /// Nothing comes.
    #[error(
        "for {seconds} s nothing came from {position}: neither a record nor the end; see whether its leader answers"
    )]
    Silent {
        /// Where: topic/partition/offset.
        position: String,
        /// For how long.
        seconds: u64,
    },
    /// A partition ends before what was to be read.
    #[error(
        "topic {topic:?}, partition {partition} ends at offset {end}, and was to be read to {position} or is already: the topic was \
         made anew or cut since; begin a new replay"
    )]
    Recreated {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// Where it ends now.
        end: i64,
        /// Where the replay stands, or is to end.
        position: i64,
    },
    /// The plan of a replay can't be kept or read.
    #[error("the plan of the replay, {path}, can't be used")]
    Plan {
        /// The file.
        path: String,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// A replay of this id was begun before.
    #[error("a replay {id} was begun before; --plans names the folder where its plan is, and --id chooses another id")]
    Begun {
        /// The replay.
        id: String,
    },
    /// Where a replay begins can't be noted.
    #[error("where replay {id} begins can't be committed")]
    Begin {
        /// The replay.
        id: String,
        /// Why.
        source: KafkaError,
    },
    /// Nobody knows any more how far a replay is.
    #[error(
        "how far replay {id} is in topic {topic:?}, partition {partition} is not known here: these are other brokers than those it was \
         begun at, the topic was made anew, or the group's offsets have expired (offsets.retention.minutes). If it is one of the \
         latter, begin a new replay"
    )]
    Lost {
        /// The replay.
        id: String,
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
    },
    /// Delivering failed.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Another process delivers the same replay; or, which a producer can't tell from it, the coordinator ended a transaction of this
    /// one whose time was up.
    #[error(
        "another process goes on with replay {id}, or this one stood still for longer than worker.transaction_timeout_ms; it ends, \
         and nothing is told twice: go on with `attrsync replay --resume {id}` where no other does"
    )]
    Rival {
        /// The replay.
        id: String,
    },
    /// What was found can't be written.
    #[error("the verdicts cannot be written")]
    Writing(#[source] io::Error),
    /// A verdict can't be written as JSON.
    #[error("the verdict of the record at {position} can't be encoded: a bug in attrsync")]
    Unencodable {
        /// The record: topic/partition/offset.
        position: String,
    },
    /// A thread panicked.
    #[error("a thread panicked: a bug in attrsync; a `panic` line says where")]
    Panicked,
    /// It was stopped by [`Counter::stop`](super::Counter::stop).
    #[error("interrupted")]
    Stopped,
}
