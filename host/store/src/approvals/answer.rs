//! What came of a call that was run after its approval, sealed until the agent fetches it, and an hour at most.

use std::time::Duration;

use portcullis::ports::Caller;
use portcullis::ports::approvals::{AskedBefore, Became, KeptAnswer};
use portcullis::{ApprovalId, CallId, Outcome, Reply, SentChange};
use portcullis_policy::{Digest, PersonId};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::claim::{identity, reason};
use super::decide::settle;
use super::{ApprovalState, approval, parsed, place, row_of};
use crate::connection::{open, seal};
use crate::error::StoreError;
use crate::sign_in::expiry;
use crate::store::Store;

/// How long an answer waits to be fetched.
const ANSWER_LASTS: Duration = Duration::from_secs(3_600);

/// What is kept of a reply.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    call: CallId,
    outcome: Outcome,
    sent: Vec<SentChange>,
}

impl Kept {
    /// Takes a reply that an agent is to get; none where it is no answer: a question that is asked anew, or an account that is missing.
    pub fn of(reply: &Reply) -> Option<Self> {
        match &reply.outcome {
            Outcome::ApprovalRequired(_) | Outcome::ConnectRequired(_) => None,
            outcome @ (Outcome::Done(_) | Outcome::Refused(_) | Outcome::Failed(_)) => Some(Self {
                call: reply.call?,
                outcome: outcome.clone(),
                sent: reply.sent.clone(),
            }),
        }
    }
}

impl Store {
    /// Settles an approval at the end of the run that it was given for. One that the run has used keeps the answer for the agent, for
    /// an hour. One that is still open is taken back: nothing was sent, the person was told so, and a yes that lay about would let
    /// the same pass later, unasked. Says whether an answer is kept.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] where there is no such question of this person.
    pub async fn end_run(
        &self,
        id: ApprovalId,
        person: &PersonId,
        reply: &Reply,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let row = row_of(&mut tx, id, person).await?;
        let asked = approval(&row)?;
        let kept = Kept::of(reply);
        let mut is_kept = false;
        match (asked.state, kept) {
            (ApprovalState::Approved, _) => {
                settle(&mut tx, id, ApprovalState::Withdrawn, self.now()).await?;
            }
            // Where another call was quicker to use it, this one has no answer to what was approved.
            (ApprovalState::Used, Some(kept)) if asked.used_by == Some(kept.call) => {
                is_kept = self.keep_answer(&mut tx, &row, &kept).await?;
            }
            _ => {}
        }
        tx.commit().await?;
        Ok(is_kept)
    }

