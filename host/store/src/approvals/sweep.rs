//! What is over is forgotten on time: also where nobody asks anything, and when a store is opened.

use std::time::Duration;

use portcullis::ports::approvals::DENIAL_LASTS;
use sqlx::SqliteConnection;

use super::StoreApprovals;
use crate::error::StoreError;
use crate::store::Store;

/// How long settled questions are kept. They hold no values.
const SETTLED_LASTS: Duration = Duration::from_secs(30 * 24 * 3_600);

/// Says whether there is something to forget that holds values.
const IS_DUE: &str = "SELECT \
    EXISTS (SELECT 1 FROM approvals WHERE state IN ('pending', 'approved') AND expires <= ?1) \
    OR EXISTS (SELECT 1 FROM approvals WHERE answer IS NOT NULL AND answer_expires <= ?1) \
    OR EXISTS (SELECT 1 FROM approvals WHERE reason IS NOT NULL AND decided <= ?2) \
    OR EXISTS (SELECT 1 FROM standing_approvals WHERE expires <= ?1)";

impl StoreApprovals {
    /// Forgets what is over every so often, for as long as these approvals or clones of them are there.
    #[must_use]
    pub fn sweeping(self, every: Duration) -> Self {
        let (store, alive) = (self.store.clone(), std::sync::Arc::downgrade(&self.key));
        tokio::spawn(async move {
            let mut every = tokio::time::interval(every);
            loop {
                every.tick().await;
                if alive.strong_count() == 0 {
                    return;
                }
                if let Err(error) = store.sweep_approvals().await {
                    tracing::warn!(%error, "what is over of approvals was not forgotten");
                }
            }
        });
        self
    }
}

impl Store {
    /// Forgets what is over of approvals: expired questions with what they show, answers that nobody fetched, reasons.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn sweep_approvals(&self) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.read().await?;
        let is_due: bool = sqlx::query_scalar(IS_DUE)
            .bind(now)
            .bind(before(now, DENIAL_LASTS))
            .fetch_one(&mut *tx)
            .await?;
        drop(tx);
        // Whoever writes has others wait: only where there is something to do.
        if is_due {
            let mut tx = self.write().await?;
            sweep(&mut tx, now).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// Lets what is over expire, and forgets what it held.
pub(crate) async fn sweep(tx: &mut SqliteConnection, now: i64) -> Result<(), StoreError> {
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

/// The moment that lies so long before another.
pub(super) fn before(now: i64, lasts: Duration) -> i64 {
    now.saturating_sub(i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX))
}
