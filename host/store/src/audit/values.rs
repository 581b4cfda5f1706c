//! The tools whose announced values are kept. An administrator turns them on one by one; the log says who did.

use std::collections::BTreeSet;

use portcullis_policy::{ConnectorName, ToolName};

use crate::error::StoreError;
use crate::store::Store;

/// The tools whose records' values are kept, sealed, each with its connector.
pub type KeptValues = BTreeSet<(ConnectorName, ToolName)>;

impl Store {
    /// Lists the tools whose records' values the audit log keeps.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn kept_values(&self) -> Result<KeptValues, StoreError> {
        let mut tx = self.read().await?;
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT connector, tool FROM audit_values")
                .fetch_all(&mut *tx)
                .await?;
        let name = |(connector, tool): (String, String)| {
            let damaged = |error| StoreError::damaged("name", &tool, error);
            let connector = ConnectorName::parse(connector).map_err(damaged)?;
            let tool = ToolName::parse(tool.clone()).map_err(damaged)?;
            Ok((connector, tool))
        };
        rows.into_iter().map(name).collect()
    }

    /// Says whether the values of a tool's changes are kept from now on, and whether that is new.
    pub(super) async fn keep_values(
        &self,
        connector: &ConnectorName,
        tool: &ToolName,
        keep: bool,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let sql = match keep {
            true => "INSERT OR IGNORE INTO audit_values (connector, tool) VALUES (?1, ?2)",
            false => "DELETE FROM audit_values WHERE connector = ?1 AND tool = ?2",
        };
        let done = sqlx::query(sql)
            .bind(connector.as_str())
            .bind(tool.as_str())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(done.rows_affected() > 0)
    }
}
