//! A body that comes in pieces, and may end in the middle.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use http_body::{Body, Frame};
use tokio::time::{Sleep, sleep};

use crate::serve::Dropped;

/// The least time between two pieces, in which the first is put on the wire.
const PAUSE_MIN: Duration = Duration::from_millis(1);

/// The pieces of a body.
pub(super) struct Frames {
    rest: VecDeque<Bytes>,
    pause: Duration,
    /// Whether the connection is closed after the last piece.
    cut: bool,
    waits: Option<Pin<Box<Sleep>>>,
}

impl Frames {
    /// Makes a body that ends the connection after these bytes.
    pub(super) fn cut_after(bytes: Bytes) -> Self {
        Self {
            rest: [bytes].into(),
            pause: PAUSE_MIN,
            cut: true,
            waits: None,
        }
    }

    /// Makes a body that comes in pieces of so many bytes.
    pub(super) fn trickle(bytes: &Bytes, piece: usize, pause: Duration) -> Self {
        Self {
            rest: bytes
                .chunks(piece.max(1))
                .map(|piece| bytes.slice_ref(piece))
                .collect(),
            pause: pause.max(PAUSE_MIN),
            cut: false,
            waits: None,
        }
    }
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        if let Some(waits) = &mut self.waits {
            ready!(waits.as_mut().poll(context));
            self.waits = None;
        }
        Poll::Ready(match self.rest.pop_front() {
            Some(piece) => {
                self.waits = Some(Box::pin(sleep(self.pause)));
                Some(Ok(Frame::data(piece)))
            }
            None if self.cut => Some(Err(Dropped)),
            None => None,
        })
    }
}
