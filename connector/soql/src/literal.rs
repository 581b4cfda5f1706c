//! The literals that need more than a number: strings, dates and date literals.

use std::fmt;

/// A string literal, kept as written so that the escapes of `LIKE` are not lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StringLiteral {
    /// What stands between the quotes, escapes included.
    raw: String,
}

/// One element of a `LIKE` pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternPart {
    /// This character, without regard to case.
    Char(char),
    /// `_`: any one character.
    AnyOne,
    /// `%`: any characters, or none.
    AnyRun,
}

impl StringLiteral {
    /// Makes the literal of a text, escaping what must be.
    pub fn new(text: &str) -> Self {
        let mut raw = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '\'' => raw.push_str("\\'"),
                '\\' => raw.push_str("\\\\"),
                '\n' => raw.push_str("\\n"),
                '\r' => raw.push_str("\\r"),
                '\t' => raw.push_str("\\t"),
                c => raw.push(c),
            }
        }
        Self { raw }
    }

    /// Keeps what the lexer has checked.
    pub(crate) fn from_raw(raw: String) -> Self {
        Self { raw }
    }

    /// Gives what stands between the quotes, escapes included.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Gives the text that is meant; `\_` and `\%` are the bare characters.
    pub fn text(&self) -> String {
        unescape(&self.raw).map(|(c, _)| c).collect()
    }

    /// Gives the parts of the pattern that is meant after `LIKE`; `\_` and `\%` are characters.
    pub fn pattern(&self) -> Vec<PatternPart> {
        unescape(&self.raw)
            .map(|unescaped| match unescaped {
                ('_', false) => PatternPart::AnyOne,
                ('%', false) => PatternPart::AnyRun,
                (c, _) => PatternPart::Char(c),
            })
            .collect()
    }
}

impl fmt::Display for StringLiteral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.raw)
    }
}

/// Yields each character and whether it was escaped.
fn unescape(raw: &str) -> impl Iterator<Item = (char, bool)> + '_ {
    let mut rest = raw.chars();
    std::iter::from_fn(move || {
        let c = rest.next()?;
        if c != '\\' {
            return Some((c, false));
        }
        let escaped = match rest.next()? {
            'n' | 'N' => '\n',
            'r' | 'R' => '\r',
            't' | 'T' => '\t',
            'b' | 'B' => '\u{8}',
            'f' | 'F' => '\u{c}',
            'u' | 'U' => {
                let code =
                    (0..4).try_fold(0, |code, _| Some(code * 16 + rest.next()?.to_digit(16)?));
                // Half of a surrogate pair is no character of its own.
                code.and_then(char::from_u32)
                    .unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            c => c,
        };
        Some((escaped, true))
    })
}

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// 0 to 9999.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to the month's last.
    pub day: u8,
}

/// A time of day, to the millisecond, with its distance from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// 0 to 999.
    pub millisecond: u16,
    /// Minutes east of UTC, to add to UTC to get the local time; under a day either way.
    pub offset_minutes: i16,
}

/// A moment, to the millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime {
    /// The local day.
    pub date: Date,
    /// The time of that day.
    pub time: Time,
}

impl Date {
    /// Reads `YYYY-MM-DD`; `None` when it is not a day of the calendar.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, rest) = text.split_once('-')?;
        let (month, day) = rest.split_once('-')?;
        let date = Self {
            year: digits(year, 4)?,
            month: digits(month, 2)? as u8,
            day: digits(day, 2)? as u8,
        };
        let leap = date.year.is_multiple_of(4)
            && (!date.year.is_multiple_of(100) || date.year.is_multiple_of(400));
        let last = match date.month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            1..=12 => 31,
            _ => return None,
        };
        (1..=last).contains(&date.day).then_some(date)
    }
}

impl Time {
    /// Reads `hh:mm:ss[.fff]` and `Z` or `±hh:mm` or `±hhmm`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (clock, offset_minutes) = match text.strip_suffix(['Z', 'z']) {
            Some(clock) => (clock, 0),
            None => {
                let at = text.rfind(['+', '-'])?;
                let zone = text[at + 1..].replacen(':', "", 1);
                let (hours, minutes) = zone.split_at_checked(2)?;
                let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
                if hours > 23 || minutes > 59 {
                    return None;
                }
                let offset = (hours * 60 + minutes) as i16;
                let is_west = text[at..].starts_with('-');
                (&text[..at], if is_west { -offset } else { offset })
            }
        };
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "000"));
        if fraction.is_empty() || fraction.len() > 3 {
            return None;
        }
        let millisecond = digits(&format!("{fraction:0<3}"), 3)?;
        let mut parts = clock.split(':');
        let (hour, minute, second) = (
            digits(parts.next()?, 2)?,
            digits(parts.next()?, 2)?,
            digits(parts.next()?, 2)?,
        );
        if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        Some(Self {
            hour: hour as u8,
            minute: minute as u8,
            second: second as u8,
            millisecond,
            offset_minutes,
        })
    }
}

impl DateTime {
    /// Reads `YYYY-MM-DD`, `T` and a [`Time`]; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_once(['T', 't'])?;
        Some(Self {
            date: Date::parse(date)?,
            time: Time::parse(time)?,
        })
    }
}

