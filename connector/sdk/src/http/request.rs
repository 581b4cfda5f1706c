//! Building a request.

use std::time::Duration;

use serde::Serialize;

use super::path::Path;
use super::response::Response;
use super::{RESPONSE_BYTES_MAX, encode, wire};
use crate::approvals::Ticket;
use crate::failure::Failure;

/// The header that carries an announcement's ticket; the gate takes it off again.
const CHANGE_HEADER: &str = "portcullis-change";

/// The method of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    /// Reads.
    Get,
    /// Reads the headers alone.
    Head,
    /// Adds, or asks with a body.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Deletes.
    Delete,
}

/// A request on its way to being sent.
///
/// Mistakes on the way, such as a value that cannot stand in a path, are kept
/// and returned by [`send`](Self::send), so that a request is one chain.
#[derive(Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    pub(super) method: Method,
    pub(super) origin: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) response_bytes_max: usize,
    pub(super) timeout: Option<Duration>,
    path: Path,
    query: String,
    refused: Option<Failure>,
}

impl Request {
    /// A request with any method.
    pub fn new(method: Method, path: impl Into<Path>) -> Self {
        Self {
            method,
            origin: None,
            headers: Vec::new(),
            body: None,
            response_bytes_max: RESPONSE_BYTES_MAX,
            timeout: None,
            path: path.into(),
            query: String::new(),
            refused: None,
        }
    }

    /// A GET request.
    pub fn get(path: impl Into<Path>) -> Self {
        Self::new(Method::Get, path)
    }

    /// A POST request.
    pub fn post(path: impl Into<Path>) -> Self {
        Self::new(Method::Post, path)
    }

    /// A PUT request.
    pub fn put(path: impl Into<Path>) -> Self {
        Self::new(Method::Put, path)
    }

    /// A PATCH request.
    pub fn patch(path: impl Into<Path>) -> Self {
        Self::new(Method::Patch, path)
    }

    /// A DELETE request.
    pub fn delete(path: impl Into<Path>) -> Self {
        Self::new(Method::Delete, path)
    }

    /// Sends to another origin (scheme, host and port) that the manifest names in full.
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// Adds query parameters, percent-encoded, after those that are there.
    pub fn query<K: AsRef<str>, V: AsRef<str>>(mut self, pairs: &[(K, V)]) -> Self {
        encode::append_pairs(&mut self.query, pairs);
        self
    }

    /// Adds a header. The manifest's route must declare it.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends `value` as JSON.
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(bytes) => self.body("application/json", bytes),
            Err(error) => {
                let failure = Failure::internal(format!(
                    "the connector could not write its request as JSON: {error}"
                ));
                self.refused.get_or_insert(failure);
                self
            }
        }
    }

    /// Sends `pairs` as a form (`application/x-www-form-urlencoded`).
    pub fn form<K: AsRef<str>, V: AsRef<str>>(self, pairs: &[(K, V)]) -> Self {
        let mut form = String::new();
        encode::append_pairs(&mut form, pairs);
        self.body("application/x-www-form-urlencoded", form)
    }

    /// Sends bytes of the given media type.
    pub fn body(mut self, media_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = Some(bytes.into());
        self.header("content-type", media_type)
    }

    /// Says which announced change this request makes. Every request that is
    /// not a read needs it.
    pub fn change(self, ticket: Ticket) -> Self {
        let value = ticket.into_header();
        self.header(CHANGE_HEADER, value)
    }

    /// Accepts a response of up to `bytes`, instead of [`RESPONSE_BYTES_MAX`].
    pub fn response_bytes_max(mut self, bytes: usize) -> Self {
        self.response_bytes_max = bytes;
        self
    }

    /// Waits at most this long for a connection, for the first byte and between
    /// bytes, where the host's own limits are not tighter.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Returns the method, for tests of what a connector sends.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// Returns the headers in their order, for tests of what a connector sends.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// Returns the body, for tests of what a connector sends.
    #[must_use]
    pub fn body_bytes(&self) -> Option<&[u8]> {
        self.body.as_deref()
    }

    /// Sends the request and reads the whole response, whatever its status.
    ///
    /// # Errors
    ///
    /// `invalid-argument` where a value cannot stand in the path; `stopped` where the host
    /// refused the request; `unavailable` where the service did not answer, or not to the end;
    /// `internal` where the response is larger than allowed.
    pub fn send(mut self) -> Result<Response, Failure> {
        let target = self.target()?;
        if matches!(self.method, Method::Get | Method::Head) && self.body.is_some() {
            return Err(Failure::internal(
                "the connector gave a body to a request that reads",
            ));
        }
        if let Some(body) = &self.body {
            let length = body.len().to_string();
            self.headers.push(("content-length".to_owned(), length));
        }
        wire::send(&self, &target)
    }

    /// Returns path and query as they go on the wire.
    ///
    /// # Errors
    ///
    /// The first mistake made while building the request.
    pub fn target(&self) -> Result<String, Failure> {
        if let Some(failure) = &self.refused {
            return Err(failure.clone());
        }
        let path = self.path.encoded()?;
        if self.query.is_empty() {
            return Ok(path.to_owned());
        }
        Ok(format!("{path}?{}", self.query))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::http::path;

    #[test]
    fn the_target_is_path_and_query() {
        let request = Request::get(path!("/data/{}", "a b"))
            .query(&[("q", "x&y")])
            .query(&[("n", 1.to_string())]);
        assert_eq!(request.target().unwrap(), "/data/a%20b?q=x%26y&n=1");
        assert_eq!(Request::get("/limits").target().unwrap(), "/limits");
    }

    #[test]
    fn a_body_brings_its_media_type() {
        let request = Request::post("/form").form(&[("a", "1 2"), ("b", "&")]);
        assert_eq!(request.body.as_deref(), Some(b"a=1%202&b=%26".as_slice()));
        assert_eq!(
            request.headers,
            [(
                "content-type".to_owned(),
                "application/x-www-form-urlencoded".to_owned()
            )]
        );
    }

    #[test]
    fn mistakes_wait_for_send() {
        let failure = Request::get(path!("/data/{}", "..")).send().unwrap_err();
        assert_eq!(failure.reason, crate::Reason::InvalidArgument);

        let tuple_keys = std::collections::BTreeMap::from([((1, 2), 3)]);
        let failure = Request::post("/data").json(&tuple_keys).send().unwrap_err();
        assert_eq!(failure.reason, crate::Reason::Internal);

        let failure = Request::get("/data").json(&1).send().unwrap_err();
        assert!(failure.message.contains("a request that reads"));
    }
}
