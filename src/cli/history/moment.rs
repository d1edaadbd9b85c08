//! A point in time on the command line: a date, a date-time, or how long ago.

use crate::{cli::judging::now, domain::EventTime};

const UNITS: [(char, i64); 5] = [('s', 1_000), ('m', 60_000), ('h', 3_600_000), ('d', 86_400_000), ('w', 604_800_000)];

/// A point in time: `2026-11-22`, RFC 3339, or so long ago, as in `7d`.
pub(in crate::cli) fn moment(text: &str) -> Result<EventTime, String> {
    EventTime::parse(text).or_else(|| ago(text)).ok_or_else(|| {
        "expected a date as in 2026-11-22, a time as in 2026-11-22T10:00:00Z, or how long ago as in 7d, 12h or 30m"
            .to_owned()
    })
}

fn ago(text: &str) -> Option<EventTime> {
    let unit = text.chars().last()?;
    let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let digits = text.strip_suffix(unit)?;
    let number: u32 = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
    Some(EventTime::from_millis(now().millis() - i64::from(number) * millis))
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
    fn anything_else_is_refused() {
        for text in ["", "d", "7", "-7d", "+7d", "7 d", "7y", "1.5h", "99999999999d", "yesterday"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}
