//! Event time: milliseconds since the Unix epoch, how it prints and how the spellings of a date are read.

use std::{borrow::Cow, fmt};

use jiff::{Timestamp, civil};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
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

/// Milliseconds.
const DAY: i64 = 86_400_000;

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
        let millis = civil_utc(text).or_else(|| with_offset(text)).or_else(|| rfc_1123(text))?;
        Self::within(millis)
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

/// 1970-01-01T00:00:00 on the civil calendar, which unlike `Timestamp` reaches the last day of 9999: a date that means
/// "never" in many systems.
const EPOCH: civil::DateTime = civil::datetime(1970, 1, 1, 0, 0, 0, 0);

/// A date-time or a date alone, both taken as UTC. The civil parser reads over an offset or a time zone, so that what
/// follows the date may be a time and nothing else.
fn civil_utc(text: &str) -> Option<i64> {
    let text = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let time_alone =
        text.bytes().skip("YYYY-MM-DD".len()).all(|byte| byte.is_ascii_digit() || b":.,Tt ".contains(&byte));
    let date_time: civil::DateTime = time_alone.then(|| text.parse().ok())??;
    i64::try_from(date_time.duration_since(EPOCH).as_millis()).ok()
}

/// A date-time with an offset from UTC in hours and minutes. The parser takes more: seconds, 25 hours, a zone's name behind it.
fn with_offset(text: &str) -> Option<i64> {
    let (_, offset) = text.get("YYYY-MM-DD".len()..)?.rsplit_once(['+', '-'])?;
    let hours: u8 = offset.get(..2)?.parse().ok()?;
    let usual = hours < 24 && matches!(offset.len(), 2 | 4 | 5);
    let plain = offset.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    (usual && plain).then(|| text.parse::<Timestamp>().ok())?.map(Timestamp::as_millisecond)
}

/// `Sun, 22 Nov 2026 10:00:00 GMT`, and nothing else that RFC 2822 allows: it has names of zones taken for UTC that aren't.
fn rfc_1123(text: &str) -> Option<i64> {
    let in_gmt = text.len() == "Sun, 22 Nov 2026 10:00:00 GMT".len() && text.ends_with(" GMT");
    if !in_gmt {
        return None;
    }
    jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp().as_millisecond())
}

/// A time as it prints: always 24 characters. Three stand in a usual verdict, and a formatter took longer for them than the
/// signature took.
#[derive(Clone, Copy)]
pub struct TimeText([u8; 24]);

impl TimeText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Digits and punctuation alone.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Writes `number` into the places from `at` on, zeros before it.
    fn put(&mut self, at: usize, places: usize, number: i64) {
        let mut rest = number.unsigned_abs() as u32;
        for place in self.0.iter_mut().skip(at).take(places).rev() {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    }
}

impl EventTime {
    /// RFC 3339 in UTC with milliseconds.
    #[must_use]
    pub fn text(self) -> TimeText {
        let (year, month, day) = date_of(self.0.div_euclid(DAY));
        let of_day = self.0.rem_euclid(DAY);
        let mut text = TimeText(*b"0000-00-00T00:00:00.000Z");
        text.put(0, 4, year);
        text.put(5, 2, month);
        text.put(8, 2, day);
        text.put(11, 2, of_day / 3_600_000);
        text.put(14, 2, of_day / 60_000 % 60);
        text.put(17, 2, of_day / 1_000 % 60);
        text.put(20, 3, of_day % 1_000);
        text
    }
}

/// Year, month and day of the day that is so many after 1970-01-01 on the Gregorian calendar, which repeats every 400 years. Here a
/// year begins with March, so that a leap day is its last one and months follow each other by five of 153 days.
fn date_of(day: i64) -> (i64, i64, i64) {
    const FOUR_YEARS: i64 = 4 * 365 + 1;
    const CENTURY: i64 = 25 * FOUR_YEARS - 1;
    const CYCLE: i64 = 4 * CENTURY + 1;
    // From 0000-03-01 on.
    let day = day + 719_468;
    let (cycle, day) = (day.div_euclid(CYCLE), day.rem_euclid(CYCLE));
    let year = (day - day / (FOUR_YEARS - 1) + day / CENTURY - day / (CYCLE - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let of_month = day - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (400 * cycle + year + next_year, month, of_month)
}

impl fmt::Display for EventTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl Serialize for EventTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text().as_str())
    }
}

