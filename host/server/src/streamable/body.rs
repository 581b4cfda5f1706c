//! The body of an answer that counts as under way until it is sent.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Response;
use http_body_util::BodyExt;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Buf, Frame, SizeHint};

use super::misread::is_of_kind;
use crate::busy::UnderWay;

/// A stream of events (WHATWG HTML, section 9.2).
pub(super) const EVENTS: &str = "text/event-stream";

/// How long the head of a stream is held for what comes first.
const HEAD_WAITS: Duration = Duration::from_millis(10);

/// A body, and what is done once it is sent or nobody takes it any more.
pub(super) struct WhileSent<D, E> {
    /// What came while the head was held.
    first: Option<Result<Frame<D>, E>>,
    body: BoxBody<D, E>,
    is_over: bool,
    _under_way: Option<UnderWay>,
}

impl<D, E> WhileSent<D, E> {
    pub(super) fn new(body: BoxBody<D, E>, under_way: Option<UnderWay>) -> Self {
        Self {
            first: None,
            body,
            is_over: false,
            _under_way: under_way,
        }
    }
}

impl<D, E> WhileSent<D, E>
where
    D: Buf + Send + Sync + 'static,
    E: Send + Sync + 'static,
{
    /// Holds the head of a stream until its first event is there, for a moment at most: both are sent by one write then, and the client is
    /// woken once.
    async fn held(body: BoxBody<D, E>, under_way: Option<UnderWay>) -> Self {
        let mut this = Self::new(body, under_way);
        if let Ok(came) = tokio::time::timeout(HEAD_WAITS, this.body.frame()).await {
            this.is_over = came.is_none();
            this.first = came;
        }
        this
    }

    /// Gives an answer whose request is under way until all of it is sent.
    pub(super) async fn answer(
        response: Response<BoxBody<D, E>>,
        under_way: UnderWay,
    ) -> Response<BoxBody<D, E>> {
        let (head, body) = response.into_parts();
        let body = match is_of_kind(&head.headers, EVENTS) {
            true => Self::held(body, Some(under_way)).await,
            false => Self::new(body, Some(under_way)),
        };
        Response::from_parts(head, body.boxed())
    }
}

// Nothing in it stays where it is.
impl<D, E> Unpin for WhileSent<D, E> {}

impl<D: Buf + 'static, E: 'static> Body for WhileSent<D, E> {
    type Data = D;
    type Error = E;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<D>, E>>> {
        match self.first.take() {
            None if self.is_over => Poll::Ready(None),
            None => Pin::new(&mut self.body).poll_frame(context),
            first => Poll::Ready(first),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && (self.is_over || self.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        match self.first {
            None => self.body.size_hint(),
            Some(_) => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::convert::Infallible;

    use futures_util::stream;
    use http_body_util::StreamBody;
    use hyper::body::Bytes;
    use tokio::sync::oneshot;

    use super::*;

    type Event = Result<Frame<Bytes>, Infallible>;

    fn event(text: &'static str) -> Event {
        Ok(Frame::data(Bytes::from_static(text.as_bytes())))
    }

    fn body(
        events: impl stream::Stream<Item = Event> + Send + Sync + 'static,
    ) -> BoxBody<Bytes, Infallible> {
        BodyExt::boxed(StreamBody::new(events))
    }

    #[tokio::test]
    async fn what_comes_at_once_is_held_and_stays_first() {
        let events = body(stream::iter([event("one "), event("two")]));
        let held = WhileSent::held(events, None).await;
        assert!(held.first.is_some() && !held.is_end_stream());
        assert_eq!(held.size_hint().exact(), None);
        assert_eq!(held.collect().await.unwrap().to_bytes(), "one two");
    }

    #[tokio::test]
    async fn a_head_is_not_held_for_what_comes_late() {
        let (late, comes) = oneshot::channel();
        let events = body(stream::once(async { comes.await.unwrap() }));
        let held = WhileSent::held(events, None).await;
        assert!(held.first.is_none() && !held.is_end_stream());
        late.send(event("late")).unwrap();
        assert_eq!(held.collect().await.unwrap().to_bytes(), "late");
    }

    #[tokio::test]
    async fn a_stream_that_has_nothing_is_over() {
        let held = WhileSent::held(body(stream::empty()), None).await;
        assert!(held.is_end_stream());
        assert!(held.collect().await.unwrap().to_bytes().is_empty());
    }
}
