//! What accounts need of the host: who is signed in, and what the active connectors say of their services.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use async_trait::async_trait;
use portcullis::ports::credentials::{Connection, Identity};
use portcullis::{Host, Reply};
use portcullis_policy::{AgentId, ConnectorName, Manifest, PersonId};

/// The agent in whose name the host itself asks who is signed in, in the audit log.
pub const HOST_AGENT: &str = "portcullis";

/// Asks a service who is signed in.
#[async_trait]
pub trait Identify: Send + Sync {
    /// Asks by a connection whose secret the store has.
    ///
    /// # Errors
    ///
    /// The reply that says what is wrong with the connection.
    async fn identify(
        &self,
        person: &PersonId,
        connector: &ConnectorName,
        connection: Connection,
    ) -> Result<Identity, Box<Reply>>;
}

#[async_trait]
impl Identify for Host {
    async fn identify(
        &self,
        person: &PersonId,
        connector: &ConnectorName,
        connection: Connection,
    ) -> Result<Identity, Box<Reply>> {
        #[allow(clippy::expect_used, reason = "the name is written here")]
        let agent = AgentId::parse(HOST_AGENT).expect("it is a name");
        self.identify_new(&agent, person, connector, connection)
            .await
    }
}

/// Gives the manifests of active connectors.
pub trait Manifests: Send + Sync {
    /// Gives a connector's manifest; none where it is not active.
    fn manifest(&self, connector: &ConnectorName) -> Option<Manifest>;
}

impl Manifests for Host {
    fn manifest(&self, connector: &ConnectorName) -> Option<Manifest> {
        self.connectors()
            .into_iter()
            .map(|active| active.manifest().clone())
            .find(|manifest| manifest.name == *connector)
    }
}

/// Manifests for what is made before the host is: its own port `Credentials` renews tokens as they say.
#[derive(Debug, Default)]
pub struct ActiveManifests(RwLock<BTreeMap<ConnectorName, Manifest>>);

impl ActiveManifests {
    /// Knows no connector yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes over which connectors are active: after each activation.
    pub fn take_from(&self, host: &Host) {
        let active = host.connectors();
        let manifests = active.iter().map(|connector| connector.manifest());
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = manifests
            .map(|manifest| (manifest.name.clone(), manifest.clone()))
            .collect();
    }
}

impl Manifests for ActiveManifests {
    fn manifest(&self, connector: &ConnectorName) -> Option<Manifest> {
        let manifests = self.0.read().unwrap_or_else(PoisonError::into_inner);
        manifests.get(connector).cloned()
    }
}
