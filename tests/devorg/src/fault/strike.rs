//! What a struck request is answered.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use http::HeaderName;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use tokio::time::sleep;

use super::frames::Frames;
use super::{Fault, Rule, Work};
use crate::error::ApiError;
use crate::id::Id;
use crate::serve::Dropped;
use crate::soap;
use crate::wire::{Reply, Request};

const HTML: &str = "text/html;charset=UTF-8";

const MAINTENANCE: &str = "<html><head><title>Server Unavailable</title></head><body>\
<h1>We are down for maintenance.</h1><p>Sorry for the inconvenience. We'll be back shortly.</p></body></html>";

const NO_ROUTING: &str = "<html><body><p>Salesforce Edge doesn't have routing information \
available for this request host.</p></body></html>";

/// Answers a request that a rule strikes; `work` is what it would have been answered.
pub(crate) async fn answer(
    rule: &Rule,
    request: &Request,
    work: impl FnOnce() -> Reply,
) -> Result<Response, Dropped> {
    let done = match rule.works() {
        Work::After => Some(work()),
        Work::Instead => None,
    };
    // What is spoiled where nothing was done.
    let reply = || done.unwrap_or_else(|| refused(request, server_unavailable()));
    match &rule.fault {
        Fault::Latency { ms } => {
            sleep(Duration::from_millis(*ms)).await;
            Ok(reply().into())
        }
        Fault::Drop => Err(Dropped),
        Fault::DropHalfway => cut(reply(), |length| length / 2),
        Fault::Truncated { missing_bytes } => {
            cut(reply(), |length| length.saturating_sub(*missing_bytes))
        }
        Fault::MalformedJson => {
            let mut reply = reply();
            let mut body = reply.take_body();
            body.pop();
            Ok(with_body(reply, body.len(), Body::from(body)))
        }
        Fault::Trickle { bytes, ms } => {
            let mut reply = reply();
            let body = Bytes::from(reply.take_body());
            let frames = Frames::trickle(&body, *bytes, Duration::from_millis(*ms));
            Ok(with_body(reply, body.len(), Body::new(frames)))
        }
        Fault::ServerError => Ok(error(
            request,
            500,
            "UNKNOWN_EXCEPTION",
            "An unexpected error occurred. Please include this ErrorId if you contact support: \
             1000000001-1 (1000000001)",
        )),
        Fault::Maintenance {
            retry_after_seconds,
        } => {
            let page = Reply::of(503, vec![(CONTENT_TYPE, HTML.to_owned())], MAINTENANCE);
            Ok(match retry_after_seconds {
                Some(seconds) => page.with(RETRY_AFTER, seconds.to_string()),
                None => page,
            }
            .into())
        }
        Fault::NoRouting => {
            Ok(Reply::of(420, vec![(CONTENT_TYPE, HTML.to_owned())], NO_ROUTING).into())
        }
        Fault::LockRow => Ok(lock_row(request)),
        Fault::QueryTimeout => Ok(error(
            request,
            400,
            "QUERY_TIMEOUT",
            "Your query request was running for too long.",
        )),
        Fault::ServerUnavailable => Ok(refused(request, server_unavailable()).into()),
        Fault::RequestLimit => Ok(error(
            request,
            403,
            "REQUEST_LIMIT_EXCEEDED",
            "TotalRequests Limit exceeded.",
        )),
        Fault::SessionExpired => Ok(error(
            request,
            401,
            "INVALID_SESSION_ID",
            "Session expired or invalid",
        )),
        Fault::Answer {
            status,
            headers,
            body,
        } => {
            let headers = headers
                .iter()
                .filter_map(|(name, value)| Some((name.parse::<HeaderName>().ok()?, value.clone())))
                .collect();
            Ok(Reply::of(*status, headers, body).into())
        }
    }
}

/// Refuses a request, in the words of the API that it is for.
fn error(request: &Request, status: u16, code: &str, message: &str) -> Response {
    refused(request, ApiError::new(status, code, message)).into()
}

fn refused(request: &Request, error: ApiError) -> Reply {
    soap::fault(&request.path, &error).unwrap_or_else(|| error.into())
}

fn server_unavailable() -> ApiError {
    ApiError::new(
        503,
        "SERVER_UNAVAILABLE",
        "A server that is necessary for this call is currently unavailable.",
    )
}

/// Names the record of the path, if there is one.
fn lock_row(request: &Request) -> Response {
    let record = request.path.iter().rev().find_map(|part| Id::parse(part));
    let message = match record {
        Some(id) => {
            format!("unable to obtain exclusive access to this record or 1 records: {id}")
        }
        None => "unable to obtain exclusive access to this record".to_owned(),
    };
    error(request, 400, "UNABLE_TO_LOCK_ROW", &message)
}

/// Declares the whole body and closes the connection after a part of it. An answer without a body
/// would be whole: it is not sent at all.
fn cut(mut reply: Reply, part: impl FnOnce(usize) -> usize) -> Result<Response, Dropped> {
    let body = Bytes::from(reply.take_body());
    if body.is_empty() {
        return Err(Dropped);
    }
    let frames = Frames::cut_after(body.slice(..part(body.len())));
    Ok(with_body(reply, body.len(), Body::new(frames)))
}

fn with_body(reply: Reply, declared_length: usize, body: Body) -> Response {
    let mut response = Response::from(reply);
    response
        .headers_mut()
        .insert(CONTENT_LENGTH, declared_length.into());
    *response.body_mut() = body;
    response
}
