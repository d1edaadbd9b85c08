//! Whether rejected or partial verdicts have come to be a larger share of all than they were in the hour before.

use crate::dashboard::board::{
    Board,
    ring::Hour,
    tally::{Outcomes, Series},
};

/// Minutes that count as just now.
const RECENT_MIN: usize = 5;
/// The least number of verdicts in them from which a share says something.
const ENOUGH: u64 = 20;
/// The share, in percent, below which nothing is made of it.
const QUIET_PERCENT: u64 = 5;

/// That rejected verdicts have risen.
pub(super) fn rejected(board: &Board, now: i64) -> Option<String> {
    let (recent, before) = risen(&board.outcomes, |outcomes| &outcomes.rejected, now)?;
    Some(format!("Rejections have risen: {recent} % of the last five minutes, {before} % of the hour before."))
}

/// That partial verdicts have risen, as they do where an attribute was just locked, and what for.
pub(super) fn partial(board: &Board, now: i64) -> Option<String> {
    let (recent, before) = risen(&board.outcomes, |outcomes| &outcomes.partial, now)?;
    let just_now = |hour: &Hour| hour.sum(now, RECENT_MIN);
    let reasons = board.partial_reasons.iter().map(|(code, recent)| (just_now(&recent.hour), code));
    let organizations = board.organizations.iter();
    let organizations = organizations.map(|(slug, one)| (just_now(&one.outcomes.partial.recent.hour), slug));
    let most = [reasons.max(), organizations.max()].map(|most| most.filter(|(number, _)| *number > 0));
    let [reason, organization] = most.map(|most| most.map(|(_, name)| name));
    let why = reason.map(|code| format!(", most often for `{code}`")).unwrap_or_default();
    let whose = organization.map(|slug| format!(", most often at {slug}")).unwrap_or_default();
    Some(format!(
        "Partial verdicts have risen: {recent} % of the last five minutes, {before} % of the hour before{why}{whose}."
    ))
}

/// The share of this outcome in percent, just now and in the hour before; none where it isn't well above what it was.
fn risen(outcomes: &Outcomes, of: impl Fn(&Outcomes) -> &Series, now: i64) -> Option<(u64, u64)> {
    let count = |sum: &dyn Fn(&Hour) -> u64| {
        let each = [&outcomes.accepted, &outcomes.partial, &outcomes.rejected];
        (sum(&of(outcomes).recent.hour), each.map(|series| sum(&series.recent.hour)).iter().sum::<u64>())
    };
    let (part, all) = count(&|hour| hour.sum(now, RECENT_MIN));
    let (part_hour, all_hour) = count(&|hour| hour.whole(now));
    let (part_before, all_before) = (part_hour - part, all_hour - all);
    if all < ENOUGH || all_before < ENOUGH {
        return None;
    }
    let (recent, before) = (100 * part / all, 100 * part_before / all_before);
    (recent > QUIET_PERCENT && recent > 2 * before).then_some((recent, before))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        dashboard::board::{
            Limits,
            samples::{self, NOW},
        },
        domain::verdict::Outcome,
    };

    /// A hundred verdicts of half an hour ago and a hundred of now; so many of each are partial.
    fn board(before: i64, now: i64) -> Board {
        let mut board = Board::new(Limits { organizations: 4, attributes: 1, verdicts: 1, verdicts_bytes: 1 });
        let refused = |reason| json!({"attribute": "plan", "company": null, "reason": reason});
        for (partial, at, reasons) in
            [(before, NOW - 1_800_000, ["wrong_type"; 3]), (now, NOW, ["wrong_type", "locked", "locked"])]
        {
            for (number, reason) in (0..100).zip(reasons.into_iter().cycle()) {
                let mut verdict = samples::verdict(Outcome::Accepted, number);
                if number < partial {
                    verdict = samples::verdict(Outcome::Partial, number);
                    verdict["organization"] = json!(if reason == "locked" { "globex" } else { "acme" });
                    verdict["rejected"] = json!([refused(reason)]);
                }
                samples::feed(&mut board, &verdict, at);
            }
        }
        board
    }

    #[test]
    fn a_rise_of_partial_verdicts_names_their_reason_and_whom_they_are_of() {
        let told = "Partial verdicts have risen: 90 % of the last five minutes, 40 % of the hour before, most often for `locked`, \
            most often at globex.";
        assert_eq!(partial(&board(40, 90), NOW).as_deref(), Some(told));
        assert_eq!(rejected(&board(40, 90), NOW), None);
    }

    #[test]
    fn partial_verdicts_as_many_as_ever_are_nothing_new() {
        for (before, now) in [(40, 60), (0, 5), (50, 10)] {
            assert_eq!(partial(&board(before, now), NOW), None, "{before}, {now}");
        }
        assert_eq!(partial(&board(0, 90), NOW + 600_000), None, "nothing came just now");
    }
}
