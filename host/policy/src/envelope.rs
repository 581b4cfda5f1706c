//! SOAP messages (SOAP 1.1): one path carries many operations, and the token stands in the message.
//!
//! The attack: a message that the host reads as one operation and the service as another: two operations in one body, one in
//! another place or namespace, one that only some readers see (comments, CDATA, entities, document types, another encoding), or one
//! that the header `SOAPAction` names instead. And a message with a second place for the token, which the service
//! stores or sends on. So there is one way alone to write a message: `Header` at most once, `Body` after it with one element, every
//! other element in the operation's namespace, no attributes, and the stand-in for the token written once, as the whole
//! text of the element that the route names.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::agreement::xml::{Part, parts};

/// The namespace of SOAP 1.1.
const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";

/// The body's place in a message.
const BODY: &str = "Envelope/Body";

/// An operation of a SOAP service: its element's name and namespace, written as `{urn:service}name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Operation {
    namespace: String,
    name: String,
}

/// The place of an element's text in an XML body: the names of the elements on the way, such as
/// `Envelope/Header/SessionHeader/sessionId`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct XmlPlace(String);

/// A text that is no operation, or no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlNameError {
    /// It is no operation.
    #[error("it must be an element's namespace in braces and its name, as `{{urn:service}}name`")]
    Operation,
    /// It is no place.
    #[error(
        "it must be the names of elements from the root on, as `Envelope/Body/operation/element`"
    )]
    Place,
}

/// Says whether a text is the name of an element, without a prefix.
fn is_name(text: &str) -> bool {
    let is_first = |char: char| char.is_ascii_alphabetic() || char == '_';
    text.starts_with(is_first)
        && text
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.'))
}

impl TryFrom<String> for Operation {
    type Error = XmlNameError;

    fn try_from(text: String) -> Result<Self, XmlNameError> {
        let parts = text
            .strip_prefix('{')
            .and_then(|rest| rest.split_once('}'))
            .filter(|(namespace, name)| {
                let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'{';
                !namespace.is_empty() && namespace.bytes().all(is_plain) && is_name(name)
            });
        let (namespace, name) = parts.ok_or(XmlNameError::Operation)?;
        match namespace == SOAP {
            true => Err(XmlNameError::Operation),
            false => Ok(Self {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            }),
        }
    }
}

impl From<Operation> for String {
    fn from(operation: Operation) -> Self {
        operation.to_string()
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}{}", self.namespace, self.name)
    }
}

impl Operation {
    /// Gives its element's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl TryFrom<String> for XmlPlace {
    type Error = XmlNameError;

    fn try_from(text: String) -> Result<Self, XmlNameError> {
        let is_place = text.contains('/') && text.split('/').all(is_name);
        match is_place {
            true => Ok(Self(text)),
            false => Err(XmlNameError::Place),
        }
    }
}

impl From<XmlPlace> for String {
    fn from(place: XmlPlace) -> Self {
        place.0
    }
}

impl XmlPlace {
    /// Gives the names of the elements, with slashes between.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Says whether it is in the header of a SOAP message, where no operation has its values.
    pub fn is_in_header(&self) -> bool {
        self.0.starts_with("Envelope/Header/")
    }

    /// Gives the number of an element's place among those of the same name: 0 for `…/ids`, 1 for `…/ids[1]`. None: it is another.
    pub(crate) fn index_of(&self, place: &str) -> Option<usize> {
        match place.strip_prefix(&self.0)? {
            "" => Some(0),
            index => index
                .strip_prefix('[')?
                .strip_suffix(']')?
                .parse()
                .ok()
                .filter(|index| *index > 0),
        }
    }
}

/// A message that can be read in one way alone.
pub struct Envelope {
    operation: Operation,
    parts: Vec<Part>,
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}

/// Why a message is not sent. It names no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Its headers do not say that it is XML in UTF-8.
    #[error("its headers must say once that it is `text/xml`, in UTF-8")]
    NotXml,
    /// The header that names the operation names another, or several do.
    #[error("its header `SOAPAction` is not its operation `{0}`, and not empty")]
    Action(String),
    /// It is not XML, or could be read in two ways.
    #[error("{0}")]
    Document(String),
    /// It is not made as a message is.
    #[error("it is no SOAP message: {0}")]
    Structure(&'static str),
    /// The stand-in for the token is not where the route has it.
    #[error("the stand-in for the token does not stand at `{0}`, or not there alone")]
    Token(String),
}

