//! From the write-ahead record to the record of the outcome, in a task of its own.
//!
//! A guest can drop its request, trap or run out of time while the service works. The task goes on, so that the log never
//! stops at the intent of a change. A read that nobody waits for any more is given up, and the log says that.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Response;
use portcullis_policy::{Digest, Effect};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::GateFailure;
use super::approve::Approved;
use super::complete::Complete;
use super::counted::Counted;
use super::journals::Journal;
use super::parts::Carried;
use super::{done, failure, response, send};
use crate::ids::ApprovalId;
use crate::network::{NetworkError, Timeouts};
use crate::ports::Sensitive;
use crate::ports::audit::{Answer, Durability, Event, IntendedPart, Intent, RequestEnd};
use crate::reply::{Refusal, RefusalCode, SentChange};
use crate::scope::{CallScope, Stop};

/// Bytes of a message that are written down, at most.
const MESSAGE_BYTES_MAX: usize = 8 << 10;

/// Sends a request, with its record before and after.
pub(super) async fn commit(
    scope: &Arc<CallScope>,
    approved: Approved,
    options: Option<RequestOptions>,
) -> Result<Response<WasiBody>, GateFailure> {
    // The guest may have ended while its request waited for a port.
    if !scope.is_live() {
        approved.reserved.give_back().await;
        unsent(scope, approved.approval).await;
        return Err(GateFailure::Latched);
    }
    let scope = scope.clone();
    let first_byte = options.and_then(|options| options.first_byte_timeout);
    // Who closes the log waits for a change from here on. A read that is lost with the program is no loss.
    let is_change = approved.request.head.effect > Effect::Read;
    let counted = is_change.then(|| scope.journals.begin());
    let work = tokio::spawn(async move { journal(&scope, approved, first_byte, counted).await });
    work.await.unwrap_or_else(|error| {
        tracing::error!(%error, "the task that sends a request broke");
        Err(GateFailure::Unanswered(Error::InternalError(None)))
    })
}

async fn journal(
    scope: &Arc<CallScope>,
    approved: Approved,
    first_byte: Option<Duration>,
    counted: Option<Journal>,
) -> Result<Response<WasiBody>, GateFailure> {
    let Approved {
        request,
        approval,
        changes,
        finds_out,
        reserved,
    } = approved;
    let head = &request.head;
    let intent = Intent {
        request: head.number,
        attempt: 1,
        method: head.method,
        origin: head.origin.clone(),
        route: head.route.clone(),
        path: Sensitive::new(head.path.as_str()),
        message: request.is_message.then(|| message(&request.body)),
        parts: request.carried.iter().map(intended).collect(),
        effect: head.effect,
        body: Digest::of(&request.body),
        body_bytes: request.body.len(),
        approval,
        finds_out: finds_out.clone(),
    };
    let before = match head.effect {
        Effect::Read => Durability::Buffered,
        Effect::Write | Effect::Destructive => Durability::Synced,
    };
    // What a second try of a change is written down as, before it is sent.
    let again = (head.effect > Effect::Read).then(|| Intent {
        attempt: 2,
        ..intent.clone()
    });
    if let Err(error) = scope.record(Event::Intended(intent), before).await {
        reserved.give_back().await;
        unsent(scope, approval).await;
        return Err(GateFailure::unavailable("write the request down", &error));
    }
    let counted_for = reserved.keep();

    let tell = |end: RequestEnd| {
        if head.effect > Effect::Read {
            let change = SentChange {
                method: head.method,
                route: head.route.clone(),
                end,
                finds_out: finds_out.clone(),
            };
            scope.sent(head.number, change);
        }
    };
    // What the caller is told where the call ends while the service works.
    tell(send::SendError::Abandoned.end());
    let started = Instant::now();
    let timeouts = Timeouts {
        response_header: Some(remaining(scope, first_byte)),
    };
    let sent = match head.effect {
        // Looked at after the change is told and before it is sent: who ends the call then either is told or stops it.
        _ if !scope.is_live() => Err(send::SendError::Late),
        Effect::Read => tokio::select! {
            sent = send::send(scope, &request, None, timeouts) => sent,
            () = scope.ended() => Err(send::SendError::Abandoned),
        },
        Effect::Write | Effect::Destructive => send::send(scope, &request, again, timeouts).await,
    };
    let elapsed_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    if let Ok(answered) = &sent {
        // What the caller is told where the call ends while the answer comes.
        tell(answered.end());
    }
    let place = head.names.done_at.as_ref();
    let (sent, end) = done::read(sent, place, changes, remaining(scope, None)).await;
    let of_answer = |answered: &send::Answered| (answered.renewed, answered.body_bytes());
    let (renewed, body_bytes) = sent.as_ref().map_or((false, None), of_answer);
    tell(end.clone());
    if let RequestEnd::NotSent(_) = &end {
        counted_for.give_back(scope).await;
        unsent(scope, approval).await;
    }
    let answer = Answer {
        request: head.number,
        effect: head.effect,
        end,
        renewed,
        elapsed_us,
        body_bytes,
    };
    let after = match head.effect {
        // The call's end follows it; where that was already, nothing does.
        Effect::Read if scope.is_live() => Durability::WithTheNext,
        Effect::Read => Durability::Buffered,
        Effect::Write | Effect::Destructive => Durability::Synced,
    };
    if let Err(error) = scope.record(Event::Answered(answer), after).await {
        // It is sent: hiding the answer would invite a second try.
        tracing::error!(call = %scope.id, %error, "the outcome of a request could not be recorded");
    }
    // How long the guest takes over the answer is of no matter to the log.
    drop(counted);
    finish(scope, &request, sent).await
}

