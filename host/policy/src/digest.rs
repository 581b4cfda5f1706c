//! Digests: of components and bodies, and the keyed ones that approvals are bound to.

mod coarse;

use std::fmt::{self, Write as _};
use std::io::{self, BufRead, BufReader, Read};
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    AgentId, Change, ConnectionId, ConnectorName, Method, Origin, PersonId, RequestPath, ToolName,
};

pub use coarse::{BoundAlike, BoundSent};

/// A SHA-256 digest (FIPS 180-4), written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

/// A text that is no digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest has 64 hexadecimal digits")]
pub struct DigestError;

impl Digest {
    /// Digests bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Digests what a reader gives until its end, a piece at a time.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn of_reader(reader: impl Read) -> io::Result<Self> {
        let mut reader = BufReader::new(reader);
        let mut hasher = Sha256::new();
        loop {
            let piece = reader.fill_buf()?;
            if piece.is_empty() {
                return Ok(Self(hasher.finalize().into()));
            }
            hasher.update(piece);
            let read = piece.len();
            reader.consume(read);
        }
    }

    /// Gives the bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Gives the first twelve digits, for people to compare.
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: [char; 16] = [
            '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
        ];
        let digit = |half: u8| DIGITS[usize::from(half)];
        let mut bytes = self.0.iter();
        bytes.try_for_each(|byte| {
            f.write_char(digit(byte >> 4))?;
            f.write_char(digit(byte & 15))
        })
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let digits = text.as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(DigestError);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| DigestError)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| DigestError)?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, DigestError> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

/// Everything that an approval is bound to. The token and the announcement's ticket are no part of it.
#[derive(Clone, Copy, Debug)]
pub struct BoundRequest<'a> {
    /// The digest of the connector's component.
    pub connector: Digest,
    /// The tool.
    pub tool: &'a ToolName,
    /// The call's arguments.
    pub arguments: &'a Value,
    /// For whom.
    pub person: &'a PersonId,
    /// By whom.
    pub agent: &'a AgentId,
    /// As whom.
    pub connection: &'a ConnectionId,
    /// The service's id of the organization.
    pub organization: Option<&'a str>,
    /// The request's method.
    pub method: Method,
    /// Where it goes.
    pub origin: &'a Origin,
    /// Its path and query.
    pub path: &'a RequestPath,
    /// Its headers, but those that are the host's.
    pub headers: &'a [(String, Vec<u8>)],
    /// Its body.
    pub body: &'a [u8],
    /// What the connector announced, with the values before.
    pub changes: &'a [Change],
}

impl BoundRequest<'_> {
    /// Gives the keyed digest (HMAC-SHA-256, RFC 2104): equal for equal requests, and not to be made
    /// without the key.
    pub fn digest(&self, key: &[u8; 32]) -> Digest {
        let mut parts = Parts::new(key);
        parts.add("version", b"1");
        parts.add("connector", self.connector.as_bytes());
        parts.add("tool", self.tool.as_str().as_bytes());
        parts.add("arguments", canonical_json(self.arguments).as_bytes());
        parts.add("person", self.person.as_str().as_bytes());
        parts.add("agent", self.agent.as_str().as_bytes());
        parts.add("connection", self.connection.as_str().as_bytes());
        parts.option("organization", self.organization);
        parts.add("method", self.method.as_str().as_bytes());
        parts.add("origin", self.origin.to_string().as_bytes());
        parts.add("path", self.path.as_str().as_bytes());
        parts.headers(self.headers);
        parts.add("body", self.body);
        parts.count("changes", self.changes.len());
        for change in self.changes {
            parts.change(change);
        }
        parts.finish()
    }
}

/// What a call asks, whatever request comes of it: the same question asked again has the same digest.
#[derive(Clone, Copy, Debug)]
pub struct BoundCall<'a> {
    /// The connector, in whichever version.
    pub connector: &'a ConnectorName,
    /// The tool.
    pub tool: &'a ToolName,
    /// The call's arguments.
    pub arguments: &'a Value,
    /// For whom.
    pub person: &'a PersonId,
    /// By whom.
    pub agent: &'a AgentId,
    /// As whom.
    pub connection: &'a ConnectionId,
}

impl BoundCall<'_> {
    /// Gives the keyed digest, as [`BoundRequest::digest`] does; it is equal to none of those.
    pub fn digest(&self, key: &[u8; 32]) -> Digest {
        let mut parts = Parts::new(key);
        parts.add("call", b"1");
        parts.add("connector", self.connector.as_str().as_bytes());
        parts.add("tool", self.tool.as_str().as_bytes());
        parts.add("arguments", canonical_json(self.arguments).as_bytes());
        parts.add("person", self.person.as_str().as_bytes());
        parts.add("agent", self.agent.as_str().as_bytes());
        parts.add("connection", self.connection.as_str().as_bytes());
        parts.finish()
    }
}

/// Parts of a digest, each with its label and length in front, so that no two lists of parts are the same bytes.
struct Parts(Hmac<Sha256>);

impl Parts {
    fn new(key: &[u8; 32]) -> Self {
        // A key shorter than a block is padded with zeros (RFC 2104, section 2).
        let mut block = [0; 64];
        block[..key.len()].copy_from_slice(key);
        Self(Hmac::new(&block.into()))
    }

    fn add(&mut self, label: &str, bytes: &[u8]) {
        for part in [label.as_bytes(), bytes] {
            self.0.update(&(part.len() as u64).to_be_bytes());
            self.0.update(part);
        }
    }

    fn count(&mut self, label: &str, count: usize) {
        self.add(label, &(count as u64).to_be_bytes());
    }

    fn option(&mut self, label: &str, text: Option<&str>) {
        match text {
            Some(text) => {
                self.count(label, 1);
                self.add("some", text.as_bytes());
            }
            None => self.count(label, 0),
        }
    }

    /// Adds headers, in whichever order they stand and whatever the case of their names.
    fn headers(&mut self, headers: &[(String, Vec<u8>)]) {
        let mut headers: Vec<(String, &[u8])> = headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.as_slice()))
            .collect();
        headers.sort();
        self.count("headers", headers.len());
        for (name, value) in headers {
            self.add("name", name.as_bytes());
            self.add("value", value);
        }
    }

    fn change(&mut self, change: &Change) {
        self.add("action", change.action.as_bytes());
        self.add("kind", change.kind.as_bytes());
        self.option("id", change.id.as_deref());
        self.add("label", change.label.as_bytes());
        self.option("url", change.url.as_deref());
        self.count("fields", change.fields.len());
        for field in &change.fields {
            self.add("name", field.name.as_bytes());
            self.add("label", field.label.as_bytes());
            self.option("before", field.before.as_deref());
            self.option("after", field.after.as_deref());
            self.option("pointer", field.pointer.as_deref());
        }
        self.count("notes", change.notes.len());
        for note in &change.notes {
            self.add("note", note.as_bytes());
        }
        self.option("undo", change.undo.as_deref());
    }

    fn finish(self) -> Digest {
        Digest(self.0.finalize().into_bytes().into())
    }
}

/// Writes JSON in one form: members in the order of their names, no spaces (after RFC 8785; numbers stay as
/// they are).
pub fn canonical_json(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort();
            text.push('{');
            for (index, name) in names.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write_canonical(&members[name], text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_canonical(item, text);
            }
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
#[path = "digest/tests.rs"]
mod tests;
