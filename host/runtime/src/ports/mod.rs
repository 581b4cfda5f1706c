//! What a host must be given: who a call acts for, what is allowed, who is asked, where it is written down.
//!
//! Each port is an object-safe trait with an implementation in memory, good enough for a test, an
//! example or a program that forgets. A port that fails refuses: no answer is never a yes.

pub mod approvals;
pub mod audit;
pub mod credentials;
pub mod permissions;

use std::fmt;
use std::sync::Arc;

use portcullis_policy::{AgentId, PersonId};

pub use approvals::{Approvals, MemoryApprovals};
pub use audit::{AuditLog, MemoryAudit};
pub use credentials::{Credentials, MemoryCredentials};
pub use permissions::{MemoryPermissions, Permissions};

/// On whose behalf a call is made: an agent's, for a person.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Caller {
    /// The agent.
    pub agent: AgentId,
    /// The person it works for.
    pub person: PersonId,
}

/// A port that could not answer. What depends on it is refused.
///
/// The message is for the operator: what could not be done, and where to look.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct PortError {
    message: String,
    #[source]
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl PortError {
    /// Makes an error of one sentence.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }

    /// Adds what it comes from.
    #[must_use]
    pub fn caused_by(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }
}

/// The four ports, each required.
#[derive(Clone)]
pub struct Ports {
    /// Who a call acts for.
    pub credentials: Arc<dyn Credentials>,
    /// What is allowed.
    pub permissions: Arc<dyn Permissions>,
    /// Who is asked.
    pub approvals: Arc<dyn Approvals>,
    /// Where it is written down.
    pub audit: Arc<dyn AuditLog>,
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}

/// Text that may hold values of records: a query, a label, a message.
///
/// It is kept apart from names and ids, so that a store seals it and a log leaves it out: its
/// `Debug` says only how long it is.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Sensitive(String);

impl Sensitive {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Gives the text, to show it to a person who may see it or to seal it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes]", self.0.len())
    }
}

/// Locks a mutex whose holder never leaves it in a broken state, even where it panicked.
pub(crate) fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
