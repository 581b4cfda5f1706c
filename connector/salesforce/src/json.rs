//! JSON as Salesforce sends it: members in their order, numbers as they are spelled.
//!
//! `serde_json::Value` sorts members and reads `12345678901234567.89` as a binary fraction; its features
//! that do neither would change every other crate of a shared build. A column's order and an amount's
//! digits are what a query is about, so this small reader keeps both. It refuses what RFC 8259 refuses,
//! and nesting beyond 64 levels.

use std::fmt::{self, Write as _};

use portcullis_sdk::Output;
use serde_json::Value;

mod read;
mod text;

pub use text::Text;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number, spelled as it was read.
    Number(Text),
    /// A string, unescaped.
    String(Text),
    /// An array.
    Array(Vec<Json>),
    /// An object: its members in the order of the text.
    Object(Vec<(Text, Json)>),
}

/// Why a text is not JSON: what was wrong, and at which byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// Bytes from the start.
    pub offset: usize,
    /// What was expected there.
    pub expected: &'static str,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} at byte {}", self.expected, self.offset)
    }
}

impl std::error::Error for JsonError {}

impl Json {
    /// Reads one value, and nothing after it.
    ///
    /// # Errors
    /// The text is not JSON (RFC 8259), or nests too deep.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        read::read(text)
    }

    /// Makes an object of its members.
    pub fn object<'a>(members: impl IntoIterator<Item = (&'a str, Json)>) -> Self {
        Self::Object(
            members
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        )
    }

    /// Makes a list of texts.
    pub fn texts(texts: &[String]) -> Self {
        Self::Array(texts.iter().map(|text| text.as_str().into()).collect())
    }

    /// Makes rows of texts.
    pub fn rows(rows: &[Vec<String>]) -> Self {
        Self::Array(rows.iter().map(|row| Self::texts(row)).collect())
    }

    /// Makes a list of names.
    pub fn names(names: &[&str]) -> Self {
        Self::Array(names.iter().map(|name| (*name).into()).collect())
    }

    /// Gives an answer with this as its data.
    pub fn answer(&self, text: String) -> Output {
        let mut output = Output::text(text);
        // Written by our own hand, since numbers must keep the service's digits.
        output.structured = Some(self.text());
        output
    }

    /// Takes over a value of another reader, whose numbers are spelled in the shortest way for the same number.
    pub fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(number.to_string().into()),
            Value::String(text) => text.as_str().into(),
            Value::Array(items) => Self::Array(items.iter().map(Self::of_value).collect()),
            Value::Object(members) => Self::Object(
                members
                    .iter()
                    .map(|(name, value)| (name.as_str().into(), Self::of_value(value)))
                    .collect(),
            ),
        }
    }

    /// Gets a member of an object, by its exact name.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.members()
            .iter()
            .find_map(|(key, value)| (*key == *name).then_some(value))
    }

    /// Gets what is at the end of a path of members, such as `Owner.Name`.
    pub fn at(&self, path: &str) -> Option<&Json> {
        path.split('.')
            .try_fold(self, |value, name| value.get(name))
    }

    /// Gets a member whatever its case: SOQL's names have none.
    pub fn get_folded(&self, name: &str) -> Option<&Json> {
        self.members()
            .iter()
            .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    }

    /// Gives the members of an object; none of anything else.
    pub fn members(&self) -> &[(Text, Json)] {
        match self {
            Self::Object(members) => members,
            _ => &[],
        }
    }

    /// Gives the items of an array; none of anything else.
    pub fn items(&self) -> &[Json] {
        match self {
            Self::Array(items) => items,
            _ => &[],
        }
    }

    /// Gives the text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Gives a member's text, where it is a string.
    pub fn str_at(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Self::as_str)
    }

    /// Says whether a member is `true`.
    pub fn is_true_at(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Self::Bool(true)))
    }

    /// Gives a member that is a whole number.
    pub fn count_at(&self, name: &str) -> Option<u64> {
        match self.get(name) {
            Some(Self::Number(digits)) => digits.parse().ok(),
            _ => None,
        }
    }

    /// Says whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<Text> for Json {
    fn from(text: Text) -> Self {
        Self::String(text)
    }
}

impl From<u64> for Json {
    fn from(number: u64) -> Self {
        Self::Number(number.to_string().into())
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Writes the compact text.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl Json {
    /// Gives the compact text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    /// Appends the compact text.
    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Number(digits) => out.push_str(digits),
            Self::String(text) => write_string(out, text),
            Self::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_string(out, name);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    // Runs without an escape go out whole: most strings are one run.
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[from..at]);
        from = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            // Writing to a string cannot fail.
            _ => _ = write!(out, "\\u{byte:04x}"),
        }
    }
    out.push_str(&text[from..]);
    out.push('"');
}

#[cfg(test)]
mod tests;
