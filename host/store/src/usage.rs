//! What agents use of what is limited, counted over all processes and restarts.

use std::time::Duration;

use portcullis::ports::permissions::{Exhausted, Usage};
use portcullis_policy::{AgentId, ConnectorName};

use crate::error::StoreError;
use crate::store::Store;

impl Store {
    /// Counts what an agent uses, unless that were too much. It is on disk when this returns.
    ///
    /// # Errors
    ///
    /// When the store cannot be written: then what was to be counted must not happen.
    pub async fn count_usage(
        &self,
        agent: &AgentId,
        connector: &ConnectorName,
        usage: Usage,
    ) -> Result<Result<(), Exhausted>, StoreError> {
        let window = i64::try_from(usage.counted.window().as_millis()).unwrap_or(i64::MAX);
        // Nobody else counts meanwhile.
        let mut tx = self.write().await?;
        let now = self.now();
        // What a clock that was ahead has written counts from now on, for as long as anything does.
        sqlx::query(
            "UPDATE agent_usage SET at = ?4 WHERE agent = ?1 AND connector = ?2 AND counted = ?3 AND at > ?4",
        )
        .bind(agent.as_str())
        .bind(connector.as_str())
        .bind(usage.counted.as_str())
        .bind(now)
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "DELETE FROM agent_usage WHERE agent = ?1 AND connector = ?2 AND counted = ?3 AND at <= ?4",
        )
        .bind(agent.as_str())
        .bind(connector.as_str())
        .bind(usage.counted.as_str())
        .bind(now.saturating_sub(window))
        .execute(&mut *tx)
        .await?;
        let (used, oldest): (i64, Option<i64>) = sqlx::query_as(
            "SELECT ifnull(sum(count), 0), min(at) FROM agent_usage \
             WHERE agent = ?1 AND connector = ?2 AND counted = ?3",
        )
        .bind(agent.as_str())
        .bind(connector.as_str())
        .bind(usage.counted.as_str())
        .fetch_one(&mut *tx)
        .await?;
        if used.saturating_add(usage.count.into()) > usage.max.into() {
            tx.commit().await?;
            let until = oldest.unwrap_or(now).saturating_add(window);
            let left = u64::try_from(until.saturating_sub(now)).unwrap_or(0);
            let retry_after = Duration::from_millis(left);
            return Ok(Err(Exhausted { retry_after }));
        }
        if !usage.only_look {
            sqlx::query(
                "INSERT INTO agent_usage (agent, connector, counted, at, count, reserved_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )
            .bind(agent.as_str())
            .bind(connector.as_str())
            .bind(usage.counted.as_str())
            .bind(now)
            .bind(usage.count)
            .bind(usage.reserved_by.map(|call| call.to_string()))
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// Takes back what was counted last for an agent, of so many and by the same call.
    ///
    /// # Errors
    ///
    /// When the store cannot be written: then it stays counted.
    pub async fn give_usage_back(
        &self,
        agent: &AgentId,
        connector: &ConnectorName,
        usage: Usage,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "DELETE FROM agent_usage WHERE rowid = (SELECT rowid FROM agent_usage \
             WHERE agent = ?1 AND connector = ?2 AND counted = ?3 AND count = ?4 AND reserved_by IS ?5 ORDER BY at DESC LIMIT 1)",
        )
        .bind(agent.as_str())
        .bind(connector.as_str())
        .bind(usage.counted.as_str())
        .bind(usage.count)
        .bind(usage.reserved_by.map(|call| call.to_string()))
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Gives the calls by which something is counted that may not have come to be.
    pub(crate) async fn reserving(&self) -> Result<Vec<String>, StoreError> {
        let mut tx = self.read().await?;
        let calls = sqlx::query_scalar(
            "SELECT DISTINCT reserved_by FROM agent_usage WHERE reserved_by IS NOT NULL",
        )
        .fetch_all(&mut *tx)
        .await?;
        Ok(calls)
    }

    /// Settles what calls have counted: of those that sent nothing it is given back, of the others it stays.
    pub(crate) async fn settle_reserved(
        &self,
        sent: &[String],
        unsent: &[String],
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        for (calls, sql) in [
            (
                sent,
                "UPDATE agent_usage SET reserved_by = NULL WHERE reserved_by = ?1",
            ),
            (unsent, "DELETE FROM agent_usage WHERE reserved_by = ?1"),
        ] {
            for call in calls {
                sqlx::query(sql).bind(call).execute(&mut *tx).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }
}
