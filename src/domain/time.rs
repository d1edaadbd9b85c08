//! Event time: milliseconds since the Unix epoch, how it prints and how the spellings of a date are read.

use std::fmt;

use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};
use serde::{Serialize, Serializer};

/// A point in time, in milliseconds since the Unix epoch. Prints as RFC 3339 in UTC with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EventTime(i64);

/// From this number on a Unix time is taken as milliseconds (as seconds it would be the year 5138).
const MILLISECONDS_FROM: f64 = 1e11;

/// 9999-12-31T23:59:59.999Z: the last instant that RFC 3339 can write.
const LAST: i64 = 253_402_300_799_999;
/// 0001-01-01T00:00:00.000Z.
const FIRST: i64 = -62_135_596_800_000;

impl EventTime {
    /// A time from milliseconds since the epoch, held within the years that RFC 3339 can write (1 to 9999).
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(FIRST, LAST))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch, with the milliseconds as fraction: what a NumericDate (RFC 7519 §2) is compared with.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "|millis| < 2^48, exact in a double")]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// Reads ISO 8601 (without a zone: UTC) or the string that JavaScript's `toUTCString` prints.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let instant = text.parse::<Timestamp>().ok().or_else(|| without_zone(text)).or_else(|| rfc_1123(text))?;
        Self::within(instant.as_millisecond())
    }

    /// Reads a Unix time: seconds, or from 10¹¹ on milliseconds.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "`within` refuses what does not fit")]
    pub fn from_unix(number: f64) -> Option<Self> {
        let millis = if number.abs() >= MILLISECONDS_FROM { number } else { number * 1000.0 };
        millis.is_finite().then(|| Self::within(millis.round() as i64))?
    }

    fn within(millis: i64) -> Option<Self> {
        (FIRST..=LAST).contains(&millis).then_some(Self(millis))
    }
}

/// A date-time or a date alone, both taken as UTC.
fn without_zone(text: &str) -> Option<Timestamp> {
    let date_time: civil::DateTime = text.parse().ok()?;
    date_time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// `Sun, 22 Nov 2026 10:00:00 GMT`.
fn rfc_1123(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

impl fmt::Display for EventTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_duration(SignedDuration::from_millis(self.0)) {
            Ok(instant) => write!(f, "{instant:.3}"),
            Err(_) => f.write_str("0000-00-00T00:00:00.000Z"),
        }
    }
}

impl Serialize for EventTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_date_reads_as_the_same_instant() {
        let ten = Some(EventTime::from_millis(1_795_341_600_000));
        for text in [
            "2026-11-22T10:00:00Z",
            "2026-11-22T10:00:00.000Z",
            "2026-11-22T12:00:00+02:00",
            "2026-11-22T10:00:00",
            "2026-11-22 10:00:00",
            "Sun, 22 Nov 2026 10:00:00 GMT",
        ] {
            assert_eq!(EventTime::parse(text), ten, "{text}");
        }
        assert_eq!(EventTime::from_unix(1_795_341_600.0), ten);
        assert_eq!(EventTime::from_unix(1_795_341_600_000.0), ten);
        assert_eq!(EventTime::parse("2026-11-22"), Some(EventTime::from_millis(1_795_305_600_000)));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in ["", "soon", "2026-13-01", "2026-02-30T00:00:00Z", "10:00:00", "1795341600"] {
            assert_eq!(EventTime::parse(text), None, "{text}");
        }
        for number in [f64::NAN, f64::INFINITY, 1e18, -1e18] {
            assert_eq!(EventTime::from_unix(number), None, "{number}");
        }
    }

    #[test]
    fn prints_rfc_3339_with_milliseconds() {
        assert_eq!(EventTime::from_millis(1_795_341_600_007).to_string(), "2026-11-22T10:00:00.007Z");
        assert_eq!(EventTime::from_millis(-1).to_string(), "1969-12-31T23:59:59.999Z");
        assert_eq!(EventTime::from_millis(i64::MAX).to_string(), "9999-12-31T23:59:59.999Z");
        assert_eq!(EventTime::from_millis(i64::MIN).to_string(), "0001-01-01T00:00:00.000Z");
    }
}
