//! The address of a resource, such as `crm://{object}/{id}`: which addresses it stands for, and what its variables are there.
//!
//! The attack: an address that one reader takes for this resource and another for that. So a variable is a whole segment, there is one
//! way alone to take an address apart, and of the templates that fit the most specific one counts, as with routes.

use std::collections::BTreeMap;
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// Bytes of an address.
const URI_BYTES_MAX: usize = 2_048;
/// Characters of a variable's value.
const VALUE_CHARS_MAX: usize = 255;
/// Segments of an address.
const SEGMENTS_MAX: usize = 16;
/// What is written as it is in a segment (RFC 3986, section 2.3); all else is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A text that is no template of an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UriTemplateError {
    /// It is not made of a scheme and segments.
    #[error("an address is `scheme://segment/segment`, with at most {SEGMENTS_MAX} segments")]
    Form,
    /// A segment that is neither plain nor a variable.
    #[error(
        "`{0}` is no segment: letters, digits, `-`, `.`, `_` and `~`, or one name in braces that takes the whole segment"
    )]
    Segment(String),
    /// A variable that stands in two places.
    #[error("`{{{0}}}` is there twice")]
    Twice(String),
}

/// The address of a resource, or, with variables, of many (RFC 6570, level 1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UriTemplate {
    text: String,
    scheme: String,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Segment {
    Literal(String),
    Variable(String),
}

impl UriTemplate {
    /// Takes a template.
    ///
    /// # Errors
    ///
    /// [`UriTemplateError`].
    pub fn parse(text: &str) -> Result<Self, UriTemplateError> {
        let (scheme, rest) = text.split_once("://").ok_or(UriTemplateError::Form)?;
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_lowercase())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let segments: Vec<&str> = rest.split('/').collect();
        if !is_scheme || text.len() > URI_BYTES_MAX || segments.len() > SEGMENTS_MAX {
            return Err(UriTemplateError::Form);
        }
        let segments = segments.into_iter().map(Segment::parse);
        let template = Self {
            text: text.to_owned(),
            scheme: scheme.to_owned(),
            segments: segments.collect::<Result<_, _>>()?,
        };
        let names: Vec<&str> = template.variables().collect();
        for (at, name) in names.iter().enumerate() {
            if names[..at].contains(name) {
                return Err(UriTemplateError::Twice((*name).to_owned()));
            }
        }
        Ok(template)
    }

    /// Gives the text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Gives what stands before `://`.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Gives the names of its variables, in their order.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Variable(name) => Some(name.as_str()),
            Segment::Literal(_) => None,
        })
    }

    /// Gives what the variables are in an address; none where it is not one of these. A value is a line of text, decoded.
    pub fn values(&self, uri: &str) -> Option<BTreeMap<String, String>> {
        if uri.len() > URI_BYTES_MAX {
            return None;
        }
        let (scheme, rest) = uri.split_once("://")?;
        let given: Vec<&str> = rest.split('/').collect();
        // A scheme is the same in any case (RFC 3986, section 3.1).
        if !scheme.eq_ignore_ascii_case(&self.scheme) || given.len() != self.segments.len() {
            return None;
        }
        let mut values = BTreeMap::new();
        for (segment, given) in self.segments.iter().zip(given) {
            match segment {
                Segment::Literal(literal) if literal == given => {}
                Segment::Literal(_) => return None,
                Segment::Variable(name) => {
                    values.insert(name.clone(), decoded(given)?);
                }
            }
        }
        Some(values)
    }

    /// Writes the address for values of all variables; none where one is missing, or is no value.
    pub fn uri(&self, values: &BTreeMap<String, String>) -> Option<String> {
        let mut segments = Vec::with_capacity(self.segments.len());
        for segment in &self.segments {
            segments.push(match segment {
                Segment::Literal(literal) => literal.clone(),
                Segment::Variable(name) => {
                    let value = values.get(name).filter(|value| is_value(value))?;
                    utf8_percent_encode(value, ENCODED).to_string()
                }
            });
        }
        let uri = format!("{}://{}", self.scheme, segments.join("/"));
        (uri.len() <= URI_BYTES_MAX).then_some(uri)
    }

    /// Orders templates: of those that fit an address the first counts. A literal segment goes before a variable.
    pub fn rank(&self) -> Vec<bool> {
        let segments = self.segments.iter();
        let ranks = segments.map(|segment| matches!(segment, Segment::Variable(_)));
        ranks.collect()
    }

    /// Says whether two templates stand for the very same addresses, so that none would go before the other.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let is_same = |(one, other): (&Segment, &Segment)| match (one, other) {
            (Segment::Variable(_), Segment::Variable(_)) => true,
            (one, other) => one == other,
        };
        self.scheme == other.scheme
            && self.segments.len() == other.segments.len()
            && self.segments.iter().zip(&other.segments).all(is_same)
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, UriTemplateError> {
        let refuse = || UriTemplateError::Segment(text.chars().take(64).collect());
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        let name = text
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        match name {
            Some(name) if is_variable(name) => Ok(Self::Variable(name.to_owned())),
            Some(_) => Err(refuse()),
            None if !text.is_empty() && text.bytes().all(is_plain) && !is_dots(text) => {
                Ok(Self::Literal(text.to_owned()))
            }
            None => Err(refuse()),
        }
    }
}

/// Says whether a text can be the name of a variable.
pub(crate) fn is_variable(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.len() <= 64
        && name.bytes().all(is_plain)
}

/// Decodes a segment of an address (RFC 3986, section 2.1).
fn decoded(given: &str) -> Option<String> {
    let is_plain =
        |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'\\' | b'{' | b'}');
    let triples = given.split('%').skip(1).all(|after| {
        let digits = after.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    if !triples || !given.bytes().all(is_plain) {
        return None;
    }
    let value = percent_decode_str(given).decode_utf8().ok()?;
    is_value(&value).then(|| value.into_owned())
}

/// Says whether a text can be what a variable stands for: a line that is neither empty nor a step to elsewhere.
pub(crate) fn is_value(value: &str) -> bool {
    !value.is_empty()
        && value.chars().count() <= VALUE_CHARS_MAX
        && !value.chars().any(char::is_control)
        && !is_dots(value)
}

/// A step of a path, which clients take away (RFC 3986, section 5.2.4).
fn is_dots(text: &str) -> bool {
    matches!(text, "." | "..")
}

impl TryFrom<String> for UriTemplate {
    type Error = UriTemplateError;

    fn try_from(text: String) -> Result<Self, UriTemplateError> {
        Self::parse(&text)
    }
}

impl From<UriTemplate> for String {
    fn from(template: UriTemplate) -> Self {
        template.text
    }
}

impl fmt::Display for UriTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
#[path = "uri_template/tests.rs"]
mod tests;
