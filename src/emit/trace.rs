//! The trace context (W3C Trace Context) of the incoming record, passed on where it is well-formed. It comes from the
//! sender's side like everything else, so what isn't exactly of the form is dropped and never repaired.

use super::names::{TRACEPARENT, TRACESTATE};
use crate::domain::Record;

/// The longest `tracestate` that must be passed on (§3.3.1.5).
const TRACESTATE_BYTES: usize = 512;

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
}
