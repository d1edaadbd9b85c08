//! The newest verdicts, and one in full: with its explanation in the sender's words, its place, and the commands that judge it
//! again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    Reading,
    shapes::{Clock, Explained},
};
use crate::{
    dashboard::board::{
        filter::Filter,
        newest::{Ordered, Turn},
        told::{Kept, Place},
    },
    domain::shell,
};

/// Some of the newest verdicts.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verdicts {
    pub(crate) clock: Clock,
    pub(crate) reading: Reading,
    /// The newest first.
    pub(crate) verdicts: Vec<VerdictRow>,
    /// `before` of the next page; null where there is none.
    pub(crate) next: Option<String>,
    /// How many verdicts were looked through: the newest ones that are kept.
    pub(crate) kept: usize,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VerdictRow {
    /// Its number since the dashboard began.
    pub(crate) number: u64,
    /// When it was written.
    pub(crate) at: i64,
    /// accepted, partial or rejected.
    pub(crate) verdict: &'static str,
    pub(crate) organization: Option<String>,
    pub(crate) event_type: Option<String>,
    /// The event's reason, and those of what was rejected of it.
    pub(crate) reasons: Vec<String>,
    /// The reasons of what was dropped of it.
    pub(crate) dropped: Vec<String>,
    /// Whom it concerns: id, e-mail address, visitor's id, those that there are.
    pub(crate) users: Vec<String>,
    /// The replay that judged the event again; null for a live verdict.
    pub(crate) replay: Option<String>,
    /// Where the event stands.
    pub(crate) source: Position,
}

/// A place in Kafka.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Position {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
}

impl Position {
    fn of(place: &Place) -> Self {
        Self { topic: place.topic.to_string(), partition: place.partition, offset: place.offset }
    }
}

/// One verdict in full.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VerdictPage {
    /// When it was written.
    pub(crate) at: i64,
    /// As it stands in its topic (docs/schemas).
    #[schemars(with = "serde_json::Value")]
    pub(crate) verdict: Box<RawValue>,
    /// The same as a text, for readers whose numbers are doubles: here each stands as it is written.
    pub(crate) text: String,
    /// Whether it is too long to be kept: values are null then, and what doesn't fit of its lists is left out.
    pub(crate) shortened: bool,
    /// The replay that judged the event again; null for a live verdict.
    pub(crate) replay: Option<String>,
    /// Why the event was rejected as a whole.
    pub(crate) reason: Option<Explained>,
    /// What the diagnosis found, for the sender.
    pub(crate) hint: Option<String>,
    /// What was rejected or dropped, and why.
    pub(crate) attributes: Vec<Explanation>,
    /// Under `observe`: why enforcement would have rejected it.
    pub(crate) would_reject: Option<Explained>,
    /// Where the event stands.
    pub(crate) source: Position,
    /// Where this record of the verdict stands.
    pub(crate) record: Position,
    /// Null where the event's topic, or the brokers, can't stand in a shell's line.
    pub(crate) commands: Option<Commands>,
}

/// Why an attribute or a company was rejected or dropped.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Explanation {
    pub(crate) attribute: String,
    /// The company's id, where it concerns one.
    pub(crate) company: Option<String>,
    /// The company's place among all entries, from 0, the signed ones first, where it has no usable id.
    pub(crate) position: Option<u64>,
    /// rejected or dropped.
    pub(crate) outcome: &'static str,
    pub(crate) reason: Explained,
    pub(crate) hint: Option<String>,
}

/// Commands for a shell that has kcat and attrsync.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Commands {
    /// Judges the event again and shows each step.
    pub(crate) explain: String,
    /// Judges it again and prints the verdict.
    pub(crate) replay: String,
}

/// The page of verdicts that the filter takes: those before this place, so many at most.
pub(crate) fn verdicts(
    newest: &[Ordered],
    reading: Reading,
    (filter, before, limit): (&Filter, Option<Turn>, usize),
    now: i64,
) -> Verdicts {
    let older = newest.iter().filter(|(turn, _)| before.is_none_or(|before| *turn < before));
    let mut found: Vec<_> = older.filter(|(_, kept)| filter.takes(kept)).take(limit + 1).map(row).collect();
    let more = found.len() > limit;
    found.truncate(limit);
    Verdicts {
        clock: Clock::at(now),
        reading,
        next: found.last().filter(|_| more).map(|row| Turn { at: row.at, number: row.number }.to_string()),
        verdicts: found,
        kept: newest.len(),
    }
}

fn row((turn, kept): &Ordered) -> VerdictRow {
    let texts = |texts: &[Box<str>]| texts.iter().map(ToString::to_string).collect();
    VerdictRow {
        number: turn.number,
        at: turn.at,
        verdict: kept.outcome.name(),
        organization: kept.organization.as_deref().map(str::to_owned),
        event_type: kept.event_type.as_deref().map(str::to_owned),
        reasons: texts(&kept.reasons),
        dropped: texts(&kept.dropped),
        users: texts(&kept.users),
        replay: kept.replay.as_deref().map(str::to_owned),
        source: Position::of(&kept.source),
    }
}

/// What is explained of a verdict.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Facts {
    reason: Option<String>,
    hint: Option<Hint>,
    verification: Verification,
    #[serde(default)]
    rejected: Vec<Refused>,
    #[serde(default)]
    dropped: Vec<Refused>,
}

