//! What was sent, taken apart.

use axum::body::Bytes;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;

use crate::error::ApiError;

/// The longest address, in bytes (*REST API Developer Guide*, "Status Codes and Error Responses").
pub(crate) const URI_BYTES_MAX: usize = 16_384;
/// The longest body, in bytes: that of the longest field twenty times over.
pub(crate) const BODY_BYTES_MAX: usize = 6 * 1_024 * 1_024;
/// The longest body with a file (*REST API Developer Guide*, "Insert or Update Blob Data").
const FILE_BODY_BYTES_MAX: usize = 50 * 1_024 * 1_024;
/// The longest body with the data of a job (*Bulk API 2.0 and Bulk API Developer Guide*, "Upload Job
/// Data").
const JOB_BODY_BYTES_MAX: usize = 150 * 1_024 * 1_024;

/// A request whose body has arrived.
#[derive(Debug)]
pub(crate) struct Request {
    /// `HEAD` is `GET`: the body is left out on the way back.
    pub(crate) method: Method,
    /// The decoded segments of the path; a slash at its end adds none.
    pub(crate) path: Vec<String>,
    /// The decoded parameters of the query string.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether it came by https.
    pub(crate) secure: bool,
}

impl Request {
    /// Reads a request to its end.
    ///
    /// # Errors
    ///
    /// The address or the body is too long, or the address is no text.
    pub(crate) async fn read(
        request: axum::extract::Request,
        secure: bool,
    ) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        if parts.uri.to_string().len() > URI_BYTES_MAX {
            return Err(address_too_long());
        }
        let path = segments(parts.uri.path())?;
        let bytes_max = body_bytes_max(&path);
        let body = axum::body::to_bytes(body, bytes_max).await;
        let body = body.map_err(|_| body_too_long(bytes_max))?;
        let query = form(parts.uri.query().unwrap_or_default().as_bytes());
        let mut method = if parts.method == Method::HEAD {
            Method::GET
        } else {
            parts.method
        };
        // For clients that cannot send PATCH (*REST API Developer Guide*, "Use POST with PATCH").
        let overridden = query.iter().find(|(name, _)| name == "_HttpMethod");
        if let (true, Some((_, name))) = (method == Method::POST, overridden) {
            method = Method::from_bytes(name.to_ascii_uppercase().as_bytes()).unwrap_or(method);
        }
        Ok(Self {
            method,
            path,
            query,
            headers: parts.headers,
            body,
            secure,
        })
    }

    /// Gives the decoded path, with a slash before each segment.
    pub(crate) fn path_text(&self) -> String {
        format!("/{}", self.path.join("/"))
    }

    /// Makes a request that came within this one.
    ///
    /// # Errors
    ///
    /// The address or the body is too long, or the path is no text.
    pub(crate) fn within(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Self, ApiError> {
        if url.len() > URI_BYTES_MAX {
            return Err(address_too_long());
        }
        if body.len() > BODY_BYTES_MAX {
            return Err(body_too_long(BODY_BYTES_MAX));
        }
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        Ok(Self {
            method,
            path: segments(path)?,
            query: form(query.as_bytes()),
            headers,
            body: body.into(),
            secure: self.secure,
        })
    }

    /// Gives a parameter of the query string.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        value_of(&self.query, name)
    }

    /// Gives a header, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Reads the body as a form, after the parameters of the query string.
    pub(crate) fn form(&self) -> Form {
        let mut pairs = self.query.clone();
        pairs.extend(form(&self.body));
        Form(pairs)
    }

    /// Gives the token of `Authorization: Bearer …`, or `OAuth …` as older clients write.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth");
        known.then(|| token.trim())
    }
}

/// Makes the error of an address beyond its maximum.
pub(crate) fn address_too_long() -> ApiError {
    let message = "the address is longer than 16,384 bytes";
    ApiError::new(414, "URI_TOO_LONG", message)
}

/// Makes the error of a body beyond its maximum.
pub(crate) fn body_too_long(bytes_max: usize) -> ApiError {
    let mib = bytes_max >> 20;
    let message = format!("the body is longer than {mib} MiB, or ended early");
    ApiError::new(413, "EXCEEDED_MAX_SIZE_REQUEST", message)
}

/// Takes a path apart, and decodes what it is made of.
pub(crate) fn segments(path: &str) -> Result<Vec<String>, ApiError> {
    let decoded = |segment| {
        let text = percent_decode_str(segment).decode_utf8();
        Ok(text.map_err(|_| ApiError::not_found())?.into_owned())
    };
    path.trim_matches('/').split('/').map(decoded).collect()
}

/// Gives how long the body to a path may be.
fn body_bytes_max(path: &[String]) -> usize {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["services", "data", _, "jobs", "ingest", ..] => JOB_BODY_BYTES_MAX,
        // Ten megabytes a batch, and what is around it.
        ["services", "async", ..] => 2 * BODY_BYTES_MAX,
        ["services", "data", _, "sobjects", object, ..]
            if object.eq_ignore_ascii_case("ContentVersion") =>
        {
            FILE_BODY_BYTES_MAX
        }
        _ => BODY_BYTES_MAX,
    }
}

/// The parameters of a form; a name given twice counts once, the last time.
#[derive(Debug)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Gives a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        value_of(&self.0, name)
    }
}

fn value_of<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs
        .iter()
        .rev()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

/// Reads `application/x-www-form-urlencoded`; what is no UTF-8 has `U+FFFD` in its place.
pub(crate) fn form(text: &[u8]) -> Vec<(String, String)> {
    let decoded = |part: &str| {
        let spaced = part.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    String::from_utf8_lossy(text)
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_form_is_decoded() {
        let pairs = form(b"q=SELECT+Id%20FROM+Account%2B&&empty&x=1=2");
        let expected = [
            ("q", "SELECT Id FROM Account+"),
            ("empty", ""),
            ("x", "1=2"),
        ];
        assert_eq!(
            pairs,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_form(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(form(&bytes).len() <= bytes.len());
        }
    }
}
