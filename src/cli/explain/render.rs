//! Steps and verdict as text for a terminal. What the event brought along is shown without control characters, which could
//! write over what stands there, and without those that turn the direction of writing.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::{
    outcomes::OURS,
    steps::{Mark, Part, Step},
};
use crate::{
    cli::{
        output::{BAD, DIM, DOUBTFUL, GOOD, styled},
        terminal::safe,
    },
    domain::{Detail, Reason, Verdict, verdict::Outcome},
};

/// What the event brought along.
const THEIRS: Style = AnsiColor::Cyan.on_default();
/// The column where the steps begin.
const INDENT: usize = 9;

/// All of it.
pub(super) fn text(steps: &[Step], verdict: &Verdict<'_>, redact: bool) -> String {
    let mut text = String::new();
    let mut stage = "";
    for step in steps {
        let label = if step.stage == stage { "" } else { step.stage };
        stage = step.stage;
        let parts: String = step.parts.iter().map(|part| shown(part, redact)).collect();
        let content = if step.mark == Mark::Dropped { styled(DIM, parts) } else { parts };
        let rule = if step.rule.is_empty() { String::new() } else { styled(DIM, format_args!("  [{}]", step.rule)) };
        line(&mut text, label, &format!("{} {content}{rule}", mark(step.mark)));
        for more in &step.more {
            line(&mut text, "", &styled(DIM, format_args!("  {}", safe(more))));
        }
    }
    text.push('\n');
    conclusion(&mut text, verdict, redact);
    text
}

fn line(text: &mut String, label: &str, content: &str) {
    let label = styled(DIM, format_args!("{label:<INDENT$}"));
    // Writing to a String cannot fail.
    _ = writeln!(text, "{label}{content}");
}

fn conclusion(text: &mut String, verdict: &Verdict<'_>, redact: bool) {
    let (style, what) = match verdict.outcome {
        Outcome::Accepted => (GOOD, "accepted"),
        Outcome::Partial => (DOUBTFUL, "partial: the identity is fine, what is marked above was rejected"),
        Outcome::Rejected => (BAD, "rejected"),
    };
    let because = verdict.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    line(text, "verdict", &styled(style.bold(), format_args!("{what}{because}")));
    if let Some(reason) = verdict.reason {
        line(text, "", reason.meaning());
        line(text, "to do", reason.advice());
        if reason == Reason::MissingType {
            line(text, "", "To explain an event alone, say its type: --type identify.");
        }
    }
    if let Some(detail) = verdict.detail {
        line(text, "detail", &safe(&in_words(detail, redact)));
    }
    if let Some(hint) = verdict.hint {
        line(text, "hint", hint.message());
    }
    line(text, "settings", &format!("version {}", verdict.settings_version));
}

fn in_words<'a>(detail: Detail<'a>, redact: bool) -> String {
    let shown = |field: &'a str| if redact && !OURS.contains(&field) { "[redacted]" } else { field };
    match detail {
        Detail::Limit { limit, size } => format!("{size}, where {limit} is the limit"),
        Detail::FieldLimit { field, limit, size } => {
            format!("{} has {size}, where {limit} is the limit", shown(field))
        }
        Detail::Field { field } => format!("it lies at {}", shown(field)),
        Detail::Syntax { byte } => format!("reading stopped at byte {byte}, counted from 0"),
        Detail::Seconds { field, seconds } => format!("{field} is off by {seconds} s beyond the leeway"),
    }
}

fn mark(mark: Mark) -> String {
    match mark {
        Mark::Passed => styled(GOOD, "✓"),
        Mark::Failed => styled(BAD, "✗"),
        Mark::Dropped => styled(DIM, "–"),
        Mark::Fact => styled(DIM, "·"),
    }
}

fn shown(part: &Part, redact: bool) -> String {
    match part {
        Part::Words(words) => safe(words),
        Part::Theirs(_) if redact => styled(DIM, "[redacted]"),
        Part::Theirs(theirs) => styled(THEIRS, safe(theirs)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_theirs_can_be_left_out() {
        let step = Step {
            stage: "decode",
            mark: Mark::Fact,
            parts: vec![Part::Words("about ".to_owned()), Part::Theirs("ada@example.com".to_owned())],
            rule: "",
            more: Vec::new(),
        };
        assert!(step.parts.iter().map(|part| shown(part, false)).any(|shown| shown.contains("ada@")));
        assert!(!step.parts.iter().map(|part| shown(part, true)).any(|shown| shown.contains("ada@")));
    }
}
