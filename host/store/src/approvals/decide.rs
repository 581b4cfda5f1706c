//! A person decides, about what is theirs to decide.

use portcullis::ApprovalId;
use portcullis_policy::{AgentId, ConnectorName, PersonId};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::claim::{identity, opened};
use super::sweep::sweep;
use super::uses::Uses;
use super::{
    Approval, ApprovalState, Held, Standing, StandingApproval, approval, place, row_of, standing,
};
use crate::connection::seal;
use crate::error::StoreError;
use crate::store::Store;

/// An approval that was just given.
#[derive(Clone, Debug)]
pub struct Approved {
    /// The question.
    pub approval: Approval,
    /// What runs the call.
    pub held: Held,
    /// Whether the caller waits for the decision and goes on by itself.
    pub is_awaited: bool,
    /// The rule that was made beside it.
    pub standing: Option<StandingApproval>,
}

impl Store {
    /// Approves a question. Of two who do, one wins; for the other it is settled.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] where there is no such question of this person, [`StoreError::Settled`], and
    /// [`StoreError::NoStanding`] where no rule may be made of it: then nothing is approved.
    pub async fn approve(
        &self,
        id: ApprovalId,
        person: &PersonId,
        standing: Option<Standing>,
    ) -> Result<Approved, StoreError> {
        let mut tx = self.write().await?;
        let now = self.now();
        sweep(&mut tx, now).await?;
        let (approval, found) = open_question(&mut tx, id, person).await?;
        require_undecided(&approval)?;
        let held = opened(self, &mut tx, &found).await?;
        let waits: Option<i64> = found.try_get("waits_until")?;
        let uses = Uses::of(self, &mut tx).await?;
        let standing = match standing {
            Some(wanted) => {
                let seen = standing::Seen {
                    approval: &approval,
                    held: &held,
                };
                Some(standing::make(self, &mut tx, &uses, &seen, wanted, now).await?)
            }
            None => None,
        };
        let (text, person, digest) = identity(&found)?;
        let row = [text.as_str(), person.as_str(), digest.as_str()];
        let (until, granted) = (found.try_get("expires")?, place("granted", &row));
        let sealed = uses.grant(self, &mut tx, granted, until).await?;
        sqlx::query(
            "UPDATE approvals SET state = 'approved', decided = ?2, granted = ?3, granted_key = ?4 WHERE id = ?1",
        )
            .bind(&text)
            .bind(now)
            .bind(sealed.bytes)
            .bind(sealed.key)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(Approved {
            approval,
            held,
            is_awaited: waits.is_some_and(|until| until > now),
            standing,
        })
    }

