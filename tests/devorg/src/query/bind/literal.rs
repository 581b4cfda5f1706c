//! Literals, checked against the type of what they are compared with.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use soql::{Span, StringLiteral, Value};

use super::Binder;
use crate::error::ApiError;
use crate::id::Id;
use crate::query::date_range::next_day;
use crate::query::plan::{Datum, Operand};
use crate::schema::FieldType;
use crate::value::folded;

/// As much as a moment needs to end after: the smallest step there is.
const INSTANT: SignedDuration = SignedDuration::from_nanos(1);

impl<'a> Binder<'a, '_> {
    /// Makes a literal ready to be compared with `operand`.
    pub(super) fn datum(
        &self,
        operand: &Operand<'a>,
        value: &Value,
        at: Span,
    ) -> Result<Datum, ApiError> {
        let datum = match (operand.kind, value) {
            (_, Value::Null) => Some(Datum::Null),
            (FieldType::Boolean, Value::Boolean(value)) => Some(Datum::Bool(*value)),
            (FieldType::Date, Value::Date(day)) => {
                let day = civil_date(*day);
                Some(Datum::Days(day, next_day(day)))
            }
            (FieldType::Date, Value::DateLiteral(literal)) => {
                let (first, after) = self.calendar.days(*literal);
                Some(Datum::Days(first, after))
            }
            (FieldType::Datetime, Value::DateTime(moment)) => {
                let moment = timestamp(moment);
                let after = moment.checked_add(INSTANT).unwrap_or(moment);
                Some(Datum::Moments(moment, after))
            }
            (FieldType::Datetime, Value::DateLiteral(literal)) => {
                let (first, after) = self.calendar.days(*literal);
                let start = |day| self.calendar.start_of(day);
                Some(Datum::Moments(start(first), start(after)))
            }
            (FieldType::Time, Value::Time(time)) => Some(Datum::Time(civil_time(time))),
            (FieldType::Id | FieldType::Reference, Value::String(literal)) => {
                return self.id(literal, at);
            }
            (kind, value) if kind.is_number() => number(kind, value).map(Datum::Number),
            (kind, Value::String(literal)) if kind.is_text() => {
                let field = operand.field.filter(|field| field.case_sensitive());
                Some(text(literal, field.is_some()))
            }
            _ => None,
        };
        datum.ok_or_else(|| self.mismatch(operand, at))
    }

    fn id(&self, literal: &StringLiteral, at: Span) -> Result<Datum, ApiError> {
        let text = literal.text();
        if text.is_empty() {
            return Ok(Datum::Null);
        }
        Id::parse(&text).map(Datum::Id).ok_or_else(|| {
            let reason = format!("invalid ID field: {text}");
            self.source
                .refuse("INVALID_QUERY_FILTER_OPERATOR", at, reason)
        })
    }

    /// Makes the refusal of a literal of the wrong type.
    pub(super) fn mismatch(&self, operand: &Operand<'_>, at: Span) -> ApiError {
        let (kind, quotes) = match operand.kind {
            FieldType::Boolean => ("boolean", "should not be"),
            FieldType::Int => ("int", "should not be"),
            FieldType::Double | FieldType::Currency | FieldType::Percent => {
                ("double", "should not be")
            }
            FieldType::Date => ("date", "should not be"),
            FieldType::Datetime => ("dateTime", "should not be"),
            FieldType::Time => ("time", "should not be"),
            FieldType::Id | FieldType::Reference => ("ID", "should be"),
            _ => ("string", "should be"),
        };
        let name = &operand.name;
        let reason = format!(
            "value of filter criterion for field '{name}' must be of type {kind} and {quotes} \
             enclosed in quotes"
        );
        self.source.invalid_field(at, reason)
    }
}

/// Gives the string that a literal is.
pub(super) fn string(value: &Value) -> Option<&StringLiteral> {
    match value {
        Value::String(literal) => Some(literal),
        _ => None,
    }
}

/// An empty text is no value.
fn text(literal: &StringLiteral, exact: bool) -> Datum {
    let text = literal.text();
    match exact {
        _ if text.is_empty() => Datum::Null,
        true => Datum::Exact(text),
        false => Datum::Text(folded(&text).collect()),
    }
}

fn number(kind: FieldType, value: &Value) -> Option<f64> {
    match value {
        Value::Integer(value) => Some(*value as f64),
        Value::Decimal(text) => text.parse().ok(),
        // The org has one currency: the code is of no account.
        Value::Currency { amount, .. } if kind == FieldType::Currency => amount.parse().ok(),
        _ => None,
    }
}

fn civil_date(day: soql::Date) -> Date {
    // Years go to 9999 and the parser checks the rest, so that every day is one of the calendar.
    Date::new(day.year as i16, day.month as i8, day.day as i8).unwrap_or(Date::MAX)
}

fn local_time(time: &soql::Time) -> Time {
    let (hour, minute, second) = (time.hour, time.minute, time.second);
    let nanosecond = i32::from(time.millisecond) * 1_000_000;
    let time = Time::new(hour as i8, minute as i8, second as i8, nanosecond);
    time.unwrap_or_default()
}

/// Gives a time of day in UTC, past midnight too.
fn civil_time(time: &soql::Time) -> Time {
    let offset = SignedDuration::from_mins(time.offset_minutes.into());
    local_time(time).wrapping_sub(offset)
}

fn timestamp(moment: &soql::DateTime) -> Timestamp {
    let local = civil_date(moment.date).to_datetime(local_time(&moment.time));
    let offset = SignedDuration::from_mins(moment.time.offset_minutes.into());
    local
        .checked_sub(offset)
        .and_then(|utc| TimeZone::UTC.to_timestamp(utc))
        .unwrap_or(Timestamp::MAX)
}
