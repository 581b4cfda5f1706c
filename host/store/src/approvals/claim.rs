//! A request asks for its approval: it is used up, or there is none and a person is asked.

use std::time::{Duration, SystemTime};

use portcullis::ports::approvals::{ASKED_AFTER_NO_MAX, Claim, HeldRequest, PENDING_MAX};
use portcullis::{ApprovalId, CallId};
use portcullis_policy::Card;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::known::{Known, is_enough, sent_before};
use super::sweep::sweep;
use super::uses::{Of, Uses};
use super::{Held, StoreApprovals, parsed, place, standing};
use crate::connection::{open, seal};
use crate::error::StoreError;
use crate::sign_in::expiry;
use crate::store::Store;

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
        let mut used = None;
        let claim = match Known::of(&mut tx, request, now).await? {
            Known::Approved(row) => {
                let (id, uses) = self.use_up(&mut tx, request, &row).await?;
                used = Some(uses);
                Claim::Granted(id)
            }
            Known::Waiting(row) => {
                // Who asks in other words does not go on by this yes: it is run for them.
                let is_exact = identity(&row)?.2 == request.digest.to_string();
                let waits = if is_exact { waits } else { Duration::ZERO };
                self.still_held(&mut tx, &row, waits).await?
            }
            Known::Denied(row) => denied(store, &mut tx, &row).await?,
            Known::Nothing => match self.passing(&mut tx, request, now).await? {
                Some((id, uses)) => {
                    used = Some(uses);
                    Claim::Granted(id)
                }
                None => self.ask(&mut tx, request, waits).await?,
            },
        };
        tx.commit().await?;
        if let Some(uses) = used {
            self.seen.note(&uses);
        }
        Ok(claim)
    }

    async fn use_up(
        &self,
        tx: &mut SqliteConnection,
        request: &HeldRequest,
        row: &SqliteRow,
    ) -> Result<(ApprovalId, Uses), StoreError> {
        let mut uses = self.uses(tx).await?;
        let (text, person, digest) = identity(row)?;
        let place_row = [text.as_str(), person.as_str(), digest.as_str()];
        let granted = place("granted", &place_row);
        uses.require_granted(&self.store, tx, granted, row).await?;
        let id: ApprovalId = parsed(&text, &text)?;
        if uses.records_of(id).is_some() {
            return Err(StoreError::damaged("approval", &text, "it was used before"));
        }
        let of = Of {
            id,
            is_standing: false,
            until: row.try_get("expires")?,
        };
        uses.add(&self.store, tx, of, request).await?;
        sqlx::query(
            "UPDATE approvals SET state = 'used', used_by = ?2, terms = ?3, held = NULL, held_key = NULL, granted = NULL, \
             granted_key = NULL, waits_until = NULL \
             WHERE id = ?1",
        )
        .bind(&text)
        .bind(request.call.to_string())
        .bind(request.terms.to_string())
        .execute(tx)
        .await?;
        Ok((id, uses))
    }

    /// Lets a request pass by a standing approval. A run of what was approved is none of the alike that its person let pass: it is what was
    /// seen, or it is asked for anew.
    async fn passing(
        &self,
        tx: &mut SqliteConnection,
        request: &HeldRequest,
        now: i64,
    ) -> Result<Option<(ApprovalId, Uses)>, StoreError> {
        let rules = match request.replaces {
            Some(_) => Vec::new(),
            None => standing::alike(tx, request, now).await?,
        };
        if rules.is_empty() {
            return Ok(None);
        }
        let mut uses = self.uses(tx).await?;
        let passed = standing::use_up(&self.store, tx, &mut uses, &rules, request).await?;
        Ok(passed.map(|id| (id, uses)))
    }

    /// Gives the list of what was used, which must not be older than this program has seen.
    pub(super) async fn uses(&self, tx: &mut SqliteConnection) -> Result<Uses, StoreError> {
        match Uses::find(&self.store, tx).await? {
            Some(uses) => {
                self.seen.require(&uses)?;
                Ok(uses)
            }
            // What was approved has one.
            None => Err(StoreError::TakenBack),
        }
    }

    /// Notes that what used an approval up was not sent. The records of a standing one may be used for another request.
    pub(super) async fn note_unsent(&self, id: ApprovalId, call: CallId) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        sqlx::query(
            "UPDATE approvals SET unsent = 1 WHERE id = ?1 AND used_by = ?2 AND state = 'used'",
        )
        .bind(id.to_string())
        .bind(call.to_string())
        .execute(&mut *tx)
        .await?;
        let mut uses = self.uses(&mut tx).await?;
        uses.unsent(&self.store, &mut tx, id, call).await?;
        tx.commit().await?;
        self.seen.note(&uses);
        Ok(())
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
        Ok(held_as(id, held.card))
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
        // What a run comes to instead of what was approved is asked for: its person wants it.
        if request.replaces.is_none() && is_enough(tx, request, now).await? {
            return Ok(Claim::AfterNo {
                asked_max: ASKED_AFTER_NO_MAX,
            });
        }
        let mut held = Held::of(request);
        if let Some(before) = request.replaces {
            held.card.differs = replaced(store, tx, before, request).await?;
        }
        let sent_before = sent_before(store, tx, request, now).await?;
        held.card.differs.extend(sent_before);
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
             state, created, expires, waits_until, held, held_key, sent) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'pending', ?11, ?12, ?13, ?14, ?15, ?16)",
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
        .bind(request.sent.to_string())
        .execute(tx)
        .await?;
        Ok(held_as(id, held.card))
    }
}

/// Says that a question is open. Where a person decides it is said once the question is on disk.
fn held_as(id: ApprovalId, card: Card) -> Claim {
    Claim::Held {
        id,
        link: None,
        card: Box::new(card),
    }
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
