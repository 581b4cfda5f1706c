//! A person says yes, and what was approved is run, once: at a command line and on a page alike.

use std::time::Duration;

use portcullis::{ApprovalId, Call, Host, Outcome, Reply, Rerun};
use portcullis_policy::PersonId;
use portcullis_store::{
    Approval, ApprovalState, Approved, By, Deciding, Held, Question, Standing, Store, StoreAudit,
    StoreError,
};
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
    audit: StoreAudit,
}

/// What came of a yes.
#[derive(Debug)]
pub struct Decided {
    /// What was approved.
    pub approved: Approved,
    /// What the call came to that was run here; none: the agent waited for the yes and goes on by itself.
    pub reply: Option<Reply>,
    /// Whether the agent gets that answer when it asks again.
    pub is_kept: bool,
}

/// Why nothing came of a yes.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// It was not approved.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It was not approved, and cannot be run here.
    #[error("nothing was approved: the call's arguments are no JSON any more")]
    Arguments(#[source] serde_json::Error),
    /// It was not approved: run here, it would end so.
    #[error("nothing was approved, and it still waits, for it would not run here: {}", words(.0))]
    WouldNotRun(Box<Outcome>),
    /// It was approved, and nobody knows whether it was run.
    #[error("the run broke: look at the record before it is done again")]
    Broken(#[source] tokio::task::JoinError),
}

fn words(outcome: &Outcome) -> &str {
    outcome.message().unwrap_or_else(|| outcome.name())
}

impl Decisions {
    /// Takes a store of questions, the host that runs what is approved, and the log that has who decided.
    pub fn new(store: Store, host: Host, audit: StoreAudit) -> Self {
        Self { store, host, audit }
    }

    /// Looks whether what a question is about can be run here, before somebody says yes to it. What its agent waits for runs where that is, and of
    /// one that is decided the store says so.
    ///
    /// # Errors
    ///
    /// [`DecideError::WouldNotRun`] with what it would end with, and those of the store.
    pub async fn look(&self, question: &Question) -> Result<(), DecideError> {
        let waits = question.approval.state == ApprovalState::Pending && !question.is_awaited;
        let Some(held) = question.held.as_ref().filter(|_| waits) else {
            return Ok(());
        };
        self.would_run(&question.approval, held).await?;
        Ok(())
    }

    /// Writes down that a passphrase was asked for and another one given.
    ///
    /// # Errors
    ///
    /// When the log cannot be written.
    pub async fn wrong_passphrase(&self, by: &By) -> Result<(), StoreError> {
        let what = [Deciding::of_wrong_passphrase(&by.person)];
        self.audit.deciding(by, what, async { Ok(()) }).await
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
        by: &By,
        standing: Option<Standing>,
    ) -> Result<Decided, DecideError> {
        let (decisions, by) = (self.clone(), by.clone());
        let task = async move { decisions.approve_here(id, &by, standing).await };
        tokio::spawn(task).await.map_err(DecideError::Broken)?
    }

    async fn approve_here(
        &self,
        id: ApprovalId,
        by: &By,
        standing: Option<Standing>,
    ) -> Result<Decided, DecideError> {
        let person = &by.person;
        let question = self.store.question(id, person).await?;
        self.look(&question).await?;
        let question = question.approval;
        let yes = Deciding::of_question(&question, "approved", None);
        let lets_pass = standing
            .as_ref()
            .map(|standing| Deciding::of_standing(&question, standing));
        let all: Vec<Deciding> = [Some(yes), lets_pass].into_iter().flatten().collect();
        let work = self.store.approve(id, person, standing);
        let approved = self.audit.deciding(by, all, work).await?;
        let (reply, is_kept) = match self.to_run(&approved, by).await? {
            None => (None, false),
            Some(call) => {
                let (reply, is_kept) = self.run(&approved, call).await?;
                (Some(reply), is_kept)
            }
        };
        Ok(Decided {
            approved,
            reply,
            is_kept,
        })
    }

    /// Denies a question in the name of the person whose it is, and gives what was denied.
    ///
    /// # Errors
    ///
    /// As [`approve`](Self::approve).
    pub async fn deny(
        &self,
        id: ApprovalId,
        by: &By,
        reason: Option<&str>,
    ) -> Result<Approval, StoreError> {
        let question = self.store.question(id, &by.person).await?.approval;
        let no = Deciding::of_question(&question, "denied", reason);
        let work = self.store.deny(id, &by.person, reason);
        self.audit.deciding(by, [no], work).await
    }

    /// Gives the call that is to be run here; none: its agent goes on by itself. One that would not run is not: its question waits again.
    async fn to_run(&self, approved: &Approved, by: &By) -> Result<Option<Call>, DecideError> {
        let approval = &approved.approval;
        if approved.is_awaited && self.caller_went_on(approval.id, &by.person).await? {
            return Ok(None);
        }
        // Nobody has looked at what was awaited, and an agent that waited may have stopped since.
        let error = match self.would_run(approval, &approved.held).await {
            Ok(call) => return Ok(Some(call)),
            Err(error) => error,
        };
        let why = error.to_string();
        let mut waits = Deciding::of_question(approval, "pending", Some(&why));
        waits.from = Some(ApprovalState::Approved.as_str().to_owned());
        let standing = approved.standing.as_ref();
        let ends = standing.map(|standing| Deciding::of_standing_end(standing.id));
        let all = [Some(waits), ends].into_iter().flatten();
        match self
            .audit
            .deciding(by, all, self.store.put_back(approved))
            .await
        {
            Ok(()) => Err(error),
            // The agent came for it meanwhile.
            Err(StoreError::Settled { state, .. }) if state == ApprovalState::Used.as_str() => {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Gives the call of a question, where it would run here now.
    async fn would_run(&self, approval: &Approval, held: &Held) -> Result<Call, DecideError> {
        let call = call_of(approval, held)?;
        let looked = self.host.look(call.clone()).await;
        looked.map_err(DecideError::WouldNotRun)?;
        Ok(call)
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

    /// Runs the call, and settles its approval: the answer is kept for the agent, or what was not used is taken back. Says which.
    async fn run(&self, approved: &Approved, call: Call) -> Result<(Reply, bool), DecideError> {
        let Approval { id, person, .. } = &approved.approval;
        let reply = self.host.call(call).await;
        let is_kept = self.store.end_run(*id, person, &reply).await?;
        Ok((reply, is_kept))
    }
}

/// Makes the call again that a person approved, with the randomness and the time that it had.
fn call_of(approval: &Approval, held: &Held) -> Result<Call, DecideError> {
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
