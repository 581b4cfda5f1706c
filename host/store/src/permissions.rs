//! The port `Permissions` on a store: which connectors an agent has, what was decided on their tools, what it may touch,
//! and what it has used.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use portcullis::ports::permissions::{Exhausted, Permissions, Usage};
use portcullis::ports::{Caller, PortError};
use portcullis_policy::{Acting, AgentPolicy, ConnectionId, ConnectorName};

use crate::error::StoreError;
use crate::store::Store;
use crate::{scopes, tool_rules};

/// What the agents of a store may do, for the host.
#[derive(Clone, Debug)]
pub struct StorePermissions {
    store: Store,
    /// Connectors that the program carries and that are trusted unless an administrator decided otherwise.
    trusted: BTreeSet<ConnectorName>,
}

impl StorePermissions {
    /// Takes a store. `trusted` are the connectors that are trusted to ask about what the host cannot see, unless an
    /// administrator decided otherwise.
    pub fn new(store: Store, trusted: impl IntoIterator<Item = ConnectorName>) -> Self {
        Self {
            store,
            trusted: trusted.into_iter().collect(),
        }
    }
}

impl Store {
    /// Gives what was decided on an agent's use of a connector, all of one moment; none: it does not have it, or the
    /// person is not known here. `trusted_by_default` says whether the connector is trusted where nobody decided that, and no
    /// other version of it is installed than the program carries.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or a row is damaged.
    pub async fn policy(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
        trusted_by_default: bool,
    ) -> Result<Option<AgentPolicy>, StoreError> {
        let mut tx = self.read().await?;
        let account: Option<Option<String>> = sqlx::query_scalar(
            "SELECT connection FROM agent_connectors WHERE agent = ?1 AND connector = ?2 \
             AND EXISTS (SELECT 1 FROM people WHERE id = ?3)",
        )
        .bind(caller.agent.as_str())
        .bind(connector.as_str())
        .bind(caller.person.as_str())
        .fetch_optional(&mut *tx)
        .await?;
        let Some(account) = account else {
            return Ok(None);
        };
        let acting = match account {
            Some(shared) => Acting::Shared(
                ConnectionId::parse(shared.as_str())
                    .map_err(|error| StoreError::damaged("agent", &shared, error))?,
            ),
            None => Acting::Own(caller.person.clone()),
        };
        let rules = tool_rules::of_agent(&mut tx, caller.agent.as_str(), connector).await?;
        let seen = tool_rules::seen(&mut tx, connector).await?;
        let scope = scopes::of_agent(&mut tx, &caller.agent, connector).await?;
        let is_trusted = scopes::is_trusted(&mut tx, connector, trusted_by_default).await?;
        Ok(Some(AgentPolicy {
            agent: caller.agent.clone(),
            rules,
            seen,
            scope,
            is_trusted,
            acting: Some(acting),
        }))
    }
}

#[async_trait]
impl Permissions for StorePermissions {
    async fn policy(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
    ) -> Result<Option<Arc<AgentPolicy>>, PortError> {
        let trusted = self.trusted.contains(connector);
        let policy = self.store.policy(caller, connector, trusted).await?;
        Ok(policy.map(Arc::new))
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
}
