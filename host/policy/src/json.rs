//! JSON (RFC 8259) that has one reading alone.
//!
//! Services differ in which of two members of one name they take, and some see no case in names: so a text that has a name twice
//! is refused, also where the two differ by case alone. Numbers stay as they are written: two ways to write one may be two numbers
//! to a service.

use std::collections::HashSet;

use serde::de::IgnoredAny;

/// A value.
///
/// Its `Debug` is left out: it may be a record's.
#[derive(Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    List(Vec<Json>),
    /// In the order of the text; no two names are alike.
    Object(Vec<(String, Json)>),
}

/// Why a text is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonError {
    /// It is none, or is nested too deep.
    #[error("{0}")]
    NotJson(String),
    /// The name may be a value of a map, so it is not repeated.
    #[error("a member is there twice")]
    Twice,
}

impl Json {
    /// Reads a text.
    pub(crate) fn read(text: &[u8]) -> Result<Self, JsonError> {
        let not_json = |error: &dyn ToString| JsonError::NotJson(error.to_string());
        let text = std::str::from_utf8(text).map_err(|error| not_json(&error))?;
        // What follows may rely on it: the grammar holds, and it is not nested deeper than the library follows.
        serde_json::from_str::<IgnoredAny>(text).map_err(|error| not_json(&error))?;
        Reader { rest: text }.value()
    }
}

/// Walks through a text that is known to be JSON.
struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn value(&mut self) -> Result<Json, JsonError> {
        match self.peek() {
            Some(b'{') => self.object(),
            Some(b'[') => self.list(),
            Some(b'"') => self.string().map(Json::Text),
            _ => self.word(),
        }
    }

    fn object(&mut self) -> Result<Json, JsonError> {
        self.take(b'{');
        let mut members = Vec::new();
        let mut names = HashSet::new();
        while !self.take(b'}') {
            let name = self.string()?;
            if !names.insert(name.to_lowercase()) {
                return Err(JsonError::Twice);
            }
            self.take(b':');
            members.push((name, self.value()?));
            self.take(b',');
        }
        Ok(Json::Object(members))
    }

    fn list(&mut self) -> Result<Json, JsonError> {
        self.take(b'[');
        let mut items = Vec::new();
        while !self.take(b']') {
            items.push(self.value()?);
            self.take(b',');
        }
        Ok(Json::List(items))
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.skip_space();
        let mut escaped = false;
        let end = self.rest.bytes().enumerate().skip(1).find(|(_, byte)| {
            let ends = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            ends
        });
        let (end, _) = end.ok_or_else(unexpected)?;
        let token = self.advance(end + 1);
        serde_json::from_str(token).map_err(|error| JsonError::NotJson(error.to_string()))
    }

    fn word(&mut self) -> Result<Json, JsonError> {
        self.skip_space();
        let is_end = |byte: u8| matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace();
        let end = self.rest.bytes().position(is_end);
        let token = self.advance(end.unwrap_or(self.rest.len()));
        Ok(match token {
            "null" => Json::Null,
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            "" => return Err(unexpected()),
            number => Json::Number(number.to_owned()),
        })
    }

    fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.rest.bytes().next()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        if is_there {
            self.advance(1);
        }
        is_there
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn advance(&mut self, by: usize) -> &'t str {
        let (token, rest) = self.rest.split_at(by);
        self.rest = rest;
        token
    }
}

fn unexpected() -> JsonError {
    JsonError::NotJson("it ends too early".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// What the library makes of it, for a value whose numbers are whole.
    fn value(json: Json) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(bool) => bool.into(),
            Json::Number(text) => text.parse::<i64>().unwrap().into(),
            Json::Text(text) => text.into(),
            Json::List(items) => items.into_iter().map(value).collect(),
            Json::Object(members) => members
                .into_iter()
                .map(|(name, member)| (name, value(member)))
                .collect(),
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            Just(Value::from("}],\"\\")),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            let name = "[a-z\"\\\\{}]{1,3}";
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(name, inner, 0..5)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_has_one_reading_is_read_as_the_library_reads_it(whole in values()) {
            for text in [whole.to_string(), format!(" {whole:#}\n")] {
                prop_assert_eq!(value(Json::read(text.as_bytes()).unwrap_or(Json::Null)), whole.clone());
            }
        }

        #[test]
        fn nothing_panics(text in any::<Vec<u8>>(), more in "[\\[\\]{}\",:0-9a tnuf\\\\]{0,40}") {
            for text in [text, more.into_bytes()] {
                let is_json = serde_json::from_slice::<IgnoredAny>(&text).is_ok();
                match Json::read(&text) {
                    Ok(_) | Err(JsonError::Twice) => prop_assert!(is_json),
                    Err(JsonError::NotJson(_)) => prop_assert!(!is_json),
                }
            }
        }
    }

    #[test]
    fn a_number_stays_as_it_is_written() {
        let Ok(Json::List(items)) = Json::read(b"[1.0, 1e0,-0 ,100000000000000000000]") else {
            panic!("it is a list");
        };
        let texts: Vec<_> = items
            .iter()
            .map(|item| match item {
                Json::Number(text) => text.as_str(),
                _ => "",
            })
            .collect();
        assert_eq!(texts, ["1.0", "1e0", "-0", "100000000000000000000"]);
    }
}
