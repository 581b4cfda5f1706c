//! Approvals of a runtime that can wait: the person is asked while the call stands still.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use portcullis_policy::{ConnectorName, Digest, ToolName};

use super::{ASKED_AFTER_NO_MAX, Approvals, Claim, DENIAL_LASTS, DigestKey, HeldRequest};
use crate::ids::ApprovalId;
use crate::ports::{Caller, PortError, lock};

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
    lately: Mutex<Lately>,
}

/// What was denied lately, and asked after that.
#[derive(Debug, Default)]
struct Lately {
    /// By what would have been sent.
    denied: HashMap<Digest, No>,
    /// What was asked since the first no, and was no yes.
    asked: Vec<(Of, Instant)>,
}

/// A no.
#[derive(Debug)]
struct No {
    of: Of,
    since: Instant,
    reason: Option<String>,
}

/// Who asks whom by which tool.
type Of = (Caller, ConnectorName, ToolName);

fn of(request: &HeldRequest) -> Of {
    let (caller, connector) = (request.caller.clone(), request.connector.clone());
    (caller, connector, request.tool.clone())
}

impl Lately {
    /// Says why a request is not asked for, or counts it as asked.
    fn ask(&mut self, request: &HeldRequest) -> Option<Claim> {
        self.denied
            .retain(|_, no| no.since.elapsed() < DENIAL_LASTS);
        self.asked.retain(|(_, at)| at.elapsed() < DENIAL_LASTS);
        if let Some(no) = self.denied.get(&request.sent) {
            let reason = no.reason.clone();
            return Some(Claim::Denied { reason });
        }
        let of = of(request);
        if self.denied.values().any(|no| no.of == of) {
            let asked = self.asked.iter().filter(|(other, _)| *other == of);
            if asked.count() >= ASKED_AFTER_NO_MAX {
                return Some(Claim::AfterNo {
                    asked_max: ASKED_AFTER_NO_MAX,
                });
            }
            self.asked.push((of, Instant::now()));
        }
        None
    }

    /// Forgets that a request was asked for, which became a yes.
    fn approved(&mut self, request: &HeldRequest) {
        let of = of(request);
        if let Some(place) = self.asked.iter().rposition(|(other, _)| *other == of) {
            self.asked.remove(place);
        }
    }
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
            lately: Mutex::default(),
        })
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
        let refused = lock(&self.lately).ask(request);
        if let Some(refused) = refused {
            return Ok(refused);
        }
        let asked = tokio::time::timeout(self.patience, self.decide.decide(request)).await;
        let Ok(decision) = asked else {
            // Not kept: the same may be asked again.
            let reason = Some("nobody answered in time".to_owned());
            return Ok(Claim::Denied { reason });
        };
        match decision? {
            Decision::Approve => {
                lock(&self.lately).approved(request);
                let id = ApprovalId::random(SystemTime::now());
                let id =
                    id.map_err(|error| PortError::new("no approval can be made").caused_by(error))?;
                Ok(Claim::Granted(id))
            }
            Decision::Deny { reason } => {
                let no = No {
                    of: of(request),
                    since: Instant::now(),
                    reason: reason.clone(),
                };
                lock(&self.lately).denied.insert(request.sent, no);
                Ok(Claim::Denied { reason })
            }
        }
    }
}
