//! The request with its body, and the check that the stand-in for the token is nowhere in it.
//!
//! No route of this version names a place for the token in a body, so the stand-in has no business in
//! a request: one that holds it hopes that the host puts the token there.

use bytes::Bytes;
use memchr::memmem;

use super::GateFailure;
use super::admit::Admitted;
use crate::reply::RefusalCode;
use crate::scope::CallScope;

/// A request with its whole body.
#[derive(Debug)]
pub(super) struct Complete {
    pub(super) head: Admitted,
    pub(super) body: Bytes,
}

/// Puts a request together.
pub(super) fn complete(
    scope: &CallScope,
    head: Admitted,
    body: Bytes,
) -> Result<Complete, GateFailure> {
    let placeholder = memmem::Finder::new(scope.placeholder.as_bytes());
    let holds = |bytes: &[u8]| placeholder.find(bytes).is_some();
    let in_path = holds(head.path.as_str().as_bytes())
        || head
            .path
            .segments()
            .iter()
            .any(|segment| holds(segment.as_bytes()));
    let in_headers = head.headers.values().any(|value| holds(value.as_bytes()));
    if in_path || in_headers || holds(&body) {
        return Err(GateFailure::refused(
            RefusalCode::Placeholder,
            "the connector put the stand-in for the token into a request whose route has no place for it",
        ));
    }
    Ok(Complete { head, body })
}
