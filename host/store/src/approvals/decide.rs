//! A person decides, about what is theirs to decide.

use portcullis::ApprovalId;
use portcullis_policy::PersonId;
use sqlx::{Row, SqliteConnection};

use super::claim::{opened, sweep};
use super::{Approval, ApprovalState, GRANTED, Held, approval, place, standing};
use super::{Standing, StandingApproval};
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
        let (approval, held, waits) = pending(self, &mut tx, id, person).await?;
        let standing = match standing {
            Some(wanted) => {
                Some(standing::make(self, &mut tx, &approval, &held, wanted, now).await?)
            }
            None => None,
        };
        let (text, digest) = (id.to_string(), digest_of(&mut tx, id).await?);
        let row = [text.as_str(), person.as_str(), digest.as_str()];
        let sealed = seal(self, &mut tx, place("granted", &row), &GRANTED).await?;
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

    /// Denies a question, with a reason that reaches the agent. Exactly this is then refused for a while.
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
        let (approval, _, _) = pending(self, &mut tx, id, person).await?;
        settle(&mut tx, id, ApprovalState::Denied, now).await?;
        if let Some(reason) = reason {
            let (text, digest) = (id.to_string(), digest_of(&mut tx, id).await?);
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

    /// Takes a question back: it is asked again when the agent asks again.
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
        let (approval, _, _) = pending(self, &mut tx, id, person).await?;
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

/// Finds a question of a person that nobody has decided, and until when its caller waits.
async fn pending(
    store: &Store,
    tx: &mut SqliteConnection,
    id: ApprovalId,
    person: &PersonId,
) -> Result<(Approval, Held, Option<i64>), StoreError> {
    let row = sqlx::query("SELECT * FROM approvals WHERE id = ?1 AND person = ?2")
        .bind(id.to_string())
        .bind(person.as_str())
        .fetch_optional(&mut *tx)
        .await?;
    // Another person's is not there: that there is one is nobody else's business.
    let row = row.ok_or_else(|| StoreError::not_found("question of yours", id))?;
    let approval = approval(&row)?;
    if approval.state != ApprovalState::Pending {
        return Err(StoreError::Settled {
            id: id.to_string(),
            state: approval.state.as_str(),
        });
    }
    let held = opened(store, tx, &row).await?;
    Ok((approval, held, row.try_get("waits_until")?))
}

async fn digest_of(tx: &mut SqliteConnection, id: ApprovalId) -> Result<String, StoreError> {
    let digest = sqlx::query_scalar("SELECT digest FROM approvals WHERE id = ?1")
        .bind(id.to_string())
        .fetch_one(tx)
        .await?;
    Ok(digest)
}

async fn settle(
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
