//! What agents may touch, and which components of connectors are trusted to ask about what the host cannot see.

use portcullis_policy::{AgentId, ConnectorName, Digest, Scope};
use sqlx::SqliteConnection;

use crate::agents::require_agent;
use crate::decisions::Decisions;
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

/// A component of a connector, as trust is about it: what is trusted is code, and another component is other code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component {
    /// The digest of its bytes.
    pub digest: Digest,
    /// Whether the program carries it. What was decided on that one holds for the one that a newer program carries, too.
    pub is_carried: bool,
}

impl Store {
    /// Says what an agent may touch, and whether that is something else than before. An empty scope allows everything.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] for the agent.
    pub async fn put_scope(&self, scope: &AgentScope) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let changed = put(self, &mut tx, scope).await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Gives what an agent may touch; empty where nobody decided that.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or what was decided was altered.
    pub async fn scope(
        &self,
        agent: &AgentId,
        connector: &ConnectorName,
    ) -> Result<Scope, StoreError> {
        let decisions = self.decided().await?;
        let scope = decisions.scopes.get(agent).and_then(|of| of.get(connector));
        Ok(scope.cloned().unwrap_or_default())
    }

    /// Lists all scopes by agent and connector.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or what was decided was altered.
    pub async fn scopes(&self) -> Result<Vec<AgentScope>, StoreError> {
        let decisions = self.decided().await?;
        let of_agent = |(agent, scopes): (&AgentId, &std::collections::BTreeMap<_, _>)| {
            let (agent, scopes) = (agent.clone(), scopes.clone());
            scopes
                .into_iter()
                .map(move |(connector, scope)| AgentScope {
                    agent: agent.clone(),
                    connector,
                    scope,
                })
        };
        Ok(decisions.scopes.iter().flat_map(of_agent).collect())
    }

    /// Says whether a component of a connector is trusted, and whether that is new. Another component of it is trusted by a word of its
    /// own alone.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn put_trust(
        &self,
        connector: &ConnectorName,
        component: Component,
        trusted: bool,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let changed = trust(self, &mut tx, connector, component, trusted).await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Says whether a component of a connector is trusted to ask about what the host cannot see: where nobody decided that, the one that
    /// the program carries is, and no other.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or what was decided was altered.
    pub async fn trusts(
        &self,
        connector: &ConnectorName,
        component: Component,
    ) -> Result<bool, StoreError> {
        let Component { digest, is_carried } = component;
        let decisions = self.decided().await?;
        Ok(decisions.trusts(connector, digest, is_carried))
    }
}

/// Says what an agent may touch in a transaction, as [`Store::put_scope`] does.
pub(crate) async fn put(
    store: &Store,
    tx: &mut SqliteConnection,
    scope: &AgentScope,
) -> Result<bool, StoreError> {
    let AgentScope {
        agent,
        connector,
        scope,
    } = scope;
    require_agent(tx, agent).await?;
    let put = |decisions: &mut Decisions| {
        let of_agent = decisions.scopes.entry(agent.clone()).or_default();
        match *scope == Scope::default() {
            true => of_agent.remove(connector),
            false => of_agent.insert(connector.clone(), scope.clone()),
        };
        decisions.scopes.retain(|_, of_agent| !of_agent.is_empty());
    };
    store.decide(tx, put).await
}

/// Trusts a component in a transaction, or no longer, as [`Store::put_trust`] does.
pub(crate) async fn trust(
    store: &Store,
    tx: &mut SqliteConnection,
    connector: &ConnectorName,
    component: Component,
    trusted: bool,
) -> Result<bool, StoreError> {
    let Component { digest, is_carried } = component;
    let put = |decisions: &mut Decisions| {
        let before = decisions.trusts(connector, digest, is_carried);
        if before == trusted {
            return;
        }
        let trust = decisions.trust.entry(connector.clone()).or_default();
        match (is_carried, trusted) {
            (true, trusted) => trust.carried = Some(trusted),
            (false, true) => {
                trust.these.insert(digest);
            }
            (false, false) => {
                trust.these.remove(&digest);
            }
        }
    };
    store.decide(tx, put).await
}
