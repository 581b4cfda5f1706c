//! Connections: accounts at services, each a person's own or shared, with the secrets that open them.

mod identity;
mod put;
mod refresh;
mod row;
mod secrets;

use jiff::Timestamp;
use portcullis::ports::credentials::{self, Environment, Identity};
use portcullis_policy::{ConnectionId, ConnectorName, Origin, PersonId};

use crate::ending::Ending;

pub use put::{NewConnection, Put};
pub use refresh::{Hold, InFlight, Lease, Leased, NewTokens, Rotation};
pub use secrets::{ConnectionSecrets, Endpoints, Grant};

pub(crate) use row::{of_row, open, own, seal};
pub(crate) use secrets::{Record as SecretsRecord, exposed};

/// Whose a connection is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A person's own.
    Person(PersonId),
    /// Set up by an administrator, for those whom it is shared with.
    Shared,
}

impl Owner {
    /// Gives the person whose it is.
    pub fn person(&self) -> Option<&PersonId> {
        match self {
            Self::Person(person) => Some(person),
            Self::Shared => None,
        }
    }
}

/// Whether a connection can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// It can.
    Active,
    /// Somebody must sign in again.
    Reconnect {
        /// What the service said and what to do, in a sentence.
        reason: String,
    },
    /// Its sign-in is not finished.
    Pending,
}

/// A connection, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredConnection {
    /// Its id.
    pub id: ConnectionId,
    /// The connector that uses it.
    pub connector: ConnectorName,
    /// Whose it is.
    pub owner: Owner,
    /// What people call it.
    pub label: String,
    /// Where its requests go.
    pub origin: Origin,
    /// The kind of system, as far as the sign-in tells; what the service said itself is in `identity`.
    pub environment: Environment,
    /// Who is signed in; none until it was found out.
    pub identity: Option<Identity>,
    /// What the service granted.
    pub scopes: Vec<String>,
    /// Whether it can be used.
    pub state: ConnectionState,
    /// Grows with every replacement of its tokens.
    pub generation: u64,
    /// Since when a refresh is under way whose answer is not stored. Where nobody holds its lease any more, the
    /// answer was lost, and with it perhaps a rotated refresh token.
    pub in_flight_since: Option<Timestamp>,
    /// When somebody signed in.
    pub created: Timestamp,
    /// When it was last used, to the minute.
    pub used: Option<Timestamp>,
    /// When its tokens were last replaced.
    pub refreshed: Option<Timestamp>,
}

impl From<StoredConnection> for credentials::Connection {
    fn from(stored: StoredConnection) -> Self {
        Self {
            shared: stored.owner == Owner::Shared,
            id: stored.id,
            origin: stored.origin,
            scopes: stored.scopes,
            identity: stored.identity,
        }
    }
}

/// A connection that is no longer stored.
#[derive(Clone, Debug)]
pub struct Removed {
    /// What it was.
    pub connection: StoredConnection,
    /// Its secrets, kept until they are revoked; none where they do not open any more, since what is damaged must not keep
    /// its row from being removed.
    pub ending: Option<Ending>,
}
