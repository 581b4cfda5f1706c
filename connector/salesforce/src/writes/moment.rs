//! Days and moments: as Salesforce writes them, as people give them, and as HTTP compares them.

use std::time::SystemTime;

/// A moment, to the second: Salesforce keeps no fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    /// Seconds since 1970, UTC.
    seconds: i64,
    /// Whether a fraction of a second was left off.
    cut: bool,
}

const SECONDS_A_DAY: i64 = 86_400;

const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Reads a day of the calendar, `2026-11-23`: its days since 1970. `None`: there is no such day.
pub(crate) fn day(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !shaped {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let days = days_of(year, month, day);
    // What is no day, such as 30 February, reads as another.
    (civil(days) == (year, month, day)).then_some(days)
}

/// Reads a time of day, `09:30`, with or without seconds and their fraction, and gives it as Salesforce writes it, to the
/// millisecond: `09:30:00.000Z`. It is in no time zone, whatever the `Z` says. `None`: there is no such time.
pub(super) fn time_of_day(text: &str) -> Option<String> {
    let clock = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let parts: Vec<i64> = clock.split(':').map(two_digits).collect::<Option<_>>()?;
    let (hour, minute, second) = match parts.as_slice() {
        [hour, minute] => (*hour, *minute, 0),
        [hour, minute, second] => (*hour, *minute, *second),
        _ => return None,
    };
    let is_digits = !fraction.is_empty() && fraction.bytes().all(|digit| digit.is_ascii_digit());
    let fits = hour < 24 && minute < 60 && second < 60 && is_digits;
    let millisecond: String = fraction.chars().chain("00".chars()).take(3).collect();
    fits.then(|| format!("{hour:02}:{minute:02}:{second:02}.{millisecond}Z"))
}

impl Moment {
    /// Reads `2026-11-23T09:00:00+01:00` (RFC 3339), also with a fraction, without seconds, and with the offset as
    /// Salesforce writes it (`+0000`). `None`: it is none, or it has no offset.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (date, rest) = text.split_once(['T', 't', ' '])?;
        let days = day(date)?;
        let at = rest.find(['Z', 'z', '+', '-'])?;
        let (time, offset) = rest.split_at(at);
        let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
        let parts: Vec<i64> = clock.split(':').map(two_digits).collect::<Option<_>>()?;
        let (hour, minute, second) = match parts.as_slice() {
            [hour, minute] => (*hour, *minute, 0),
            [hour, minute, second] => (*hour, *minute, *second),
            _ => return None,
        };
        let fits = hour < 24 && minute < 60 && second < 60;
        if !fits || fraction.is_empty() || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let seconds =
            days * SECONDS_A_DAY + hour * 3_600 + minute * 60 + second - offset_seconds(offset)?;
        Some(Self {
            seconds,
            cut: fraction.bytes().any(|digit| digit != b'0'),
        })
    }

    /// Gives the moment of the host's clock.
    pub(crate) fn now() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let seconds = since.map_or(0, |since| since.as_secs());
        Self {
            seconds: i64::try_from(seconds).unwrap_or(i64::MAX),
            cut: false,
        }
    }

    /// Gives the moment so many minutes before.
    pub(crate) fn minutes_before(self, minutes: i64) -> Self {
        Self {
            seconds: self.seconds - minutes * 60,
            ..self
        }
    }

    /// Gives the day that it is by then where days begin first, 14 hours before UTC: in days since 1970.
    pub(super) fn latest_day(self) -> i64 {
        const AHEAD: i64 = 14 * 3_600;
        (self.seconds + AHEAD).div_euclid(SECONDS_A_DAY)
    }

    /// Writes it as it is sent: `2026-11-23T08:00:00.000Z`.
    pub(crate) fn sent(self) -> String {
        let ((year, month, day), hour, minute, second) = self.parts();
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z")
    }

    /// Writes it as HTTP has it (RFC 9110, section 5.6.7), which knows no fraction: the second after one that was begun.
    pub(super) fn http_date(self) -> String {
        let whole = Self {
            seconds: self.seconds + i64::from(self.cut),
            cut: false,
        };
        let ((year, month, day), hour, minute, second) = whole.parts();
        let of = |list: &[&'static str], at: i64| {
            let at = usize::try_from(at).unwrap_or(0);
            list.get(at).copied().unwrap_or_default()
        };
        let weekday = of(
            &WEEKDAYS,
            whole.seconds.div_euclid(SECONDS_A_DAY).rem_euclid(7),
        );
        let month = of(&MONTHS, month - 1);
        format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
    }

    fn parts(self) -> ((i64, i64, i64), i64, i64, i64) {
        let rest = self.seconds.rem_euclid(SECONDS_A_DAY);
        let date = civil(self.seconds.div_euclid(SECONDS_A_DAY));
        (date, rest / 3_600, rest / 60 % 60, rest % 60)
    }
}