/// What is written down of what a read asks of a SOAP service.
fn message(body: &[u8]) -> Sensitive {
    let start = &body[..body.len().min(MESSAGE_BYTES_MAX)];
    // What the bound cut in two is no character.
    let text = String::from_utf8_lossy(start);
    Sensitive::new(text.trim_end_matches(char::REPLACEMENT_CHARACTER))
}

/// What of a request that another carries is written down.
fn intended(part: &Carried) -> IntendedPart {
    IntendedPart {
        method: part.method,
        route: part.route.clone(),
        path: Sensitive::new(part.path.as_str()),
    }
}

/// Notes at an approval that what used it up was not sent.
async fn unsent(scope: &CallScope, approval: Option<ApprovalId>) {
    let Some(approval) = approval else {
        return;
    };
    if let Err(error) = scope.ports.approvals.unsent(approval, scope.id).await {
        tracing::warn!(call = %scope.id, %approval, %error, "that an approved change was not sent is not noted at its approval");
    }
}

/// Turns what came of a request into what the guest gets.
async fn finish(
    scope: &Arc<CallScope>,
    request: &Complete,
    sent: Result<send::Answered, send::SendError>,
) -> Result<Response<WasiBody>, GateFailure> {
    let error = match sent {
        Ok(answered) => {
            scope.network_problem(None);
            let response = response::admit(scope, request, answered).await?;
            return Ok(response.map(|body| Counted::body(body, scope.clone())));
        }
        Err(error) => error,
    };
    match error {
        send::SendError::Network(error) => {
            if let NetworkError::PrivateAddress { host, port } = &error {
                let refusal = Refusal::new(RefusalCode::PrivateAddress, error.to_string());
                let allow = format!("--allow-origin {host}:{port}");
                scope.stop(Stop::Refused(refusal.allowed_by(allow)));
            }
            scope.network_problem(Some(error.to_string()));
            tracing::info!(call = %scope.id, error = %chain(&error), "a request had no answer");
            Err(GateFailure::Unanswered(failure::network(&error)))
        }
        send::SendError::Credential(error) => {
            scope.network_problem(Some(error.to_string()));
            Err(GateFailure::unavailable(
                "open the connection's secret",
                &error,
            ))
        }
        send::SendError::Malformed => Err(GateFailure::Unanswered(Error::HttpRequestUriInvalid)),
        send::SendError::Late | send::SendError::Abandoned => Err(GateFailure::Latched),
    }
}

/// The time that a request has until its answer begins: what the call still has, or less where the
/// guest wants less.
fn remaining(scope: &CallScope, first_byte: Option<Duration>) -> Duration {
    let rest = scope.time_left().unwrap_or_default();
    let rest = rest.max(Duration::from_millis(1));
    first_byte.map_or(rest, |wanted| wanted.min(rest))
}

/// Writes an error with everything that it comes from, for the operator.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

impl send::Answered {
    /// What the service says of its answer's length.
    pub(super) fn body_bytes(&self) -> Option<u64> {
        let length = self.response.headers().get(http::header::CONTENT_LENGTH)?;
        length.to_str().ok()?.parse().ok()
    }

    pub(super) fn end(&self) -> RequestEnd {
        match &self.from_cache {
            Some(_) => RequestEnd::NotModified,
            None => RequestEnd::Status(self.response.status().as_u16()),
        }
    }
}

impl send::SendError {
    pub(super) fn end(&self) -> RequestEnd {
        match self {
            Self::Network(error) if error.may_have_been_sent() => {
                RequestEnd::Unclear(error.to_string())
            }
            Self::Network(error) => RequestEnd::NotSent(error.to_string()),
            Self::Credential(error) => RequestEnd::NotSent(error.to_string()),
            Self::Malformed => RequestEnd::NotSent("its address is not usable".to_owned()),
            Self::Late => {
                RequestEnd::NotSent("the call ended while it was written down".to_owned())
            }
            Self::Abandoned => RequestEnd::Unclear("the call ended before the answer".to_owned()),
        }
    }
}
