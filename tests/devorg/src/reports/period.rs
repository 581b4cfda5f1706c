//! The spans of time into which a report groups dates.

use jiff::Span;
use jiff::civil::Date;

use super::metadata::Granularity;
use crate::query::{Calendar, DatePart};
use crate::value::Value;

/// A group of dates: by what it is ordered and told apart, and what a person reads.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Period {
    /// The first day, or the number that recurs every year or month.
    pub(super) value: Value,
    /// Such as `November 2026` or `Q4 FY2026`.
    pub(super) label: String,
}

/// Finds the period of a day or a moment; moments are taken where the user is.
pub(super) fn period(
    value: &Value,
    granularity: Granularity,
    calendar: &Calendar,
) -> Option<Period> {
    let day = match value {
        Value::Date(day) => *day,
        Value::DateTime(moment) => calendar.time_zone.to_datetime(*moment).date(),
        _ => return None,
    };
    let part = |part: DatePart| match part.of(&Value::Date(day), false, calendar) {
        Value::Int(number) => number,
        _ => 0,
    };
    let fiscal = calendar.fiscal_start_month - 1;
    let (value, label): (Value, String) = match granularity {
        Granularity::None | Granularity::Day => (day.into(), short(day)),
        Granularity::Week => {
            let sunday = moved(day, -i64::from(day.weekday().to_sunday_zero_offset()));
            let label = format!("{} - {}", short(sunday), short(moved(sunday, 6)));
            (sunday.into(), label)
        }
        Granularity::Month => (
            first_of(day, 1, 0).into(),
            day.strftime("%B %Y").to_string(),
        ),
        Granularity::Quarter => {
            let label = format!("Q{} CY{}", part(DatePart::CalendarQuarter), day.year());
            (first_of(day, 3, 0).into(), label)
        }
        Granularity::Year => (first_of(day, 12, 0).into(), format!("CY{}", day.year())),
        Granularity::FiscalQuarter => {
            let (quarter, year) = (part(DatePart::FiscalQuarter), part(DatePart::FiscalYear));
            (
                first_of(day, 3, fiscal).into(),
                format!("Q{quarter} FY{year}"),
            )
        }
        Granularity::FiscalYear => {
            let label = format!("FY{}", part(DatePart::FiscalYear));
            (first_of(day, 12, fiscal).into(), label)
        }
        Granularity::MonthInYear => (
            Value::Int(day.month().into()),
            day.strftime("%B").to_string(),
        ),
        Granularity::DayInMonth => (Value::Int(day.day().into()), day.day().to_string()),
    };
    Some(Period { value, label })
}

fn short(day: Date) -> String {
    day.strftime("%-m/%-d/%Y").to_string()
}

/// Gives the day so many days later; the ends of the calendar stay.
fn moved(day: Date, days: i64) -> Date {
    day.saturating_add(Span::new().days(days))
}

/// Gives the first day of the span of `size` months that a day lies in; spans begin with the
/// `shift`th month of a year.
fn first_of(day: Date, size: i64, shift: i64) -> Date {
    let month = i64::from(day.year()) * 12 + i64::from(day.month()) - 1;
    let begun = (month - shift).rem_euclid(size);
    let first = moved(day, 1 - i64::from(day.day()));
    first.saturating_add(Span::new().months(-begun))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    #[test]
    fn every_period_has_its_first_day_and_label() {
        let calendar = Calendar {
            today: date(2026, 11, 23),
            time_zone: TimeZone::UTC,
            fiscal_start_month: 4,
            fiscal_year_by_start: false,
        };
        let day = |year, month, day| Value::Date(date(year, month, day));
        for (granularity, value, label) in [
            (Granularity::None, day(2027, 2, 9), "2/9/2027"),
            (Granularity::Week, day(2027, 2, 7), "2/7/2027 - 2/13/2027"),
            (Granularity::Month, day(2027, 2, 1), "February 2027"),
            (Granularity::Quarter, day(2027, 1, 1), "Q1 CY2027"),
            (Granularity::Year, day(2027, 1, 1), "CY2027"),
            (Granularity::FiscalQuarter, day(2027, 1, 1), "Q4 FY2027"),
            (Granularity::FiscalYear, day(2026, 4, 1), "FY2027"),
            (Granularity::MonthInYear, Value::Int(2), "February"),
            (Granularity::DayInMonth, Value::Int(9), "9"),
        ] {
            let found = period(&day(2027, 2, 9), granularity, &calendar);
            let label = label.to_owned();
            assert_eq!(found, Some(Period { value, label }), "{granularity:?}");
        }
        for end in [Date::MIN, Date::MAX] {
            assert!(period(&end.into(), Granularity::Week, &calendar).is_some());
            assert!(period(&end.into(), Granularity::FiscalYear, &calendar).is_some());
        }
        assert_eq!(period(&Value::Null, Granularity::Month, &calendar), None);
    }
}