#[derive(Deserialize)]
struct Hint {
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verification {
    would_reject: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    attribute: String,
    company: Option<String>,
    position: Option<u64>,
    reason: String,
    hint: Option<Hint>,
}

/// A verdict in full.
///
/// # Errors
/// When what was kept is not what was read, which the board rules out.
pub(crate) fn verdict(kept: &Kept, brokers: &str) -> serde_json::Result<VerdictPage> {
    let facts: Facts = serde_json::from_str(&kept.json)?;
    let explain = |outcome| {
        move |refused: Refused| Explanation {
            attribute: refused.attribute,
            company: refused.company,
            position: refused.position,
            outcome,
            reason: Explained::of(&refused.reason),
            hint: refused.hint.map(|hint| hint.message),
        }
    };
    let rejected = facts.rejected.into_iter().map(explain("rejected"));
    Ok(VerdictPage {
        at: kept.at,
        verdict: RawValue::from_string(kept.json.to_string())?,
        text: kept.json.to_string(),
        shortened: kept.shortened,
        replay: kept.replay.as_deref().map(str::to_owned),
        reason: facts.reason.as_deref().map(Explained::of),
        hint: facts.hint.map(|hint| hint.message),
        attributes: rejected.chain(facts.dropped.into_iter().map(explain("dropped"))).collect(),
        would_reject: facts.verification.would_reject.as_deref().map(Explained::of),
        source: Position::of(&kept.source),
        record: Position::of(&kept.record),
        commands: commands(&kept.source, brokers),
    })
}

/// The commands, where the topic and the brokers can stand in a shell's line.
fn commands(Place { topic, partition, offset }: &Place, brokers: &str) -> Option<Commands> {
    let explain = shell::explain((topic, *partition, *offset), brokers)?;
    let (topic, brokers) = (shell::word(topic)?, shell::word(brokers)?);
    let replay =
        format!("attrsync replay --brokers {brokers} --topic {topic} --offsets {partition}:{offset} --to-file -");
    Some(Commands { explain, replay })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::{
        dashboard::board::samples::{self, NOW},
        domain::verdict::Outcome,
    };

    #[test]
    fn a_verdict_is_explained_in_the_words_of_the_reasons() {
        let mut value = samples::verdict(Outcome::Rejected, 12);
        value["hint"] = json!({"code": "token_edited", "message": "somebody edited it"});
        value["dropped"] = json!([{"attribute": "utm_x", "company": null, "reason": "not_configured"}]);
        let page = verdict(&samples::keep(&value, NOW), "kafka:9092").unwrap();
        let reason = page.reason.unwrap();
        assert_eq!((reason.code.as_str(), reason.stage), ("signature_invalid", Some("verify")));
        assert!(reason.advice.unwrap().starts_with("Sign on the server"));
        assert_eq!(page.hint.as_deref(), Some("somebody edited it"));
        assert_eq!((page.attributes[0].attribute.as_str(), page.attributes[0].outcome), ("utm_x", "dropped"));
        let replay = page.commands.unwrap().replay;
        assert_eq!(replay, "attrsync replay --brokers kafka:9092 --topic events --offsets 0:12 --to-file -");
    }

    #[test]
    fn a_company_without_a_usable_id_is_told_by_its_place() {
        let mut value = samples::verdict(Outcome::Partial, 12);
        value["rejected"] =
            json!([{"attribute": "companies", "company": null, "position": 2, "reason": "company_id_missing"}]);
        let page = verdict(&samples::keep(&value, NOW), "kafka:9092").unwrap();
        assert_eq!((page.attributes[0].company.as_deref(), page.attributes[0].position), (None, Some(2)));
    }

    #[test]
    fn numbers_are_told_as_they_are_written() {
        let mut value = samples::verdict(Outcome::Accepted, 12);
        value["attributes"] = json!({
            "seats": {"value": 9_007_199_254_740_993_u64, "verified": true},
            "rate": {"value": 1.0, "verified": true},
        });
        let VerdictPage { verdict, text, .. } = verdict(&samples::keep(&value, NOW), "kafka:9092").unwrap();
        assert!(text.contains(r#""value":9007199254740993"#) && text.contains(r#""value":1.0"#), "{text}");
        assert_eq!(text, verdict.get());
    }

    #[test]
    fn nothing_that_a_shell_acts_on_becomes_a_command() {
        let of = |topic: &str, brokers| commands(&Place { topic: topic.into(), ..samples::place(1) }, brokers);
        for word in ["-x", "a'b", "a\nb", ""] {
            assert_eq!((of(word, "kafka:9092"), of("events", word)), (None, None), "{word}");
        }
        for word in ["$(reboot)", "a;b", "a b", "`id`", "[::1]:9092,b-1.example:9092"] {
            let Commands { explain, replay } = of(word, word).unwrap();
            assert!(explain.starts_with(&format!("kcat -C -b '{word}' -t '{word}' -p 0 -o 1 ")), "{explain}");
            assert!(replay.starts_with(&format!("attrsync replay --brokers '{word}' --topic '{word}' ")), "{replay}");
        }
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_overlap() {
        // Some of the same millisecond, and all but one gone by the time that the next page is asked for.
        let turn = |number| Turn { at: NOW + i64::try_from(number / 3).unwrap(), number };
        let newest: Vec<_> =
            (1..=7).rev().map(|number| (turn(number), Arc::new(samples::kept(Outcome::Accepted, 1)))).collect();
        assert_eq!(
            verdicts(&newest[6..], Reading::default(), (&Filter::default(), Some(turn(3)), 3), NOW).verdicts[0].number,
            1
        );
        let (mut before, mut seen) = (None, Vec::new());
        loop {
            let page = verdicts(&newest, Reading::default(), (&Filter::default(), before, 3), NOW);
            seen.extend(page.verdicts.iter().map(|row| row.number));
            before = page.next.map(|next| next.parse().unwrap());
            if before.is_none() {
                break;
            }
        }
        assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1]);
    }
}
