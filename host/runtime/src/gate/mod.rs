//! The egress gate: every request of a connector comes here, and nothing else opens a connection for it.
//!
//! The attack: a component that was written to reach what it may not, to write where it may only read,
//! to send what nobody approved, or to get hold of the token. It chooses every byte of
//! a request, when its body ends, and whether it waits for the answer.
//!
//! [`egress`] reads as the list of the steps. Each takes what the step before it returns, so that none
//! can be left out; a request that is refused is written down, and refuses all that follow it.

mod account;
mod admit;
mod afford;
mod agree;
mod approve;
mod body;
mod commit;
mod complete;
mod counted;
mod credential;
mod done;
mod failure;
mod journals;
mod parts;
mod response;
mod schema_cache;
mod scrub;
mod send;
mod start;
mod ticket;
mod within;

use std::sync::Arc;

use http::{HeaderName, Request, Response};
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, WasiBody,
    WasiHttpHooks,
};

use crate::ports::Sensitive;
use crate::ports::audit::{Durability, Event};
use crate::scope::{CallScope, Stop};

pub(crate) use account::{Account, Sessions};
pub(crate) use failure::GateFailure;
pub(crate) use journals::Journals;

/// Writes of a guest's body that are buffered, and bytes of one: what a call can hold of a body that
/// the gate has not taken yet.
const BODY_CHUNKS: usize = 4;
const BODY_CHUNK_BYTES: usize = 64 << 10;

/// The gate of one call, as `wasi:http` sees it.
pub(crate) struct Gate {
    scope: Arc<CallScope>,
}

impl Gate {
    pub(crate) fn new(scope: Arc<CallScope>) -> Self {
        Self { scope }
    }
}

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Box<dyn Future<Output = Result<(Response<WasiBody>, Io), Error>> + Send>;

impl WasiHttpHooks for Gate {
    fn p2_outgoing_body_buffer_chunks(&mut self) -> usize {
        BODY_CHUNKS
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        BODY_CHUNK_BYTES
    }

    fn set_host_header(&mut self) -> bool {
        false
    }

    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(|name: &HeaderName| {
            DEFAULT_FORBIDDEN_HEADERS.contains(name)
                || portcullis_policy::is_reserved(name.as_str())
        })
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Io,
    ) -> Sent {
        let scope = self.scope.clone();
        Box::new(async move {
            let number = scope.next_request();
            match egress(&scope, number, request, options).await {
                Ok(response) => Ok((response, Box::new(async { Ok(()) }) as Io)),
                Err(failure) => Err(settle(&scope, number, failure).await),
            }
        })
    }
}

/// The way of a request, straight through.
async fn egress(
    scope: &Arc<CallScope>,
    number: u32,
    request: Request<WasiBody>,
    options: Option<RequestOptions>,
) -> Result<Response<WasiBody>, GateFailure> {
    let (parts, body) = request.into_parts();
    let admitted = admit::admit(scope, number, &parts);
    // The body is taken to its end even when the request is refused: else the guest's write would
    // fail before the guest could learn why.
    let body = body::drain(body, &parts.headers, scope.limits.request_body_bytes_max).await;
    let complete = complete::complete(scope, admitted?, body?)?;
    let within = within::within(scope, complete).await?;
    let announced = ticket::redeem(scope, within).await?;
    let agreed = agree::agree(announced)?;
    let afforded = afford::afford(scope, agreed).await?;
    let approved = approve::approve(scope, afforded).await?;
    if let Some(response) = response::from_memory(scope, &approved.request) {
        return Ok(response);
    }
    if !approved.request.head.is_schema {
        scope.reads_beyond_descriptions();
    }
    commit::commit(scope, approved, options).await
}

/// Writes down why a request was not sent, stops the call where that is the reason's weight, and gives what the
/// guest is told.
async fn settle(scope: &CallScope, number: u32, failure: GateFailure) -> Error {
    let (code, message, stop, error) = match failure {
        GateFailure::Refused(refusal) => (
            refusal.code.as_str(),
            refusal.message.clone(),
            Some(Stop::Refused(refusal)),
            Error::HttpRequestDenied,
        ),
        GateFailure::Held(approval) => (
            "approval_required",
            format!("approval {} is needed first", approval.id),
            Some(Stop::Held(approval)),
            Error::HttpRequestDenied,
        ),
        GateFailure::Latched => (
            "stopped",
            "an earlier request of the call was stopped".to_owned(),
            None,
            Error::HttpRequestDenied,
        ),
        GateFailure::BodyTooLarge { bytes_max } => (
            "request_body",
            format!("its body is larger than the {bytes_max} bytes a request may have"),
            None,
            Error::HttpRequestBodySize(Some(u64::try_from(bytes_max).unwrap_or(u64::MAX))),
        ),
        // The answer is in the log already.
        GateFailure::Unanswered(error) => return error,
    };
    let event = Event::Denied {
        request: number,
        code: code.into(),
        message: Sensitive::new(message),
    };
    if let Err(problem) = scope.record(event, Durability::Buffered).await {
        tracing::error!(call = %scope.id, %problem, "a denied request could not be recorded");
    }
    if let Some(stop) = stop {
        scope.stop(stop);
    }
    error
}
