//! The body of an answer that counts as under way until it is sent.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Frame, SizeHint};

use crate::busy::UnderWay;

/// A body, and what is done once it is sent or nobody takes it any more.
pub(super) struct WhileSent<D, E> {
    body: BoxBody<D, E>,
    _under_way: Option<UnderWay>,
}

impl<D, E> WhileSent<D, E> {
    pub(super) fn new(body: BoxBody<D, E>, under_way: Option<UnderWay>) -> Self {
        Self {
            body,
            _under_way: under_way,
        }
    }
}

impl<D: hyper::body::Buf + 'static, E: 'static> Body for WhileSent<D, E> {
    type Data = D;
    type Error = E;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<D>, E>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
