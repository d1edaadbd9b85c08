//! Whether all is well, in a word and in sentences that say what to look at.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Around, Looked, Reading, Unanswered, shares};
use crate::{
    count::words::times,
    dashboard::board::{Board, tally::Outcomes},
};

/// Events behind from which the lag is worth a look.
const LAG: u64 = 10_000;
/// How long no verdict may come while events wait.
const SILENCE_MS: i64 = 60_000;
/// How long the lag may be unknown, as while the group has no coordinator for a moment.
const UNKNOWN_MS: i64 = 30_000;

/// How it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    /// Nothing to do.
    Ok,
    /// The history is still being read.
    Reading,
    /// Somebody should look.
    Attention,
    /// Verdicts do not come, or can't be read.
    Trouble,
}

/// How it goes, and why.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Status {
    pub(crate) level: Level,
    /// A sentence each; none where there is nothing to do.
    pub(crate) findings: Vec<String>,
}

/// Looks at everything there is.
pub(crate) fn status(board: &Board, around: &Around, now: i64) -> Status {
    let findings = [
        problem(around),
        reading(around),
        missing(around),
        silence(&board.outcomes, around, now),
        unknown(&board.outcomes, around, now),
        behind(around),
        leaderless(around),
        shares::rejected(board, now).map(|risen| (Level::Attention, risen)),
        shares::partial(board, now).map(|risen| (Level::Attention, risen)),
        unreadable(board, now),
    ];
    let findings: Vec<_> = findings.into_iter().flatten().collect();
    Status {
        level: findings.iter().map(|(level, _)| *level).max().unwrap_or(Level::Ok),
        findings: findings.into_iter().map(|(_, finding)| finding).collect(),
    }
}

type Finding = Option<(Level, String)>;

fn problem(around: &Around) -> Finding {
    around.reading.problem.as_ref().map(|problem| (Level::Trouble, format!("The verdicts can't be read: {problem}.")))
}

fn reading(around: &Around) -> Finding {
    let Reading { caught_up, records, problem, .. } = &around.reading;
    (!caught_up && problem.is_none())
        .then(|| (Level::Reading, format!("Reading the history: {records} records so far.")))
}

fn missing(around: &Around) -> Finding {
    let Looked::Missing(what) = &around.lag else { return None };
    Some((Level::Trouble, format!("No events can be judged: {what}.")))
}

/// That the worker is silent. While the verdicts can't be read, or not all have been, nobody knows that here.
fn silence(outcomes: &Outcomes, around: &Around, now: i64) -> Finding {
    let waiting = around.lag.lag().map_or(0, |lag| lag.records);
    let silent = outcomes.last().is_none_or(|last| now - last > SILENCE_MS);
    let read = around.reading.caught_up && around.reading.problem.is_none();
    (read && waiting > 0 && silent).then(|| {
        (
            Level::Trouble,
            format!("No verdict came in the last minute, and {waiting} events wait for one: look at the worker."),
        )
    })
}

/// Without the lag nobody can tell a worker that is down from one that has nothing to do. Where the verdicts can't be read either, that is
/// said, and is of one cause as a rule.
fn unknown(outcomes: &Outcomes, around: &Around, now: i64) -> Finding {
    let Looked::Unknown(Unanswered { since, why }) = &around.lag else { return None };
    if around.reading.problem.is_some() || now - since < UNKNOWN_MS {
        return None;
    }
    let last = match outcomes.last() {
        _ if !around.reading.caught_up => String::new(),
        Some(last) => format!(" The last verdict came {}; look whether a worker runs.", ago(now - last)),
        None => " No verdict has come yet; look whether a worker runs.".to_owned(),
    };
    Some((Level::Attention, format!("How many events wait isn't known: {why}.{last}")))
}

/// How long ago something was, roughly.
fn ago(past_ms: i64) -> String {
    let minutes = past_ms / 60_000;
    match minutes {
        ..=0 => "just now".to_owned(),
        1..=119 => format!("{} ago", times(minutes.unsigned_abs(), "minute", "minutes")),
        _ => format!("{} ago", times(minutes.unsigned_abs() / 60, "hour", "hours")),
    }
}

fn behind(around: &Around) -> Finding {
    let lag = around.lag.lag().map(|lag| lag.records).filter(|records| *records >= LAG)?;
    Some((Level::Attention, format!("The worker is {lag} events behind.")))
}

fn leaderless(around: &Around) -> Finding {
    let unknown = around.lag.lag().map(|lag| lag.unknown).filter(|unknown| *unknown > 0)?;
    Some((Level::Attention, format!("How many events wait isn't known of {unknown} partitions: look at the brokers.")))
}

