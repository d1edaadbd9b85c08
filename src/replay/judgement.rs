//! The judgement of a replay: by which settings, at which time, and of which events.

use std::sync::Arc;

use super::Filter;
use crate::{
    domain::{Arena, EventTime, Record, Snapshot, Verdict},
    worker::judge,
};

/// By which settings records are judged.
#[derive(Clone)]
pub enum By {
    /// All by the same.
    One(Arc<Snapshot>),
}

impl By {
    /// The settings that judge a record.
    #[must_use]
    pub fn snapshot(&self, _record: &Record<'_>) -> &Snapshot {
        match self {
            Self::One(snapshot) => snapshot,
        }
    }
}

/// The judgement of a replay.
#[derive(Clone)]
pub struct Judgement {
    /// By which settings.
    pub by: By,
    /// The time of a record without one.
    pub now: EventTime,
    /// Of which events.
    pub filter: Filter,
}

impl Judgement {
    /// Judges a record; `None` where its event wasn't asked for.
    #[must_use]
    pub fn judge<'a>(&'a self, record: &Record<'a>, arena: &'a Arena) -> Option<Verdict<'a>> {
        let verdict = judge(arena, record, self.by.snapshot(record), self.now);
        self.filter.takes(&verdict).then_some(verdict)
    }
}