impl JsonSchema for EventTime {
    fn schema_name() -> Cow<'static, str> {
        "EventTime".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "RFC 3339 in UTC, with milliseconds.", "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn every_spelling_of_a_date_reads_as_the_same_instant() {
        let ten = Some(EventTime::from_millis(1_795_341_600_000));
        for text in [
            "2026-11-22T10:00:00Z",
            "2026-11-22T10:00:00.000Z",
            "2026-11-22T12:00:00+02:00",
            "2026-11-22T12:00:00+0200",
            "2026-11-22T12:00:00.000+02",
            "2026-11-22 05:30:00-04:30",
            "2026-11-22T10:00:00",
            "2026-11-22 10:00:00",
            "Sun, 22 Nov 2026 10:00:00 GMT",
        ] {
            assert_eq!(EventTime::parse(text), ten, "{text}");
        }
        assert_eq!(EventTime::from_unix(1_795_341_600.0), ten);
        assert_eq!(EventTime::from_unix(1_795_341_600_000.0), ten);
        assert_eq!(EventTime::parse("9999-12-31T23:59:59.999Z"), Some(EventTime::from_millis(LAST)));
        assert_eq!(EventTime::parse("2026-11-22"), Some(EventTime::from_millis(1_795_305_600_000)));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "soon",
            "2026-13-01",
            "2026-02-30T00:00:00Z",
            "10:00:00",
            "1795341600",
            "2026-11-22T10:00:00[Europe/Paris]",
            "2026-11-22T10:00:00Z[Mars/Phobos]",
            "2026-11-22T10:00:00Z[Etc/GMT+5]",
            "2026-11-22T12:00:00+02:00[Europe/Paris]",
            "2026-11-22T12:00:00+02:00[+02:00]",
            "2026-11-22T12:00:00+02:00:30",
            "2026-11-22T10:00:00-25:59",
            "2026-11-22T10:00:00-é",
            "Sun, 22 Nov 2026 10:00:00 CET",
            "Sun, 22 Nov 2026 10:00:00 PST",
            "Sun, 22 Nov 26 10:00:00 GMT",
            "Sun, 22 Nov 2026 10:00:00 (noon) GMT",
        ] {
            assert_eq!(EventTime::parse(text), None, "{text}");
        }
        for number in [f64::NAN, f64::INFINITY, 1e18, -1e18] {
            assert_eq!(EventTime::from_unix(number), None, "{number}");
        }
    }

    #[test]
    fn prints_what_jiff_prints() {
        // Some fifty days apart, each at another time of the day.
        for millis in (FIRST..=LAST).step_by(4_334_494_437).chain([-1, 0, 1, LAST]) {
            let civil = EPOCH.saturating_add(SignedDuration::from_millis(millis));
            assert_eq!(EventTime(millis).to_string(), format!("{civil:.3}Z"));
        }
    }

    #[test]
    fn finds_every_day_of_the_calendar() {
        let mut expected = civil::date(1, 1, 1);
        for day in FIRST.div_euclid(DAY)..=LAST.div_euclid(DAY) {
            assert_eq!(date_of(day), (expected.year().into(), expected.month().into(), expected.day().into()));
            expected = expected.tomorrow().unwrap_or(expected);
        }
        assert_eq!(expected, civil::Date::MAX);
    }

    #[test]
    fn prints_rfc_3339_with_milliseconds() {
        assert_eq!(EventTime::from_millis(1_795_341_600_007).to_string(), "2026-11-22T10:00:00.007Z");
        assert_eq!(EventTime::from_millis(-1).to_string(), "1969-12-31T23:59:59.999Z");
        assert_eq!(EventTime::from_millis(i64::MAX).to_string(), "9999-12-31T23:59:59.999Z");
        assert_eq!(EventTime::from_millis(i64::MIN).to_string(), "0001-01-01T00:00:00.000Z");
    }
}
