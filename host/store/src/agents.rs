//! Agents: which connectors each has, and whose account it uses there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use portcullis_policy::{AgentId, ConnectionId, ConnectorName};
use sqlx::{Row, SqliteConnection};

use crate::decisions::Decisions;
use crate::error::StoreError;
use crate::rename::{Named, rename};
use crate::store::{Store, time};
use crate::text::text;

/// Whose account an agent uses at a connector's service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Account {
    /// That of the person it works for.
    #[default]
    Personal,
    /// A shared one, for those whom it is shared with. Where that connection was removed, none.
    Shared(ConnectionId),
}

/// An agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// The id.
    pub id: AgentId,
    /// What people call it.
    pub name: String,
    /// Since when it is known here.
    pub created: Timestamp,
    /// The connectors that it has.
    pub connectors: BTreeMap<ConnectorName, Account>,
}

impl Store {
    /// Adds an agent, and says whether that was new. One that is known already stays as it is.
    ///
    /// # Errors
    ///
    /// [`StoreError::Text`] when the name cannot be shown.
    pub async fn add_agent(&self, id: &AgentId, name: &str) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let is_new = add(&mut tx, self.now(), id, name).await?;
        tx.commit().await?;
        Ok(is_new)
    }

    /// Gives an agent another name.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`], and [`StoreError::Text`] when the name cannot be shown.
    pub async fn rename_agent(&self, id: &AgentId, name: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        rename(&mut tx, Named::Agent(id), name).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Removes an agent, and says whether there was one.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn remove_agent(&self, id: &AgentId) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let was_there = remove(self, &mut tx, id).await?;
        tx.commit().await?;
        Ok(was_there)
    }

    /// Gives an agent a connector, or another account at one that it has.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] for the agent or the connection, [`StoreError::NotShared`] for a person's own
    /// connection, [`StoreError::OtherConnector`] for one of another.
    pub async fn give_connector(
        &self,
        agent: &AgentId,
        connector: &ConnectorName,
        account: &Account,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        give(&mut tx, agent, connector, account).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Takes a connector from an agent, and says whether it had it.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn take_connector(
        &self,
        agent: &AgentId,
        connector: &ConnectorName,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let had_it = take(&mut tx, self.now(), agent, connector).await?;
        tx.commit().await?;
        Ok(had_it)
    }

    /// Says whether the clients of an agent are trusted to ask its person, and whether that was news.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] for the agent.
    pub async fn trust_clients(&self, agent: &AgentId, trusted: bool) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let changed = trust_clients(self, &mut tx, agent, trusted).await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Says whether an administrator trusts the clients of an agent to ask its person.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or what was decided was altered.
    pub async fn trusts_clients(&self, agent: &AgentId) -> Result<bool, StoreError> {
        Ok(self.decided().await?.clients.contains(agent))
    }

    /// Finds an agent.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn agent(&self, id: &AgentId) -> Result<Option<Agent>, StoreError> {
        let read = async { Ok(self.agents_where(Some(id)).await?.pop()) };
        self.remembered(|answers| &mut answers.agents, id.clone(), read)
            .await
    }

    /// Lists all agents by id.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn agents(&self) -> Result<Vec<Agent>, StoreError> {
        self.agents_where(None).await
    }

    async fn agents_where(&self, id: Option<&AgentId>) -> Result<Vec<Agent>, StoreError> {
        let mut tx = self.read().await?;
        let rows = sqlx::query(
            "SELECT id, name, created, connector, connection FROM agents \
             LEFT JOIN agent_connectors ON agent = id WHERE ?1 IS NULL OR id = ?1 ORDER BY id, connector",
        )
        .bind(id.map(AgentId::as_str))
        .fetch_all(&mut *tx)
        .await?;
        let mut agents: Vec<Agent> = Vec::new();
        for row in &rows {
            let id: String = row.try_get("id")?;
            let damaged = |error| StoreError::damaged("agent", &id, error);
            if agents.last().is_none_or(|last| last.id.as_str() != id) {
                agents.push(Agent {
                    id: AgentId::parse(id.as_str()).map_err(damaged)?,
                    name: row.try_get("name")?,
                    created: time(row.try_get("created")?)?,
                    connectors: BTreeMap::new(),
                });
            }
            let connector: Option<String> = row.try_get("connector")?;
            let connection: Option<String> = row.try_get("connection")?;
            if let (Some(agent), Some(connector)) = (agents.last_mut(), connector) {
                let account = match connection {
                    None => Account::Personal,
                    Some(shared) => Account::Shared(ConnectionId::parse(shared).map_err(damaged)?),
                };
                let connector = ConnectorName::parse(connector).map_err(damaged)?;
                agent.connectors.insert(connector, account);
            }
        }
        Ok(agents)
    }
}