    /// Puts an answer into its question's row, and says whether it may be fetched: not where the agent's connector was taken from it while
    /// the run was under way.
    async fn keep_answer(
        &self,
        tx: &mut SqliteConnection,
        row: &SqliteRow,
        kept: &Kept,
    ) -> Result<bool, StoreError> {
        let (id, person, digest) = identity(row)?;
        let place_row = [id.as_str(), person.as_str(), digest.as_str()];
        let sealed = seal(self, tx, place("answer", &place_row), kept).await?;
        let done = sqlx::query(
            "UPDATE approvals SET answer = ?2, answer_key = ?3, answer_expires = ?4 WHERE id = ?1 AND terms IS NOT NULL",
        )
        .bind(&id)
        .bind(sealed.bytes)
        .bind(sealed.key)
        .bind(expiry(self.now(), ANSWER_LASTS))
        .execute(tx)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes the answer that is kept for a question of this caller.
    pub(super) async fn take_answer(
        &self,
        caller: &Caller,
        question: Digest,
    ) -> Result<Option<KeptAnswer>, StoreError> {
        const FIND: &str = "SELECT * FROM approvals WHERE question = ?1 AND person = ?2 AND agent = ?3 \
                            AND answer IS NOT NULL AND answer_expires > ?4 ORDER BY answer_expires LIMIT 1";
        let find = || {
            sqlx::query(FIND)
                .bind(question.to_string())
                .bind(caller.person.as_str().to_owned())
                .bind(caller.agent.as_str().to_owned())
                .bind(self.now())
        };
        // Most callers have none, and most calls of those that have one.
        let any = self.remembered(
            |answers| &mut answers.kept_answers,
            caller.clone(),
            self.has_answers(caller),
        );
        if !any.await? {
            return Ok(None);
        }
        // Only who finds one takes the turn of those that write.
        let mut tx = self.read().await?;
        if find().fetch_optional(&mut *tx).await?.is_none() {
            return Ok(None);
        }
        drop(tx);
        let mut tx = self.write().await?;
        let Some(row) = find().fetch_optional(&mut *tx).await? else {
            return Ok(None);
        };
        let kept = self.take(&mut tx, &row).await?;
        tx.commit().await?;
        Ok(Some(kept))
    }

    /// Says whether any answer is kept for a caller, also one whose hour is over.
    async fn has_answers(&self, caller: &Caller) -> Result<bool, StoreError> {
        const ANY: &str = "SELECT 1 FROM approvals WHERE person = ?1 AND agent = ?2 AND answer IS NOT NULL LIMIT 1";
        let any = sqlx::query(ANY)
            .bind(caller.person.as_str())
            .bind(caller.agent.as_str());
        Ok(self.database().read_one(any).await?.is_some())
    }

    /// Takes the answer that is kept for a question of this caller, by the question's id.
    pub(super) async fn take_answer_of(
        &self,
        caller: &Caller,
        id: ApprovalId,
    ) -> Result<Option<KeptAnswer>, StoreError> {
        let mut tx = self.write().await?;
        let Some(row) = of_caller(&mut tx, caller, id).await? else {
            return Ok(None);
        };
        let expires: Option<i64> = row.try_get("answer_expires")?;
        if expires.is_none_or(|expires| expires <= self.now()) {
            return Ok(None);
        }
        let kept = self.take(&mut tx, &row).await?;
        tx.commit().await?;
        Ok(Some(kept))
    }

    /// Says what became of a question of this caller, without the link to where it is decided.
    pub(super) async fn asked_before(
        &self,
        caller: &Caller,
        id: ApprovalId,
    ) -> Result<Option<AskedBefore>, StoreError> {
        let mut tx = self.read().await?;
        let Some(row) = of_caller(&mut tx, caller, id).await? else {
            return Ok(None);
        };
        let asked = approval(&row)?;
        let now = self.now();
        let answer: Option<i64> = row.try_get("answer_expires")?;
        let is_open = asked.expires.as_millisecond() > now;
        let became = match asked.state {
            ApprovalState::Pending if is_open => Became::Waiting { link: None },
            ApprovalState::Approved if is_open => Became::Approved,
            // The run that used it may not have come to its answer yet.
            ApprovalState::Used if answer.is_some_and(|expires| expires > now) => Became::Answered,
            ApprovalState::Denied => Became::Denied {
                reason: reason(self, &mut tx, &row).await?,
            },
            _ => Became::Over,
        };
        Ok(Some(AskedBefore {
            connector: asked.connector,
            tool: asked.tool,
            connection: asked.connection,
            became,
        }))
    }

    /// Takes the answer out of a question's row.
    async fn take(
        &self,
        tx: &mut SqliteConnection,
        row: &SqliteRow,
    ) -> Result<KeptAnswer, StoreError> {
        let (id, person, digest) = identity(row)?;
        let place_row = [id.as_str(), person.as_str(), digest.as_str()];
        let (key, sealed): (i64, Vec<u8>) = (row.try_get("answer_key")?, row.try_get("answer")?);
        let kept: Kept = open(self, tx, place("answer", &place_row), key, &sealed).await?;
        let terms: Option<String> = row.try_get("terms")?;
        sqlx::query(
            "UPDATE approvals SET answer = NULL, answer_key = NULL, answer_expires = NULL WHERE id = ?1",
        )
        .bind(&id)
        .execute(tx)
        .await?;
        Ok(KeptAnswer {
            approval: parsed(&id, &id)?,
            call: kept.call,
            terms: terms.map(|terms| parsed(&id, &terms)).transpose()?,
            outcome: kept.outcome,
            sent: kept.sent,
        })
    }
}

/// Finds a question of a caller: an agent's for a person.
async fn of_caller(
    tx: &mut SqliteConnection,
    caller: &Caller,
    id: ApprovalId,
) -> Result<Option<SqliteRow>, StoreError> {
    let row = sqlx::query("SELECT * FROM approvals WHERE id = ?1 AND person = ?2 AND agent = ?3")
        .bind(id.to_string())
        .bind(caller.person.as_str())
        .bind(caller.agent.as_str())
        .fetch_optional(tx)
        .await?;
    Ok(row)
}