impl Envelope {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`] where a service could read it otherwise.
    pub fn read<'h>(
        headers: impl Iterator<Item = (&'h str, &'h [u8])> + Clone,
        body: &[u8],
    ) -> Result<Self, EnvelopeError> {
        require_xml(headers.clone())?;
        let parts = parts(body).map_err(|error| EnvelopeError::Document(error.to_string()))?;
        let operation = operation(&parts)?;
        require_action(headers, operation.name())?;
        Ok(Self { operation, parts })
    }

    /// Gives its operation.
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// Finds the stand-in for the token in the message's bytes, which must be the whole text of the element at `place` and
    /// nowhere else.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::Token`].
    pub fn token_at(
        &self,
        place: &XmlPlace,
        placeholder: &str,
        body: &[u8],
    ) -> Result<Range<usize>, EnvelopeError> {
        let wrong = || EnvelopeError::Token(place.0.clone());
        let mut here = self.parts.iter().filter(|part| part.place == place.0);
        let at = here.next().and_then(|part| part.text_at.clone());
        let at = at.ok_or_else(wrong)?;
        let holds = |bytes: &[u8]| {
            let mut windows = bytes.windows(placeholder.len().max(1));
            windows.any(|window| window == placeholder.as_bytes())
        };
        let (before, rest) = body.split_at_checked(at.start).ok_or_else(wrong)?;
        let (text, after) = rest.split_at_checked(at.len()).ok_or_else(wrong)?;
        let is_elsewhere = holds(before)
            || holds(after)
            || self.parts.iter().any(|part| {
                part.place != place.0 && part.text().is_some_and(|text| holds(text.as_bytes()))
            });
        match text == placeholder.as_bytes() && !is_elsewhere {
            true => Ok(at),
            false => Err(wrong()),
        }
    }
}

/// Finds the operation of a message that is made as one must be.
fn operation(parts: &[Part]) -> Result<Operation, EnvelopeError> {
    let wrong = EnvelopeError::Structure;
    let mut elements = Vec::with_capacity(parts.len());
    for part in parts {
        match part.depth {
            Some(depth) => elements.push((depth, part)),
            None => return Err(wrong("its elements must have no attributes")),
        }
    }
    let of_soap = elements.iter().take_while(|(depth, _)| *depth == 0);
    let is_soap = |part: &Part| part.namespace == SOAP;
    let frame: Vec<&str> = elements
        .iter()
        .filter(|(depth, part)| *depth < 2 && is_soap(part))
        .map(|(_, part)| part.place.as_str())
        .collect();
    let is_framed = matches!(
        frame.as_slice(),
        ["Envelope", "Envelope/Header", BODY] | ["Envelope", BODY]
    );
    let others = elements
        .iter()
        .any(|(depth, part)| *depth < 2 && !is_soap(part));
    if of_soap.count() != 1 || !is_framed || others {
        return Err(wrong(
            "it must have the elements `Envelope`, `Header` and `Body` of SOAP 1.1, each once and no other beside them",
        ));
    }
    let in_body = format!("{BODY}/");
    let mut operations = elements
        .iter()
        .filter(|(depth, part)| *depth == 2 && part.place.starts_with(&in_body));
    let (Some((_, found)), None) = (operations.next(), operations.next()) else {
        return Err(wrong("its body must have one operation"));
    };
    let name = found.place.trim_start_matches(&in_body);
    let operation = Operation::try_from(format!("{{{}}}{name}", found.namespace))
        .map_err(|_| wrong("its operation has no name that a manifest can declare"))?;
    let mut inner = elements.iter().filter(|(depth, _)| *depth >= 2);
    match inner.all(|(_, part)| part.namespace == operation.namespace) {
        true => Ok(operation),
        false => Err(wrong(
            "every element in its header and body must be in the operation's namespace",
        )),
    }
}

fn require_xml<'h>(
    headers: impl Iterator<Item = (&'h str, &'h [u8])>,
) -> Result<(), EnvelopeError> {
    let mut types = 0;
    for (name, value) in headers {
        if name.eq_ignore_ascii_case("content-encoding") {
            return Err(EnvelopeError::NotXml);
        }
        if name.eq_ignore_ascii_case("content-type") {
            types += 1;
            let value = std::str::from_utf8(value).map_err(|_| EnvelopeError::NotXml)?;
            if !crate::header::is_utf_8(value, &["text/xml"]) {
                return Err(EnvelopeError::NotXml);
            }
        }
    }
    match types {
        1 => Ok(()),
        _ => Err(EnvelopeError::NotXml),
    }
}

/// Holds `SOAPAction` to the operation: some services choose by it.
fn require_action<'h>(
    headers: impl Iterator<Item = (&'h str, &'h [u8])>,
    operation: &str,
) -> Result<(), EnvelopeError> {
    let wrong = || EnvelopeError::Action(operation.to_owned());
    let mut actions = headers.filter(|(name, _)| name.eq_ignore_ascii_case("soapaction"));
    let Some((_, action)) = actions.next() else {
        return Ok(());
    };
    let action = std::str::from_utf8(action).map_err(|_| wrong())?;
    let quoted = format!("\"{operation}\"");
    let fits = ["", "\"\"", operation, &quoted].contains(&action);
    match (fits, actions.next()) {
        (true, None) => Ok(()),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
#[path = "envelope/tests.rs"]
mod tests;
