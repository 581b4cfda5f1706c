//! A response, read to its end.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use crate::failure::Failure;

/// How much of a body that is not the JSON it should be a failure quotes, in characters.
const QUOTED_CHARS_MAX: usize = 200;

/// The service's answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Response {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Response {
    /// Makes a response, for tests of what a connector does with one.
    #[must_use]
    pub fn new(status: u16, headers: Vec<(String, Vec<u8>)>, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers,
            body: body.into(),
        }
    }

    /// Returns the status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Tells whether the status is of the 200s.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns the first header of that name, compared without case; none where it is not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// Returns all headers, in order.
    #[must_use]
    pub fn headers(&self) -> &[(String, Vec<u8>)] {
        &self.headers
    }

    /// Returns the body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Takes the body out.
    #[must_use]
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// Returns the body as text; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    ///
    /// `unavailable` where it is not JSON at all, as when a page of a proxy or of a service
    /// under maintenance answers; `internal` where it is JSON of another shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let status = self.status;
            if error.is_data() {
                return Failure::internal(format!(
                    "the service answered {status} with JSON that the connector does not \
                     understand: {error}"
                ));
            }
            Failure::unavailable(format!(
                "the service answered {status} with something else than JSON: {}",
                self.excerpt()
            ))
            .hint("check that the address of the connection is the service's API")
        })
    }

    /// Quotes the beginning of the body on one line.
    fn excerpt(&self) -> String {
        if self.body.is_empty() {
            return "an empty body".to_owned();
        }
        let text = self.text();
        let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((end, _)) = line.char_indices().nth(QUOTED_CHARS_MAX) {
            line.truncate(end);
            line.push('…');
        }
        format!("`{line}`")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::Reason;

    fn response(body: &str) -> Response {
        let headers = vec![("Sforce-Limit-Info".to_owned(), b"api-usage=1/2".to_vec())];
        Response::new(200, headers, body)
    }

    #[test]
    fn headers_compare_without_case() {
        assert_eq!(
            response("").header("sforce-limit-info"),
            Some("api-usage=1/2")
        );
        assert_eq!(response("").header("etag"), None);
    }

    #[test]
    fn a_page_instead_of_json_says_so() {
        let page = format!("<html>\n  <body>{}", "é".repeat(300));
        let failure = response(&page).json::<u8>().unwrap_err();
        assert_eq!(failure.reason, Reason::Unavailable);
        assert!(failure.message.starts_with(
            "the service answered 200 with something else than JSON: `<html> <body>é"
        ));
        assert!(failure.message.len() < 600);
        assert!(
            response("")
                .json::<u8>()
                .unwrap_err()
                .message
                .ends_with("an empty body")
        );
    }

    #[test]
    fn json_of_another_shape_is_a_defect() {
        let failure = response(r#"{"a": 1}"#).json::<Vec<u8>>().unwrap_err();
        assert_eq!(failure.reason, Reason::Internal);
    }
}
