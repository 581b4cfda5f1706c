//! A body that is a batch: each of its messages goes the way of one that came by itself, and one stream has the answers of all.
//!
//! The attack: a client that goes away, or reads nothing, while its messages are begun. They are begun by a task of its own, one after the
//! other, so that neither holds up what was sent.

use std::convert::Infallible;
use std::future::ready;
use std::pin::Pin;

use futures_util::stream::{self, Stream, StreamExt};
use http::request::Parts;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, BodyStream, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use rmcp::model::{
    ClientJsonRpcMessage, ErrorData, GetExtensions, JsonRpcMessage, ProtocolVersion, RequestId,
};
use tokio::sync::mpsc;

use super::body::EVENTS;
use super::keeper::Keeper;
use super::misread::{self, JSON, Posted, is_of_kind};
use super::refused::Refused;
use super::{HttpBody, SESSION};
use crate::batch::{self, Entry};
use crate::unread::{self, Read};

/// Says of a request that it is one of a batch.
#[derive(Clone, Copy, Debug)]
struct InBatch;

type Frames = Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + Sync>>;

/// Says whether a body is a batch, in a session that has them.
///
/// # Errors
///
/// Where it is one for a session that is not there, and that may have had them: none of it is taken, for some messages are served without
/// a session.
pub(super) fn is_one(parts: &Parts, body: &Bytes, sessions: &Keeper) -> Result<bool, Refused> {
    let session = parts.headers.get(SESSION).and_then(|id| id.to_str().ok());
    let (Some(session), Some(posted)) = (session, Posted::of(parts, body)) else {
        return Ok(false);
    };
    let names_another = posted
        .version()
        .is_some_and(|version| *version != ProtocolVersion::V_2025_03_26);
    if names_another || !batch::is_one(body) {
        return Ok(false);
    }
    sessions.has_batches(session).ok_or(Refused::NoSession)
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

/// What one message of a batch was answered.
struct Answered {
    /// The request's id; none: it asks nothing.
    id: Option<RequestId>,
    response: Response<HttpBody>,
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
            let (id, response) = match read {
                Read::Message(JsonRpcMessage::Request(request)) => {
                    (Some(request.id), one(message).await)
                }
                Read::Message(_) => (None, one(message).await),
                Read::Told => continue,
                Read::No(id, error) => {
                    let refused = misread::response(StatusCode::BAD_REQUEST, id.as_ref(), &error);
                    (id, refused)
                }
            };
            // Who is gone is told nothing; what they sent counts all the same.
            let _ = tells.send(Answered { id, response }).await;
        }
    });
    let (mut errors, mut is_any_taken) = (Vec::new(), false);
    while let Some(Answered { id, response }) = told.recv().await {
        let is_first = errors.is_empty() && !is_any_taken;
        match Kind::of(&response) {
            Kind::Events => return streamed(errors, response, told),
            Kind::Message => errors.push(whole(response).await),
            Kind::Taken => is_any_taken = true,
            // Whatever is in the way of the first message is so of all.
            Kind::None if is_first => return response,
            Kind::None => errors.extend(not_taken(id.as_ref(), &response)),
        }
    }
    refused(&errors, is_any_taken)
}

/// What a response is of a message of a batch.
enum Kind {
    /// A stream with its answer.
    Events,
    /// Its answer.
    Message,
    /// There is no answer to it.
    Taken,
    /// It was not taken, and this is no message of the protocol.
    None,
}

impl Kind {
    fn of(response: &Response<HttpBody>) -> Self {
        match response.headers() {
            of if is_of_kind(of, EVENTS) => Self::Events,
            of if is_of_kind(of, JSON) => Self::Message,
            _ if response.status() == StatusCode::ACCEPTED => Self::Taken,
            _ => Self::None,
        }
    }
}

/// Answers a request that was not taken, such as where its session has ended meanwhile.
fn not_taken(id: Option<&RequestId>, response: &Response<HttpBody>) -> Option<Bytes> {
    let message = format!("this was not taken: {}", response.status());
    let error = ErrorData::internal_error(message, None);
    id.map(|id| unread::answer(Some(id), &error).into())
}

/// Streams what was refused, and what all others are answered, as it comes.
fn streamed(
    errors: Vec<Bytes>,
    first: Response<HttpBody>,
    mut told: mpsc::Receiver<Answered>,
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
fn frames(Answered { id, response }: Answered) -> Frames {
    match Kind::of(&response) {
        Kind::Events => Box::pin(BodyStream::new(response.into_body())),
        Kind::Message => Box::pin(stream::once(whole(response)).map(|error| event(&error))),
        Kind::Taken => Box::pin(stream::empty()),
        Kind::None => {
            let error = not_taken(id.as_ref(), &response);
            Box::pin(stream::iter(error.map(|error| event(&error))))
        }
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

/// Answers a batch of which nobody waits for an answer, but for what was refused: all of it, unless any was taken, which nobody is to send again.
fn refused(errors: &[Bytes], is_any_taken: bool) -> Response<HttpBody> {
    if errors.is_empty() {
        let mut response = Response::new(Full::default().boxed());
        *response.status_mut() = StatusCode::ACCEPTED;
        return response;
    }
    let status = match is_any_taken {
        true => StatusCode::OK,
        false => StatusCode::BAD_REQUEST,
    };
    let array = [&b"["[..], &errors.join(&b','), b"]"].concat();
    misread::json(status, array.into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use http::HeaderValue;
    use http::header::CONTENT_TYPE;

    use super::*;

    const BATCH: &str =
        r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping"}]"#;

    fn said(status: u16, kind: &'static str, text: &'static str) -> Response<HttpBody> {
        let mut response = Response::new(Full::from(text).boxed());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        let kind = HeaderValue::from_static(kind);
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    }

    /// Answers both messages, the first by so much of it.
    async fn answered(first: fn() -> Response<HttpBody>) -> (StatusCode, String) {
        let body = Bytes::from(BATCH);
        let one = move |message: Bytes| {
            let is_first = message.starts_with(br#"{"jsonrpc":"2.0","id":1"#);
            ready(match is_first {
                true => first(),
                false => said(404, "text/plain", "no session"),
            })
        };
        let response = answer(&body, batch::split(&body).unwrap(), one).await;
        let status = response.status();
        let text = whole(response).await;
        (status, String::from_utf8(text.to_vec()).unwrap())
    }

    /// The attack: a session that ends while its batch is begun, so that a client would wait for what nobody answers.
    #[tokio::test]
    async fn what_is_not_taken_is_told_so_by_its_id() {
        let events = || said(200, "text/event-stream", "data: first\n\n");
        let (status, text) = answered(events).await;
        assert_eq!(status, 200);
        assert!(text.starts_with("data: first\n\n"), "{text}");
        assert!(text.contains(r#""id":2,"error""#), "{text}");
        assert!(text.contains("404"), "{text}");
        let refused = || said(400, "application/json", "{}");
        let (status, text) = answered(refused).await;
        assert_eq!(status, 400);
        assert!(text.starts_with("[{},{"), "{text}");
        assert!(text.contains(r#""id":2,"error""#), "{text}");
        let none = || said(404, "text/plain", "no session");
        assert_eq!(
            answered(none).await,
            (StatusCode::NOT_FOUND, "no session".to_owned())
        );
    }
}
