//! The port `Permissions` on a store: which connectors an agent has, what was decided on their tools, what it may touch,
//! and what it has used.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use portcullis::ports::permissions::{Exhausted, Permissions, Usage};
use portcullis::ports::{Caller, PortError};
use portcullis_policy::{Acting, AgentPolicy, ConnectionId, ConnectorName, Digest, SeenTools};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::decisions::{Decisions, Mark};
use crate::error::StoreError;
use crate::scopes::Component;
use crate::store::Store;

/// What the agents of a store may do, for the host.
#[derive(Clone, Debug)]
pub struct StorePermissions {
    store: Store,
    /// The connectors that the program carries.
    carried: BTreeMap<ConnectorName, Digest>,
}

impl StorePermissions {
    /// Takes a store, and the connectors that the program carries: those are trusted to ask about what the host cannot see, unless an
    /// administrator decided otherwise.
    pub fn new(store: Store, carried: impl IntoIterator<Item = (ConnectorName, Digest)>) -> Self {
        Self {
            store,
            carried: carried.into_iter().collect(),
        }
    }
}

/// Finds whose account an agent uses at a connector, and which decisions there are, at one moment: a call waits for one answer of the
/// file instead of two.
const OFFERED: &str = "SELECT c.connection, d.generation, substr(d.sealed, 1, 13) AS begins, substr(d.sealed, -16) AS ends \
    FROM agent_connectors c LEFT JOIN decisions d ON d.id = 1 \
    WHERE c.agent = ?1 AND c.connector = ?2 AND EXISTS (SELECT 1 FROM people WHERE id = ?3)";

impl Store {
    /// Gives what was decided on an agent's use of a connector, all of one moment; none: it does not have it, or the
    /// person is not known here. Whether the connector is trusted is said of this component of it.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or what was decided was altered.
    pub async fn policy(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
        component: Component,
    ) -> Result<Option<AgentPolicy>, StoreError> {
        let offered = || {
            sqlx::query(OFFERED)
                .bind(caller.agent.as_str())
                .bind(connector.as_str())
                .bind(caller.person.as_str())
        };
        let Some(row) = self.database().read_one(offered()).await? else {
            return Ok(None);
        };
        let known = mark(&row)?.and_then(|mark| self.known().under(&mark));
        let (row, decisions) = match known {
            Some(decisions) => (row, decisions),
            // Something was decided, or tampered with: both are found out in one transaction.
            None => {
                let mut is_first = true;
                loop {
                    let mut tx = self.read().await?;
                    let Some(row) = offered().fetch_optional(&mut *tx).await? else {
                        return Ok(None);
                    };
                    match self.decided_at(&mut tx).await {
                        // Another call may have met what was decided since this one began to read.
                        Err(StoreError::Decisions(_)) if is_first => is_first = false,
                        decided => break (row, decided?),
                    }
                }
            }
        };
        policy(caller, connector, component, &row, &decisions).map(Some)
    }
}

fn mark(row: &SqliteRow) -> Result<Option<Mark>, StoreError> {
    let generation: Option<i64> = row.try_get("generation")?;
    let Some(generation) = generation else {
        return Ok(None);
    };
    Ok(Some(Mark {
        generation,
        begins: row.try_get("begins")?,
        ends: row.try_get("ends")?,
    }))
}

fn policy(
    caller: &Caller,
    connector: &ConnectorName,
    component: Component,
    row: &SqliteRow,
    decisions: &Decisions,
) -> Result<AgentPolicy, StoreError> {
    let account: Option<String> = row.try_get("connection")?;
    let acting = match account {
        Some(shared) => Acting::Shared(
            ConnectionId::parse(shared.as_str())
                .map_err(|error| StoreError::damaged("agent", &shared, error))?,
        ),
        None => Acting::Own(caller.person.clone()),
    };
    let agent = &caller.agent;
    let scope = decisions.scopes.get(agent).and_then(|of| of.get(connector));
    let seen = decisions.seen.get(connector).cloned().unwrap_or_default();
    let Component { digest, is_carried } = component;
    Ok(AgentPolicy {
        agent: agent.clone(),
        rules: decisions.rules_for(agent, connector)?,
        seen: SeenTools::These(seen),
        scope: scope.cloned(),
        is_trusted: decisions.trusts(connector, digest, is_carried),
        acting: Some(acting),
    })
}

#[async_trait]
impl Permissions for StorePermissions {
    async fn policy(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
        component: Digest,
    ) -> Result<Option<Arc<AgentPolicy>>, PortError> {
        let component = Component {
            digest: component,
            is_carried: self.carried.get(connector) == Some(&component),
        };
        let key = (
            caller.clone(),
            connector.clone(),
            component.digest,
            component.is_carried,
        );
        let read = async {
            let policy = self.store.policy(caller, connector, component).await?;
            Ok(policy.map(Arc::new))
        };
        Ok(self
            .store
            .remembered(|answers| &mut answers.policies, key, read)
            .await?)
    }

    async fn count(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
        usage: Usage,
    ) -> Result<Result<(), Exhausted>, PortError> {
        let counted = self.store.count_usage(&caller.agent, connector, usage);
        Ok(counted.await?)
    }

    async fn give_back(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
        usage: Usage,
    ) -> Result<(), PortError> {
        let given = self.store.give_usage_back(&caller.agent, connector, usage);
        Ok(given.await?)
    }
}
