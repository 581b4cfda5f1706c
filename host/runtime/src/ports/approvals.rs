//! Approvals: a person decides on one exact request, which is then sent once.

use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;
use std::time::SystemTime;

use async_trait::async_trait;
use portcullis_policy::{Change, ConnectionId, ConnectorName, Digest, Effect, Method, ToolName};

use super::{Caller, PortError, lock};
use crate::ids::{ApprovalId, CallId};

/// A request that a person is to decide on.
#[derive(Clone, Debug)]
pub struct HeldRequest {
    /// What is decided on: everything that the request and its announcement consist of. Another
    /// digest is another question.
    pub digest: Digest,
    /// The call that wants to send it.
    pub call: CallId,
    /// On whose behalf.
    pub caller: Caller,
    /// The connector.
    pub connector: ConnectorName,
    /// The tool.
    pub tool: ToolName,
    /// The account it would act as.
    pub connection: ConnectionId,
    /// How far it reaches.
    pub effect: Effect,
    /// The request's method.
    pub method: Method,
    /// The route's template, such as `/record/{id}`.
    pub route: String,
    /// What the connector says it changes.
    pub changes: Vec<Change>,
}

/// The answer to a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// A person approved exactly this; it is marked as used already.
    Granted(ApprovalId),
    /// Nobody has decided yet.
    Held {
        /// The question's id.
        id: ApprovalId,
        /// Where a person decides, if there is a page for it.
        link: Option<String>,
    },
    /// A person said no.
    Denied {
        /// The person's reason, if there is one.
        reason: Option<String>,
    },
}

/// The key of the digests that approvals are bound to, so that no one else can make them.
pub struct DigestKey([u8; 32]);

impl DigestKey {
    /// Wraps a key.
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestKey([redacted])")
    }
}

/// Who is asked.
#[async_trait]
pub trait Approvals: Send + Sync {
    /// Gives the key of the digests: the same as long as approvals are kept.
    fn key(&self) -> &DigestKey;

    /// Uses the approval of exactly this request, or asks for one.
    ///
    /// A use is final and, where approvals outlive the process, durable before this returns: a crash
    /// after it loses the request rather than sending it twice.
    ///
    /// # Errors
    ///
    /// [`PortError`]: the request is refused.
    async fn claim(&self, request: &HeldRequest) -> Result<Claim, PortError>;
}

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Pending,
    Approved,
    Denied,
}

/// How many questions are kept; beyond it, nothing new is asked and everything is refused.
const QUESTIONS_MAX: usize = 1024;

/// Approvals in memory. Nothing expires but with the process.
#[derive(Debug)]
pub struct MemoryApprovals {
    key: DigestKey,
    questions: Mutex<HashMap<Digest, (ApprovalId, State, HeldRequest)>>,
}

impl MemoryApprovals {
    /// Makes a store without questions.
    ///
    /// # Errors
    ///
    /// [`PortError`] when the system gives no randomness for the key.
    pub fn new() -> Result<Self, PortError> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)
            .map_err(|error| PortError::new("the system gives no randomness").caused_by(error))?;
        Ok(Self {
            key: DigestKey(key),
            questions: Mutex::default(),
        })
    }

    /// Lists what waits for a person.
    pub fn pending(&self) -> Vec<(ApprovalId, HeldRequest)> {
        let questions = lock(&self.questions);
        let mut pending: Vec<_> = questions
            .values()
            .filter(|(_, state, _)| *state == State::Pending)
            .map(|(id, _, request)| (*id, request.clone()))
            .collect();
        pending.sort_by_key(|(id, _)| *id);
        pending
    }

    /// Approves a pending question; false when there is none of this id.
    pub fn approve(&self, id: ApprovalId) -> bool {
        self.settle(id, State::Approved)
    }

    /// Denies a pending question; false when there is none of this id.
    pub fn deny(&self, id: ApprovalId) -> bool {
        self.settle(id, State::Denied)
    }

    fn settle(&self, id: ApprovalId, to: State) -> bool {
        let mut questions = lock(&self.questions);
        let question = questions
            .values_mut()
            .find(|(other, state, _)| *other == id && *state == State::Pending);
        match question {
            Some((_, state, _)) => {
                *state = to;
                true
            }
            None => false,
        }
    }
}

#[async_trait]
impl Approvals for MemoryApprovals {
    fn key(&self) -> &DigestKey {
        &self.key
    }

    async fn claim(&self, request: &HeldRequest) -> Result<Claim, PortError> {
        let mut questions = lock(&self.questions);
        match questions.get(&request.digest) {
            Some((id, State::Approved, _)) => {
                let id = *id;
                questions.remove(&request.digest);
                Ok(Claim::Granted(id))
            }
            Some((id, State::Pending, _)) => Ok(Claim::Held {
                id: *id,
                link: None,
            }),
            Some((_, State::Denied, _)) => Ok(Claim::Denied { reason: None }),
            None if questions.len() >= QUESTIONS_MAX => Err(PortError::new(format!(
                "{QUESTIONS_MAX} approvals are kept already: settle some first"
            ))),
            None => {
                let id = ApprovalId::random(SystemTime::now())
                    .map_err(|error| PortError::new("no approval can be made").caused_by(error))?;
                questions.insert(request.digest, (id, State::Pending, request.clone()));
                Ok(Claim::Held { id, link: None })
            }
        }
    }
}
