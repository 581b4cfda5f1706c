//! What a value that does not fit was meant to be: `1,000` is 1000, `23 Nov 2026` a day, `yes` a checked box.
//!
//! Nothing here is sent: it is proposed to the caller. Where a text can be read in several ways, all are named, and where it
//! cannot be read, none is.

use crate::writes::moment;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Reads a checked box: `yes`, `1`, `off`.
pub fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "true" | "yes" | "y" | "1" | "on" | "checked" => Some(true),
        "false" | "no" | "n" | "0" | "off" | "unchecked" => Some(false),
        _ => None,
    }
}

/// Reads a number with a currency, a percent sign or separators, and gives its plain digits: `-1234.5` of `$-1,234.50`. A single
/// comma or point before three digits separates thousands, if it is a comma.
pub fn number(text: &str) -> Option<String> {
    let is_beside = |c: char| c.is_alphabetic() || c.is_whitespace() || "$€£¥%+".contains(c);
    // `EUR`, but not a word that says more, such as `M` or `thousand`.
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    if !matches!(letters, 0 | 3) {
        return None;
    }
    let text = text.trim().trim_matches(is_beside);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest.trim_start_matches(is_beside)),
        None => ("", text),
    };
    let digits: String = digits
        .chars()
        .filter(|c| !matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '_'))
        .collect();
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
    if !digits.chars().all(plain) || !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let last = digits.rfind(['.', ',']);
    let (whole, fraction) = match last {
        None => (digits.as_str(), ""),
        Some(at) => {
            let (whole, fraction) = (&digits[..at], &digits[at + 1..]);
            let separator = &digits[at..=at];
            let repeats = whole.contains(separator);
            let groups =
                repeats || (separator == "," && fraction.len() == 3 && !whole.contains('.'));
            if groups {
                (digits.as_str(), "")
            } else {
                (whole, fraction)
            }
        }
    };
    let whole: String = whole.chars().filter(char::is_ascii_digit).collect();
    let point = if fraction.is_empty() { "" } else { "." };
    Some([sign, &whole, point, fraction].concat())
}

/// Reads a day in whatever order its parts stand, and gives each that it can be: `2026-11-23`.
pub fn days(text: &str) -> Vec<String> {
    let text = text.trim();
    // A moment's day.
    if let Some((day, _)) = text.split_once(['T', ' '])
        && moment::day(day).is_some()
    {
        return vec![day.to_owned()];
    }
    let text = text.to_lowercase();
    let mut parts: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|part| !part.is_empty())
        .collect();
    // `20261123`
    if let [only] = parts.as_slice()
        && only.len() == 8
        && only.bytes().all(|c| c.is_ascii_digit())
    {
        parts = vec![&only[..4], &only[4..6], &only[6..]];
    }
    let [first, second, third] = parts.as_slice() else {
        return Vec::new();
    };
    // Year, month, day: each in a place where it can stand.
    let readings = match (month(first), month(second)) {
        (Some(month), _) => vec![(number_of(third), Some(month), ordinal(second))],
        (None, Some(month)) if first.len() == 4 => {
            vec![(number_of(first), Some(month), ordinal(third))]
        }
        (None, Some(month)) => vec![(number_of(third), Some(month), ordinal(first))],
        (None, None) if first.len() == 4 => {
            vec![(number_of(first), number_of(second), number_of(third))]
        }
        (None, None) => vec![
            (number_of(third), number_of(second), number_of(first)),
            (number_of(third), number_of(first), number_of(second)),
        ],
    };
    let mut days: Vec<String> = Vec::new();
    for (year, month, day) in readings {
        let (Some(year), Some(month), Some(day)) = (year, month, day) else {
            continue;
        };
        let day = format!("{year:04}-{month:02}-{day:02}");
        if year >= 1_000 && moment::day(&day).is_some() && !days.contains(&day) {
            days.push(day);
        }
    }
    days
}

/// Reads a moment, with or without its offset from UTC, and gives each that it can be, in UTC where it says nothing:
/// `2026-11-23T09:00:00Z`.
pub fn moments(text: &str) -> Vec<String> {
    let text = text.trim();
    let (day, clock) = match text
        .char_indices()
        .find(|(at, c)| *at >= 6 && matches!(c, 'T' | ' '))
    {
        Some((at, _)) if moment::day(&text[..at]).is_some() => (&text[..at], &text[at + 1..]),
        // What stands before a clock is the day.
        _ => match text.find(':').and_then(|colon| text[..colon].rfind(' ')) {
            Some(at) => (&text[..at], &text[at + 1..]),
            None => (text, "00:00"),
        },
    };
    let (clock, offset) = match clock.rfind(['+', '-', 'Z']) {
        Some(at) => clock.split_at(at),
        None => (clock, "Z"),
    };
    let Some(time) = time(clock) else {
        return Vec::new();
    };
    days(day.trim_end_matches(','))
        .into_iter()
        .map(|day| format!("{day}T{time}{offset}"))
        .filter(|moment| moment::Moment::parse(moment).is_some())
        .collect()
}