fn unreadable(board: &Board, now: i64) -> Finding {
    let number = board.unreadable.hour.whole(now);
    (number > 0).then(|| {
        (
            Level::Attention,
            format!("{number} records of the last hour are no verdicts: somebody else writes into their topics."),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dashboard::{
            answers::Lag,
            board::{
                Limits,
                samples::{self, NOW},
            },
        },
        domain::verdict::Outcome,
    };

    fn board(rejected_before: i64, rejected_now: i64) -> Board {
        let mut board = Board::new(Limits { organizations: 1, attributes: 1, verdicts: 1, verdicts_bytes: 1 });
        for number in 0..100 {
            let outcome = |rejected| if number < rejected { Outcome::Rejected } else { Outcome::Accepted };
            samples::feed(&mut board, &samples::verdict(outcome(rejected_before), number), NOW - 1_800_000);
            samples::feed(&mut board, &samples::verdict(outcome(rejected_now), number), NOW);
        }
        board
    }

    fn around(records: u64) -> Around {
        let lag = Looked::Found(Lag { records, at: NOW, unknown: 0, partitions: Vec::new() });
        Around { reading: Reading { caught_up: true, ..Reading::default() }, lag }
    }

    /// A lag that isn't known since this very moment.
    fn unanswered() -> Looked {
        Looked::Unknown(Unanswered { since: NOW, why: "the group is not authorized".to_owned() })
    }

    #[test]
    fn all_is_well_when_nothing_is_out_of_the_ordinary() {
        let status = status(&board(10, 12), &around(3), NOW);
        assert_eq!(status, Status { level: Level::Ok, findings: Vec::new() });
    }

    #[test]
    fn a_rise_of_rejections_is_told_with_both_shares() {
        let status = status(&board(10, 40), &around(3), NOW);
        assert_eq!(status.level, Level::Attention);
        assert!(status.findings[0].contains("40 %") && status.findings[0].contains("10 %"), "{status:?}");
    }

    #[test]
    fn a_silent_worker_is_trouble_only_while_events_wait() {
        assert_eq!(status(&board(0, 0), &around(0), NOW + 120_000).level, Level::Ok);
        assert_eq!(status(&board(0, 0), &around(7), NOW + 120_000).level, Level::Trouble);
        assert_eq!(status(&board(0, 0), &around(20_000), NOW).level, Level::Attention);
    }

    #[test]
    fn a_worker_is_not_called_silent_by_a_dashboard_that_can_not_hear_it() {
        let later = NOW + 120_000;
        let of = |reading| status(&board(0, 0), &Around { reading, ..around(7) }, later);
        let problem = Some("no broker answers".to_owned());
        let unread = of(Reading { caught_up: true, problem, ..Reading::default() });
        assert_eq!(unread.findings, ["The verdicts can't be read: no broker answers."]);
        assert_eq!(of(Reading::default()).level, Level::Reading);
    }

    #[test]
    fn topics_that_cannot_be_read_are_trouble_whatever_else_holds() {
        let reading = Reading { problem: Some("no broker answers".to_owned()), ..Reading::default() };
        let status = status(&board(0, 0), &Around { reading, lag: unanswered() }, NOW + 120_000);
        assert!(status.level == Level::Trouble && status.findings.len() == 1, "{status:?}");
    }

    #[test]
    fn a_lag_that_stays_unknown_is_worth_a_look_and_the_last_verdict_is_told() {
        let around = Around { lag: unanswered(), ..around(0) };
        assert_eq!(status(&board(0, 0), &around, NOW + 20_000).level, Level::Ok);
        let [soon, later] = [NOW + 30_000, NOW + 3 * 3_600_000].map(|now| status(&board(0, 0), &around, now));
        let told = |last| {
            format!(
                "How many events wait isn't known: the group is not authorized. {last}; look whether a worker runs."
            )
        };
        assert_eq!(soon, Status { level: Level::Attention, findings: vec![told("The last verdict came just now")] });
        assert_eq!(
            later,
            Status { level: Level::Attention, findings: vec![told("The last verdict came 3 hours ago")] }
        );
        let empty = Board::new(Limits { organizations: 1, attributes: 1, verdicts: 1, verdicts_bytes: 1 });
        assert_eq!(status(&empty, &around, NOW + 30_000).findings, [told("No verdict has come yet")]);
        let reading = Reading { caught_up: false, ..around.reading };
        let reading = status(&empty, &Around { reading, ..around }, NOW + 30_000);
        assert!(reading.level == Level::Attention && !reading.findings.concat().contains("has come"), "{reading:?}");
    }

    #[test]
    fn a_missing_topic_of_events_is_trouble_and_partitions_that_nobody_leads_are_worth_a_look() {
        let lag = Looked::Missing("there is no topic events".to_owned());
        let missing = status(&board(0, 0), &Around { lag, ..around(0) }, NOW);
        let told = "No events can be judged: there is no topic events.";
        assert_eq!(missing, Status { level: Level::Trouble, findings: vec![told.to_owned()] });
        let lag = Looked::Found(Lag { records: 0, at: NOW, unknown: 2, partitions: Vec::new() });
        let leaderless = status(&board(0, 0), &Around { lag, ..around(0) }, NOW);
        assert_eq!(leaderless.level, Level::Attention);
        assert!(leaderless.findings[0].contains("of 2 partitions"), "{leaderless:?}");
    }

    #[test]
    fn records_that_are_no_verdicts_are_told_of_for_an_hour() {
        let mut board = board(0, 0);
        board.unreadable.add(NOW);
        let told = status(&board, &around(0), NOW);
        assert_eq!((told.level, told.findings.len()), (Level::Attention, 1), "{told:?}");
        assert_eq!(status(&board, &around(0), NOW + 3_600_000).level, Level::Ok);
    }
}