/// Reads exactly `count` (at most four) digits.
fn digits(text: &str, count: usize) -> Option<u16> {
    (text.len() == count && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}:{:02}", self.hour, self.minute, self.second)?;
        if self.millisecond != 0 {
            write!(f, ".{:03}", self.millisecond)?;
        }
        if self.offset_minutes == 0 {
            return f.write_str("Z");
        }
        let sign = if self.offset_minutes < 0 { '-' } else { '+' };
        let minutes = self.offset_minutes.unsigned_abs();
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{}", self.date, self.time)
    }
}

/// A range of days relative to today: `TODAY`, `LAST_N_DAYS:30`, `THIS_FISCAL_YEAR`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateLiteral {
    /// `YESTERDAY`
    Yesterday,
    /// `TODAY`
    Today,
    /// `TOMORROW`
    Tomorrow,
    /// `LAST_90_DAYS`
    Last90Days,
    /// `NEXT_90_DAYS`
    Next90Days,
    /// `LAST_WEEK`, `LAST_FISCAL_YEAR`: the whole unit before this one.
    Last(DateUnit),
    /// `THIS_WEEK`: the whole unit of today.
    This(DateUnit),
    /// `NEXT_WEEK`: the whole unit after this one.
    Next(DateUnit),
    /// `LAST_N_DAYS:n`
    LastN(DateUnit, u32),
    /// `NEXT_N_DAYS:n`
    NextN(DateUnit, u32),
    /// `N_DAYS_AGO:n`
    NAgo(DateUnit, u32),
}

/// The unit of a date literal. `Day` has no `LAST_DAY`, `THIS_DAY` or `NEXT_DAY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateUnit {
    /// `DAY`
    Day,
    /// `WEEK`
    Week,
    /// `MONTH`
    Month,
    /// `QUARTER`
    Quarter,
    /// `YEAR`
    Year,
    /// `FISCAL_QUARTER`
    FiscalQuarter,
    /// `FISCAL_YEAR`
    FiscalYear,
}

impl DateUnit {
    /// Every unit with its spelling.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Day, "DAY"),
        (Self::Week, "WEEK"),
        (Self::Month, "MONTH"),
        (Self::Quarter, "QUARTER"),
        (Self::Year, "YEAR"),
        (Self::FiscalQuarter, "FISCAL_QUARTER"),
        (Self::FiscalYear, "FISCAL_YEAR"),
    ];

    fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(unit, _)| *unit == self)
            .map_or("", |(_, name)| name)
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, name)| *name == text)
            .map(|(unit, _)| *unit)
    }
}

/// A date literal's name before its number is known.
pub(crate) enum DateLiteralName {
    /// It stands alone.
    Whole(DateLiteral),
    /// It needs `:n`.
    Counted(fn(DateUnit, u32) -> DateLiteral, DateUnit),
}

impl DateLiteralName {
    /// Recognises a name in any case.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let name = text.to_ascii_uppercase();
        let plural = |unit: &str| DateUnit::parse(unit.strip_suffix('S')?);
        // Days have names of their own: `TODAY`, never `THIS_DAY`.
        let whole = |unit: &str| DateUnit::parse(unit).filter(|unit| *unit != DateUnit::Day);
        Some(match name.as_str() {
            "YESTERDAY" => Self::Whole(DateLiteral::Yesterday),
            "TODAY" => Self::Whole(DateLiteral::Today),
            "TOMORROW" => Self::Whole(DateLiteral::Tomorrow),
            "LAST_90_DAYS" => Self::Whole(DateLiteral::Last90Days),
            "NEXT_90_DAYS" => Self::Whole(DateLiteral::Next90Days),
            name => {
                if let Some(unit) = name.strip_prefix("LAST_N_") {
                    Self::Counted(DateLiteral::LastN, plural(unit)?)
                } else if let Some(unit) = name.strip_prefix("NEXT_N_") {
                    Self::Counted(DateLiteral::NextN, plural(unit)?)
                } else if let Some(unit) = name.strip_prefix("N_") {
                    Self::Counted(DateLiteral::NAgo, plural(unit.strip_suffix("_AGO")?)?)
                } else if let Some(unit) = name.strip_prefix("LAST_") {
                    Self::Whole(DateLiteral::Last(whole(unit)?))
                } else if let Some(unit) = name.strip_prefix("THIS_") {
                    Self::Whole(DateLiteral::This(whole(unit)?))
                } else {
                    Self::Whole(DateLiteral::Next(whole(name.strip_prefix("NEXT_")?)?))
                }
            }
        })
    }
}

impl fmt::Display for DateLiteral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yesterday => f.write_str("YESTERDAY"),
            Self::Today => f.write_str("TODAY"),
            Self::Tomorrow => f.write_str("TOMORROW"),
            Self::Last90Days => f.write_str("LAST_90_DAYS"),
            Self::Next90Days => f.write_str("NEXT_90_DAYS"),
            Self::Last(unit) => write!(f, "LAST_{}", unit.name()),
            Self::This(unit) => write!(f, "THIS_{}", unit.name()),
            Self::Next(unit) => write!(f, "NEXT_{}", unit.name()),
            Self::LastN(unit, n) => write!(f, "LAST_N_{}S:{n}", unit.name()),
            Self::NextN(unit, n) => write!(f, "NEXT_N_{}S:{n}", unit.name()),
            Self::NAgo(unit, n) => write!(f, "N_{}S_AGO:{n}", unit.name()),
        }
    }
}
