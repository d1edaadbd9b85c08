//! What the API answers: the board, the reader's state and the lag as plain types, which are serialized and documented by the same
//! derives. Pure; times are milliseconds since 1970.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod organizations;
mod overview;
mod reasons;
mod shapes;
mod shares;
mod status;
mod verdicts;

pub(crate) use organizations::{OrganizationPage, Organizations, organization, organizations};
pub(crate) use overview::{Overview, overview};
pub(crate) use reasons::{Reasons, reasons};
pub(crate) use verdicts::{VerdictPage, Verdicts, verdict, verdicts};

use schemars::JsonSchema;
use serde::Serialize;

/// How the reading of the topics goes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reading {
    /// From when on verdicts were read, accepted and rejected ones alike: totals begin there.
    pub(crate) from: i64,
    /// Whether there was more than dashboard.window_records, so that `from` is later than dashboard.window_h says.
    pub(crate) cut: bool,
    /// Whether the topics have been read to their ends, and the reading is close to them now: false again while it is ten thousand
    /// records behind, or more.
    pub(crate) caught_up: bool,
    /// Records read so far. A partial verdict is two.
    pub(crate) records: u64,
    /// Why the topics can't be read at the moment.
    pub(crate) problem: Option<String>,
}

/// How far the worker is behind.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Lag {
    /// Events that have no verdict yet, over all partitions.
    pub(crate) records: u64,
    /// When that was looked up.
    pub(crate) at: i64,
    /// Partitions of which it isn't known: nobody leads them, as a rule.
    pub(crate) unknown: usize,
    /// The same by partition, of those of which it is.
    pub(crate) partitions: Vec<PartitionLag>,
}

/// How far the worker is behind on one partition.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct PartitionLag {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) records: u64,
}

/// What looking for the lag came to.
#[derive(Debug, Clone, Default)]
pub(crate) enum Looked {
    /// Nobody has looked yet.
    #[default]
    Never,
    /// It can't be looked up.
    Unknown(Unanswered),
    /// A topic of events isn't there, in words.
    Missing(String),
    /// This.
    Found(Lag),
}

/// Why the lag isn't known.
#[derive(Debug, Clone)]
pub(crate) struct Unanswered {
    /// Since when.
    pub(crate) since: i64,
    /// What the cluster says, in words.
    pub(crate) why: String,
}

impl Looked {
    /// The lag, where it is known.
    pub(crate) fn lag(&self) -> Option<&Lag> {
        if let Self::Found(lag) = self { Some(lag) } else { None }
    }
}

/// What is known beside the board.
#[derive(Debug, Clone, Default)]
pub(crate) struct Around {
    pub(crate) reading: Reading,
    pub(crate) lag: Looked,
}
