//! What is sent back.

use axum::body::Body;
use axum::response::Response;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, LOCATION};
use http::{HeaderValue, Method, StatusCode};
use serde::Serialize;
use serde_json::json;

use crate::error::ApiError;

const JSON: &str = "application/json;charset=UTF-8";

/// An answer on its way out.
#[derive(Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(HeaderName, String)>,
    body: Vec<u8>,
}

impl Reply {
    /// Answers without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Answers with whatever is given.
    pub(crate) fn of(status: u16, headers: Vec<(HeaderName, String)>, body: &str) -> Self {
        Self {
            status,
            headers,
            body: body.into(),
        }
    }

    /// Answers with JSON.
    pub(crate) fn json(status: u16, body: &impl Serialize) -> Self {
        // Maps have texts as keys and numbers are finite, so this cannot fail.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self {
            body,
            ..Self::empty(status)
        }
        .with(CONTENT_TYPE, JSON)
    }

    /// Answers with plain text.
    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self {
            body: body.into(),
            ..Self::empty(status)
        }
        .with(CONTENT_TYPE, "text/plain;charset=UTF-8")
    }

    /// Answers with bytes.
    pub(crate) fn bytes(kind: &str, body: Vec<u8>) -> Self {
        Self {
            body,
            ..Self::empty(200)
        }
        .with(CONTENT_TYPE, kind)
    }

    /// Answers with a page for a person, that no other page may frame.
    pub(crate) fn page(status: u16, html: String) -> Self {
        Self {
            body: html.into(),
            ..Self::empty(status)
        }
        .with(CONTENT_TYPE, "text/html;charset=UTF-8")
        .with(CACHE_CONTROL, "no-store")
        .with(HeaderName::from_static("x-frame-options"), "DENY")
    }

    /// Sends a browser elsewhere.
    pub(crate) fn redirect(to: &str) -> Self {
        Self::empty(302)
            .with(LOCATION, to)
            .with(CACHE_CONTROL, "no-store")
    }

    /// Answers 405; `allowed` is a list such as `GET,PATCH`.
    pub(crate) fn not_allowed(method: &Method, allowed: &str) -> Self {
        let message = format!("HTTP Method '{method}' not allowed. Allowed are {allowed}");
        Self::from(ApiError::new(405, "METHOD_NOT_ALLOWED", message)).with(ALLOW, allowed)
    }

    /// Adds a header.
    pub(crate) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Takes the body away.
    pub(crate) fn take_body(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.body)
    }

    /// Gives the status.
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// Gives a header.
    pub(crate) fn header(&self, name: &HeaderName) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known == name)?;
        Some(value)
    }

    /// Gives the bytes of the body.
    pub(crate) fn len(&self) -> usize {
        self.body.len()
    }

    /// Gives the body as JSON; null when there is none.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Spreads JSON over lines, for `X-PrettyPrint`.
    pub(crate) fn pretty(mut self) -> Self {
        let json: Result<serde_json::Value, _> = serde_json::from_slice(&self.body);
        if let Ok(Ok(pretty)) = json.map(|json| serde_json::to_vec_pretty(&json)) {
            self.body = pretty;
        }
        self
    }
}

impl From<ApiError> for Reply {
    fn from(error: ApiError) -> Self {
        let reply = Self::json(error.status, &error.to_json());
        if error.status == 401 {
            return reply.with(http::header::WWW_AUTHENTICATE, "Token");
        }
        reply
    }
}

impl From<Reply> for Response {
    fn from(reply: Reply) -> Self {
        let mut response = Response::new(Body::from(reply.body));
        *response.status_mut() =
            StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in reply.headers {
            // What cannot stand in a header came from the client, as a redirect's address may.
            match HeaderValue::try_from(value) {
                Ok(value) => {
                    response.headers_mut().append(name, value);
                }
                Err(_) => {
                    let error = json!([{"errorCode": "UNKNOWN_EXCEPTION", "message": "a header would have a control character"}]);
                    return Reply::json(500, &error).into();
                }
            }
        }
        response
    }
}
