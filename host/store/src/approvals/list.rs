//! What waits for people, and what became of what did.

use portcullis::ApprovalId;
use portcullis_policy::PersonId;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::claim::{opened, reason};
use super::{Approval, Question, StandingApproval, approval, row_of, standing};
use crate::error::StoreError;
use crate::store::Store;

/// Which questions are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Which {
    /// Of whom; none: of everybody.
    pub person: Option<PersonId>,
    /// Also those that are settled.
    pub settled: bool,
    /// At most so many.
    pub limit: u32,
}

/// A question in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The question.
    pub approval: Approval,
    /// What it is about, in a line; none where it is settled, or another person's. It may have values of records.
    pub title: Option<String>,
}

impl Store {
    /// Lists questions, the newest first, and counts all that fit.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn approvals(&self, which: &Which) -> Result<(Vec<Approval>, u64), StoreError> {
        let mut tx = self.read().await?;
        let (rows, count) = rows(&mut tx, which, self.now()).await?;
        let list = rows.iter().map(approval).collect::<Result<_, _>>()?;
        Ok((list, count))
    }

    /// Lists questions as [`approvals`](Self::approvals) does, with what those are about that are `me`'s own: all of one moment.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or what is kept of a question does not open.
    pub async fn listed_approvals(
        &self,
        which: &Which,
        me: &PersonId,
    ) -> Result<(Vec<Listed>, u64), StoreError> {
        let mut tx = self.read().await?;
        let (rows, count) = rows(&mut tx, which, self.now()).await?;
        let mut listed = Vec::with_capacity(rows.len());
        for row in &rows {
            let approval = approval(row)?;
            let is_held = row.try_get::<Option<i64>, _>("held_key")?.is_some();
            let is_open = is_held && approval.expires.as_millisecond() > self.now();
            let title = match is_open && approval.person == *me {
                true => Some(opened(self, &mut tx, row).await?.card.title()),
                false => None,
            };
            listed.push(Listed { approval, title });
        }
        Ok((listed, count))
    }

    /// Gives a question with what it is about, to the person whose it is.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] where there is no such question of this person.
    pub async fn question(
        &self,
        id: ApprovalId,
        person: &PersonId,
    ) -> Result<Question, StoreError> {
        let mut tx = self.read().await?;
        let row = row_of(&mut tx, id, person).await?;
        let mut approval = approval(&row)?;
        let held = match row.try_get::<Option<i64>, _>("held_key")? {
            Some(_) if approval.expires.as_millisecond() > self.now() => {
                Some(opened(self, &mut tx, &row).await?)
            }
            Some(_) => {
                approval.state = super::ApprovalState::Expired;
                None
            }
            None => None,
        };
        let reason = reason(self, &mut tx, &row).await?;
        let waits: Option<i64> = row.try_get("waits_until")?;
        Ok(Question {
            approval,
            held,
            reason,
            is_awaited: waits.is_some_and(|until| until > self.now()),
        })
    }

    /// Finds the questions of a person whose id begins so.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn approvals_like(
        &self,
        person: &PersonId,
        beginning: &str,
    ) -> Result<Vec<ApprovalId>, StoreError> {
        let mut tx = self.read().await?;
        let ids: Vec<String> = sqlx::query_scalar(
            "SELECT id FROM approvals WHERE person = ?1 AND substr(id, 1, length(?2)) = ?2 LIMIT 8",
        )
        .bind(person.as_str())
        .bind(beginning.to_ascii_lowercase())
        .fetch_all(&mut *tx)
        .await?;
        ids.iter().map(|id| super::parsed(id, id)).collect()
    }

    /// Finds questions of others than a person whose id begins so, two at most: for who administers, without what they are about.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn approvals_of_others_like(
        &self,
        person: &PersonId,
        beginning: &str,
    ) -> Result<Vec<Approval>, StoreError> {
        let mut tx = self.read().await?;
        // Ids are hexadecimal, so that all which begin so lie before the next letter: they are found by the key.
        let rows = sqlx::query(
            "SELECT * FROM approvals WHERE id >= ?2 AND id < ?2 || 'g' AND person <> ?1 LIMIT 2",
        )
        .bind(person.as_str())
        .bind(beginning.to_ascii_lowercase())
        .fetch_all(&mut *tx)
        .await?;
        rows.iter().map(approval).collect()
    }

    /// Lists a person's standing approvals that still count.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn standing_approvals(
        &self,
        person: &PersonId,
    ) -> Result<Vec<StandingApproval>, StoreError> {
        let mut tx = self.read().await?;
        standing::of_person(self, &mut tx, person).await
    }

    /// Ends a standing approval of a person, and says whether there was one.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn end_standing_approval(
        &self,
        id: ApprovalId,
        person: &PersonId,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let ended = standing::end(&mut tx, id, person).await?;
        tx.commit().await?;
        Ok(ended)
    }
}

/// Reads the rows of questions, the newest first, and counts all that fit.
async fn rows(
    tx: &mut SqliteConnection,
    which: &Which,
    now: i64,
) -> Result<(Vec<SqliteRow>, u64), StoreError> {
    let whose = match which.person {
        Some(_) => "person = ?1",
        None => "?1 IS NULL",
    };
    // As the partial indexes have it, to the letter.
    let state = match which.settled {
        true => "?2 IS NOT NULL",
        false => "state IN ('pending', 'approved') AND expires > ?2",
    };
    let fit = format!("FROM approvals WHERE {whose} AND {state}");
    let person = which.person.as_ref().map(|person| person.as_str());
    let list = format!("SELECT * {fit} ORDER BY created DESC, id DESC LIMIT ?3");
    let rows = sqlx::query(sqlx::AssertSqlSafe(list))
        .bind(person)
        .bind(now)
        .bind(which.limit)
        .fetch_all(&mut *tx)
        .await?;
    let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) {fit}")))
        .bind(person)
        .bind(now)
        .fetch_one(tx)
        .await?;
    Ok((rows, u64::try_from(count).unwrap_or_default()))
}
