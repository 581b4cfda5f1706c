//! The request with its body, its operation, the requests that it carries, and the check that the stand-in for the token is nowhere in it but where the
//! route has a place for it.
//!
//! Elsewhere the stand-in has no business in a request: one that holds it hopes that the host puts the token there, where the service
//! stores it or sends it on.

use std::ops::Range;

use bytes::Bytes;
use memchr::memmem;
use portcullis_policy::{Effect, Envelope, EnvelopeError, RequestPath};

use super::GateFailure;
use super::admit::{Addressed, Admitted, Head};
use super::parts::{Carried, carried};
use crate::reply::RefusalCode;
use crate::scope::CallScope;

/// What stands in a body for the token, from here on and until it is sent: it is the same in each call, so that a request that a
/// person approved is the same when the call is run again.
const STAND_IN: &[u8] = b"(the token)";

/// A request with its whole body.
#[derive(Debug)]
pub(super) struct Complete {
    pub(super) head: Admitted,
    pub(super) body: Bytes,
    /// Where in the body the token goes.
    pub(super) token_at: Option<Range<usize>>,
    /// Whether its body is what a read asks of a SOAP service, with nothing of the token in it.
    pub(super) is_message: bool,
    /// The requests in its body.
    pub(super) carried: Vec<Carried>,
}

/// Puts a request together.
pub(super) fn complete(
    scope: &CallScope,
    head: Head,
    body: Bytes,
) -> Result<Complete, GateFailure> {
    let request = match head {
        Head::Admitted(head) => Complete {
            carried: carried(scope, &head, &body)?,
            head: *head,
            body,
            token_at: None,
            is_message: false,
        },
        Head::ByOperation(addressed) => by_operation(scope, *addressed, body)?,
    };
    let head = &request.head;
    let placeholder = memmem::Finder::new(scope.placeholder.as_bytes());
    let holds = |bytes: &[u8]| placeholder.find(bytes).is_some();
    let is_in = |path: &RequestPath| {
        let mut segments = path.segments().iter();
        holds(path.as_str().as_bytes()) || segments.any(|segment| holds(segment.as_bytes()))
    };
    let in_path = is_in(&head.path) || request.carried.iter().any(|part| is_in(&part.path));
    let in_headers = head.headers.values().any(|value| holds(value.as_bytes()));
    if in_path || in_headers || holds(&request.body) {
        return Err(GateFailure::refused(
            RefusalCode::Placeholder,
            "the connector put the stand-in for the token into a request whose route has no place for it",
        ));
    }
    Ok(request)
}

/// Finds out which operation a message is, and where the token goes.
fn by_operation(
    scope: &CallScope,
    addressed: Addressed,
    body: Bytes,
) -> Result<Complete, GateFailure> {
    let headers: Vec<(&str, &[u8])> = addressed
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let refused = |error: EnvelopeError| {
        let code = match &error {
            EnvelopeError::Token(_) => RefusalCode::Placeholder,
            _ => RefusalCode::Operation,
        };
        GateFailure::refused(
            code,
            format!("the connector sent a message that is not sent on: {error}"),
        )
    };
    let envelope = Envelope::read(headers.into_iter(), &body).map_err(refused)?;
    let head = addressed.admit(scope, Some(envelope.operation()))?;
    let is_message = head.effect == Effect::Read;
    let Some(place) = &head.token_at else {
        return Ok(Complete {
            head,
            body,
            token_at: None,
            is_message,
            carried: Vec::new(),
        });
    };
    let at = envelope
        .token_at(place, &scope.placeholder, &body)
        .map_err(refused)?;
    let token_at = at.start..at.start + STAND_IN.len();
    let body = [&body[..at.start], STAND_IN, &body[at.end..]].concat();
    Ok(Complete {
        head,
        body: body.into(),
        token_at: Some(token_at),
        is_message,
        carried: Vec::new(),
    })
}