fn two_digits(text: &str) -> Option<i64> {
    let shaped = text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_digit());
    shaped.then(|| text.parse().ok())?
}

/// Reads `Z`, `+01:00` or `+0100`.
fn offset_seconds(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "z") {
        return Some(0);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let digits = rest.replacen(':', "", 1);
    let (hours, minutes) = digits.split_at_checked(2)?;
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// Counts the days from 1970 to a day of the Gregorian calendar, in eras of 400 years that begin in March.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Gives year, month and day of a count of days from 1970.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(day("1970-01-01"), Some(0));
        assert_eq!(day("2024-02-29"), Some(19_782));
        for bad in [
            "",
            "2026-02-30",
            "2023-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-1",
            "26-01-01",
            "tomorrow",
            "2026-11-23T00:00:00Z",
        ] {
            assert_eq!(day(bad), None, "{bad}");
        }
    }

    #[test]
    fn moments_are_one_whatever_their_offset() {
        for text in [
            "2026-11-23T08:00:00Z",
            "2026-11-23T09:00:00+01:00",
            "2026-11-23T08:00:00.000+0000",
            "2026-11-23T09:00+0100",
            "2026-11-22T22:30:00-09:30",
            "2026-11-23 08:00:00Z",
        ] {
            assert_eq!(
                Moment::parse(text).unwrap().sent(),
                "2026-11-23T08:00:00.000Z",
                "{text}"
            );
        }
        for bad in [
            "2026-11-23",
            "2026-11-23T08:00:00",
            "2026-11-23T24:00:00Z",
            "2026-11-23T08:60:00Z",
            "2026-11-23TZ",
            "2026-11-23T08:00:00+15:00",
            "2026-11-23T08:00:00.Z",
            "2026-11-23T8:00:00Z",
            "2026-11-23T08:00:00+1é",
        ] {
            assert_eq!(Moment::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn times_of_day_are_to_the_millisecond() {
        for (text, sent) in [
            ("09:30", Some("09:30:00.000Z")),
            ("09:30:05Z", Some("09:30:05.000Z")),
            ("23:59:59.5", Some("23:59:59.500Z")),
            ("23:59:59.1239Z", Some("23:59:59.123Z")),
            ("9:30", None),
            ("24:00", None),
            ("09:30+01:00", None),
            ("09:30:00.Z", None),
            ("", None),
        ] {
            assert_eq!(time_of_day(text).as_deref(), sent, "{text}");
        }
    }

    #[test]
    fn http_has_whole_seconds() {
        let date = |text| Moment::parse(text).unwrap().http_date();
        assert_eq!(
            date("1994-11-06T08:49:37Z"),
            "Sun, 06 Nov 1994 08:49:37 GMT"
        );
        assert_eq!(
            date("2026-12-31T23:59:59.001Z"),
            "Fri, 01 Jan 2027 00:00:00 GMT"
        );
        assert_eq!(
            date("1969-12-31T23:00:00Z"),
            "Wed, 31 Dec 1969 23:00:00 GMT"
        );
    }

    proptest! {
        #[test]
        fn every_day_is_itself(days in -700_000_i64..2_900_000) {
            let (year, month, date) = civil(days);
            prop_assert_eq!(days_of(year, month, date), days);
            prop_assume!((0..10_000).contains(&year));
            prop_assert_eq!(day(&format!("{year:04}-{month:02}-{date:02}")), Some(days));
        }

        #[test]
        fn nothing_panics(text in any::<String>()) {
            let _ = (day(&text), Moment::parse(&text), time_of_day(&text));
        }

        #[test]
        fn what_is_sent_is_read_as_the_same(seconds in -60_000_000_000_i64..250_000_000_000) {
            let moment = Moment { seconds, cut: false };
            prop_assert_eq!(Moment::parse(&moment.sent()), Some(moment));
        }
    }
}
