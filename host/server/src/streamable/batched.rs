//! A body that is a batch: each of its messages goes the way of one that came by itself, and one stream has the answers of all.
//!
//! The attack: a client that goes away, or reads nothing, while its messages are begun. They are begun by a task of its own, one after the
//! other, so that neither holds up what was sent.

use std::convert::Infallible;
use std::future::ready;
use std::pin::Pin;

use futures_util::stream::{self, Stream, StreamExt};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, BodyStream, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use rmcp::model::{ClientJsonRpcMessage, GetExtensions, JsonRpcMessage, ProtocolVersion};
use tokio::sync::mpsc;

use super::body::EVENTS;
use super::keeper::Keeper;
use super::misread::{self, JSON, Posted, is_of_kind};
use super::{HttpBody, SESSION};
use crate::batch::{self, Entry};
use crate::unread::Read;

/// Says of a request that it is one of a batch.
#[derive(Clone, Copy, Debug)]
struct InBatch;

type Frames = Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + Sync>>;

/// Says whether a body is a batch, in a session that has them.
pub(super) fn is_one(parts: &Parts, body: &Bytes, sessions: &Keeper) -> bool {
    let Some(posted) = Posted::of(parts, body) else {
        return false;
    };
    let session = parts.headers.get(SESSION).and_then(|id| id.to_str().ok());
    // What is in a session that is over is told so, by its first message.
    let has_batches = session.is_some_and(|id| sessions.has_batches(id).unwrap_or(true));
    let names_another = posted
        .version()
        .is_some_and(|version| *version != ProtocolVersion::V_2025_03_26);
    has_batches && !names_another && batch::is_one(body)
}

/// Marks what is said with a message of a batch.
pub(super) fn mark(parts: &mut Parts) {
    parts.extensions.insert(InBatch);
}

/// Says whether a message is marked so.
pub(super) fn is_marked(message: &ClientJsonRpcMessage) -> bool {
    let JsonRpcMessage::Request(request) = message else {
        return false;
    };
    let parts = request.request.extensions().get::<Parts>();
    parts.is_some_and(|parts| parts.extensions.get::<InBatch>().is_some())
}

/// Answers all messages of a batch, each by what answers one.
pub(super) async fn answer<F>(
    body: &Bytes,
    entries: Vec<Entry<'_>>,
    one: impl Fn(Bytes) -> F + Send + 'static,
) -> Response<HttpBody>
where
    F: Future<Output = Response<HttpBody>> + Send,
{
    let entries: Vec<(Bytes, Read)> = entries
        .into_iter()
        .map(|entry| (body.slice_ref(entry.text.as_bytes()), entry.read))
        .collect();
    let (tells, mut told) = mpsc::channel(batch::MESSAGES_MAX);
    tokio::spawn(async move {
        for (message, read) in entries {
            let response = match read {
                Read::Message(_) => one(message).await,
                Read::Told => continue,
                Read::No(id, error) => {
                    misread::response(StatusCode::BAD_REQUEST, id.as_ref(), &error)
                }
            };
            // Who is gone is told nothing; what they sent counts all the same.
            let _ = tells.send(response).await;
        }
    });
    let mut errors = Vec::new();
    while let Some(response) = told.recv().await {
        if is_of_kind(response.headers(), EVENTS) {
            return streamed(errors, response, told);
        }
        if is_of_kind(response.headers(), JSON) {
            errors.push(whole(response).await);
        } else if response.status() != StatusCode::ACCEPTED {
            // It is no answer to the one message: of all of them nothing is taken.
            return response;
        }
    }
    refused(&errors)
}

/// Streams what was refused, and what all others are answered, as it comes.
fn streamed(
    errors: Vec<Bytes>,
    first: Response<HttpBody>,
    mut told: mpsc::Receiver<Response<HttpBody>>,
) -> Response<HttpBody> {
    let (head, body) = first.into_parts();
    let errors = stream::iter(errors).map(|error| event(&error));
    let rest = stream::poll_fn(move |context| told.poll_recv(context)).map(frames);
    let first: Frames = Box::pin(BodyStream::new(body));
    let answers = stream::once(ready(first)).chain(rest);
    let body = StreamBody::new(errors.chain(answers.flatten_unordered(None)));
    Response::from_parts(head, BodyExt::boxed(body))
}

/// Gives what of an answer belongs into a stream.
fn frames(response: Response<HttpBody>) -> Frames {
    match response.headers() {
        of if is_of_kind(of, EVENTS) => Box::pin(BodyStream::new(response.into_body())),
        of if is_of_kind(of, JSON) => {
            Box::pin(stream::once(whole(response)).map(|error| event(&error)))
        }
        // What was only told, and what has no session any more.
        _ => Box::pin(stream::empty()),
    }
}

/// Makes an event of a message. It stands in one line, as JSON that is written here does.
fn event(message: &[u8]) -> Result<Frame<Bytes>, Infallible> {
    let event = [b"data: ", message, b"\n\n"].concat();
    Ok(Frame::data(event.into()))
}

async fn whole(response: Response<HttpBody>) -> Bytes {
    let Ok(body) = response.into_body().collect().await;
    body.to_bytes()
}

/// Answers a batch of which nobody waits for an answer, but for what was refused.
fn refused(errors: &[Bytes]) -> Response<HttpBody> {
    let mut response = Response::new(Full::default().boxed());
    *response.status_mut() = match errors {
        [] => StatusCode::ACCEPTED,
        errors => {
            let array = [&b"["[..], &errors.join(&b','), b"]"].concat();
            *response.body_mut() = Full::new(array.into()).boxed();
            let json = HeaderValue::from_static(JSON);
            response.headers_mut().insert(CONTENT_TYPE, json);
            StatusCode::BAD_REQUEST
        }
    };
    response
}
