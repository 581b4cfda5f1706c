//! `multipart/form-data` (RFC 7578), as clients send files.

use axum::body::Bytes;
use futures_util::FutureExt;
use futures_util::stream;
use multer::Multipart;

use super::Request;
use crate::error::ApiError;

/// The most parts of a message.
const PARTS_MAX: usize = 100;

/// A part of a message.
#[derive(Debug)]
pub(crate) struct Part {
    /// `name` of its `Content-Disposition`.
    pub(crate) name: String,
    /// Whether it has a file's name, and so is binary.
    pub(crate) file: bool,
    /// Its bytes.
    pub(crate) body: Bytes,
}

/// Makes the error of a message that is none, or not whole.
pub(crate) fn invalid(message: &str) -> ApiError {
    ApiError::bad_request("INVALID_MULTIPART_REQUEST", message)
}

impl Request {
    /// Says whether the body has parts.
    pub(crate) fn is_multipart(&self) -> bool {
        let kind = self.header("content-type").unwrap_or_default();
        kind.trim_start()
            .get(..10)
            .is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/"))
    }

    /// Takes the body apart.
    ///
    /// # Errors
    ///
    /// `INVALID_MULTIPART_REQUEST`.
    pub(crate) fn parts(&self) -> Result<Vec<Part>, ApiError> {
        let kind = self.header("content-type").unwrap_or_default();
        let boundary =
            boundary(kind).ok_or_else(|| invalid("Multipart message must declare its boundary"))?;
        let whole = stream::iter([Ok::<_, std::convert::Infallible>(self.body.clone())]);
        // All of the body has arrived, so that there is nothing to wait for.
        read(Multipart::new(whole, boundary))
            .now_or_never()
            .unwrap_or(None)
            .ok_or_else(|| invalid("Multipart message is malformed"))
    }
}

/// Gives the parts; `None` where the body is not made of parts.
async fn read(mut message: Multipart<'static>) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    while let Some(field) = message.next_field().await.ok()? {
        if parts.len() == PARTS_MAX {
            return None;
        }
        let name = field.name()?.to_owned();
        let file = field.file_name().is_some();
        let body = field.bytes().await.ok()?;
        parts.push(Part { name, file, body });
    }
    Some(parts)
}

/// Reads the boundary of `multipart/form-data; boundary="…"`.
fn boundary(kind: &str) -> Option<String> {
    let parameters = kind.split(';').skip(1);
    let boundary = parameters
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?
        .1
        .trim();
    let unquoted = boundary
        .strip_prefix('"')
        .and_then(|boundary| boundary.strip_suffix('"'));
    let boundary = unquoted.unwrap_or(boundary);
    (1..=70)
        .contains(&boundary.len())
        .then(|| boundary.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]
mod tests {
    use super::*;
    use http::HeaderMap;
    use proptest::prelude::*;

    fn request(kind: &str, body: Vec<u8>) -> Request {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", kind.parse().unwrap());
        Request {
            method: http::Method::POST,
            path: Vec::new(),
            query: Vec::new(),
            headers,
            body: body.into(),
            secure: false,
        }
    }

    #[test]
    fn a_boundary_may_be_quoted_and_must_be_there() {
        let cases = [
            ("multipart/form-data; boundary=a_b", Some("a_b")),
            (
                "multipart/form-data;charset=x; Boundary=\"a b\"",
                Some("a b"),
            ),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
        ];
        for (kind, expected) in cases {
            assert_eq!(boundary(kind).as_deref(), expected, "{kind}");
        }
    }

    proptest! {
        #[test]
        fn any_body_is_parts_or_an_error(body in prop::collection::vec(any::<u8>(), 0..300), tail in "(--x\r\n)?.{0,20}(\r\n\r\n)?.{0,9}(\r\n--x--)?") {
            let mut whole = b"--x\r\nContent-Disposition: form-data; name=\"a\"".to_vec();
            whole.extend(&body);
            whole.extend(tail.as_bytes());
            for body in [body, whole] {
                match request("multipart/form-data; boundary=x", body).parts() {
                    Ok(parts) => prop_assert!(parts.len() <= PARTS_MAX),
                    Err(error) => prop_assert_eq!(error.status, 400),
                }
            }
        }

        #[test]
        fn bytes_come_through(one in prop::collection::vec(any::<u8>(), 0..300), two in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut body = b"--b0undary\r\nContent-Disposition: form-data; name=\"one\"\r\nContent-Type: application/json\r\n\r\n".to_vec();
            body.extend(&one);
            body.extend(b"\r\n--b0undary\r\nContent-Disposition: form-data; name=\"two\"; filename=\"x.bin\"\r\n\r\n");
            body.extend(&two);
            body.extend(b"\r\n--b0undary--\r\n");
            let parts = request("multipart/form-data; boundary=b0undary", body).parts().unwrap();
            let found: Vec<_> = parts.iter().map(|part| (&*part.name, part.file, &part.body[..])).collect();
            prop_assert_eq!(found, [("one", false, &one[..]), ("two", true, &two[..])]);
        }
    }
}
