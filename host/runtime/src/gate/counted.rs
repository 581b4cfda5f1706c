//! How many bytes of a service's answers reach the guest, for the audit log.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::scope::CallScope;

/// A body whose bytes are counted for their call as they pass.
pub(super) struct Counted {
    inner: WasiBody,
    scope: Arc<CallScope>,
}

impl Counted {
    /// Counts the bytes of a body for a call.
    pub(super) fn body(inner: WasiBody, scope: Arc<CallScope>) -> WasiBody {
        Self { inner, scope }.boxed_unsync()
    }
}

impl Body for Counted {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            self.scope.receives(data.len());
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
