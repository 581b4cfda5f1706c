//! What of a service's answer reaches the guest: never a token, never a redirect, never more than a
//! bound.

use std::time::Instant;

use bytes::Bytes;
use http::header::{
    AGE, CONTENT_ENCODING, CONTENT_LENGTH, LOCATION, SET_COOKIE, TRANSFER_ENCODING,
};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use portcullis_policy::Origin;
use wasmtime_wasi_http::{Error, WasiBody};

use super::GateFailure;
use super::complete::Complete;
use super::schema_cache::{self, Schema};
use super::scrub::{Bounded, Needles, Scrubbed};
use super::send::Answered;
use crate::reply::{Refusal, RefusalCode};
use crate::scope::{CallScope, Stop};

/// Makes the guest's response.
pub(super) async fn admit(
    scope: &CallScope,
    request: &Complete,
    answered: Answered,
) -> Result<Response<WasiBody>, GateFailure> {
    if let Some(schema) = answered.from_cache {
        let schemas = &scope.account.session.schemas;
        schemas.confirm(&schema_cache::key(&request.head));
        return Ok(whole(StatusCode::OK, schema.headers, schema.body));
    }
    let (parts, body) = answered.response.into_parts();
    if let Some(refusal) =
        redirect(parts.status, &parts.headers).or_else(|| encoding(&parts.headers))
    {
        // Sent and answered: the log has it. The caller is told why there is nothing to read.
        scope.stop(Stop::Refused(refusal));
        return Err(GateFailure::Unanswered(Error::HttpRequestDenied));
    }
    let needles = Needles::of(&answered.tokens);
    let mut headers = parts.headers;
    for name in [SET_COOKIE, TRANSFER_ENCODING] {
        headers.remove(name);
    }
    for value in headers.values_mut() {
        needles.scrub_header(value);
    }
    let bounded = Bounded::new(body, scope.limits.response_body_bytes_max);
    let body = Scrubbed::new(bounded, needles);
    if request.head.is_schema && parts.status == StatusCode::OK {
        let bytes = body
            .collect()
            .await
            .map_err(GateFailure::Unanswered)?
            .to_bytes();
        headers.remove(CONTENT_LENGTH);
        let schema = Schema {
            headers: headers.clone(),
            body: bytes.clone(),
            asked: Instant::now(),
        };
        let key = schema_cache::key(&request.head);
        scope.account.session.schemas.put(key, schema);
        return Ok(whole(parts.status, headers, bytes));
    }
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = parts.status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// Answers from memory, where what is asked for is a description that was asked about a moment ago.
pub(super) fn from_memory(scope: &CallScope, request: &Complete) -> Option<Response<WasiBody>> {
    let head = &request.head;
    if !head.is_schema || !scope.is_live() {
        return None;
    }
    let schema = scope
        .account
        .session
        .schemas
        .get(&schema_cache::key(head))?;
    let age = schema.fresh_age(head, scope.limits.schema_fresh)?;
    let mut headers = schema.headers;
    headers.insert(AGE, age.as_secs().into());
    Some(whole(StatusCode::OK, headers, schema.body))
}

fn whole(status: StatusCode, headers: HeaderMap, body: Bytes) -> Response<WasiBody> {
    let body = Full::new(body)
        .map_err(|never| match never {})
        .boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// A redirect is refused, and where it led is said, without what may hold a secret: the path.
fn redirect(status: StatusCode, headers: &HeaderMap) -> Option<Refusal> {
    if !status.is_redirection() || status == StatusCode::NOT_MODIFIED {
        return None;
    }
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let to = match location {
        None => "nowhere".to_owned(),
        Some(location) => location
            .parse::<http::Uri>()
            .ok()
            .and_then(|uri| {
                let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
                Origin::parse(&format!("{scheme}://{authority}")).ok()
            })
            .map_or_else(|| "another path".to_owned(), |origin| format!("`{origin}`")),
    };
    Some(Refusal::new(
        RefusalCode::Redirect,
        format!(
            "the service answered with a redirect (status {}) to {to}, which the host does not follow",
            status.as_u16()
        ),
    ))
}

/// A compressed answer could hide the token from the search for it; the host asked for a plain one.
fn encoding(headers: &HeaderMap) -> Option<Refusal> {
    let encoding = headers.get(CONTENT_ENCODING)?;
    if encoding.as_bytes().eq_ignore_ascii_case(b"identity") {
        return None;
    }
    Some(Refusal::new(
        RefusalCode::ResponseEncoding,
        "the service compressed its answer although the host asked it not to",
    ))
}
