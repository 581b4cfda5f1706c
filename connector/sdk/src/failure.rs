//! Failures, and how an author builds one.
//!
//! [`Failure`] is the contract's own record, so what is built here is what the
//! host receives. Each constructor names a reason; the rest is added in a chain:
//!
//! ```
//! use portcullis_sdk::Failure;
//!
//! let failure = Failure::invalid("no field `Nmae` on Account")
//!     .field("/soql", "`Nmae` is unknown")
//!     .hint("did you mean `Name`?")
//!     .code("INVALID_FIELD");
//! assert_eq!(failure.fields[0].pointer, "/soql");
//! ```

pub use crate::bindings::portcullis::connector::failures::{Failure, FieldProblem, Reason};

impl Failure {
    /// Makes a failure of the given reason with nothing but its message: one
    /// sentence for the model and for the person.
    #[must_use]
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            hint: None,
            service_code: None,
            fields: Vec::new(),
            retry_after_seconds: None,
        }
    }

    /// The caller can repair its arguments; add a [`field`](Self::field) for each that is wrong.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Reason::InvalidArgument, message)
    }

    /// The record or kind is not there, or not visible to this account.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Reason::NotFound, message)
    }

    /// The service forbids it to this account.
    #[must_use]
    pub fn not_permitted(message: impl Into<String>) -> Self {
        Self::new(Reason::NotPermitted, message)
    }

    /// The record changed since it was read, or another writer holds it.
    #[must_use]
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(Reason::Conflict, message)
    }

    /// A quota is used up; add [`retry_after`](Self::retry_after) where the service says for how long.
    #[must_use]
    pub fn rate_limited(message: impl Into<String>) -> Self {
        Self::new(Reason::RateLimited, message)
    }

    /// The service did not answer, or answered that it cannot now.
    #[must_use]
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Reason::Unavailable, message)
    }

    /// Anything else: a defect of the connector or of the service.
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Reason::Internal, message)
    }

    /// Adds a problem with one argument, at a JSON Pointer (RFC 6901) into the call's arguments.
    #[must_use]
    pub fn field(mut self, pointer: impl Into<String>, problem: impl Into<String>) -> Self {
        self.fields.push(FieldProblem {
            pointer: pointer.into(),
            problem: problem.into(),
        });
        self
    }

    /// Says what to do next, such as the nearest valid names.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Keeps the service's own error code, unchanged, such as `INVALID_FIELD`.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.service_code = Some(code.into());
        self
    }

    /// Says after how many seconds the same call may succeed.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }
}
