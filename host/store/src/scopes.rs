//! What agents may touch, and which connectors are trusted to ask about what the host cannot see.

use portcullis_policy::{AgentId, ConnectorName, Scope};
use sqlx::{Row, SqliteConnection};

use crate::agents::require_agent;
use crate::error::StoreError;
use crate::store::Store;

/// The scope of an agent with a connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentScope {
    /// The agent.
    pub agent: AgentId,
    /// The connector.
    pub connector: ConnectorName,
    /// What it may touch there.
    pub scope: Scope,
}

impl Store {
    /// Says what an agent may touch, and whether that is something else than before. An empty scope allows everything.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] for the agent.
    pub async fn put_scope(&self, scope: &AgentScope) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let changed = put(&mut tx, scope).await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Gives what an agent may touch; empty where nobody decided that.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or the row is damaged.
    pub async fn scope(
        &self,
        agent: &AgentId,
        connector: &ConnectorName,
    ) -> Result<Scope, StoreError> {
        let mut tx = self.read().await?;
        Ok(of_agent(&mut tx, agent, connector)
            .await?
            .unwrap_or_default())
    }

    /// Lists all scopes by agent and connector.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or a row is damaged.
    pub async fn scopes(&self) -> Result<Vec<AgentScope>, StoreError> {
        let mut tx = self.read().await?;
        let rows = sqlx::query("SELECT * FROM agent_scopes ORDER BY agent, connector")
            .fetch_all(&mut *tx)
            .await?;
        rows.iter()
            .map(|row| {
                let agent: String = row.try_get("agent")?;
                let connector: String = row.try_get("connector")?;
                Ok(AgentScope {
                    agent: AgentId::parse(agent.as_str())
                        .map_err(|error| StoreError::damaged("scope", &agent, error))?,
                    connector: ConnectorName::parse(connector)
                        .map_err(|error| StoreError::damaged("scope", &agent, error))?,
                    scope: parse(&agent, row.try_get("scope")?)?,
                })
            })
            .collect()
    }

    /// Says whether a connector is trusted, in place of what the program itself holds of it; says whether that is new.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn put_trust(
        &self,
        connector: &ConnectorName,
        trusted: bool,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let put = sqlx::query(
            "INSERT INTO connector_trust (connector, trusted) VALUES (?1, ?2) \
             ON CONFLICT DO UPDATE SET trusted = excluded.trusted WHERE trusted <> excluded.trusted",
        )
        .bind(connector.as_str())
        .bind(trusted)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(put.rows_affected() > 0)
    }

    /// Says whether an administrator decided to trust a connector; none: nobody decided.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn trust(&self, connector: &ConnectorName) -> Result<Option<bool>, StoreError> {
        let mut tx = self.read().await?;
        trust_of(&mut tx, connector).await
    }
}

/// Says what an agent may touch in a transaction, as [`Store::put_scope`] does.
pub(crate) async fn put(tx: &mut SqliteConnection, scope: &AgentScope) -> Result<bool, StoreError> {
    let AgentScope {
        agent,
        connector,
        scope,
    } = scope;
    require_agent(tx, agent).await?;
    if *scope == Scope::default() {
        let removed = sqlx::query("DELETE FROM agent_scopes WHERE agent = ?1 AND connector = ?2")
            .bind(agent.as_str())
            .bind(connector.as_str())
            .execute(tx)
            .await?;
        return Ok(removed.rows_affected() > 0);
    }
    let text = serde_json::to_string(scope)
        .map_err(|error| StoreError::damaged("scope", agent.as_str(), error))?;
    let put = sqlx::query(
        "INSERT INTO agent_scopes (agent, connector, scope) VALUES (?1, ?2, ?3) \
         ON CONFLICT DO UPDATE SET scope = excluded.scope WHERE scope <> excluded.scope",
    )
    .bind(agent.as_str())
    .bind(connector.as_str())
    .bind(text)
    .execute(tx)
    .await?;
    Ok(put.rows_affected() > 0)
}

/// Finds an agent's scope in a transaction.
pub(crate) async fn of_agent(
    tx: &mut SqliteConnection,
    agent: &AgentId,
    connector: &ConnectorName,
) -> Result<Option<Scope>, StoreError> {
    let text: Option<String> =
        sqlx::query_scalar("SELECT scope FROM agent_scopes WHERE agent = ?1 AND connector = ?2")
            .bind(agent.as_str())
            .bind(connector.as_str())
            .fetch_optional(tx)
            .await?;
    text.map(|text| parse(agent.as_str(), text)).transpose()
}

/// Finds whether a connector is trusted in a transaction.
pub(crate) async fn trust_of(
    tx: &mut SqliteConnection,
    connector: &ConnectorName,
) -> Result<Option<bool>, StoreError> {
    let trusted = sqlx::query_scalar("SELECT trusted FROM connector_trust WHERE connector = ?1")
        .bind(connector.as_str())
        .fetch_optional(tx)
        .await?;
    Ok(trusted)
}

/// Says whether a connector is trusted, in a transaction: as an administrator decided, and else `by_default`, unless a version is
/// installed in the place of the one that the default is about.
pub(crate) async fn is_trusted(
    tx: &mut SqliteConnection,
    connector: &ConnectorName,
    by_default: bool,
) -> Result<bool, StoreError> {
    // One question, for it is asked at every call.
    let trusted = sqlx::query_scalar(
        "SELECT ifnull((SELECT trusted FROM connector_trust WHERE connector = ?1), \
         ?2 AND NOT EXISTS (SELECT 1 FROM connector_versions WHERE connector = ?1 AND position IS NOT NULL))",
    )
    .bind(connector.as_str())
    .bind(by_default)
    .fetch_one(tx)
    .await?;
    Ok(trusted)
}

/// Reads a scope. One that cannot be read is not taken for none: it would allow everything.
fn parse(agent: &str, text: String) -> Result<Scope, StoreError> {
    serde_json::from_str(&text).map_err(|error| StoreError::damaged("scope", agent, error))
}
