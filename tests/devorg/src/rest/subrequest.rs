//! A request within another: it is answered by the same code as one that came alone.
//!
//! What it may ask for is what the *REST API Developer Guide* lists, "Send Multiple Requests Using
//! Composite" and "Composite Batch".

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Map, Value as Json};

use super::{Call, Version};
use crate::error::ApiError;
use crate::wire::{Reply, segments};

/// The versions since which a composite request has collections, and a batch is there and has actions.
const COLLECTIONS_SINCE: u32 = 43;
const BATCH_SINCE: u32 = 34;
const BATCHED_ACTIONS_SINCE: u32 = 35;

/// What a subrequest is part of, which decides what it may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
    Batch,
    Composite,
    /// A composite request that is taken back if a part fails.
    Transaction,
}

impl Whole {
    /// Says whether a path below a version can be asked for, decoded as it will be dispatched.
    fn allows(self, version: Version, path: &[&str]) -> bool {
        match (self, path) {
            // An email that was sent cannot be taken back.
            (Self::Transaction, ["sobjects", _, "quickActions", ..]) => false,
            (_, ["sobjects" | "query" | "queryAll", ..]) => true,
            (Self::Composite | Self::Transaction, ["composite", "sobjects", ..]) => {
                version.number() >= COLLECTIONS_SINCE
            }
            (Self::Batch, ["limits"] | ["search", ..]) => true,
            (Self::Batch, ["actions", ..]) => version.number() >= BATCHED_ACTIONS_SINCE,
            _ => false,
        }
    }

    /// Says whether a version can be asked for in a request to another. That of a batch's part is no
    /// later than the batch's.
    fn spans(self, version: Version, whole: Version) -> bool {
        let (version, whole) = (version.number(), whole.number());
        self != Self::Batch || (BATCH_SINCE..=whole).contains(&version)
    }

    /// Makes the error of what cannot be asked for.
    fn refused(self, url: &str) -> ApiError {
        match self {
            Self::Batch => ApiError::not_found(),
            Self::Composite | Self::Transaction => not_here(url),
        }
    }
}

/// What a subrequest asks for.
pub(super) struct Subrequest<'a> {
    pub(super) whole: Whole,
    pub(super) method: Method,
    /// The path from the version on, `v68.0/sobjects/Account`, with its query string.
    pub(super) url: &'a str,
    /// The headers of its own.
    pub(super) headers: Option<&'a Map<String, Json>>,
    /// The body; null is none.
    pub(super) body: &'a Json,
}

impl Subrequest<'_> {
    /// Says whether it asks for one of the resources at the beginning of a path below a version.
    pub(super) fn is_below(&self, resources: &[&str]) -> bool {
        let path = self.url.split('?').next().unwrap_or_default();
        let below: Vec<String> = segments(path).unwrap_or_default();
        let below = below.get(1..).unwrap_or_default().join("/");
        resources.iter().any(|resource| {
            below == *resource
                || below
                    .strip_prefix(resource)
                    .is_some_and(|rest| rest.starts_with('/'))
        })
    }
}

impl Call<'_> {
    /// Answers a request within this one, in the name of the same user.
    pub(super) fn answer_within(&self, subrequest: &Subrequest) -> Reply {
        self.try_within(subrequest).unwrap_or_else(Reply::from)
    }

    fn try_within(&self, subrequest: &Subrequest) -> Result<Reply, ApiError> {
        let body = match subrequest.body {
            Json::Null => Vec::new(),
            body => body.to_string().into(),
        };
        let headers = self.headers_within(subrequest)?;
        let request =
            self.request
                .within(subrequest.method.clone(), subrequest.url, headers, body)?;
        let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
        let [version, path @ ..] = path.as_slice() else {
            return Err(ApiError::not_found());
        };
        let (whole, version) = (subrequest.whole, Version::parse(version)?);
        if !whole.allows(version, path) || !whole.spans(version, self.version) {
            return Err(whole.refused(subrequest.url));
        }
        let call = Call {
            shared: self.shared,
            request: &request,
            session: self.session.clone(),
            version,
            base: format!("/services/data/{version}"),
        };
        // Bytes are no JSON.
        if call.asks_for_bytes(path) {
            return Err(whole.refused(subrequest.url));
        }
        call.dispatch(path)
    }

    /// Gives a subrequest the `Sforce-` headers of the whole, unless it has its own.
    fn headers_within(&self, subrequest: &Subrequest) -> Result<HeaderMap, ApiError> {
        let mut headers: HeaderMap = self
            .request
            .headers
            .iter()
            .filter(|(name, _)| name.as_str().starts_with("sforce-"))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        for (name, value) in subrequest.headers.into_iter().flatten() {
            let invalid = || {
                let message =
                    format!("httpHeaders: {name} is no header that a subrequest can have");
                ApiError::bad_request("INVALID_HTTP_REQUEST", message)
            };
            let known: HeaderName = name.parse().map_err(|_| invalid())?;
            let text = value.as_str().ok_or_else(invalid)?;
            let value = HeaderValue::from_str(text).map_err(|_| invalid())?;
            if known == AUTHORIZATION {
                return Err(invalid());
            }
            headers.insert(known, value);
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(headers)
    }
}

/// Reads the method of a subrequest; one that is none asks for nothing that exists.
pub(super) fn method(subrequest: &Map<String, Json>) -> Result<Method, ApiError> {
    let name = subrequest
        .get("method")
        .and_then(Json::as_str)
        .ok_or_else(|| missing("method"))?;
    Method::from_bytes(name.to_ascii_uppercase().as_bytes()).map_err(|_| {
        let message = format!("Invalid HTTP method: {name}");
        ApiError::bad_request("INVALID_HTTP_REQUEST", message)
    })
}

/// Makes the error of a resource that a composite request cannot have.
pub(super) fn not_here(url: &str) -> ApiError {
    let message = format!("{url} cannot be a subrequest of a composite request");
    ApiError::bad_request("INVALID_INPUT", message)
}

/// Makes the error of a subrequest without something that it needs.
pub(super) fn missing(name: &str) -> ApiError {
    let message = format!("Missing required field: {name}");
    ApiError::bad_request("JSON_PARSER_ERROR", message)
}