    /// Puts a yes that was not used yet back: the question waits again, and what was to pass with it passes no more.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] where there is no such question of this person, and [`StoreError::Settled`] where the yes was used meanwhile,
    /// or is none any more.
    pub async fn put_back(&self, approved: &Approved) -> Result<(), StoreError> {
        let Approval { id, person, .. } = &approved.approval;
        let mut tx = self.write().await?;
        let (approval, _) = open_question(&mut tx, *id, person).await?;
        if approval.state != ApprovalState::Approved {
            return Err(settled(&approval));
        }
        sqlx::query(
            "UPDATE approvals SET state = 'pending', decided = NULL, granted = NULL, granted_key = NULL WHERE id = ?1",
        )
        .bind(id.to_string())
        .execute(&mut *tx)
        .await?;
        if let Some(standing) = &approved.standing {
            standing::end(&mut tx, standing.id, person).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Denies a question, with a reason that reaches the agent. Exactly this is then refused for a while. A yes that was not used yet
    /// may become a no.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] where there is no such question of this person, and [`StoreError::Settled`].
    pub async fn deny(
        &self,
        id: ApprovalId,
        person: &PersonId,
        reason: Option<&str>,
    ) -> Result<Approval, StoreError> {
        let mut tx = self.write().await?;
        let now = self.now();
        sweep(&mut tx, now).await?;
        let (approval, found) = open_question(&mut tx, id, person).await?;
        settle(&mut tx, id, ApprovalState::Denied, now).await?;
        if let Some(reason) = reason {
            let (text, person, digest) = identity(&found)?;
            let row = [text.as_str(), person.as_str(), digest.as_str()];
            let sealed = seal(self, &mut tx, place("reason", &row), &reason).await?;
            sqlx::query("UPDATE approvals SET reason = ?2, reason_key = ?3 WHERE id = ?1")
                .bind(&text)
                .bind(sealed.bytes)
                .bind(sealed.key)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(approval)
    }

    /// Takes a question back, or a yes that was not used yet: it is asked again when the agent asks again.
    ///
    /// # Errors
    ///
    /// As [`deny`](Self::deny).
    pub async fn withdraw(
        &self,
        id: ApprovalId,
        person: &PersonId,
    ) -> Result<Approval, StoreError> {
        let mut tx = self.write().await?;
        let now = self.now();
        sweep(&mut tx, now).await?;
        let (approval, _) = open_question(&mut tx, id, person).await?;
        settle(&mut tx, id, ApprovalState::Withdrawn, now).await?;
        tx.commit().await?;
        Ok(approval)
    }

    /// Says whether nobody has decided yet.
    pub(super) async fn is_pending(&self, id: ApprovalId) -> Result<bool, StoreError> {
        let mut tx = self.read().await?;
        let is_pending = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM approvals WHERE id = ?1 AND state = 'pending' AND expires > ?2)",
        )
        .bind(id.to_string())
        .bind(self.now())
        .fetch_one(&mut *tx)
        .await?;
        Ok(is_pending)
    }
}

/// Takes back what an agent has asked of a connector, or of any, and nothing was sent for; ends what passes without a question, and
/// forgets the answers that wait for it.
pub(crate) async fn end_of(
    tx: &mut SqliteConnection,
    now: i64,
    agent: &AgentId,
    connector: Option<&ConnectorName>,
) -> Result<(), StoreError> {
    end(tx, now, Some(agent), connector).await
}

/// Ends what all agents have, as [`end_of`] does.
pub(crate) async fn end_all(tx: &mut SqliteConnection, now: i64) -> Result<(), StoreError> {
    end(tx, now, None, None).await
}

async fn end(
    tx: &mut SqliteConnection,
    now: i64,
    agent: Option<&AgentId>,
    connector: Option<&ConnectorName>,
) -> Result<(), StoreError> {
    let (agent, connector) = (
        agent.map(AgentId::as_str),
        connector.map(ConnectorName::as_str),
    );
    let open: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM approvals WHERE agent = ifnull(?1, agent) AND connector = ifnull(?2, connector) \
         AND state IN ('pending', 'approved')",
    )
    .bind(agent)
    .bind(connector)
    .fetch_all(&mut *tx)
    .await?;
    for id in open {
        settle(tx, super::parsed(&id, &id)?, ApprovalState::Withdrawn, now).await?;
    }
    for sql in [
        "DELETE FROM standing_approvals WHERE agent = ifnull(?1, agent) AND connector = ifnull(?2, connector)",
        // Without its terms no answer is handed out, nor is one kept that a run comes to which is under way.
        "UPDATE approvals SET answer = NULL, answer_key = NULL, answer_expires = NULL, terms = NULL \
         WHERE agent = ifnull(?1, agent) AND connector = ifnull(?2, connector) AND terms IS NOT NULL",
    ] {
        sqlx::query(sql)
            .bind(agent)
            .bind(connector)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// Finds a question of a person that nothing was sent for, and its row: nobody has decided, or said yes and it was not used.
async fn open_question(
    tx: &mut SqliteConnection,
    id: ApprovalId,
    person: &PersonId,
) -> Result<(Approval, SqliteRow), StoreError> {
    let row = row_of(tx, id, person).await?;
    let approval = approval(&row)?;
    match approval.state {
        ApprovalState::Pending | ApprovalState::Approved => Ok((approval, row)),
        _ => Err(settled(&approval)),
    }
}

fn require_undecided(approval: &Approval) -> Result<(), StoreError> {
    match approval.state {
        ApprovalState::Pending => Ok(()),
        _ => Err(settled(approval)),
    }
}

fn settled(approval: &Approval) -> StoreError {
    StoreError::Settled {
        id: approval.id.to_string(),
        state: approval.state.as_str(),
    }
}

pub(super) async fn settle(
    tx: &mut SqliteConnection,
    id: ApprovalId,
    state: ApprovalState,
    now: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE approvals SET state = ?2, decided = ?3, held = NULL, held_key = NULL, granted = NULL, granted_key = NULL, \
             waits_until = NULL WHERE id = ?1",
    )
    .bind(id.to_string())
    .bind(state.as_str())
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}
