//! Approvals of a runtime that can wait: the person is asked while the call stands still.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use portcullis_policy::Digest;

use super::{Approvals, Claim, DENIAL_LASTS, DigestKey, HeldRequest};
use crate::ids::ApprovalId;
use crate::ports::{PortError, lock};

/// What a person decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may be sent, once.
    Approve,
    /// It may not.
    Deny {
        /// Why, for the agent.
        reason: Option<String>,
    },
}

/// Shows a person a question and waits for the answer.
#[async_trait]
pub trait Decide: Send + Sync {
    /// Asks the person for whom the call is made, and nobody else. What to show is
    /// [`HeldRequest::card`].
    ///
    /// # Errors
    ///
    /// [`PortError`] when the person cannot be asked: the request is refused.
    async fn decide(&self, request: &HeldRequest) -> Result<Decision, PortError>;
}

/// Approvals by somebody who decides at once. Nothing is kept but what was denied lately.
pub struct AskingApprovals<D> {
    decide: D,
    patience: Duration,
    key: DigestKey,
    denied: Mutex<HashMap<Digest, (Instant, Option<String>)>>,
}

impl<D: Decide> AskingApprovals<D> {
    /// Makes approvals that wait for a person as long as `patience`; nobody's answer is a no.
    ///
    /// # Errors
    ///
    /// [`PortError`] when the system gives no randomness for the key.
    pub fn new(decide: D, patience: Duration) -> Result<Self, PortError> {
        Ok(Self {
            decide,
            patience,
            key: DigestKey::random()?,
            denied: Mutex::default(),
        })
    }

    fn denied_lately(&self, digest: Digest) -> Option<Claim> {
        let mut denied = lock(&self.denied);
        denied.retain(|_, (since, _)| since.elapsed() < DENIAL_LASTS);
        let (_, reason) = denied.get(&digest)?;
        let reason = reason.clone();
        Some(Claim::Denied { reason })
    }
}

impl<D> std::fmt::Debug for AskingApprovals<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AskingApprovals")
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl<D: Decide> Approvals for AskingApprovals<D> {
    fn key(&self) -> &DigestKey {
        &self.key
    }

    async fn claim(&self, request: &HeldRequest) -> Result<Claim, PortError> {
        if let Some(denied) = self.denied_lately(request.digest) {
            return Ok(denied);
        }
        let asked = tokio::time::timeout(self.patience, self.decide.decide(request)).await;
        let Ok(decision) = asked else {
            // Not kept: the same may be asked again.
            let reason = Some("nobody answered in time".to_owned());
            return Ok(Claim::Denied { reason });
        };
        match decision? {
            Decision::Approve => {
                let id = ApprovalId::random(SystemTime::now());
                let id =
                    id.map_err(|error| PortError::new("no approval can be made").caused_by(error))?;
                Ok(Claim::Granted(id))
            }
            Decision::Deny { reason } => {
                let denied = (Instant::now(), reason.clone());
                lock(&self.denied).insert(request.digest, denied);
                Ok(Claim::Denied { reason })
            }
        }
    }
}
