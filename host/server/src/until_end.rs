//! An input that is over once the server is to end, so that what speaks over it finishes in order.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};

/// Reads until the end, or until a future is over.
pub(crate) struct UntilEnd<R> {
    reader: R,
    end: Pin<Box<dyn Future<Output = ()> + Send>>,
    is_over: bool,
}

impl<R> UntilEnd<R> {
    pub(crate) fn new(reader: R, end: impl Future<Output = ()> + Send + 'static) -> Self {
        Self {
            reader,
            end: Box::pin(end),
            is_over: false,
        }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for UntilEnd<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_over || self.end.as_mut().poll(context).is_ready() {
            self.is_over = true;
            // Nothing was read: the end.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.reader).poll_read(context, buffer)
    }
}
