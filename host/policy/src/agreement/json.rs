//! The values of a JSON text (RFC 8259), each by its JSON Pointer (RFC 6901).
//!
//! Services differ in which of two members of one name they take, and some see no case in names: so a text that has a name twice
//! is refused, also where the two differ by case alone.

use std::collections::HashSet;

use serde::de::IgnoredAny;

use super::Disagreement;
use super::value::{Places, Scalar};

const NOT_JSON: Disagreement = Disagreement::Body("says it is JSON, and is none");

/// Reads a text.
pub(super) fn read(text: &[u8], places: &mut Places) -> Result<(), Disagreement> {
    read_at(text, "", places)
}

/// Reads a text that stands at a place.
pub(super) fn read_at(text: &[u8], place: &str, places: &mut Places) -> Result<(), Disagreement> {
    let text = std::str::from_utf8(text).map_err(|_| NOT_JSON)?;
    // What follows may rely on it: the grammar holds, and it is not nested deeper than the library follows.
    serde_json::from_str::<IgnoredAny>(text).map_err(|_| NOT_JSON)?;
    let mut reader = Reader { rest: text };
    reader.value(place, places)
}

/// Walks through a text that is known to be JSON.
struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn value(&mut self, place: &str, places: &mut Places) -> Result<(), Disagreement> {
        let scalar = match self.peek() {
            Some(b'{') => return self.object(place, places),
            Some(b'[') => return self.array(place, places),
            Some(b'"') => Scalar::Text(self.string()?),
            _ => self.word()?,
        };
        places.add(place.to_owned(), scalar)
    }

    fn object(&mut self, place: &str, places: &mut Places) -> Result<(), Disagreement> {
        self.take(b'{');
        if self.take(b'}') {
            return places.add(place.to_owned(), Scalar::EmptyObject);
        }
        let mut names = HashSet::new();
        loop {
            let name = self.string()?;
            if !names.insert(name.to_lowercase()) {
                return Err(Disagreement::Body("has a member twice"));
            }
            self.take(b':');
            let name = name.replace('~', "~0").replace('/', "~1");
            self.value(&format!("{place}/{name}"), places)?;
            if !self.take(b',') {
                break;
            }
        }
        self.take(b'}');
        Ok(())
    }

    fn array(&mut self, place: &str, places: &mut Places) -> Result<(), Disagreement> {
        self.take(b'[');
        if self.take(b']') {
            return places.add(place.to_owned(), Scalar::EmptyArray);
        }
        for index in 0.. {
            self.value(&format!("{place}/{index}"), places)?;
            if !self.take(b',') {
                break;
            }
        }
        self.take(b']');
        Ok(())
    }

    fn string(&mut self) -> Result<String, Disagreement> {
        self.skip_space();
        let mut escaped = false;
        let end = self.rest.bytes().enumerate().skip(1).find(|(_, byte)| {
            let ends = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            ends
        });
        let (end, _) = end.ok_or(NOT_JSON)?;
        let token = self.advance(end + 1);
        serde_json::from_str(token).map_err(|_| NOT_JSON)
    }

    fn word(&mut self) -> Result<Scalar, Disagreement> {
        self.skip_space();
        let is_end = |byte: u8| matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace();
        let end = self.rest.bytes().position(is_end);
        let token = self.advance(end.unwrap_or(self.rest.len()));
        Ok(match token {
            "null" => Scalar::Null,
            "true" => Scalar::Bool(true),
            "false" => Scalar::Bool(false),
            "" => return Err(NOT_JSON),
            number => Scalar::Number(number.to_owned()),
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
