//! A request asks for its approval: it is used up, or there is none and a person is asked.

use std::time::{Duration, SystemTime};

use portcullis::ApprovalId;
use portcullis::ports::approvals::{Claim, DENIAL_LASTS, HeldRequest, PENDING_MAX};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{Held, StoreApprovals, parsed, place, require_granted, standing};
use crate::connection::{open, seal};
use crate::error::StoreError;
use crate::sign_in::expiry;
use crate::store::Store;

/// How long a use that left no answer is remembered to a person who is asked for the same again.
const LOST_LASTS: Duration = Duration::from_secs(24 * 3_600);

/// How long settled questions are kept. They hold no values.
const SETTLED_LASTS: Duration = Duration::from_secs(30 * 24 * 3_600);

impl StoreApprovals {
    /// Uses the approval of a request, or asks for one; `waits` is how long its caller will wait.
    pub(super) async fn claim_now(
        &self,
        request: &HeldRequest,
        waits: Duration,
    ) -> Result<Claim, StoreError> {
        let store = &self.store;
        let mut tx = store.write().await?;
        let now = store.now();
        sweep(&mut tx, now).await?;
        let claim = match known(&mut tx, request, now).await? {
            Some(row) => match row.try_get::<String, _>("state")?.as_str() {
                "approved" => self.use_up(&mut tx, request, &row).await?,
                "pending" => self.still_held(&mut tx, &row, waits).await?,
                _ => denied(store, &mut tx, &row).await?,
            },
            None => match passing(store, &mut tx, request, now).await? {
                Some(id) => Claim::Granted(id),
                None => self.ask(&mut tx, request, waits).await?,
            },
        };
        tx.commit().await?;
        Ok(claim)
    }

    async fn use_up(
        &self,
        tx: &mut SqliteConnection,
        request: &HeldRequest,
        row: &SqliteRow,
    ) -> Result<Claim, StoreError> {
        let (id, person, digest) = identity(row)?;
        let place_row = [id.as_str(), person.as_str(), digest.as_str()];
        require_granted(&self.store, tx, place("granted", &place_row), row).await?;
        sqlx::query(
            "UPDATE approvals SET state = 'used', used_by = ?2, terms = ?3, held = NULL, held_key = NULL, granted = NULL, \
             granted_key = NULL, waits_until = NULL \
             WHERE id = ?1",
        )
        .bind(&id)
        .bind(request.call.to_string())
        .bind(request.terms.to_string())
        .execute(tx)
        .await?;
        Ok(Claim::Granted(parsed(&id, &id)?))
    }

    async fn still_held(
        &self,
        tx: &mut SqliteConnection,
        row: &SqliteRow,
        waits: Duration,
    ) -> Result<Claim, StoreError> {
        let held = opened(&self.store, tx, row).await?;
        let text: String = row.try_get("id")?;
        let id: ApprovalId = parsed(&text, &text)?;
        if !waits.is_zero() {
            sqlx::query("UPDATE approvals SET waits_until = ?2 WHERE id = ?1")
                .bind(&text)
                .bind(expiry(self.store.now(), waits))
                .execute(tx)
                .await?;
        }
        Ok(held_as(id, held.card.differs))
    }

