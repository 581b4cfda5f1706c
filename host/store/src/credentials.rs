//! The port `Credentials` on a store: which connection a call acts for, and its token.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use portcullis::ports::credentials::{Credentials, Lookup, RefreshError, Token};
use portcullis::ports::{Caller, PortError};
use portcullis_policy::{ConnectionId, ConnectorName};

use crate::connection::{ConnectionState, Owner, StoredConnection};
use crate::error::StoreError;
use crate::sharing::Found;
use crate::store::Store;

/// Replaces tokens at a service. The store knows no service.
#[async_trait]
pub trait Renew: Send + Sync {
    /// Gets a new token in the place of a stale one and stores it, or gives the one that somebody else has stored meanwhile.
    ///
    /// # Errors
    ///
    /// [`RefreshError`]: a person must connect again, or it may work later.
    async fn renew(&self, connection: &ConnectionId, stale: &Token) -> Result<Token, RefreshError>;

    /// Gives a token that the store has not taken yet, as where its disk is full: it is newer than what the store has.
    fn unstored(&self, connection: &ConnectionId) -> Option<Token>;
}

/// Gives links to a page where a person connects an account.
#[async_trait]
pub trait ConnectLinks: Send + Sync {
    /// Makes a link for a caller.
    ///
    /// # Errors
    ///
    /// [`NoLink`] says why there is none, to whom the link would be handed on.
    async fn link(&self, caller: &Caller, connector: &ConnectorName) -> Result<String, NoLink>;
}

/// Why there is no link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoLink {
    /// It is the same as if there were no page.
    #[error("links are not made here")]
    Nowhere,
    /// There is no page now.
    #[error("{0}")]
    Because(String),
}

/// The connections of a store, for the host.
#[derive(Clone)]
pub struct StoreCredentials {
    store: Store,
    renew: Arc<dyn Renew>,
    links: Option<Arc<dyn ConnectLinks>>,
}

impl StoreCredentials {
    /// Joins a store, what renews its tokens, and what makes links, if there is a page for them.
    pub fn new(store: Store, renew: Arc<dyn Renew>, links: Option<Arc<dyn ConnectLinks>>) -> Self {
        Self {
            store,
            renew,
            links,
        }
    }

    /// Finds the connection that a call acts for.
    async fn found(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
    ) -> Result<Arc<Found>, StoreError> {
        let key = (caller.clone(), connector.clone());
        let read = async { Ok(Arc::new(self.store.find(caller, connector).await?)) };
        self.store
            .remembered(|answers| &mut answers.found, key, read)
            .await
    }

    /// Says that there is no connection yet, or none any more, and what the person can do about it.
    async fn missing(&self, caller: &Caller, connector: &ConnectorName, advice: String) -> Lookup {
        let advice = match self.store.refusal(&caller.person, connector).await {
            Ok(Some(problem)) => format!("{advice}; the last sign-in ended so: {problem}"),
            Ok(None) => advice,
            Err(error) => {
                tracing::warn!(%error, "how the last sign-in ended is not known");
                advice
            }
        };
        let link = match &self.links {
            Some(links) => links.link(caller, connector).await,
            None => Err(NoLink::Nowhere),
        };
        match link {
            Ok(link) => Lookup::Missing {
                link: Some(link),
                advice,
            },
            Err(NoLink::Nowhere) => Lookup::Missing { link: None, advice },
            Err(NoLink::Because(why)) => Lookup::Missing {
                link: None,
                advice: format!("{advice}; there is no link for it now: {why}"),
            },
        }
    }

    /// Says why a connection that is there is of no use.
    async fn broken(
        &self,
        caller: &Caller,
        connection: &StoredConnection,
        problem: &str,
    ) -> Lookup {
        let connector = &connection.connector;
        match connection.owner {
            Owner::Person(_) => {
                let advice = format!("{problem}: connect the account to `{connector}` again");
                self.missing(caller, connector, advice).await
            }
            // Nobody but an administrator can sign in to it.
            Owner::Shared => Lookup::Missing {
                link: None,
                advice: format!(
                    "{problem}: ask an administrator to connect the shared account `{}` again",
                    connection.label
                ),
            },
        }
    }
}

/// What only an administrator can do something about.
fn advised(advice: String) -> Lookup {
    Lookup::Missing { link: None, advice }
}

impl fmt::Debug for StoreCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreCredentials")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Credentials for StoreCredentials {
    async fn connection(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
    ) -> Result<Lookup, PortError> {
        let found = self.found(caller, connector).await?;
        let connection = match &*found {
            Found::Connection(connection) => &**connection,
            Found::NoneOfTheirOwn => {
                let advice = format!("connect an account to `{connector}` first");
                return Ok(self.missing(caller, connector, advice).await);
            }
            Found::NotShared => {
                return Ok(advised(format!(
                    "this agent uses a shared account for `{connector}`, which is not shared with you: ask an \
                     administrator for access"
                )));
            }
            Found::Removed => {
                return Ok(advised(format!(
                    "the shared account that this agent used for `{connector}` was removed: ask an administrator to \
                     give it another"
                )));
            }
            Found::NotOffered => {
                return Ok(advised(format!(
                    "this agent does not have `{connector}`: ask an administrator to give it"
                )));
            }
        };
        match &connection.state {
            ConnectionState::Active => {}
            ConnectionState::Reconnect { reason } => {
                let problem = reason.trim_end_matches(['.', ' ']);
                return Ok(self.broken(caller, connection, problem).await);
            }
            ConnectionState::Pending => {
                let problem = "the sign-in was not finished";
                return Ok(self.broken(caller, connection, problem).await);
            }
        }
        if self.store.is_use_news(connection.used)
            && let Err(error) = self.store.note_use(&connection.id).await
        {
            tracing::warn!(connection = %connection.id, %error, "a use was not written down");
        }
        Ok(Lookup::Found(Box::new(connection.clone().into())))
    }

    async fn token(&self, connection: &ConnectionId) -> Result<Token, PortError> {
        let read = self.store.access_token(connection);
        let stored = self
            .store
            .remembered(|answers| &mut answers.tokens, connection.clone(), read)
            .await?;
        let unstored = self.renew.unstored(connection);
        Ok(unstored
            .filter(|token| token.generation > stored.generation)
            .unwrap_or(stored))
    }

    /// Asks as [`connection`](Self::connection) does, but makes no link and notes no use: it is asked for each request.
    async fn token_for(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
        connection: &ConnectionId,
    ) -> Result<Option<Token>, PortError> {
        match &*self.found(caller, connector).await? {
            Found::Connection(found)
                if found.id == *connection && found.state == ConnectionState::Active =>
            {
                self.token(connection).await.map(Some)
            }
            Found::Connection(_)
            | Found::NoneOfTheirOwn
            | Found::NotShared
            | Found::Removed
            | Found::NotOffered => Ok(None),
        }
    }

    async fn refresh(
        &self,
        connection: &ConnectionId,
        stale: &Token,
    ) -> Result<Token, RefreshError> {
        let stored = self.store.stored_connection(connection).await;
        let stored = stored
            .and_then(|stored| {
                stored.ok_or_else(|| StoreError::not_found("connection", connection))
            })
            .map_err(PortError::from)?;
        if let ConnectionState::Reconnect { reason } = stored.state {
            return Err(RefreshError::Reconnect { reason });
        }
        if stored.generation > stale.generation {
            return self.token(connection).await.map_err(RefreshError::from);
        }
        self.renew.renew(connection, stale).await
    }
}
