//! Approvals in memory.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use portcullis_policy::Digest;

use super::{
    APPROVAL_LASTS, ASKED_AFTER_NO_MAX, Approvals, Claim, DENIAL_LASTS, DigestKey, HeldRequest,
    PENDING_MAX,
};
use crate::ids::ApprovalId;
use crate::ports::{PortError, lock};

/// What became of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Pending,
    Approved,
    Denied(Option<String>),
}

impl State {
    /// How long it counts.
    fn lasts(&self) -> Duration {
        match self {
            Self::Pending | Self::Approved => APPROVAL_LASTS,
            Self::Denied(_) => DENIAL_LASTS,
        }
    }
}

#[derive(Debug)]
struct Question {
    id: ApprovalId,
    state: State,
    asked: Instant,
    since: Instant,
    request: HeldRequest,
}

impl Question {
    /// Says whether a request is another one of the same tool, of the same agent for the same person.
    fn is_by(&self, request: &HeldRequest) -> bool {
        let one = &self.request;
        (&one.caller, &one.connector, &one.tool)
            == (&request.caller, &request.connector, &request.tool)
    }

    /// What a claim for the same request comes to, where this is not to be used up.
    fn said(&self) -> Claim {
        match &self.state {
            State::Pending | State::Approved => Claim::Held {
                id: self.id,
                link: None,
                card: Box::new(self.request.card.clone()),
            },
            State::Denied(reason) => Claim::Denied {
                reason: reason.clone(),
            },
        }
    }
}

/// How many questions are kept; beyond it, nothing new is asked and everything is refused.
const QUESTIONS_MAX: usize = 1024;

/// Approvals in memory. They end with the process.
#[derive(Debug)]
pub struct MemoryApprovals {
    key: DigestKey,
    questions: Mutex<HashMap<Digest, Question>>,
}

impl MemoryApprovals {
    /// Makes a store without questions.
    ///
    /// # Errors
    ///
    /// [`PortError`] when the system gives no randomness for the key.
    pub fn new() -> Result<Self, PortError> {
        Ok(Self {
            key: DigestKey::random()?,
            questions: Mutex::default(),
        })
    }

    /// Lists what waits for a person, the oldest first.
    pub fn pending(&self) -> Vec<(ApprovalId, HeldRequest)> {
        let mut questions = lock(&self.questions);
        forget_old(&mut questions);
        let mut pending: Vec<_> = questions
            .values()
            .filter(|question| question.state == State::Pending)
            .map(|question| (question.id, question.request.clone()))
            .collect();
        pending.sort_by_key(|(id, _)| *id);
        pending
    }

    /// Approves a pending question; false when there is none of this id.
    pub fn approve(&self, id: ApprovalId) -> bool {
        self.settle(id, State::Approved)
    }

    /// Denies a question that is pending, or was approved and not used yet, with a reason for the agent; false when there is none of this
    /// id.
    pub fn deny(&self, id: ApprovalId, reason: Option<String>) -> bool {
        self.settle(id, State::Denied(reason))
    }

    fn settle(&self, id: ApprovalId, to: State) -> bool {
        let mut questions = lock(&self.questions);
        forget_old(&mut questions);
        let takes_back = matches!(to, State::Denied(_));
        let mut open = questions.values_mut().filter(|question| {
            question.state == State::Pending || (takes_back && question.state == State::Approved)
        });
        match open.find(|question| question.id == id) {
            Some(question) => {
                question.state = to;
                question.since = Instant::now();
                true
            }
            None => false,
        }
    }
}

fn forget_old(questions: &mut HashMap<Digest, Question>) {
    questions.retain(|_, question| question.since.elapsed() < question.state.lasts());
}

/// Says whether a person was asked enough after a no to the same tool.
fn is_enough(questions: &HashMap<Digest, Question>, request: &HeldRequest) -> bool {
    let by_it = || questions.values().filter(|one| one.is_by(request));
    let nos = by_it().filter(|one| matches!(one.state, State::Denied(_)));
    let Some(no) = nos.map(|one| one.since).min() else {
        return false;
    };
    let asked = by_it().filter(|one| one.state != State::Approved && one.asked > no);
    asked.count() >= ASKED_AFTER_NO_MAX
}

#[async_trait]
impl Approvals for MemoryApprovals {
    fn key(&self) -> &DigestKey {
        &self.key
    }

    async fn claim(&self, request: &HeldRequest) -> Result<Claim, PortError> {
        let mut questions = lock(&self.questions);
        forget_old(&mut questions);
        if let Some(question) = questions.get(&request.digest)
            && question.state == State::Approved
        {
            let id = question.id;
            questions.remove(&request.digest);
            return Ok(Claim::Granted(id));
        }
        // The same bytes in other words are the same question.
        let is_same = |question: &&Question| {
            question.request.sent == request.sent && question.state != State::Approved
        };
        if let Some(question) = questions.values().find(is_same) {
            return Ok(question.said());
        }
        if request.replaces.is_none() && is_enough(&questions, request) {
            return Ok(Claim::AfterNo {
                asked_max: ASKED_AFTER_NO_MAX,
            });
        }
        let mut request = request.clone();
        // What was approved and came out otherwise is approved no more.
        let is_before = |_: &Digest, question: &mut Question| Some(question.id) == request.replaces;
        let before: Vec<_> = questions.extract_if(is_before).collect();
        for (_, before) in before {
            request.card.differs = request.card.differences(&before.request.card);
        }
        let pending = questions.values().filter(|question| {
            question.state == State::Pending && question.request.caller == request.caller
        });
        if pending.count() >= PENDING_MAX {
            return Ok(Claim::Full {
                pending_max: PENDING_MAX,
            });
        }
        if questions.len() >= QUESTIONS_MAX {
            return Err(PortError::new(format!(
                "{QUESTIONS_MAX} approvals are kept already: settle some first"
            )));
        }
        let id = ApprovalId::random(SystemTime::now())
            .map_err(|error| PortError::new("no approval can be made").caused_by(error))?;
        let question = Question {
            id,
            state: State::Pending,
            asked: Instant::now(),
            since: Instant::now(),
            request,
        };
        let claim = question.said();
        questions.insert(question.request.digest, question);
        Ok(claim)
    }
}