    /// Asks a person.
    async fn ask(
        &self,
        tx: &mut SqliteConnection,
        request: &HeldRequest,
        waits: Duration,
    ) -> Result<Claim, StoreError> {
        let store = &self.store;
        let now = store.now();
        let mut held = Held::of(request);
        if let Some(before) = request.replaces {
            held.card.differs = replaced(store, tx, before, request).await?;
        }
        held.card.differs.extend(lost(tx, request, now).await?);
        let (person, agent) = (&request.caller.person, &request.caller.agent);
        let pending: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM approvals WHERE person = ?1 AND state = 'pending' AND agent = ?2",
        )
        .bind(person.as_str())
        .bind(agent.as_str())
        .fetch_one(&mut *tx)
        .await?;
        if usize::try_from(pending).unwrap_or(usize::MAX) >= PENDING_MAX {
            return Ok(Claim::Full {
                pending_max: PENDING_MAX,
            });
        }
        let id = ApprovalId::random(SystemTime::now()).map_err(|_| StoreError::Randomness)?;
        let (text, digest) = (id.to_string(), request.digest.to_string());
        let row = [text.as_str(), person.as_str(), digest.as_str()];
        let sealed = seal(store, tx, place("held", &row), &held).await?;
        sqlx::query(
            "INSERT INTO approvals (id, digest, question, person, agent, connector, tool, connection, effect, call, \
             state, created, expires, waits_until, held, held_key) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'pending', ?11, ?12, ?13, ?14, ?15)",
        )
        .bind(&text)
        .bind(&digest)
        .bind(request.question.to_string())
        .bind(person.as_str())
        .bind(agent.as_str())
        .bind(request.connector.as_str())
        .bind(request.tool.as_str())
        .bind(request.connection.as_str())
        .bind(request.effect.as_str())
        .bind(request.call.to_string())
        .bind(now)
        .bind(expiry(now, self.lasts))
        .bind((!waits.is_zero()).then(|| expiry(now, waits)))
        .bind(sealed.bytes)
        .bind(sealed.key)
        .execute(tx)
        .await?;
        Ok(held_as(id, held.card.differs))
    }
}

/// Lets a request pass by a standing approval. A run of what was approved is none of the alike that its person let pass: it is what was
/// seen, or it is asked for anew.
async fn passing(
    store: &Store,
    tx: &mut SqliteConnection,
    request: &HeldRequest,
    now: i64,
) -> Result<Option<ApprovalId>, StoreError> {
    match request.replaces {
        Some(_) => Ok(None),
        None => standing::use_up(store, tx, request, now).await,
    }
}

/// Says that a question is open. Where a person decides it is said once the question is on disk.
fn held_as(id: ApprovalId, differs: Vec<String>) -> Claim {
    let link = None;
    Claim::Held { id, link, differs }
}

/// Finds what is known of exactly this request: an open question, or a no that still counts.
async fn known(
    tx: &mut SqliteConnection,
    request: &HeldRequest,
    now: i64,
) -> Result<Option<SqliteRow>, StoreError> {
    let open = sqlx::query(
        "SELECT * FROM approvals WHERE digest = ?1 AND state IN ('pending', 'approved') AND person = ?2 AND agent = ?3",
    )
    .bind(request.digest.to_string())
    .bind(request.caller.person.as_str())
    .bind(request.caller.agent.as_str())
    .fetch_optional(&mut *tx)
    .await?;
    if open.is_some() {
        return Ok(open);
    }
    let denied = sqlx::query(
        "SELECT * FROM approvals WHERE digest = ?1 AND state = 'denied' AND decided > ?2 ORDER BY decided DESC LIMIT 1",
    )
    .bind(request.digest.to_string())
    .bind(before(now, DENIAL_LASTS))
    .fetch_optional(tx)
    .await?;
    Ok(denied)
}

async fn denied(
    store: &Store,
    tx: &mut SqliteConnection,
    row: &SqliteRow,
) -> Result<Claim, StoreError> {
    let reason = reason(store, tx, row).await?;
    Ok(Claim::Denied { reason })
}

/// Opens why a person said no.
pub(super) async fn reason(
    store: &Store,
    tx: &mut SqliteConnection,
    row: &SqliteRow,
) -> Result<Option<String>, StoreError> {
    let Some(key) = row.try_get("reason_key")? else {
        return Ok(None);
    };
    let (id, person, digest) = identity(row)?;
    let place_row = [id.as_str(), person.as_str(), digest.as_str()];
    let sealed: Vec<u8> = row.try_get("reason")?;
    let reason = open(store, tx, place("reason", &place_row), key, &sealed).await?;
    Ok(Some(reason))
}

