//! Rejections by reason.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Reading,
    shapes::{Clock, Explained, SeriesView},
};
use crate::dashboard::board::Board;

/// How many organizations are named at each reason.
const NAMED: usize = 5;

/// Every reason that was given.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Reasons {
    pub(crate) clock: Clock,
    pub(crate) reading: Reading,
    /// The most frequent of the last hour first.
    pub(crate) reasons: Vec<ReasonRow>,
}

/// One reason, and whom it concerns.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct ReasonRow {
    pub(crate) reason: Explained,
    /// Verdicts with it: of the whole event, or of something that was rejected of it.
    pub(crate) verdicts: SeriesView,
    /// Those that it concerns most, five at most.
    pub(crate) organizations: Vec<Concerned>,
}

/// An organization that a reason concerns.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Concerned {
    /// Null for events of which it isn't known whom they concern.
    pub(crate) organization: Option<String>,
    pub(crate) last_hour: u64,
    pub(crate) total: u64,
}

/// Answers them.
pub(crate) fn reasons(board: &Board, reading: Reading, now: i64) -> Reasons {
    let sorted = board.reasons.by(|series| (series.recent.hour.whole(now), series.recent.total));
    let row = |(code, series)| ReasonRow {
        reason: Explained::of(code),
        verdicts: SeriesView::of(series, now),
        organizations: concerned(board, code, now),
    };
    Reasons { clock: Clock::at(now), reading, reasons: sorted.into_iter().map(row).collect() }
}

fn concerned(board: &Board, code: &str, now: i64) -> Vec<Concerned> {
    let named = board.organizations.iter().map(|(slug, organization)| (Some(slug), organization));
    let mut all: Vec<_> = named
        .chain([(None, &board.nobody)])
        .filter_map(|(slug, organization)| Some((slug, organization.reasons.get(code)?)))
        .map(|(slug, recent)| (recent.hour.whole(now), recent.total, slug))
        .collect();
    all.sort_by_key(|(hour, total, slug)| (std::cmp::Reverse((*hour, *total)), *slug));
    let concerned = |(last_hour, total, slug): (u64, u64, Option<&str>)| Concerned {
        organization: slug.map(str::to_owned),
        last_hour,
        total,
    };
    all.into_iter().take(NAMED).map(concerned).collect()
}
