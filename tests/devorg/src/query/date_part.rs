//! The date functions: `CALENDAR_YEAR(CloseDate)` and its kin.
//!
//! Follows the *SOQL and SOSL Reference*, "Date Functions".

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::date_range::Calendar;
use crate::schema::FieldType;
use crate::value::Value;

/// A part of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DatePart {
    /// 1 to 12.
    CalendarMonth,
    /// 1 to 4.
    CalendarQuarter,
    /// The year.
    CalendarYear,
    /// 1 to 31.
    DayInMonth,
    /// 1, Sunday, to 7.
    DayInWeek,
    /// 1 to 366.
    DayInYear,
    /// The day of a moment.
    DayOnly,
    /// 1, the first month of the fiscal year, to 12.
    FiscalMonth,
    /// 1 to 4.
    FiscalQuarter,
    /// The fiscal year.
    FiscalYear,
    /// 0 to 23.
    HourInDay,
    /// 1, the month's first seven days, to 5.
    WeekInMonth,
    /// 1, the year's first seven days, to 53.
    WeekInYear,
}

impl DatePart {
    const ALL: [(Self, &'static str); 13] = [
        (Self::CalendarMonth, "CALENDAR_MONTH"),
        (Self::CalendarQuarter, "CALENDAR_QUARTER"),
        (Self::CalendarYear, "CALENDAR_YEAR"),
        (Self::DayInMonth, "DAY_IN_MONTH"),
        (Self::DayInWeek, "DAY_IN_WEEK"),
        (Self::DayInYear, "DAY_IN_YEAR"),
        (Self::DayOnly, "DAY_ONLY"),
        (Self::FiscalMonth, "FISCAL_MONTH"),
        (Self::FiscalQuarter, "FISCAL_QUARTER"),
        (Self::FiscalYear, "FISCAL_YEAR"),
        (Self::HourInDay, "HOUR_IN_DAY"),
        (Self::WeekInMonth, "WEEK_IN_MONTH"),
        (Self::WeekInYear, "WEEK_IN_YEAR"),
    ];

    /// Finds a function by name, without regard to case.
    pub(super) fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|(_, word)| word.eq_ignore_ascii_case(name))
            .map(|(part, _)| *part)
    }

    /// Gives the type of the results.
    pub(super) fn kind(self) -> FieldType {
        match self {
            Self::DayOnly => FieldType::Date,
            _ => FieldType::Int,
        }
    }

    /// Says whether it is of a moment only.
    pub(super) fn needs_moment(self) -> bool {
        matches!(self, Self::DayOnly | Self::HourInDay)
    }

    /// Takes the part of a day or a moment; moments are taken in the user's time zone when `zoned`,
    /// in UTC otherwise.
    pub(crate) fn of(self, value: &Value, zoned: bool, calendar: &Calendar) -> Value {
        let at = match value {
            Value::Date(day) => day.at(0, 0, 0, 0),
            Value::DateTime(moment) if zoned => calendar.time_zone.to_datetime(*moment),
            Value::DateTime(moment) => TimeZone::UTC.to_datetime(*moment),
            _ => return Value::Null,
        };
        match self {
            Self::DayOnly => Value::Date(at.date()),
            _ => Value::Int(self.number(at, calendar)),
        }
    }

    fn number(self, at: DateTime, calendar: &Calendar) -> i64 {
        let day = at.date();
        let (year, month) = (i64::from(day.year()), i64::from(day.month()));
        let fiscal_month = (month - calendar.fiscal_start_month).rem_euclid(12);
        match self {
            Self::CalendarMonth => month,
            Self::CalendarQuarter => (month - 1) / 3 + 1,
            Self::CalendarYear => year,
            Self::DayInMonth => day.day().into(),
            Self::DayInWeek => i64::from(day.weekday().to_sunday_zero_offset()) + 1,
            Self::DayInYear => day.day_of_year().into(),
            // A day has no number; nothing asks for it.
            Self::DayOnly => 0,
            Self::FiscalMonth => fiscal_month + 1,
            Self::FiscalQuarter => fiscal_month / 3 + 1,
            Self::FiscalYear => fiscal_year(day, calendar),
            Self::HourInDay => at.hour().into(),
            Self::WeekInMonth => i64::from(day.day() - 1) / 7 + 1,
            Self::WeekInYear => i64::from(day.day_of_year() - 1) / 7 + 1,
        }
    }
}

fn fiscal_year(day: Date, calendar: &Calendar) -> i64 {
    let (year, start) = (i64::from(day.year()), calendar.fiscal_start_month);
    let begun_in = if i64::from(day.month()) < start {
        year - 1
    } else {
        year
    };
    let ends_next_year = start > 1;
    begun_in + i64::from(ends_next_year && !calendar.fiscal_year_by_start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn every_part_is_taken() {
        let mut calendar = Calendar {
            today: date(2026, 11, 23),
            time_zone: TimeZone::fixed(jiff::tz::offset(9)),
            fiscal_start_month: 4,
            fiscal_year_by_start: false,
        };
        // 23:30 of a Saturday in UTC is the next morning in Tokyo.
        let moment = Value::DateTime(
            date(2026, 2, 28)
                .at(23, 30, 0, 0)
                .in_tz("UTC")
                .map_or(jiff::Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp()),
        );
        let cases = [
            (DatePart::CalendarMonth, 2, 3),
            (DatePart::CalendarQuarter, 1, 1),
            (DatePart::CalendarYear, 2026, 2026),
            (DatePart::DayInMonth, 28, 1),
            (DatePart::DayInWeek, 7, 1),
            (DatePart::DayInYear, 59, 60),
            (DatePart::FiscalMonth, 11, 12),
            (DatePart::FiscalQuarter, 4, 4),
            (DatePart::FiscalYear, 2026, 2026),
            (DatePart::HourInDay, 23, 8),
            (DatePart::WeekInMonth, 4, 1),
            (DatePart::WeekInYear, 9, 9),
        ];
        for (part, utc, tokyo) in cases {
            assert_eq!(
                part.of(&moment, false, &calendar),
                Value::Int(utc),
                "{part:?}"
            );
            assert_eq!(
                part.of(&moment, true, &calendar),
                Value::Int(tokyo),
                "{part:?}"
            );
        }
        let day = DatePart::DayOnly.of(&moment, true, &calendar);
        assert_eq!(day, Value::Date(date(2026, 3, 1)));
        assert!(
            DatePart::CalendarYear
                .of(&Value::Null, true, &calendar)
                .is_null()
        );
        calendar.fiscal_year_by_start = true;
        let fiscal_year = DatePart::FiscalYear.of(&moment, false, &calendar);
        assert_eq!(fiscal_year, Value::Int(2025));
    }
}
