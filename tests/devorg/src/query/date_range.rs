//! The days and moments that date literals mean, in the time zone of who asks.
//!
//! Follows the *SOQL and SOSL Reference*, "Date Formats and Date Literals". Weeks begin on Sunday, as
//! in the locale of every user here. Ranges reach to before their end; at the ends of the calendar
//! they are cut.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use soql::{DateLiteral, DateUnit};

use crate::org::{Org, Session};

/// More days than the calendar has.
const DAYS_MAX: i64 = 7_304_483;

/// What day it is, where, and when the fiscal year begins.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    /// Today, where the user is.
    pub(crate) today: Date,
    /// Where the user is.
    pub(crate) time_zone: TimeZone,
    /// The first month of the fiscal year, 1 to 12.
    pub(crate) fiscal_start_month: i64,
    /// Whether a fiscal year is named after the year it begins in, not the one it ends in.
    pub(crate) fiscal_year_by_start: bool,
}

impl Calendar {
    /// Makes the calendar of who asks.
    pub(crate) fn new(org: &Org, session: &Session) -> Self {
        let company = org.store.rows("Organization").next();
        let month = company
            .and_then(|company| company.get("FiscalYearStartMonth").as_number())
            .map_or(1, |month| month as i64);
        Self {
            today: session.time_zone.to_datetime(org.now()).date(),
            time_zone: session.time_zone.clone(),
            fiscal_start_month: month.clamp(1, 12),
            fiscal_year_by_start: company
                .and_then(|company| company.get("UsesStartDateAsFiscalYearName").as_bool())
                .unwrap_or(false),
        }
    }

    /// Gives the first day of a date literal, and the day after its last.
    pub(super) fn days(&self, literal: DateLiteral) -> (Date, Date) {
        match literal {
            DateLiteral::Yesterday => self.units(DateUnit::Day, -1, 1),
            DateLiteral::Today => self.units(DateUnit::Day, 0, 1),
            DateLiteral::Tomorrow => self.units(DateUnit::Day, 1, 1),
            // Today counts besides the ninety.
            DateLiteral::Last90Days => self.units(DateUnit::Day, -90, 91),
            DateLiteral::Next90Days => self.units(DateUnit::Day, 1, 90),
            DateLiteral::Last(unit) => self.units(unit, -1, 1),
            DateLiteral::This(unit) => self.units(unit, 0, 1),
            DateLiteral::Next(unit) => self.units(unit, 1, 1),
            // Days reach to today; weeks, months and the rest end before the current one.
            DateLiteral::LastN(DateUnit::Day, n) => {
                self.units(DateUnit::Day, -i64::from(n), i64::from(n) + 1)
            }
            DateLiteral::LastN(unit, n) => self.units(unit, -i64::from(n), n.into()),
            DateLiteral::NextN(unit, n) => self.units(unit, 1, n.into()),
            DateLiteral::NAgo(unit, n) => self.units(unit, -i64::from(n), 1),
        }
    }

    /// Gives the moment at which a day begins where the user is.
    pub(crate) fn start_of(&self, day: Date) -> Timestamp {
        match self.time_zone.to_timestamp(day.at(0, 0, 0, 0)) {
            Ok(moment) => moment,
            Err(_) if day.year() < 0 => Timestamp::MIN,
            Err(_) => Timestamp::MAX,
        }
    }

    /// Gives `count` units from the one that is `offset` after the current one.
    fn units(&self, unit: DateUnit, offset: i64, count: i64) -> (Date, Date) {
        let (today, fiscal) = (self.today, self.fiscal_start_month - 1);
        let (from, to) = (offset, offset + count);
        match unit {
            DateUnit::Day => (add_days(today, from), add_days(today, to)),
            DateUnit::Week => {
                let sunday = -i64::from(today.weekday().to_sunday_zero_offset());
                (
                    add_days(today, sunday + 7 * from),
                    add_days(today, sunday + 7 * to),
                )
            }
            DateUnit::Month => self.months(1, 0, from, to),
            DateUnit::Quarter => self.months(3, 0, from, to),
            DateUnit::Year => self.months(12, 0, from, to),
            DateUnit::FiscalQuarter => self.months(3, fiscal, from, to),
            DateUnit::FiscalYear => self.months(12, fiscal, from, to),
        }
    }

    /// Gives units of `size` months, counted from the `shift`th month of a year.
    fn months(&self, size: i64, shift: i64, from: i64, to: i64) -> (Date, Date) {
        let month = i64::from(self.today.year()) * 12 + i64::from(self.today.month()) - 1;
        let current = (month - shift).div_euclid(size) * size + shift;
        (
            first_of_month(current + size * from),
            first_of_month(current + size * to),
        )
    }
}

/// Gives the day after one; the last of the calendar stays.
pub(crate) fn next_day(day: Date) -> Date {
    add_days(day, 1)
}

fn add_days(day: Date, days: i64) -> Date {
    match Span::new().try_days(days.clamp(-DAYS_MAX, DAYS_MAX)) {
        Ok(span) => day.saturating_add(span),
        Err(_) => day,
    }
}

/// Gives the first day of a month, counted from January of the year 0.
fn first_of_month(month: i64) -> Date {
    let end = if month < 0 { Date::MIN } else { Date::MAX };
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
    match i16::try_from(year) {
        Ok(year) => Date::new(year, month as i8, 1).unwrap_or(end),
        Err(_) => end,
    }
}

