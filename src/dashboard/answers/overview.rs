//! The first view: is it healthy, what is being rejected, for whom, why, since when, and what should they do.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Around, Lag, Reading,
    shapes::{Clock, Explained, OutcomesView, RecentView},
    status::{Status, status},
};
use crate::dashboard::board::{Board, organization::Organization, tally::Recent};

/// How many troubles are listed.
const TROUBLES: usize = 8;
/// Seconds over which a rate is taken.
const RATE_S: u32 = 10;

/// The first view.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Overview {
    pub(crate) clock: Clock,
    pub(crate) status: Status,
    pub(crate) reading: Reading,
    /// Null where the group's offsets can't be looked up.
    pub(crate) lag: Option<Lag>,
    /// Verdicts a second, over the last ten.
    pub(crate) rates: Rates,
    /// The last minute by second.
    pub(crate) minute: Minutes,
    pub(crate) outcomes: OutcomesView,
    /// What is rejected most, the most of the last hour first.
    pub(crate) problems: Vec<Trouble>,
    /// Records in the verdict topics that are no verdicts.
    pub(crate) unreadable: u64,
    /// Verdicts of replays, which are counted here alone.
    pub(crate) replayed: u64,
}

/// Verdicts a second.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Rates {
    pub(crate) accepted: f64,
    pub(crate) partial: f64,
    pub(crate) rejected: f64,
}

/// Verdicts by second.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Minutes {
    pub(crate) accepted: Vec<u32>,
    pub(crate) partial: Vec<u32>,
    pub(crate) rejected: Vec<u32>,
}

/// One organization's trouble with one reason.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Trouble {
    /// Null for events of which it isn't known whom they concern.
    pub(crate) organization: Option<String>,
    pub(crate) reason: Explained,
    pub(crate) verdicts: RecentView,
}

/// Answers it.
pub(crate) fn overview(board: &Board, around: &Around, now: i64) -> Overview {
    let [accepted, partial, rejected] = &board.live;
    // The current second isn't over yet.
    let rate = |live: &crate::dashboard::board::ring::Minute| {
        let number = u32::try_from(live.sum(now - 1_000, RATE_S as usize)).unwrap_or(u32::MAX);
        f64::from(number) / f64::from(RATE_S)
    };
    let minute = |live: &crate::dashboard::board::ring::Minute| live.until(now - 1_000);
    Overview {
        clock: Clock { minute_from: Clock::at(now - 1_000).minute_from, ..Clock::at(now) },
        status: status(board, around, now),
        reading: around.reading.clone(),
        lag: around.lag.lag().cloned(),
        rates: Rates { accepted: rate(accepted), partial: rate(partial), rejected: rate(rejected) },
        minute: Minutes { accepted: minute(accepted), partial: minute(partial), rejected: minute(rejected) },
        outcomes: OutcomesView::of(&board.outcomes, now),
        problems: troubles(board, now),
        unreadable: board.unreadable.total,
        replayed: board.replayed.total,
    }
}

fn troubles(board: &Board, now: i64) -> Vec<Trouble> {
    let named = board.organizations.iter().map(|(slug, organization)| (Some(slug), organization));
    let reasons = |(slug, organization): (Option<&str>, &Organization)| -> Vec<(Option<String>, String, Recent)> {
        // No more of one organization can be listed.
        let most = organization.reasons.by(|recent| (recent.hour.whole(now), recent.total)).into_iter().take(TROUBLES);
        most.map(|(code, recent)| (slug.map(str::to_owned), code.to_owned(), recent.clone())).collect()
    };
    let mut all: Vec<_> = named.chain([(None, &board.nobody)]).flat_map(reasons).collect();
    all.sort_by_cached_key(|(_, _, recent)| std::cmp::Reverse((recent.hour.whole(now), recent.total)));
    all.truncate(TROUBLES);
    let trouble = |(organization, code, recent): (_, String, Recent)| Trouble {
        organization,
        reason: Explained::of(&code),
        verdicts: RecentView::of(&recent, now),
    };
    all.into_iter().map(trouble).collect()
}
