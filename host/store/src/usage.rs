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
                "INSERT INTO agent_usage (agent, connector, counted, at, count) VALUES (?1, ?2, ?3, ?4, ?5)",
            )
            .bind(agent.as_str())
            .bind(connector.as_str())
            .bind(usage.counted.as_str())
            .bind(now)
            .bind(usage.count)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// Takes back what was counted last for an agent, of so many.
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
             WHERE agent = ?1 AND connector = ?2 AND counted = ?3 AND count = ?4 ORDER BY at DESC LIMIT 1)",
        )
        .bind(agent.as_str())
        .bind(connector.as_str())
        .bind(usage.counted.as_str())
        .bind(usage.count)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }
}
