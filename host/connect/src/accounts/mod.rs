//! Accounts, from the sign-in to the end: what [`crate`] knows of the protocol, joined with the store.
//!
//! The attack is mostly an accident: a program that is ended in the middle, two that renew at once, an account that turns out
//! not to work. So nothing is half. A sign-in is taken before it counts; its tokens are kept *pending* beside the
//! connection that they renew, and take its place in one transaction once the service has said who is signed in;
//! whatever ends before that leaves the old connection as it was, and [`Accounts::sweep`] tidies up. What is not in use any
//! more is kept by the store until its service has revoked it.

mod begin;
mod decided;
mod disconnect;
mod error;
mod finish;
pub(crate) mod known;
mod ports;
mod renewal;
mod revocation;
mod service_account;
mod settle;
mod waited;

use std::fmt;
use std::sync::Arc;

use portcullis::Network;
use portcullis::ports::credentials::{Environment, Identity};
use portcullis_policy::{ConnectionId, ConnectorName, Manifest, Origin};
use portcullis_store::{Store, StoredConnection};

pub use begin::{Begin, SIGN_IN_LASTS, SignInStarted};
use decided::Decides;
pub use disconnect::{Disconnected, PENDING_LASTS};
pub use error::ConnectError;
pub use ports::{ActiveManifests, HOST_AGENT, Identify, Manifests};
pub use renewal::{Renewal, Timing};
use revocation::Revoker;
pub use revocation::{Fate, Revocation};
pub use service_account::{ServiceAccount, ServiceGrant};
pub(crate) use waited::Waited;

/// Connects accounts, tries them and ends them. Clones are cheap and the same.
#[derive(Clone)]
pub struct Accounts {
    store: Store,
    network: Network,
    host: Arc<dyn Identify>,
    manifests: Arc<dyn Manifests>,
    revoker: Revoker,
    /// Who decides on what others are to use.
    decides: Option<Arc<Decides>>,
}

/// An account that is connected.
#[derive(Clone, Debug)]
pub struct Connected {
    /// The connection's id.
    pub connection: ConnectionId,
    /// The connector that uses it.
    pub connector: ConnectorName,
    /// Where its requests go.
    pub origin: Origin,
    /// Who is signed in, as the service says.
    pub identity: Identity,
    /// The kind of system.
    pub environment: Environment,
    /// What the service granted.
    pub scopes: Vec<String>,
    /// What people call the organization.
    pub organization: Option<String>,
    /// What became of the tokens of the connection that was in its place; none where there was none.
    pub before: Option<Disconnected>,
}

impl Connected {
    /// Takes a connection that is there; none where nobody has found out yet who is signed in by it.
    pub fn of_stored(stored: StoredConnection) -> Option<Self> {
        let identity = stored.identity?;
        Some(Self {
            connection: stored.id,
            connector: stored.connector,
            origin: stored.origin,
            environment: stored.environment,
            scopes: stored.scopes,
            organization: identity.organization_name.clone(),
            identity,
            before: None,
        })
    }
}

impl Accounts {
    /// Joins a store, a network, who asks services who is signed in, and what connectors say of their services.
    pub fn new(
        store: Store,
        network: Network,
        host: Arc<dyn Identify>,
        manifests: Arc<dyn Manifests>,
    ) -> Self {
        let revoker = Revoker {
            store: store.clone(),
            network: network.clone(),
            manifests: manifests.clone(),
        };
        Self {
            store,
            network,
            host,
            manifests,
            revoker,
            decides: None,
        }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn manifest(&self, connector: &ConnectorName) -> Result<Manifest, ConnectError> {
        known::manifest(&*self.manifests, connector)
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
