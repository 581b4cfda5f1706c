//! What is answered to a body that is no message, or one that the library took for another.
//!
//! The library refuses such a body as one of another kind than it takes, or as one of no session. A client that reads JSON-RPC reads
//! nothing there; so it is told by an error of JSON-RPC what is wrong. Read once more is only what was refused.

use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use rmcp::model::{
    ClientRequest, ErrorCode, ErrorData, JsonRpcMessage, ProtocolVersion, RequestId,
};

use super::HttpBody;
use crate::params;
use crate::unread::{self, Read};

pub(super) const JSON: &str = "application/json";
/// By which a client names the revision that it speaks.
const VERSION: &str = "mcp-protocol-version";

/// A body that was sent as JSON.
#[derive(Debug)]
pub(super) struct Posted {
    body: Bytes,
    version: Option<ProtocolVersion>,
}

impl Posted {
    /// Keeps what was sent, if it was as a message is.
    pub(super) fn of(parts: &Parts, body: &Bytes) -> Option<Self> {
        let is_one = parts.method == Method::POST && is_of_kind(&parts.headers, JSON);
        is_one.then(|| Self {
            body: body.clone(),
            version: version(&parts.headers),
        })
    }

    /// Gives the revision that its sender named.
    pub(super) fn version(&self) -> Option<&ProtocolVersion> {
        self.version.as_ref()
    }

    /// Makes the answer to what the library would take for another request.
    pub(super) fn taken_for_another(&self) -> Option<Response<HttpBody>> {
        if !unread::is_no_page(&self.body) {
            return None;
        }
        let (id, error) = self.wrong()?;
        Some(self.response(id.as_ref(), &error))
    }

    /// Makes the answer to what was refused with this status, where another belongs there.
    pub(super) fn told(&self, refused: StatusCode) -> Option<Response<HttpBody>> {
        let (id, error) = match refused {
            // The kind of body that it is said to be is the one that is taken: it could not be read.
            StatusCode::UNSUPPORTED_MEDIA_TYPE => self.wrong()?,
            StatusCode::BAD_REQUEST => self.wrong().filter(|_| self.begins())?,
            _ => return None,
        };
        Some(self.response(id.as_ref(), &error))
    }

    fn response(&self, id: Option<&RequestId>, error: &ErrorData) -> Response<HttpBody> {
        let version = self.version.as_ref();
        let is_newer = version.is_some_and(|version| *version >= ProtocolVersion::V_2026_07_28);
        let status = match error.code {
            // To a client that has sessions this says that its own is over.
            ErrorCode::METHOD_NOT_FOUND if is_newer => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        };
        response(status, id, error)
    }

    /// Says whether it is to begin a session.
    fn begins(&self) -> bool {
        unread::is_initialize(&self.body)
    }

    /// Says what is wrong with the message; none where that is something else than its text.
    fn wrong(&self) -> Option<(Option<RequestId>, ErrorData)> {
        match unread::read(&self.body) {
            Read::No(id, error) => Some((id, error)),
            Read::Told => {
                let message = "`params` of a notification must be an object";
                Some((None, ErrorData::invalid_request(message, None)))
            }
            Read::Message(JsonRpcMessage::Request(request)) => match &request.request {
                ClientRequest::CustomRequest(custom) => {
                    let known = params::known(&custom.method, self.version.as_ref());
                    Some((Some(request.id), params::wrong(known, custom)))
                }
                _ => None,
            },
            Read::Message(_) => None,
        }
    }
}

/// Makes an answer of an error of JSON-RPC.
pub(super) fn response(
    status: StatusCode,
    id: Option<&RequestId>,
    error: &ErrorData,
) -> Response<HttpBody> {
    json(status, unread::answer(id, error).into())
}

/// Makes an answer of JSON.
pub(super) fn json(status: StatusCode, body: Bytes) -> Response<HttpBody> {
    let mut response = Response::new(Full::new(body).boxed());
    *response.status_mut() = status;
    let json = HeaderValue::from_static(JSON);
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// Says whether a body is said to be of a kind (RFC 9110, section 8.3), whatever its parameters.
pub(super) fn is_of_kind(headers: &HeaderMap, wanted: &str) -> bool {
    let said = headers.get(CONTENT_TYPE);
    let said = said.and_then(|said| said.to_str().ok());
    said.is_some_and(|said| {
        let kind = said.split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case(wanted)
    })
}

fn version(headers: &HeaderMap) -> Option<ProtocolVersion> {
    let said = headers.get(VERSION)?.to_str().ok()?;
    serde_json::from_value(said.into()).ok()
}
