//! How much must have been seen before anything is done at once: that nothing speaks against a change says little after three events, or
//! after an hour.

use super::times;
use crate::advice::{Advice, Item, Seen};

/// The fewest of what a piece of advice rests on.
const FEWEST: u64 = 100;
/// The shortest time from the first event to the last, in milliseconds: a day has its nights, and what runs once in one.
const SHORTEST_MS: i64 = 24 * 60 * 60 * 1_000;

/// Why what a piece of advice rests on is too little to do at once what it says; none where it is enough.
pub(super) fn too_little(item: &Item, seen: &Seen) -> Option<String> {
    let (figure, one, many) = rests_on(item);
    let number = item.figures.get(figure).copied().unwrap_or_default();
    let why = if number < FEWEST {
        format!("only {} looked at", times(number, one, many))
    } else if seen.span_ms().is_some_and(|span| span < SHORTEST_MS) {
        "the events that were looked at came within less than a day".to_owned()
    } else {
        return None;
    };
    Some(format!("{why}; choose more, as with --since 30d"))
}

/// The figure that says how often there was what the rule judged by, and what to call that.
fn rests_on(item: &Item) -> (&'static str, &'static str, &'static str) {
    match item.advice {
        Advice::Lock => ("signed", "signed value was", "signed values were"),
        Advice::Retire => ("newer", "proof by a newer key was", "proofs by newer keys were"),
        Advice::Migrate => ("jwt", "proof by a token was", "proofs by tokens were"),
        Advice::Expire => ("tokens", "token was", "tokens were"),
        Advice::Enforce | Advice::Configure | Advice::Unlock => ("events", "event was", "events were"),
    }
}
