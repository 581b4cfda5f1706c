//! The start of an answer's body, read before the answer is handed on.
//!
//! The attack: an answer without end, or one that comes a byte at a time, so that whoever reads it holds more and more of it, or waits for ever.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use super::send::Arriving;

/// What was read of a body, and what is still to come.
pub(super) struct Start<B> {
    bytes: Bytes,
    is_whole: bool,
    broken: Option<hyper::Error>,
    rest: B,
}

impl<B> Start<B>
where
    B: Body<Data = Bytes, Error = hyper::Error> + Send + Unpin + 'static,
{
    /// Reads a body to its end, or until it has `bytes_max` bytes, or as far as it comes `within` a time.
    pub(super) async fn read(mut rest: B, bytes_max: usize, within: Duration) -> Self {
        let until = Instant::now() + within;
        let mut bytes = BytesMut::new();
        let (mut is_whole, mut broken) = (false, None);
        while bytes.len() < bytes_max {
            match timeout_at(until, rest.frame()).await {
                Err(_) => break,
                Ok(None) => {
                    is_whole = true;
                    break;
                }
                Ok(Some(Err(error))) => {
                    broken = Some(error);
                    break;
                }
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        bytes.extend_from_slice(&data);
                    }
                }
            }
        }
        Self {
            bytes: bytes.freeze(),
            is_whole,
            broken,
            rest,
        }
    }

    /// Gives what was read.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Gives the body, where all of it was read.
    pub(super) fn whole(&self) -> Option<&[u8]> {
        self.is_whole.then_some(&self.bytes)
    }

    /// Puts what was read back in front of what is still to come.
    pub(super) fn rejoined(self) -> Arriving {
        let body = Rejoined {
            start: Some(self.bytes).filter(|start| !start.is_empty()),
            broken: self.broken,
            rest: self.rest,
        };
        body.boxed_unsync()
    }
}

/// A body of which the start was read already.
struct Rejoined<B> {
    start: Option<Bytes>,
    broken: Option<hyper::Error>,
    rest: B,
}

impl<B> Body for Rejoined<B>
where
    B: Body<Data = Bytes, Error = hyper::Error> + Unpin,
{
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(start) = self.start.take() {
            return Poll::Ready(Some(Ok(Frame::data(start))));
        }
        match self.broken.take() {
            Some(error) => Poll::Ready(Some(Err(error))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }
}
