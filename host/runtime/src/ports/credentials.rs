//! Connections: which account a call acts for, and the secret that opens it.

use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use portcullis_policy::{ConnectionId, ConnectorName, Origin, PersonId};
use secrecy::SecretString;

use super::{Caller, PortError, lock};

pub use portcullis_policy::Environment;

/// Who is signed in, as the connector's `accounts.identify` found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The kind of system.
    pub environment: Environment,
    /// The service's id of the user.
    pub user_id: String,
    /// What a person calls the user.
    pub user_name: String,
    /// The service's id of the organization.
    pub organization_id: Option<String>,
    /// What a person calls the organization.
    pub organization_name: Option<String>,
    /// What else the connector wants to find again, by name.
    pub facts: Vec<(String, String)>,
}

/// An account at a service, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Whether others use it too: a service account that an administrator set up.
    pub shared: bool,
    /// Where its requests go, and the only place its credential goes.
    pub origin: Origin,
    /// What the service granted at sign-in.
    pub scopes: Vec<String>,
    /// Who is signed in; none until `accounts.identify` has run.
    pub identity: Option<Identity>,
}

/// The answer to the question which connection a call acts for.
#[derive(Clone, PartialEq, Eq)]
pub enum Lookup {
    /// This one.
    Found(Box<Connection>),
    /// None yet: somebody must sign in.
    Missing {
        /// Where, if there is a page for it.
        link: Option<String>,
        /// What to do, in a sentence.
        advice: String,
    },
}

impl fmt::Debug for Lookup {
    /// Leaves the link out: who has it is let in by it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found(connection) => f.debug_tuple("Found").field(connection).finish(),
            Self::Missing { advice, .. } => f
                .debug_struct("Missing")
                .field("advice", advice)
                .finish_non_exhaustive(),
        }
    }
}

/// A secret and which one in the row of its connection's secrets it is.
#[derive(Clone)]
pub struct Token {
    /// The secret.
    pub secret: SecretString,
    /// Grows with every refresh, so that a call can tell whether another has refreshed already.
    pub generation: u64,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// Why a stale token was not replaced.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RefreshError {
    /// Nothing can be done without a person: the reason, in a sentence.
    #[error("the connection has ended: {reason}")]
    Reconnect {
        /// What the service said, and what to do.
        reason: String,
    },
    /// Another one renews it, and is not done yet.
    #[error("the connection is being renewed, and that takes long")]
    Busy {
        /// When to ask again.
        retry_after: Duration,
    },
    /// It may work later.
    #[error(transparent)]
    Unavailable(#[from] PortError),
}

/// Who a call acts for.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// Finds the connection: the person's own, or the agent's shared one.
    ///
    /// # Errors
    ///
    /// [`PortError`] when it cannot be found out; the call is refused.
    async fn connection(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
    ) -> Result<Lookup, PortError>;

    /// Gives the connection's secret.
    ///
    /// # Errors
    ///
    /// [`PortError`] when there is none or it cannot be opened; the request is refused.
    async fn token(&self, connection: &ConnectionId) -> Result<Token, PortError>;

    /// Gives a connection's secret to a call that has found it by [`connection`](Self::connection), for each of its
    /// requests: none where the same question would not find it any more, so that what is taken away is away at once.
    ///
    /// # Errors
    ///
    /// As [`connection`](Self::connection) and [`token`](Self::token).
    async fn token_for(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
        connection: &ConnectionId,
    ) -> Result<Option<Token>, PortError> {
        match self.connection(caller, connector).await? {
            Lookup::Found(found) if found.id == *connection => {
                self.token(connection).await.map(Some)
            }
            Lookup::Found(_) | Lookup::Missing { .. } => Ok(None),
        }
    }

    /// Replaces a secret that the service called stale. The gate calls it once at a time for a
    /// connection.
    ///
    /// # Errors
    ///
    /// [`RefreshError`]: a person must connect again, or it may work later.
    async fn refresh(
        &self,
        connection: &ConnectionId,
        stale: &Token,
    ) -> Result<Token, RefreshError>;
}

/// Connections in memory: each a person's own, or shared by everyone.
#[derive(Debug, Default)]
pub struct MemoryCredentials {
    accounts: Mutex<Vec<Held>>,
    tokens: Mutex<HashMap<ConnectionId, Secrets>>,
}

#[derive(Debug)]
struct Held {
    connector: ConnectorName,
    person: Option<PersonId>,
    connection: Connection,
}

#[derive(Debug)]
struct Secrets {
    current: Token,
    next: Vec<SecretString>,
}

impl MemoryCredentials {
    /// Makes a store without connections.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps a connection for one person, or a shared one for everybody, with its secret.
    ///
    /// It takes the place of the one with the same connector and person.
    pub fn connect(
        &self,
        connector: ConnectorName,
        person: Option<PersonId>,
        connection: Connection,
        secret: SecretString,
    ) {
        let current = Token {
            secret,
            generation: 0,
        };
        let id = connection.id.clone();
        let secrets = Secrets {
            current,
            next: Vec::new(),
        };
        lock(&self.tokens).insert(id, secrets);
        let mut accounts = lock(&self.accounts);
        accounts.retain(|held| held.connector != connector || held.person != person);
        accounts.push(Held {
            connector,
            person,
            connection,
        });
    }

    /// Adds the secret that the next refresh of a connection gives.
    pub fn on_refresh(&self, connection: &ConnectionId, secret: SecretString) {
        if let Some(secrets) = lock(&self.tokens).get_mut(connection) {
            secrets.next.insert(0, secret);
        }
    }

    /// Keeps what `accounts.identify` found out.
    pub fn identified(&self, connection: &ConnectionId, identity: Identity) {
        for held in lock(&self.accounts).iter_mut() {
            if held.connection.id == *connection {
                held.connection.identity = Some(identity.clone());
            }
        }
    }
}

#[async_trait]
impl Credentials for MemoryCredentials {
    async fn connection(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
    ) -> Result<Lookup, PortError> {
        let accounts = lock(&self.accounts);
        let of = |person: Option<&PersonId>| {
            accounts
                .iter()
                .find(|held| held.connector == *connector && held.person.as_ref() == person)
        };
        Ok(match of(Some(&caller.person)).or_else(|| of(None)) {
            Some(held) => Lookup::Found(Box::new(held.connection.clone())),
            None => Lookup::Missing {
                link: None,
                advice: format!("connect an account to `{connector}` first"),
            },
        })
    }

    async fn token(&self, connection: &ConnectionId) -> Result<Token, PortError> {
        lock(&self.tokens)
            .get(connection)
            .map(|secrets| secrets.current.clone())
            .ok_or_else(|| PortError::new(format!("the connection `{connection}` has no secret")))
    }

    async fn refresh(
        &self,
        connection: &ConnectionId,
        stale: &Token,
    ) -> Result<Token, RefreshError> {
        let mut tokens = lock(&self.tokens);
        let secrets = tokens.get_mut(connection).ok_or_else(|| {
            PortError::new(format!("the connection `{connection}` has no secret"))
        })?;
        if secrets.current.generation == stale.generation {
            let secret = secrets.next.pop().ok_or_else(|| RefreshError::Reconnect {
                reason: "the service calls the access token expired or revoked, and there is \
                         nothing to renew it with: connect again"
                    .to_owned(),
            })?;
            secrets.current = Token {
                secret,
                generation: stale.generation + 1,
            };
        }
        Ok(secrets.current.clone())
    }
}
