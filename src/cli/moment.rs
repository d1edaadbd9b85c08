//! Times on the command line: a point in time, by itself or by how long ago it was, and how long something takes.

use crate::domain::EventTime;

/// Units, in seconds.
const UNITS: [(char, i64); 5] = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400), ('w', 604_800)];

/// What the clock says.
pub(super) fn now() -> EventTime {
    EventTime::from_millis(jiff::Timestamp::now().as_millisecond())
}

/// A point in time: `2026-11-22`, RFC 3339, or so long ago, as in `7d`.
pub(super) fn moment(text: &str) -> Result<EventTime, String> {
    EventTime::parse(text).or_else(|| ago(text)).ok_or_else(|| {
        "expected a date as in 2026-11-22, a time as in 2026-11-22T10:00:00Z, or how long ago as in 7d, 12h or 30m"
            .to_owned()
    })
}

fn ago(text: &str) -> Option<EventTime> {
    Some(EventTime::from_millis(now().millis() - with_unit(text)? * 1_000))
}

/// A point in time, which may lie ahead.
pub(super) fn time(text: &str) -> Result<EventTime, String> {
    EventTime::parse(text).ok_or_else(|| "expected a time as in 2026-11-22T10:00:00Z".to_owned())
}

/// How long something takes, in seconds: `90s`, `15m`, `1h`, `7d`, `2w`.
pub(super) fn seconds(text: &str) -> Result<i64, String> {
    with_unit(text).ok_or_else(|| "expected a time as in 90s, 15m, 1h or 7d".to_owned())
}

/// The seconds of a whole number with its unit.
fn with_unit(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let digits = text.strip_suffix(unit)?;
    let number: u32 = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
    Some(i64::from(number) * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_in_time_is_a_date_a_time_or_how_long_ago() {
        assert_eq!(moment("2026-11-22"), Ok(EventTime::from_millis(1_795_305_600_000)));
        assert_eq!(moment("2026-11-22T12:00:00+02:00"), Ok(EventTime::from_millis(1_795_341_600_000)));
        for (text, millis) in [("90s", 90_000), ("30m", 1_800_000), ("12h", 43_200_000), ("2w", 1_209_600_000)] {
            let (before, at, after) = (now().millis(), moment(text).unwrap().millis(), now().millis());
            assert!((before - millis..=after - millis).contains(&at), "{text}: {before}, {at}, {after}");
        }
    }

    #[test]
    fn how_long_something_takes_has_the_same_units() {
        let all = ["90s", "15m", "1h", "7d", "2w"];
        assert_eq!(all.map(seconds), [Ok(90), Ok(900), Ok(3_600), Ok(604_800), Ok(1_209_600)]);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "d", "7", "-7d", "+7d", "7 d", "7y", "1.5h", "99999999999d", "yesterday"] {
            assert!(moment(text).is_err() && seconds(text).is_err(), "{text}");
        }
    }
}
