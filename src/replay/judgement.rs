//! The judgement of a replay: by which settings, at which time, and of which events.

use std::sync::Arc;

use super::{Filter, Judged, Tally};
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
}

impl AsJudged {
    /// What the verdict topics tell, and the settings of each version.
    #[must_use]
    pub fn new(judged: Judged, timeline: Timeline) -> Self {
        Self { judged, timeline }
    }

    /// Those that judged this record; none where no live verdict tells which they were, or tells of a version that the history of the
    /// settings doesn't have.
    fn snapshot(&self, record: &Record<'_>) -> Option<&Snapshot> {
        self.judged.version(record.position).and_then(|version| self.timeline.of_version(version))
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
    /// Judges a record and counts its verdict; `None` where its event wasn't asked for.
    #[must_use]
    pub fn judge<'a>(&'a self, record: &Record<'a>, arena: &'a Arena, tally: &mut Tally) -> Option<Verdict<'a>> {
        tally.read += 1;
        let (snapshot, guessed) = self.snapshot(record);
        let verdict = judge(arena, record, snapshot, self.now);
        if !self.filter.takes(&verdict) {
            return None;
        }
        tally.count(&verdict);
        tally.guessed += u64::from(guessed);
        Some(verdict)
    }

    /// The settings that judge a record, and whether they only stand in for those that judged it live.
    fn snapshot(&self, record: &Record<'_>) -> (&Snapshot, bool) {
        let time = record.timestamp.unwrap_or(self.now);
        match &self.by {
            By::One(snapshot) => (snapshot, false),
            By::Time(timeline) => (timeline.at(time), false),
            By::Judged(as_judged) => match as_judged.snapshot(record) {
                Some(snapshot) => (snapshot, false),
                None => (as_judged.timeline.at(time), true),
            },
        }
    }
}