#[cfg(test)]
#[allow(clippy::panic, reason = "a test ends at the first surprise")]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn calendar(today: Date, fiscal_start_month: i64) -> Calendar {
        Calendar {
            today,
            time_zone: TimeZone::UTC,
            fiscal_start_month,
            fiscal_year_by_start: false,
        }
    }

    #[test]
    fn every_literal_has_its_days() {
        // A Monday.
        let calendar = calendar(date(2026, 11, 23), 1);
        let cases = [
            ("YESTERDAY", "2026-11-22", "2026-11-23"),
            ("TODAY", "2026-11-23", "2026-11-24"),
            ("TOMORROW", "2026-11-24", "2026-11-25"),
            ("LAST_WEEK", "2026-11-15", "2026-11-22"),
            ("THIS_WEEK", "2026-11-22", "2026-11-29"),
            ("NEXT_WEEK", "2026-11-29", "2026-12-06"),
            ("LAST_MONTH", "2026-10-01", "2026-11-01"),
            ("THIS_MONTH", "2026-11-01", "2026-12-01"),
            ("NEXT_MONTH", "2026-12-01", "2027-01-01"),
            ("LAST_90_DAYS", "2026-08-25", "2026-11-24"),
            ("NEXT_90_DAYS", "2026-11-24", "2027-02-22"),
            ("LAST_QUARTER", "2026-07-01", "2026-10-01"),
            ("THIS_QUARTER", "2026-10-01", "2027-01-01"),
            ("NEXT_QUARTER", "2027-01-01", "2027-04-01"),
            ("LAST_YEAR", "2025-01-01", "2026-01-01"),
            ("THIS_YEAR", "2026-01-01", "2027-01-01"),
            ("NEXT_YEAR", "2027-01-01", "2028-01-01"),
            ("LAST_N_DAYS:1", "2026-11-22", "2026-11-24"),
            ("NEXT_N_DAYS:2", "2026-11-24", "2026-11-26"),
            ("N_DAYS_AGO:3", "2026-11-20", "2026-11-21"),
            ("LAST_N_WEEKS:2", "2026-11-08", "2026-11-22"),
            ("NEXT_N_WEEKS:1", "2026-11-29", "2026-12-06"),
            ("N_WEEKS_AGO:1", "2026-11-15", "2026-11-22"),
            ("LAST_N_MONTHS:2", "2026-09-01", "2026-11-01"),
            ("NEXT_N_MONTHS:2", "2026-12-01", "2027-02-01"),
            ("N_MONTHS_AGO:11", "2025-12-01", "2026-01-01"),
            ("LAST_N_QUARTERS:1", "2026-07-01", "2026-10-01"),
            ("NEXT_N_QUARTERS:1", "2027-01-01", "2027-04-01"),
            ("N_QUARTERS_AGO:1", "2026-07-01", "2026-10-01"),
            ("LAST_N_YEARS:2", "2024-01-01", "2026-01-01"),
            ("NEXT_N_YEARS:2", "2027-01-01", "2029-01-01"),
            ("N_YEARS_AGO:1", "2025-01-01", "2026-01-01"),
        ];
        assert_days(&calendar, &cases);
    }

    #[test]
    fn fiscal_periods_follow_the_companys_first_month() {
        let cases = [
            ("THIS_FISCAL_QUARTER", "2026-11-01", "2027-02-01"),
            ("LAST_FISCAL_QUARTER", "2026-08-01", "2026-11-01"),
            ("NEXT_FISCAL_QUARTER", "2027-02-01", "2027-05-01"),
            ("THIS_FISCAL_YEAR", "2026-02-01", "2027-02-01"),
            ("LAST_FISCAL_YEAR", "2025-02-01", "2026-02-01"),
            ("NEXT_FISCAL_YEAR", "2027-02-01", "2028-02-01"),
            ("LAST_N_FISCAL_QUARTERS:2", "2026-05-01", "2026-11-01"),
            ("N_FISCAL_YEARS_AGO:1", "2025-02-01", "2026-02-01"),
        ];
        assert_days(&calendar(date(2026, 11, 23), 2), &cases);
        let january = [("THIS_FISCAL_YEAR", "2025-02-01", "2026-02-01")];
        assert_days(&calendar(date(2026, 1, 31), 2), &january);
    }

    #[test]
    fn the_calendar_has_ends() {
        let cases = [
            ("LAST_N_DAYS:4294967295", "-009999-01-01", "2026-11-24"),
            ("NEXT_N_YEARS:4294967295", "2027-01-01", "9999-12-31"),
            ("N_WEEKS_AGO:4294967295", "-009999-01-01", "-009999-01-01"),
        ];
        assert_days(&calendar(date(2026, 11, 23), 1), &cases);
    }

    #[test]
    fn a_day_begins_where_the_user_is() {
        let mut calendar = calendar(date(2026, 11, 23), 1);
        calendar.time_zone = TimeZone::fixed(jiff::tz::offset(-8));
        let start = calendar.start_of(date(2026, 11, 23));
        assert_eq!(start.to_string(), "2026-11-23T08:00:00Z");
        assert_eq!(calendar.start_of(Date::MAX), Timestamp::MAX);
        calendar.time_zone = TimeZone::fixed(jiff::tz::offset(8));
        assert_eq!(calendar.start_of(Date::MIN), Timestamp::MIN);
    }

    fn assert_days(calendar: &Calendar, cases: &[(&str, &str, &str)]) {
        for (literal, first, after) in cases {
            let soql = format!("SELECT Id FROM X WHERE D = {literal}");
            let Ok(query) = soql::parse_query(&soql) else {
                panic!("{literal} does not parse");
            };
            let Some(soql::Condition::Comparison {
                value: soql::Value::DateLiteral(parsed),
                ..
            }) = query.condition
            else {
                panic!("{literal} is no date literal");
            };
            let (from, to) = calendar.days(parsed);
            assert_eq!(
                (&*from.to_string(), &*to.to_string()),
                (*first, *after),
                "{literal}"
            );
        }
    }
}
