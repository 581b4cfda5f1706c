//! What is known of a request that wants to be sent: by its own digest, and by that of what leaves alone.
//!
//! The attack: an agent spells a call otherwise, or its connector says other words of it, and what was denied is asked for again, or
//! one request is asked for many times over, until a yes falls. So questions and noes are looked up by what leaves; a yes counts for
//! exactly what its person saw. A connector that puts chance into what leaves meets a bound on what is asked after a no.

use std::time::Duration;

use portcullis::ports::approvals::{ASKED_AFTER_NO_MAX, DENIAL_LASTS, HeldRequest};
use portcullis_policy::Effect;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::sweep::before;
use super::uses::Uses;
use crate::error::StoreError;
use crate::store::Store;

/// How long a use is remembered to a person who is asked for the same again.
const SENT_LASTS: Duration = Duration::from_secs(24 * 3_600);

/// What is known of a request.
pub(super) enum Known {
    /// A person said yes to exactly this.
    Approved(SqliteRow),
    /// It waits for a person, in these words or others.
    Waiting(SqliteRow),
    /// A person said no to it, in these words or others.
    Denied(SqliteRow),
    /// Nothing.
    Nothing,
}

impl Known {
    pub(super) async fn of(
        tx: &mut SqliteConnection,
        request: &HeldRequest,
        now: i64,
    ) -> Result<Self, StoreError> {
        let approved = sqlx::query(
            "SELECT * FROM approvals WHERE digest = ?1 AND state = 'approved' AND person = ?2 AND agent = ?3",
        )
        .bind(request.digest.to_string())
        .bind(request.caller.person.as_str())
        .bind(request.caller.agent.as_str())
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(row) = approved {
            return Ok(Self::Approved(row));
        }
        let waiting = sqlx::query(
            "SELECT * FROM approvals WHERE (sent = ?1 OR sent IS NULL AND digest = ?4) AND state = 'pending' \
             AND person = ?2 AND agent = ?3",
        )
        .bind(request.sent.to_string())
        .bind(request.caller.person.as_str())
        .bind(request.caller.agent.as_str())
        // One that was asked before what leaves was kept.
        .bind(request.digest.to_string())
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(row) = waiting {
            return Ok(Self::Waiting(row));
        }
        let denied = sqlx::query(
            "SELECT * FROM approvals WHERE sent = ?1 AND state = 'denied' AND decided > ?2 ORDER BY decided DESC LIMIT 1",
        )
        .bind(request.sent.to_string())
        .bind(before(now, DENIAL_LASTS))
        .fetch_optional(tx)
        .await?;
        Ok(denied.map_or(Self::Nothing, Self::Denied))
    }
}

/// Says whether a person was asked enough after a no to the same tool. What they said yes to is none of it.
pub(super) async fn is_enough(
    tx: &mut SqliteConnection,
    request: &HeldRequest,
    now: i64,
) -> Result<bool, StoreError> {
    let asked: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM approvals WHERE person = ?1 AND agent = ?2 AND connector = ?3 AND tool = ?4 \
         AND state NOT IN ('approved', 'used', 'replaced') AND created > \
             (SELECT min(decided) FROM approvals WHERE person = ?1 AND agent = ?2 AND connector = ?3 AND tool = ?4 \
              AND state = 'denied' AND decided > ?5)",
    )
    .bind(request.caller.person.as_str())
    .bind(request.caller.agent.as_str())
    .bind(request.connector.as_str())
    .bind(request.tool.as_str())
    .bind(before(now, DENIAL_LASTS))
    .fetch_one(tx)
    .await?;
    Ok(usize::try_from(asked).unwrap_or(usize::MAX) >= ASKED_AFTER_NO_MAX)
}

/// Says that exactly the same leaves already, or may have left, in whichever words it was asked for.
pub(super) async fn sent_before(
    store: &Store,
    tx: &mut SqliteConnection,
    request: &HeldRequest,
    now: i64,
) -> Result<Option<String>, StoreError> {
    // To read twice harms nobody.
    if request.effect == Effect::Read {
        return Ok(None);
    }
    let row = sqlx::query(
        "SELECT id, state, used_by FROM approvals WHERE sent = ?1 AND person = ?2 AND agent = ?3 AND id IS NOT ?5 \
         AND (state = 'approved' OR state = 'used' AND unsent = 0 AND decided > ?4) \
         ORDER BY decided DESC LIMIT 1",
    )
    .bind(request.sent.to_string())
    .bind(request.caller.person.as_str())
    .bind(request.caller.agent.as_str())
    .bind(before(now, SENT_LASTS))
    .bind(request.replaces.map(|id| id.to_string()))
    .fetch_optional(&mut *tx)
    .await?;
    let used_by = match row {
        Some(row) => {
            let used_by: Option<String> = row.try_get("used_by")?;
            let Some(call) = used_by else {
                let id: String = row.try_get("id")?;
                return Ok(Some(format!(
                    "exactly this is approved already, as {id}, and may be on its way"
                )));
            };
            Some(call)
        }
        // By a standing approval.
        None => {
            let uses = Uses::find(store, tx).await?;
            let call = uses.and_then(|uses| uses.sent_by(request.sent));
            call.map(|call| call.to_string())
        }
    };
    Ok(used_by.map(|call| {
        format!(
            "exactly this was approved before, and may have been sent by the call {call} (`portcullis activity show {call}` says what came of it): look at the record before it is done twice"
        )
    }))
}
