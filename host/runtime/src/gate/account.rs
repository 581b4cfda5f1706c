//! The account that a call acts for, and what the host keeps for it between calls: connections to the service, its
//! descriptions, and whose turn it is to renew the token.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use portcullis_policy::{ConnectionId, ConnectorName, Origin};

use super::schema_cache::SchemaCache;
use crate::network::{Client, Network, Reach};
use crate::ports::credentials::Connection;
use crate::ports::lock;

/// Who a call acts for.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// The connection; none for connectors without sign-in.
    pub(crate) connection: Option<Connection>,
    /// Whether nobody has the connection yet but the host itself.
    pub(crate) is_new: bool,
    /// What is kept between calls.
    pub(crate) session: Arc<Session>,
}

/// What is kept for one account between calls. No two accounts share any of it.
pub(crate) struct Session {
    /// Reaches the connection's origin.
    pub(super) own: Client,
    /// Reaches the origins that the manifest names in full.
    pub(super) named: Client,
    /// Held by whoever renews the token.
    pub(super) renewing: tokio::sync::Mutex<()>,
    pub(super) schemas: SchemaCache,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

/// Which account a session belongs to. A connection that moves to another origin begins anew.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Connection(ConnectionId, Origin),
    Anonymous(ConnectorName),
}

/// The sessions of all accounts.
pub(crate) struct Sessions {
    network: Network,
    schema_cache_bytes_max: usize,
    kept: Mutex<HashMap<Key, Arc<Session>>>,
}

impl Sessions {
    pub(crate) fn new(network: Network, schema_cache_bytes_max: usize) -> Self {
        Self {
            network,
            schema_cache_bytes_max,
            kept: Mutex::default(),
        }
    }

    /// Gives the network that all sessions use.
    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// Gives the account of a connection, whose requests reach as far as `reach`.
    pub(crate) fn of_connection(
        &self,
        connection: Connection,
        is_new: bool,
        reach: Reach,
    ) -> Account {
        let key = Key::Connection(connection.id.clone(), connection.origin.clone());
        let session = self.session(key, reach);
        Account {
            connection: Some(connection),
            is_new,
            session,
        }
    }

    /// Gives the account of a connector without sign-in.
    pub(crate) fn anonymous(&self, connector: &ConnectorName) -> Account {
        Account {
            connection: None,
            is_new: false,
            session: self.session(Key::Anonymous(connector.clone()), Reach::Public),
        }
    }

    fn session(&self, key: Key, reach: Reach) -> Arc<Session> {
        let mut kept = lock(&self.kept);
        kept.entry(key)
            .or_insert_with(|| {
                Arc::new(Session {
                    own: self.network.client(reach),
                    named: self.network.client(Reach::Public),
                    renewing: tokio::sync::Mutex::new(()),
                    schemas: SchemaCache::new(self.schema_cache_bytes_max),
                })
            })
            .clone()
    }
}
