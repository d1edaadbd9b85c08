//! The judgement of a replay: by which settings, at which time, and of which events.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use super::{Filter, Judged};
use crate::{
    domain::{Arena, EventTime, Record, Snapshot, Verdict},
    store::Timeline,
    worker::judge,
};

/// By which settings records are judged.
#[derive(Clone)]
pub enum By {
    /// All by the same.
    One(Arc<Snapshot>),
    /// Each as the settings were when it came.
    Time(Arc<Timeline>),
    /// Each by those that judged it live.
    Judged(Arc<AsJudged>),
}

/// The settings that judged live.
pub struct AsJudged {
    judged: Judged,
    timeline: Timeline,
    guessed: AtomicU64,
}

impl AsJudged {
    /// What the verdict topics tell, and the settings of each version.
    #[must_use]
    pub fn new(judged: Judged, timeline: Timeline) -> Self {
        Self { judged, timeline, guessed: AtomicU64::new(0) }
    }

    /// Events that no live verdict was found for, or one of a version that the history of the settings doesn't have: these were
    /// judged as the settings were when they came.
    #[must_use]
    pub fn guessed(&self) -> u64 {
        self.guessed.load(Relaxed)
    }

    fn snapshot(&self, record: &Record<'_>, now: EventTime) -> &Snapshot {
        let version = self.judged.version(record.position);
        version.and_then(|version| self.timeline.of_version(version)).unwrap_or_else(|| {
            self.guessed.fetch_add(1, Relaxed);
            self.timeline.at(record.timestamp.unwrap_or(now))
        })
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
        let snapshot = match &self.by {
            By::One(snapshot) => snapshot,
            By::Time(timeline) => timeline.at(record.timestamp.unwrap_or(self.now)),
            By::Judged(as_judged) => as_judged.snapshot(record, self.now),
        };
        let verdict = judge(arena, record, snapshot, self.now);
        self.filter.takes(&verdict).then_some(verdict)
    }
}
