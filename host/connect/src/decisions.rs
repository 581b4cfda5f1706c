//! A person says yes, and what was approved is run, once: at a command line and on a page alike.

use std::time::Duration;

use portcullis::{ApprovalId, Call, Host, Reply, Rerun};
use portcullis_policy::PersonId;
use portcullis_store::{ApprovalState, Approved, Standing, Store, StoreError};
use serde_json::Value;
use tokio::time::{Instant, sleep};

/// How long a caller that waits has to go on by itself before the call is run here.
const CALLER_HAS: Duration = Duration::from_secs(3);
const LOOKS_EVERY: Duration = Duration::from_millis(100);

/// Decides what waits for people. Clones are cheap and the same.
#[derive(Clone, Debug)]
pub struct Decisions {
    store: Store,
    host: Host,
}

/// What came of a yes.
#[derive(Debug)]
pub struct Decided {
    /// What was approved.
    pub approved: Approved,
    /// What the call came to that was run here; none: the agent waited for the yes and goes on by itself.
    pub reply: Option<Reply>,
}

/// Why nothing came of a yes.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// It was not approved.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It was approved, and cannot be run here.
    #[error("the call's arguments are no JSON any more")]
    Arguments(#[source] serde_json::Error),
    /// It was approved, and nobody knows whether it was run.
    #[error("the run broke: look at the record before it is done again")]
    Broken(#[source] tokio::task::JoinError),
}

impl Decisions {
    /// Takes a store of questions, and the host that runs what is approved.
    pub fn new(store: Store, host: Host) -> Self {
        Self { store, host }
    }

    /// Approves a question in the name of the person whose it is, and runs the call, unless its agent waits for it. Who does not
    /// wait for this any more ends nothing: it goes on by itself.
    ///
    /// # Errors
    ///
    /// [`DecideError`]. Of two who approve, one finds it settled.
    pub async fn approve(
        &self,
        id: ApprovalId,
        person: &PersonId,
        standing: Option<Standing>,
    ) -> Result<Decided, DecideError> {
        let (decisions, person) = (self.clone(), person.clone());
        let task = async move { decisions.approve_here(id, &person, standing).await };
        tokio::spawn(task).await.map_err(DecideError::Broken)?
    }

    async fn approve_here(
        &self,
        id: ApprovalId,
        person: &PersonId,
        standing: Option<Standing>,
    ) -> Result<Decided, DecideError> {
        let approved = self.store.approve(id, person, standing).await?;
        let reply = match approved.is_awaited && self.caller_went_on(id, person).await? {
            true => None,
            false => Some(self.run(&approved).await?),
        };
        Ok(Decided { approved, reply })
    }

    /// Waits a moment for the caller to use the approval; it may have gone meanwhile.
    async fn caller_went_on(&self, id: ApprovalId, person: &PersonId) -> Result<bool, StoreError> {
        let until = Instant::now() + CALLER_HAS;
        while Instant::now() < until {
            let question = self.store.question(id, person).await?;
            if question.approval.state == ApprovalState::Used {
                return Ok(true);
            }
            sleep(LOOKS_EVERY).await;
        }
        Ok(false)
    }

    /// Runs the call, and settles its approval: the answer is kept for the agent, or what was not used is taken back.
    async fn run(&self, approved: &Approved) -> Result<Reply, DecideError> {
        let (id, person) = (approved.approval.id, &approved.approval.person);
        match call_of(approved) {
            Ok(call) => {
                let reply = self.host.call(call).await;
                self.store.end_run(id, person, Some(&reply)).await?;
                Ok(reply)
            }
            Err(error) => {
                self.store.end_run(id, person, None).await?;
                Err(error)
            }
        }
    }
}

/// Makes the call again that a person approved, with the randomness and the time that it had.
fn call_of(approved: &Approved) -> Result<Call, DecideError> {
    let (approval, held) = (&approved.approval, &approved.held);
    let arguments: Value =
        serde_json::from_str(&held.card.arguments).map_err(DecideError::Arguments)?;
    let mut call = Call::new(
        approval.agent.clone(),
        approval.person.clone(),
        approval.connector.clone(),
        approval.tool.as_str(),
        arguments,
    );
    call.reason = held.card.reason.clone();
    call.rerun = Some(Rerun {
        approval: approval.id,
        replay: held.replay.clone(),
    });
    Ok(call)
}
