//! Approvals: a person decides on one exact request, which is then sent once.
//!
//! The port has two forms. A runtime that can wait asks at once and answers in [`Approvals::claim`] itself: [`AskingApprovals`] does
//! that, given somebody who [`Decide`]s. One that cannot keeps the question ([`Claim::Held`]), lets a person decide later, and then runs the
//! call again with what [`HeldRequest`] has: see [`Call::rerun`](crate::Call::rerun).

mod asking;
mod memory;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use portcullis_policy::{Card, ConnectionId, ConnectorName, Digest, Effect, ToolName};

use super::{Caller, PortError};
use crate::ids::{ApprovalId, CallId};
use crate::replay::Replay;
use crate::reply::{Outcome, SentChange};

pub use asking::{AskingApprovals, Decide, Decision};
pub use memory::MemoryApprovals;

/// How long a question waits for a person, unless told otherwise.
pub const APPROVAL_LASTS: Duration = Duration::from_secs(24 * 3_600);

/// How long what a person denied is refused without asking again.
pub const DENIAL_LASTS: Duration = Duration::from_secs(600);

/// Questions that wait for one person from one agent; more are not asked, so that nobody is tired into a yes.
pub const PENDING_MAX: usize = 20;

/// New questions of one agent's tool to one person within the time that a no of theirs to it counts; more are not asked. Room to
/// mend what the person said no to, twice, and to ask for something else; who is asked more than that after a no is being worn down. A
/// connector that puts chance into its requests makes each of them another one, and meets this bound alone.
pub const ASKED_AFTER_NO_MAX: usize = 3;

/// A request that a person is to decide on.
#[derive(Clone, Debug)]
pub struct HeldRequest {
    /// What is decided on: everything that the request and its announcement consist of. Another
    /// digest is another question.
    pub digest: Digest,
    /// What leaves alone, on whose behalf: equal for equal bytes, however the call was spelled, whatever was announced of it and whichever
    /// version of the connector sends it. One question of it waits at a time, and a no to one is a no to all. Where the question is
    /// the whole call it is that call's.
    pub sent: Digest,
    /// What alike requests have in common, of one version of the connector, but for the record, the fields and their values: a standing approval
    /// covers no other.
    pub alike: Digest,
    /// What the agent asked: equal for the same call made again, whatever request comes of it.
    pub question: Digest,
    /// What the agent may touch, and whose account it is. It is kept where the approval is used up, for [`KeptAnswer::terms`].
    pub terms: Digest,
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
    /// Whether everything that is announced was found in the request: without that, no standing approval covers it.
    pub is_whole: bool,
    /// What the person sees; it has the call's arguments, to run it again.
    pub card: Card,
    /// The call's randomness and time, to run it again.
    pub replay: Replay,
    /// The approval whose run came to this request instead of the one that was approved.
    pub replaces: Option<ApprovalId>,
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
        /// What the person sees: of the question that was asked first, where this is the same request in other words.
        card: Box<Card>,
    },
    /// A person said no.
    Denied {
        /// The person's reason, if there is one.
        reason: Option<String>,
    },
    /// A person said no to the same tool lately, and was asked enough since.
    AfterNo {
        /// How many may be asked after a no.
        asked_max: usize,
    },
    /// Too much waits for this person already.
    Full {
        /// As much as may wait.
        pending_max: usize,
    },
}

/// The answer of a call that was run after a person approved it, while nobody waited for it.
#[derive(Debug)]
pub struct KeptAnswer {
    /// The approval.
    pub approval: ApprovalId,
    /// The call that was run.
    pub call: CallId,
    /// The [`terms`](HeldRequest::terms) under which it was run; none: nobody knows. It is handed out under the same alone.
    pub terms: Option<Digest>,
    /// How it ended.
    pub outcome: Outcome,
    /// The changes that it sent.
    pub sent: Vec<SentChange>,
}

/// A question that was asked, as the agent that asked it may know it.
#[derive(Clone, Debug)]
pub struct AskedBefore {
    /// The connector.
    pub connector: ConnectorName,
    /// The tool.
    pub tool: ToolName,
    /// The account.
    pub connection: ConnectionId,
    /// What became of it.
    pub became: Became,
}

/// What became of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Became {
    /// Nobody has decided yet.
    Waiting {
        /// Where a person decides, if there is a page for it.
        link: Option<String>,
    },
    /// A person said yes, and no answer is there: the call runs, or is to be made again.
    Approved,
    /// A person said yes, and the call's answer waits to be taken.
    Answered,
    /// A person said no.
    Denied {
        /// The person's reason, where there is one and it is still kept.
        reason: Option<String>,
    },
    /// It is over: used and its answer taken, taken back, expired, or asked for anew.
    Over,
}

/// The key of the digests that approvals are bound to, so that no one else can make them.
pub struct DigestKey([u8; 32]);

impl DigestKey {
    /// Wraps a key.
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// Makes a random one.
    ///
    /// # Errors
    ///
    /// When the system gives no randomness.
    pub fn random() -> Result<Self, PortError> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)
            .map_err(|error| PortError::new("the system gives no randomness").caused_by(error))?;
        Ok(Self(key))
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

    /// Uses the approval of exactly this request, or asks for one. It may wait for the person: that takes none of
    /// the call's time.
    ///
    /// A use is final and, where approvals outlive the process, durable before this returns: a crash
    /// after it loses the request rather than sending it twice.
    ///
    /// # Errors
    ///
    /// [`PortError`]: the request is refused.
    async fn claim(&self, request: &HeldRequest) -> Result<Claim, PortError>;

    /// Notes that what used an approval up was surely not sent: so that nobody is told that it may have been. The approval
    /// stays used up.
    ///
    /// # Errors
    ///
    /// [`PortError`] when it is not noted; nothing hangs on it but what people are told.
    async fn unsent(&self, id: ApprovalId, call: CallId) -> Result<(), PortError> {
        let _ = (id, call);
        Ok(())
    }

    /// Takes the answer that was kept for a question of this caller; none where there is none, or it was taken before.
    ///
    /// # Errors
    ///
    /// [`PortError`]: the call is refused, for it may have been run already.
    async fn answer(
        &self,
        caller: &Caller,
        question: Digest,
    ) -> Result<Option<KeptAnswer>, PortError> {
        let _ = (caller, question);
        Ok(None)
    }

    /// Says what became of a question of this caller; none where there is no such question of theirs, or nothing is kept.
    ///
    /// # Errors
    ///
    /// [`PortError`] when it cannot be found out.
    async fn asked_before(
        &self,
        caller: &Caller,
        id: ApprovalId,
    ) -> Result<Option<AskedBefore>, PortError> {
        let _ = (caller, id);
        Ok(None)
    }

    /// Takes the answer of a question of this caller by its id, as [`answer`](Self::answer) does by what was asked.
    ///
    /// # Errors
    ///
    /// [`PortError`] when it cannot be taken.
    async fn answer_of(
        &self,
        caller: &Caller,
        id: ApprovalId,
    ) -> Result<Option<KeptAnswer>, PortError> {
        let _ = (caller, id);
        Ok(None)
    }
}