/// Reads a time of day, and gives it with its seconds: `09:30:00` of `9.30 am`.
pub fn time(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let (clock, afternoon) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
        (Some(clock), _) => (clock, Some(false)),
        (_, Some(clock)) => (clock, Some(true)),
        _ => (text.trim_end_matches('z'), None),
    };
    let parts: Option<Vec<u32>> = clock
        .trim()
        .split([':', '.', 'h'])
        .map(|part| part.trim().parse().ok())
        .collect();
    let (hour, minute, second) = match (parts?.as_slice(), afternoon) {
        ([hour], Some(_)) => (*hour, 0, 0),
        ([hour, minute], _) => (*hour, *minute, 0),
        ([hour, minute, second], _) => (*hour, *minute, *second),
        _ => return None,
    };
    let hour = match afternoon {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(afternoon) => hour % 12 + if afternoon { 12 } else { 0 },
    };
    (hour < 24 && minute < 60 && second < 60).then(|| format!("{hour:02}:{minute:02}:{second:02}"))
}

fn month(word: &str) -> Option<u32> {
    let is_it = |name: &str| word.len() >= 3 && name.starts_with(word);
    let at = MONTHS.iter().position(|name| is_it(name))?;
    u32::try_from(at + 1).ok()
}

fn number_of(text: &str) -> Option<u32> {
    text.parse().ok()
}

/// Reads `23` or `23rd`.
fn ordinal(text: &str) -> Option<u32> {
    number_of(text.trim_end_matches(|c: char| c.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_read_with_what_stands_around_them() {
        for (text, meant) in [
            ("1,000", "1000"),
            ("$1,234.50", "1234.50"),
            ("1.234,50 €", "1234.50"),
            ("-$5", "-5"),
            ("50%", "50"),
            ("EUR 12", "12"),
            ("1 000 000", "1000000"),
            ("1.000.000", "1000000"),
            ("0,5", "0.5"),
            ("1.5", "1.5"),
        ] {
            assert_eq!(number(text).as_deref(), Some(meant), "{text}");
        }
        for none in ["", "many", "1.5M", "5 thousand", "1-2", "$"] {
            assert_eq!(number(none), None, "{none}");
        }
    }

    #[test]
    fn days_are_read_in_whatever_order() {
        for text in [
            "2026/11/23",
            "23.11.2026",
            "11/23/2026",
            "20261123",
            "Nov 23, 2026",
            "November 23rd, 2026",
            "23 nov 2026",
            "2026-11-23T08:00:00Z",
            "2026-Nov-23",
        ] {
            assert_eq!(days(text), ["2026-11-23"], "{text}");
        }
        assert_eq!(days("11/12/2026"), ["2026-12-11", "2026-11-12"]);
        for none in [
            "",
            "tomorrow",
            "23.11.26",
            "2026-02-30",
            "31/31/2026",
            "next year or so",
        ] {
            assert_eq!(days(none), [""; 0], "{none}");
        }
    }

    #[test]
    fn moments_and_times_are_read() {
        for text in [
            "2026-11-23T09:00:00",
            "2026-11-23 09:00",
            "2026-11-23T9:00Z",
            "23.11.2026 9:00",
            "Nov 23, 2026 9:00 AM",
        ] {
            assert_eq!(moments(text), ["2026-11-23T09:00:00Z"], "{text}");
        }
        assert_eq!(moments("2026-11-23"), ["2026-11-23T00:00:00Z"]);
        assert_eq!(
            moments("2026-11-23 09:00+01:00"),
            ["2026-11-23T09:00:00+01:00"]
        );
        assert_eq!(moments("tomorrow"), [""; 0]);
        for (text, meant) in [
            ("9:30", Some("09:30:00")),
            ("9:30 PM", Some("21:30:00")),
            ("12 am", Some("00:00:00")),
            ("9.30", Some("09:30:00")),
            ("25:00", None),
            ("noon", None),
            ("13 pm", None),
        ] {
            assert_eq!(time(text).as_deref(), meant, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_days_are_days(text in "[0-9a-zA-ZäT:+,./ $%-]{0,24}|\\PC{0,12}") {
            let _ = (boolean(&text), number(&text), time(&text), moments(&text));
            for day in days(&text) {
                prop_assert!(moment::day(&day).is_some());
            }
        }
    }
}
