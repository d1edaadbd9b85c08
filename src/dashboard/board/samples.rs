//! Verdicts for the tests of the board and of what is told of it.

use serde_json::{Value, json};

use super::told::{Kept, Place, Told};
use crate::domain::verdict::Outcome;

/// 2026-11-22T10:00:00Z
pub(crate) const NOW: i64 = 1_795_341_600_000;

/// A verdict as it stands in a topic.
pub(crate) fn verdict(outcome: Outcome, offset: i64) -> Value {
    let rejected = outcome == Outcome::Rejected;
    json!({
        "verdict": outcome.name(), "reason": rejected.then_some("signature_invalid"),
        "event": {"id": "e", "type": "identify", "time": "2026-11-22T10:00:00.000Z"}, "organization": "acme",
        "user": {"userId": "12345", "email": "user@example.com", "anonymousId": null},
        "verification": {"method": "jwt", "status": if rejected { "failed" } else { "verified" }, "keyId": "2026-10", "wouldReject": null},
        "attributes": {}, "unset": [], "companies": null, "rejected": [], "dropped": [], "detail": null, "hint": null,
        "source": {"topic": "events", "partition": 0, "offset": offset, "timestamp": NOW}, "settingsVersion": 7,
    })
}

/// The same, kept.
pub(crate) fn kept(outcome: Outcome, offset: i64) -> Kept {
    keep(&verdict(outcome, offset), NOW)
}

/// Where the event of this offset stands.
pub(crate) fn place(offset: i64) -> Place {
    Place { topic: "events".into(), partition: 0, offset }
}

/// Keeps a verdict that was written at this time.
pub(crate) fn keep(verdict: &Value, at: i64) -> Kept {
    let text = verdict.to_string();
    let told = Told::read(text.as_bytes()).unwrap();
    Kept::of(&told, text.as_bytes(), at, Place { topic: "attributes.accepted".into(), partition: 0, offset: 1 })
        .unwrap()
}

/// Feeds a verdict that was written at this time.
pub(crate) fn feed(board: &mut super::Board, verdict: &Value, at: i64) {
    let text = verdict.to_string();
    let told = Told::read(text.as_bytes()).unwrap();
    board.feed(&told, std::sync::Arc::new(keep(verdict, at)));
}
