//! What a person's word in a chat comes to, on a store.

use std::time::Duration;

use async_trait::async_trait;
use portcullis::policy::Effect;
use portcullis::ports::approvals::Became;
use portcullis::ports::{Caller, PortError};
use portcullis::{ApprovalId, Host, LookedUp, Outcome, Reply, StillWaits};
use portcullis_connect::Decisions;
use portcullis_server::Chat;
use portcullis_store::{ApprovalState, By, Door, LinkState, Store, StoreError};
use secrecy::SecretString;
use tokio::time::{Instant, sleep};

/// How often it is looked whether something came of a link.
const LOOKS_EVERY: Duration = Duration::from_millis(500);

/// The questions and links of a store.
pub(super) struct StoreChat {
    pub(super) store: Store,
    pub(super) decisions: Decisions,
    pub(super) host: Host,
}

impl StoreChat {
    /// Says whether a question is this caller's, and one that a word in a chat settles.
    async fn may_settle(&self, caller: &Caller, id: ApprovalId) -> Result<bool, StoreError> {
        let question = match self.store.question(id, &caller.person).await {
            Ok(question) => question.approval,
            Err(StoreError::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        Ok(question.agent == caller.agent
            && question.state == ApprovalState::Pending
            && question.effect == Effect::Write
            && self.may(caller).await?)
    }

    /// Says whether a word in a chat of this caller's counts.
    async fn may(&self, caller: &Caller) -> Result<bool, StoreError> {
        Ok(self.store.trusts_clients(&caller.agent).await?
            && !self.store.has_passphrase(&caller.person).await?)
    }

    /// Says what a call would end with, and that its question waits all the same.
    async fn would_not_run(
        &self,
        caller: &Caller,
        id: ApprovalId,
        outcome: Outcome,
    ) -> Result<Reply, PortError> {
        let mut reply = Reply::without_call(outcome);
        if let Some(LookedUp::Became(Became::Waiting { link })) =
            self.host.look_up(caller, id).await?
        {
            reply.still_waits = Some(Box::new(StillWaits { id, link }));
        }
        Ok(reply)
    }
}

/// Who decides in a chat, for the log.
fn by(caller: &Caller) -> By {
    By {
        person: caller.person.clone(),
        user: None,
        door: Door::Chat,
    }
}

#[async_trait]
impl Chat for StoreChat {
    async fn may_ask(&self, caller: &Caller) -> Result<bool, PortError> {
        Ok(self.may(caller).await?)
    }

    async fn approve(&self, caller: &Caller, id: ApprovalId) -> Result<Option<Reply>, PortError> {
        if !self.may_settle(caller, id).await? {
            return Ok(None);
        }
        let decided = self.decisions.approve(id, &by(caller), None).await;
        let decided = match decided {
            Ok(decided) => decided,
            // Somebody was quicker.
            Err(portcullis_connect::DecideError::Store(StoreError::Settled { .. })) => {
                return Ok(None);
            }
            Err(portcullis_connect::DecideError::WouldNotRun(outcome)) => {
                return Ok(Some(self.would_not_run(caller, id, *outcome).await?));
            }
            Err(error) => return Err(PortError::new("the change was not run").caused_by(error)),
        };
        tracing::info!(agent = %caller.agent, person = %caller.person, %id, "a question was approved in a chat");
        // The answer is not kept for later: the caller gets it now.
        Ok(match self.host.look_up(caller, id).await? {
            Some(LookedUp::Answer(reply)) => Some(reply),
            _ => decided.reply,
        })
    }

    async fn deny(&self, caller: &Caller, id: ApprovalId) -> Result<(), PortError> {
        if self.may_settle(caller, id).await? {
            let denied = self.decisions.deny(id, &by(caller), None).await;
            match denied {
                Ok(_) | Err(StoreError::Settled { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn came_of(&self, link: &str, within: Duration) -> bool {
        let Some((_, secret)) = link.rsplit_once('/') else {
            return false;
        };
        let secret = SecretString::from(secret);
        let until = Instant::now() + within;
        loop {
            match self.store.link_state(&secret).await {
                Ok(LinkState::Ended(_)) => return true,
                Ok(LinkState::Open | LinkState::Begun) => {}
                Err(error) => {
                    tracing::warn!(%error, "it could not be found out what came of a link");
                    return false;
                }
            }
            if Instant::now() >= until {
                return false;
            }
            sleep(LOOKS_EVERY).await;
        }
    }
}
