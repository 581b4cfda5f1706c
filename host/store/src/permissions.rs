//! The port `Permissions` on a store: which connectors an agent has. How far their tools go is the default of their effect,
//! and nothing of an account is hidden from an agent.

use async_trait::async_trait;
use portcullis::ports::permissions::{Access, Denied, Permissions};
use portcullis::ports::{Caller, PortError};
use portcullis_policy::{ConnectorName, Effect, Mode, ToolName};

use crate::error::StoreError;
use crate::store::Store;

/// What the agents of a store may do, for the host.
#[derive(Clone, Debug)]
pub struct StorePermissions {
    store: Store,
}

impl StorePermissions {
    /// Takes a store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Store {
    /// Says whether an agent has a connector, and the person whom it works for is known here.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn offers(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
    ) -> Result<bool, StoreError> {
        let mut tx = self.read().await?;
        let offers = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM agent_connectors WHERE agent = ?1 AND connector = ?2) \
             AND EXISTS (SELECT 1 FROM people WHERE id = ?3)",
        )
        .bind(caller.agent.as_str())
        .bind(connector.as_str())
        .bind(caller.person.as_str())
        .fetch_one(&mut *tx)
        .await?;
        Ok(offers)
    }
}

#[async_trait]
impl Permissions for StorePermissions {
    async fn offers(&self, caller: &Caller, connector: &ConnectorName) -> Result<bool, PortError> {
        Ok(self.store.offers(caller, connector).await?)
    }

    async fn mode(
        &self,
        _: &Caller,
        _: &ConnectorName,
        _: &ToolName,
        _: Effect,
    ) -> Result<Option<Mode>, PortError> {
        Ok(None)
    }

    async fn check(
        &self,
        _: &Caller,
        _: &ConnectorName,
        _: &[Access],
    ) -> Result<Result<(), Denied>, PortError> {
        Ok(Ok(()))
    }

    async fn visible_fields(
        &self,
        _: &Caller,
        _: &ConnectorName,
        _: &str,
        fields: Vec<String>,
    ) -> Result<Vec<String>, PortError> {
        Ok(fields)
    }
}
