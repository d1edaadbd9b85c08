//! The trace context (W3C Trace Context) of the incoming record, passed on where it is well-formed. It comes from the
//! sender's side like everything else, so what isn't exactly of the form is dropped and never repaired. Where the event has a span of
//! ours, the emitted record names that as its parent; whose trace it is stays the sender's word.

use std::ops::Range;

use super::names::{TRACEPARENT, TRACESTATE};
use crate::domain::{Record, hex};

/// The longest `tracestate` that must be passed on (§3.3.1.5).
const TRACESTATE_BYTES: usize = 512;

/// A span of ours, as its id.
pub type SpanId = [u8; 8];

/// The span of a sender that asked for its trace to be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// The trace.
    pub trace: [u8; 16],
    /// The sender's span.
    pub span: SpanId,
}

impl Parent {
    /// The parent that a record names; `None` where it names none, or the sender doesn't record the trace.
    #[must_use]
    pub fn sampled(record: &Record<'_>) -> Option<Self> {
        let parent = context(record)?.0.as_bytes();
        let [flags]: [u8; 1] = hex::decode(parent.get(FLAGS)?)?;
        if flags & 1 == 0 {
            return None;
        }
        Some(Self { trace: hex::decode(parent.get(TRACE)?)?, span: hex::decode(parent.get(SPAN)?)? })
    }
}

/// Where the parts of a `traceparent` are.
const TRACE: Range<usize> = 3..35;
const SPAN: Range<usize> = 36..52;
const FLAGS: Range<usize> = 53..55;

/// A well-formed `traceparent` in three parts, the span being the one in the middle.
pub(super) fn around_span(parent: &str) -> (&str, &str) {
    (parent.get(..SPAN.start).unwrap_or_default(), parent.get(SPAN.end..).unwrap_or_default())
}

/// `traceparent` and, only beside it, `tracestate`.
pub(super) fn context<'a>(record: &Record<'a>) -> Option<(&'a str, Option<&'a str>)> {
    let parent = record.header(TRACEPARENT).filter(|parent| well_formed(parent))?;
    let state = record.header(TRACESTATE).filter(|state| {
        (1..=TRACESTATE_BYTES).contains(&state.len()) && state.bytes().all(|byte| matches!(byte, b' '..=b'~'))
    });
    Some((parent, state))
}

/// `00-<32 hex digits>-<16 hex digits>-<2 hex digits>`, lower case, ids not all zero (§3.2). Later versions may append more; what
/// they would mean isn't known yet, so they aren't passed on.
fn well_formed(parent: &str) -> bool {
    let mut parts = parent.split('-');
    let mut part = |digits| {
        parts
            .next()
            .filter(|part| part.len() == digits && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
    };
    let (version, trace, span, flags) = (part(2), part(32), part(16), part(2));
    let not_zero = |id: Option<&str>| id.is_some_and(|id| id.bytes().any(|byte| byte != b'0'));
    version == Some("00") && not_zero(trace) && not_zero(span) && flags.is_some() && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Header, Offset, Partition, Position};

    #[test]
    fn only_a_traceparent_of_the_exact_form_is_passed_on() {
        assert!(well_formed("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
        for malformed in [
            "",
            "00",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nx: y",
        ] {
            assert!(!well_formed(malformed), "{malformed}");
        }
    }

    #[test]
    fn a_parent_is_taken_only_from_a_sender_that_records_its_trace() {
        let parent = |text: &'static str| {
            let headers = [Header { name: TRACEPARENT, value: Some(text.as_bytes()) }];
            let position = Position { topic: "events", partition: Partition(0), offset: Offset(0) };
            let headers = &headers;
            Parent::sampled(&Record { position, timestamp: None, key: None, headers, value: None, line: None })
        };
        let found = parent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        assert_eq!(found.trace[..3], [0x4b, 0xf9, 0x2f]);
        assert_eq!(found.span, [0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]);
        assert!(parent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03").is_some());
        for none in ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", "00-x-01", ""] {
            assert_eq!(parent(none), None, "{none}");
        }
    }
}
