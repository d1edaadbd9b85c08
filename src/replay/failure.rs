//! Why a job ends before its history does. Messages name positions, never a record's content.

use std::io;

/// Why a job ends early.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A file can't be read.
    #[error("the records cannot be read")]
    Reading(#[source] io::Error),
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
    #[error("a thread panicked: a bug in attrsync; a `panic` line in the log says where")]
    Panicked,
    /// It was stopped by [`Counter::stop`](super::Counter::stop).
    #[error("interrupted")]
    Stopped,
}
