//! A point in time as a settings document writes it: a TOML date-time, or the same as a text. Without a zone it is UTC.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error};

use crate::domain::EventTime;

/// A point in time in a settings document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Moment(pub EventTime);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match toml::Value::deserialize(deserializer)? {
            toml::Value::Datetime(written) => written.to_string(),
            toml::Value::String(written) => written,
            other => return Err(D::Error::custom(unreadable(other.type_str()))),
        };
        // Beside keys a text in the wrong place may be a secret.
        EventTime::parse(&text).map(Self).ok_or_else(|| D::Error::custom(unreadable("text")))
    }
}

/// A date-time of TOML is a text in the words of JSON.
impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A point in time, as in 2026-11-22T10:00:00Z; without a zone it is UTC.",
            "type": "string",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}"
        })
    }
}

fn unreadable(what: &str) -> String {
    format!("this {what} is no point in time; write one as 2026-11-22T10:00:00Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Key {
        valid_from: Moment,
    }

    fn read(written: &str) -> Result<EventTime, String> {
        toml::from_str::<Key>(&format!("valid_from = {written}"))
            .map(|key| key.valid_from.0)
            .map_err(|error| error.message().to_owned())
    }

    #[test]
    fn date_times_of_toml_and_texts_read_alike() {
        let ten = EventTime::from_millis(1_795_341_600_000);
        for written in [
            "2026-11-22T10:00:00Z",
            "2026-11-22T12:00:00+02:00",
            "2026-11-22 10:00:00",
            "\"2026-11-22T10:00:00Z\"",
            "\"2026-11-22T10:00:00\"",
        ] {
            assert_eq!(read(written), Ok(ten), "{written}");
        }
        assert_eq!(read("2026-11-22"), Ok(EventTime::from_millis(1_795_305_600_000)));
    }

    #[test]
    fn anything_else_is_refused_with_the_way_out() {
        assert_eq!(read("10:00:00").unwrap_err(), unreadable("text"));
        assert_eq!(read("\"soon\"").unwrap_err(), unreadable("text"));
        assert_eq!(read("1795341600").unwrap_err(), unreadable("integer"));
    }
}
