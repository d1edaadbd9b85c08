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
        let parent = context(record)?.0;
        if known_flags(parent) & SAMPLED == 0 {
            return None;
        }
        let parent = parent.as_bytes();
        Some(Self { trace: hex::decode(parent.get(TRACE)?)?, span: hex::decode(parent.get(SPAN)?)? })
    }
}

/// Where the parts of a `traceparent` are.
const TRACE: Range<usize> = 3..35;
const SPAN: Range<usize> = 36..52;
const FLAGS: Range<usize> = 53..55;

/// The flags that have a meaning: the sender records the trace, and its id is random (§3.2.2.5, level 2). Whoever names a span of its own
/// passes on no others.
const SAMPLED: u8 = 1;
const RANDOM: u8 = 2;

/// What stands before the span in a well-formed `traceparent`.
pub(super) fn before_span(parent: &str) -> &str {
    parent.get(..SPAN.start).unwrap_or_default()
}

/// The flags of a well-formed `traceparent` that are known.
pub(super) fn known_flags(parent: &str) -> u8 {
    let flags: Option<[u8; 1]> = parent.as_bytes().get(FLAGS).and_then(hex::decode);
    flags.map_or(0, |[flags]| flags & (SAMPLED | RANDOM))
}

/// `traceparent` and, only beside it, `tracestate`.
pub(super) fn context<'a>(record: &Record<'a>) -> Option<(&'a str, Option<&'a str>)> {
    let parent = record.header(TRACEPARENT).filter(|parent| well_formed(parent))?;
    let state = record.header(TRACESTATE).filter(|state| {
        (1..=TRACESTATE_BYTES).contains(&state.len())
            && state.bytes().all(|byte| matches!(byte, b' '..=b'~'))
            && is_list(state)
    });
    Some((parent, state))
}

/// At most 32 members, each a key and a value; empty ones are allowed (§3.3.1.1).
fn is_list(state: &str) -> bool {
    const MOST: usize = 32;
    let mut members = state.split(',').map(str::trim).filter(|member| !member.is_empty());
    let sound = |member: &str| member.split_once('=').is_some_and(|(key, value)| !key.is_empty() && !value.is_empty());
    members.by_ref().take(MOST).all(sound) && members.next().is_none()
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
    fn a_tracestate_is_a_list_of_keys_and_values() {
        let most = "a=1,".repeat(32);
        for state in ["congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7, congo=t61rcWkgMzE", "a=1,,b=2", &most] {
            assert!(is_list(state), "{state}");
        }
        let more = "a=1,".repeat(33);
        for state in ["garbage", "a=1,b", "=1", "a=", &more] {
            assert!(!is_list(state), "{state}");
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
        let flags = |flags: &str| known_flags(&format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}"));
        assert_eq!(["00", "01", "03", "ff", "f8"].map(flags), [0, 1, 3, 3, 0]);
        for none in ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", "00-x-01", ""] {
            assert_eq!(parent(none), None, "{none}");
        }
    }
}