/// Adds an agent in a transaction.
pub(crate) async fn add(
    tx: &mut SqliteConnection,
    now: i64,
    id: &AgentId,
    name: &str,
) -> Result<bool, StoreError> {
    let name = text("an agent's name", name)?;
    let added = sqlx::query(
        "INSERT INTO agents (id, name, created) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    )
    .bind(id.as_str())
    .bind(name)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(added.rows_affected() > 0)
}

/// Trusts the clients of an agent in a transaction, or no longer, as [`Store::trust_clients`] does.
pub(crate) async fn trust_clients(
    store: &Store,
    tx: &mut SqliteConnection,
    agent: &AgentId,
    trusted: bool,
) -> Result<bool, StoreError> {
    require_agent(tx, agent).await?;
    let put = |decisions: &mut Decisions| {
        match trusted {
            true => decisions.clients.insert(agent.clone()),
            false => decisions.clients.remove(agent),
        };
    };
    store.decide(tx, put).await
}

/// Removes an agent in a transaction, with what was decided on it and the links that it has handed on.
pub(crate) async fn remove(
    store: &Store,
    tx: &mut SqliteConnection,
    id: &AgentId,
) -> Result<bool, StoreError> {
    let forget = |decisions: &mut Decisions| decisions.forget_agent(id);
    store.forget_decided(tx, forget).await?;
    crate::approvals::end_of(tx, store.now(), id, None).await?;
    sqlx::query("DELETE FROM links WHERE agent = ?1")
        .bind(id.as_str())
        .execute(&mut *tx)
        .await?;
    let removed = sqlx::query("DELETE FROM agents WHERE id = ?1")
        .bind(id.as_str())
        .execute(tx)
        .await?;
    Ok(removed.rows_affected() > 0)
}

/// Gives an agent a connector in a transaction, as [`Store::give_connector`] does.
pub(crate) async fn give(
    tx: &mut SqliteConnection,
    agent: &AgentId,
    connector: &ConnectorName,
    account: &Account,
) -> Result<(), StoreError> {
    require_agent(tx, agent).await?;
    let (kind, connection) = match account {
        Account::Personal => ("personal", None),
        Account::Shared(connection) => {
            require_shared(tx, connection, Some(connector)).await?;
            ("shared", Some(connection.as_str()))
        }
    };
    sqlx::query(
        "INSERT INTO agent_connectors (agent, connector, account, connection) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT DO UPDATE SET account = excluded.account, connection = excluded.connection",
    )
    .bind(agent.as_str())
    .bind(connector.as_str())
    .bind(kind)
    .bind(connection)
    .execute(tx)
    .await?;
    Ok(())
}

/// Takes a connector from an agent in a transaction, and ends what it has asked and what passes without a question: given again, it begins anew.
pub(crate) async fn take(
    tx: &mut SqliteConnection,
    now: i64,
    agent: &AgentId,
    connector: &ConnectorName,
) -> Result<bool, StoreError> {
    let taken = sqlx::query("DELETE FROM agent_connectors WHERE agent = ?1 AND connector = ?2")
        .bind(agent.as_str())
        .bind(connector.as_str())
        .execute(&mut *tx)
        .await?;
    crate::approvals::end_of(tx, now, agent, Some(connector)).await?;
    Ok(taken.rows_affected() > 0)
}

pub(crate) async fn require_agent(
    tx: &mut SqliteConnection,
    id: &AgentId,
) -> Result<(), StoreError> {
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM agents WHERE id = ?1)")
        .bind(id.as_str())
        .fetch_one(tx)
        .await?;
    match known {
        true => Ok(()),
        false => Err(StoreError::not_found("agent", id)),
    }
}

/// Refuses a connection that is not known, not finished, not shared, or of another connector than said.
pub(crate) async fn require_shared(
    tx: &mut SqliteConnection,
    id: &ConnectionId,
    of: Option<&ConnectorName>,
) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT connector, person FROM connections WHERE id = ?1 AND state <> 'pending'",
    )
    .bind(id.as_str())
    .fetch_optional(tx)
    .await?
    .ok_or_else(|| StoreError::not_found("connection", id))?;
    let connector: String = row.try_get("connector")?;
    let person: Option<String> = row.try_get("person")?;
    if person.is_some() {
        return Err(StoreError::NotShared(id.clone()));
    }
    match of.is_some_and(|of| of.as_str() != connector) {
        true => Err(StoreError::OtherConnector {
            connection: id.clone(),
            connector,
        }),
        false => Ok(()),
    }
}
