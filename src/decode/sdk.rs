//! Which SDK an event says it was sent by. It decides nothing: it is read where somebody wants to know who a change concerns, and never
//! on the path of a verdict.

use super::{framing, json};
use crate::domain::{Arena, Object, Policy, Record, Value};

/// The longest name or version that is taken for one, in bytes.
const MOST: usize = 48;

/// Name and version of the SDK, from the envelope's context: `library` or `sdk`, an object of `name` and `version`, else the text
/// `sdkVersion`.
#[must_use]
pub fn sdk<'a>(arena: &'a Arena, record: &Record<'a>, policy: &Policy) -> Option<&'a str> {
    let value = record.value.filter(|value| value.len() <= policy.limits.record_bytes)?;
    let text = std::str::from_utf8(framing::unwrap(value)).ok()?;
    let document = json::parse(arena, text, policy.limits.depth).ok()?;
    let context = document.as_object()?.get("context")?.as_object()?;
    let named = ["library", "sdk"].into_iter().find_map(|name| context.get(name)?.as_object());
    let Some(library) = named else { return short(context, "sdkVersion") };
    match (short(library, "name"), short(library, "version")) {
        (Some(name), Some(version)) => Some(arena.format(format_args!("{name} {version}"))),
        (name, version) => name.or(version),
    }
}

fn short<'a>(object: Object<'a>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_text).filter(|text| !text.is_empty() && text.len() <= MOST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Offset, Partition, Position};

    #[test]
    fn the_context_tells_it_in_either_shape() {
        let long = format!(r#"{{"context":{{"sdkVersion":"{}"}}}}"#, "9".repeat(MOST + 1));
        for (value, expected) in [
            (
                r#"{"context":{"library":{"name":"featurebase-js","version":"1.0.3"}},"payload":{}}"#,
                Some("featurebase-js 1.0.3"),
            ),
            (r#"{"context":{"sdk":{"version":"2.1"}},"payload":{}}"#, Some("2.1")),
            (r#"{"context":{"sdkVersion":"7"}}"#, Some("7")),
            (r#"{"context":{"sdkVersion":7}}"#, None),
            (r#"{"context":[]}"#, None),
            (r#"{"context""#, None),
            (&long, None),
        ] {
            let arena = Arena::new();
            let position = Position { topic: "events", partition: Partition(0), offset: Offset(0) };
            let record = Record {
                position,
                timestamp: None,
                key: None,
                headers: &[],
                value: Some(value.as_bytes()),
                line: None,
            };
            assert_eq!(sdk(&arena, &record, &Policy::default()), expected, "{value}");
        }
    }
}
