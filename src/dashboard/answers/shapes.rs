//! Counts and series as they are answered.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    dashboard::board::{
        ring::{Day, Hour, Minute},
        tally::{Outcomes, Recent, Series},
    },
    domain::Reason,
};

/// When the spans of the series begin.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Clock {
    /// Now.
    pub(crate) now: i64,
    /// When `minute` begins; 60 spans of a second.
    pub(crate) minute_from: i64,
    /// When `hour` begins; 60 spans of a minute.
    pub(crate) hour_from: i64,
    /// When `day` begins; 144 spans of ten minutes.
    pub(crate) day_from: i64,
}

impl Clock {
    pub(crate) fn at(now: i64) -> Self {
        Self { now, minute_from: Minute::begin(now), hour_from: Hour::begin(now), day_from: Day::begin(now) }
    }
}

/// How often something happened, and the last hour.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecentView {
    /// Since `reading.from`.
    pub(crate) total: u64,
    /// In the last hour.
    pub(crate) last_hour: u64,
    /// First since `reading.from`.
    pub(crate) first: Option<i64>,
    /// Last.
    pub(crate) last: Option<i64>,
    /// By minute, the oldest first.
    pub(crate) hour: Vec<u32>,
}

impl RecentView {
    pub(crate) fn of(recent: &Recent, now: i64) -> Self {
        let Recent { total, first, last, hour } = recent;
        Self { total: *total, last_hour: hour.whole(now), first: *first, last: *last, hour: hour.until(now) }
    }
}

/// The same, and the last day.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SeriesView {
    #[serde(flatten)]
    pub(crate) recent: RecentView,
    /// In the last day.
    pub(crate) last_day: u64,
    /// By ten minutes, the oldest first.
    pub(crate) day: Vec<u32>,
}

impl SeriesView {
    pub(crate) fn of(series: &Series, now: i64) -> Self {
        Self {
            recent: RecentView::of(&series.recent, now),
            last_day: series.day.whole(now),
            day: series.day.until(now),
        }
    }
}

/// Series by outcome.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct OutcomesView {
    pub(crate) accepted: SeriesView,
    pub(crate) partial: SeriesView,
    pub(crate) rejected: SeriesView,
}

impl OutcomesView {
    pub(crate) fn of(outcomes: &Outcomes, now: i64) -> Self {
        let of = |series| SeriesView::of(series, now);
        Self { accepted: of(&outcomes.accepted), partial: of(&outcomes.partial), rejected: of(&outcomes.rejected) }
    }
}

/// A reason in words (docs/REASONS.md).
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Explained {
    /// The stable code.
    pub(crate) code: String,
    /// The stage that gives it; null for a code that this version doesn't know.
    pub(crate) stage: Option<&'static str>,
    /// What it means.
    pub(crate) meaning: Option<&'static str>,
    /// What the sender should do.
    pub(crate) advice: Option<&'static str>,
}

impl Explained {
    pub(crate) fn of(code: &str) -> Self {
        let reason = Reason::named(code);
        Self {
            code: code.to_owned(),
            stage: reason.map(|reason| reason.stage().name()),
            meaning: reason.map(Reason::meaning),
            advice: reason.map(Reason::advice),
        }
    }
}

/// A reason and how often it was given.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Given {
    pub(crate) reason: Explained,
    pub(crate) verdicts: RecentView,
}

impl Given {
    /// Each reason of a table, the most frequent of the last hour first.
    pub(crate) fn all(table: &crate::count::bounded::Bounded<Recent>, now: i64) -> Vec<Self> {
        let sorted = table.by(|recent| (recent.hour.whole(now), recent.total));
        let given = |(code, recent): (&str, &Recent)| Self {
            reason: Explained::of(code),
            verdicts: RecentView::of(recent, now),
        };
        sorted.into_iter().map(given).collect()
    }
}