/// Opens what is kept of an open question.
pub(super) async fn opened(
    store: &Store,
    tx: &mut SqliteConnection,
    row: &SqliteRow,
) -> Result<Held, StoreError> {
    let (id, person, digest) = identity(row)?;
    let place_row = [id.as_str(), person.as_str(), digest.as_str()];
    let sealed: Vec<u8> = row.try_get("held")?;
    let key = row.try_get("held_key")?;
    open(store, tx, place("held", &place_row), key, &sealed).await
}

pub(super) fn identity(row: &SqliteRow) -> Result<(String, String, String), StoreError> {
    Ok((
        row.try_get("id")?,
        row.try_get("person")?,
        row.try_get("digest")?,
    ))
}

/// Ends an approval whose run came to another request, and says what is different.
async fn replaced(
    store: &Store,
    tx: &mut SqliteConnection,
    before: ApprovalId,
    request: &HeldRequest,
) -> Result<Vec<String>, StoreError> {
    let row = sqlx::query(
        "SELECT * FROM approvals WHERE id = ?1 AND person = ?2 AND agent = ?3 AND state IN ('pending', 'approved')",
    )
    .bind(before.to_string())
    .bind(request.caller.person.as_str())
    .bind(request.caller.agent.as_str())
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else {
        return Ok(Vec::new());
    };
    let held = opened(store, tx, &row).await?;
    sqlx::query(
        "UPDATE approvals SET state = 'replaced', held = NULL, held_key = NULL, granted = NULL, granted_key = NULL, \
             waits_until = NULL WHERE id = ?1",
    )
    .bind(before.to_string())
    .execute(tx)
    .await?;
    Ok(request.card.differences(&held.card))
}

/// Says that the same was approved and sent before, and that nobody knows what came of it.
async fn lost(
    tx: &mut SqliteConnection,
    request: &HeldRequest,
    now: i64,
) -> Result<Option<String>, StoreError> {
    let used: Option<String> = sqlx::query_scalar(
        "SELECT used_by FROM approvals WHERE digest = ?1 AND state = 'used' AND decided > ?2 \
         AND answer_expires IS NULL ORDER BY decided DESC LIMIT 1",
    )
    .bind(request.digest.to_string())
    .bind(before(now, LOST_LASTS))
    .fetch_optional(tx)
    .await?
    .flatten();
    Ok(used.map(|call| {
        format!(
            "exactly this was approved before, and may have been sent by the call {call}: look at the record before it is done twice"
        )
    }))
}

/// Lets what is over expire, and forgets what it held.
pub(super) async fn sweep(tx: &mut SqliteConnection, now: i64) -> Result<(), StoreError> {
    let statements = [
        (
            "UPDATE approvals SET state = 'expired', held = NULL, held_key = NULL, granted = NULL, granted_key = NULL, \
             waits_until = NULL \
             WHERE state IN ('pending', 'approved') AND expires <= ?1",
            now,
        ),
        (
            "UPDATE approvals SET answer = NULL, answer_key = NULL, answer_expires = NULL \
             WHERE answer IS NOT NULL AND answer_expires <= ?1",
            now,
        ),
        (
            "UPDATE approvals SET reason = NULL, reason_key = NULL WHERE reason IS NOT NULL AND decided <= ?1",
            before(now, DENIAL_LASTS),
        ),
        ("DELETE FROM standing_approvals WHERE expires <= ?1", now),
        (
            "DELETE FROM approvals WHERE id IN (SELECT id FROM approvals \
             WHERE state NOT IN ('pending', 'approved') AND created <= ?1 LIMIT 100)",
            before(now, SETTLED_LASTS),
        ),
    ];
    for (statement, moment) in statements {
        sqlx::query(statement)
            .bind(moment)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

fn before(now: i64, lasts: Duration) -> i64 {
    now.saturating_sub(i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX))
}
