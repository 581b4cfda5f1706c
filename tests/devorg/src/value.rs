//! The value of a field, and how Salesforce's JSON writes it.

use std::cmp::Ordering;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde_json::Value as Json;

/// The value of one field of one record.
///
/// Ids and references are texts of 18 characters; so are picklist values and every other kind of
/// text. A multi-select picklist is a text with `;` between its values.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// No value. An empty text is stored as this.
    #[default]
    Null,
    /// A checkbox.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number, a currency amount or a percentage.
    Number(f64),
    /// Any text.
    Text(String),
    /// A day.
    Date(Date),
    /// A moment, to the second: Salesforce keeps no fraction.
    DateTime(Timestamp),
    /// A time of day, to the millisecond; in no time zone, though it is written with a `Z`.
    Time(Time),
    /// The bytes of a file, which every copy of the record shares.
    Blob(Arc<[u8]>),
}

/// A missing field's value, to refer to.
pub(crate) static NULL: Value = Value::Null;

impl Value {
    /// Makes a text, or no value of an empty one.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() {
            Self::Null
        } else {
            Self::Text(text)
        }
    }

    /// Says whether there is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Gives the text, if this is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Gives the checkbox, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Gives the bytes, if these are some.
    pub fn as_blob(&self) -> Option<&Arc<[u8]>> {
        match self {
            Self::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Gives the number, whole or not, if this is one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Number(value) => Some(*value),
            _ => None,
        }
    }

    /// Gives the JSON of the REST API: days as `2026-11-23`, moments as [`format_moment`] does.
    ///
    /// Bytes are base64, as other APIs have them: the REST API gives their address instead.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(value) => Json::from(*value),
            Self::Number(value) => Json::from(*value),
            Self::Text(text) => Json::from(text.as_str()),
            Self::Date(date) => Json::from(date.to_string()),
            Self::DateTime(moment) => Json::from(format_moment(*moment)),
            Self::Time(time) => Json::from(format_time(*time)),
            Self::Blob(bytes) => Json::from(STANDARD.encode(bytes)),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<Date> for Value {
    fn from(date: Date) -> Self {
        Self::Date(date)
    }
}

impl From<Timestamp> for Value {
    fn from(moment: Timestamp) -> Self {
        Self::DateTime(moment)
    }
}

impl From<Time> for Value {
    fn from(time: Time) -> Self {
        Self::Time(time)
    }
}

impl From<crate::id::Id> for Value {
    fn from(id: crate::id::Id) -> Self {
        Self::Text(id.as_str().to_owned())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Writes a moment as Salesforce does: `2026-11-23T11:57:52.000+0000`, always in UTC.
pub fn format_moment(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string()
}

/// Writes a time of day as Salesforce does: `09:30:00.000Z`.
pub fn format_time(time: Time) -> String {
    time.strftime("%H:%M:%S.%3fZ").to_string()
}

/// A number with a total order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number(f64);

impl Number {
    /// Makes one; the negative zero is the positive one.
    pub(crate) fn new(number: f64) -> Self {
        Self(number + 0.0)
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// Gives the characters of a text in lower case: as which texts are compared.
pub(crate) fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_written_as_salesforce_writes_them() {
        let moment: Timestamp = "2026-11-23T12:57:52+01:00".parse().unwrap();
        let values = [
            (Value::Null, json!(null)),
            (Value::text(""), json!(null)),
            (true.into(), json!(true)),
            (Value::Int(12), json!(12)),
            (Value::Number(15_000.0), json!(15_000.0)),
            ("Acme".into(), json!("Acme")),
            (jiff::civil::date(2026, 2, 3).into(), json!("2026-02-03")),
            (moment.into(), json!("2026-11-23T11:57:52.000+0000")),
            (
                jiff::civil::time(9, 30, 0, 5_000_000).into(),
                json!("09:30:00.005Z"),
            ),
        ];
        for (value, expected) in values {
            assert_eq!(value.to_json(), expected);
        }
    }
}
