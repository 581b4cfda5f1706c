//! The account's token: where it comes from, and how it is renewed.

use std::sync::OnceLock;

use async_trait::async_trait;
use portcullis::network::Network;
use portcullis::policy::{ConnectionId, ConnectorName, Manifest, Origin};
use portcullis::ports::credentials::{Lookup, RefreshError, Token};
use portcullis::ports::{Caller, Credentials, MemoryCredentials, PortError};
use portcullis_connect::{App, Endpoints, Held, Service, TokenClient};
use secrecy::SecretString;
use tokio::sync::Mutex;

/// How the token is renewed.
pub(crate) enum Renewal {
    /// There is no account.
    None,
    /// It came from this environment variable, and nothing came with it to renew it.
    Variable(String),
    /// By the refresh token of the sample org's administrator.
    DevOrg(Box<Renewer>),
}

/// What renews the token of the sample org's administrator.
pub(crate) struct Renewer {
    pub(crate) network: Network,
    pub(crate) origin: Origin,
    pub(crate) app: App,
    pub(crate) refresh_token: Mutex<SecretString>,
    /// Set when the connector is active.
    pub(crate) manifest: OnceLock<Manifest>,
}

/// The accounts, in memory.
pub(crate) struct Accounts {
    pub(crate) known: MemoryCredentials,
    renewal: Renewal,
}

impl Accounts {
    pub(crate) fn new(renewal: Renewal) -> Self {
        Self {
            known: MemoryCredentials::new(),
            renewal,
        }
    }

    /// Says how the service's accounts are, as its connector's manifest has it.
    pub(crate) fn is_active(&self, manifest: &Manifest) {
        if let Renewal::DevOrg(renewer) = &self.renewal {
            let _ = renewer.manifest.set(manifest.clone()); // It is the same each time.
        }
    }
}

#[async_trait]
impl Credentials for Accounts {
    async fn connection(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
    ) -> Result<Lookup, PortError> {
        self.known.connection(caller, connector).await
    }

    async fn token(&self, connection: &ConnectionId) -> Result<Token, PortError> {
        self.known.token(connection).await
    }

    async fn refresh(
        &self,
        connection: &ConnectionId,
        stale: &Token,
    ) -> Result<Token, RefreshError> {
        match &self.renewal {
            Renewal::None => {}
            Renewal::Variable(name) => {
                return Err(RefreshError::Reconnect {
                    reason: format!(
                        "the access token in `{name}` is expired, revoked or another org's: put a new one there and start again"
                    ),
                });
            }
            Renewal::DevOrg(renewer) => {
                self.known.on_refresh(connection, renewer.renew().await?);
            }
        }
        self.known.refresh(connection, stale).await
    }
}

impl Renewer {
    async fn renew(&self) -> Result<SecretString, PortError> {
        let unknown = || PortError::new("the sample org's connector is not active yet");
        let manifest = self.manifest.get().ok_or_else(unknown)?;
        let service = Service::of(manifest).ok_or_else(unknown)?;
        let endpoints = Endpoints::at(service.auth, &self.origin);
        let client = TokenClient::new(service, &self.app, &endpoints, &self.network);
        let held = Held {
            origin: &self.origin,
            scopes: &[],
        };
        let mut refresh_token = self.refresh_token.lock().await;
        let tokens = client.refresh(&refresh_token, held).await;
        let tokens = tokens
            .map_err(|error| PortError::new("the sample org gave no new token").caused_by(error))?;
        if let Some(next) = tokens.refresh {
            *refresh_token = next;
        }
        Ok(tokens.access)
    }
}
