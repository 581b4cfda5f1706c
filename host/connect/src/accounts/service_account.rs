//! Accounts that nobody signs in to: an app by its own credentials, or a user for whom it signs.

use std::time::SystemTime;

use portcullis_policy::{ConnectionId, ConnectorName, PersonId};
use portcullis_store::{ConnectionSecrets, ConnectionState, Ended, Grant, NewConnection, Owner};
use secrecy::SecretString;

use super::settle::Unsettled;
use super::{Accounts, ConnectError, Connected, known};
use crate::{App, Endpoints, Given, Login, SigningKey, TokenClient, Tokens};

/// A service account that is to be connected. It is shared: there is no person whose it could be.
#[derive(Clone, Debug)]
pub struct ServiceAccount<'a> {
    /// The administrator who sets it up.
    pub person: &'a PersonId,
    /// For which connector.
    pub connector: &'a ConnectorName,
    /// As which app.
    pub app: &'a App,
    /// Where its tokens are.
    pub login: &'a Login,
    /// How it gets them.
    pub grant: ServiceGrant,
    /// What it will be called.
    pub label: &'a str,
    /// The connection that is renewed.
    pub replaces: Option<ConnectionId>,
    /// Whether the account may be of another organization than the one that it takes the place of.
    pub allow_other_organization: bool,
}

/// How a service account gets its tokens. Its `Debug` does not show the key.
#[derive(Clone, Debug)]
pub enum ServiceGrant {
    /// By the app's own credentials (RFC 6749, section 4.4).
    ClientCredentials,
    /// By an assertion that the app's key signs (RFC 7523).
    Jwt {
        /// The key, in PEM.
        private_key_pem: SecretString,
        /// The user that it signs for.
        subject: String,
        /// Whom the assertion is made for; none: the login.
        audience: Option<String>,
    },
}

impl Accounts {
    /// Connects a service account.
    ///
    /// # Errors
    ///
    /// [`ConnectError`]: nothing is connected, and what was connected before is as it was.
    pub async fn service_account(
        &self,
        account: ServiceAccount<'_>,
    ) -> Result<Connected, ConnectError> {
        let manifest = known::manifest(&*self.manifests, account.connector)?;
        let service = known::service(&manifest)?;
        self.require_may_own(account.person, &Owner::Shared).await?;
        self.require_may_replace(account.replaces.as_ref(), account.connector, &Owner::Shared)
            .await?;
        let endpoints = Endpoints::at(service.auth, &account.login.origin);
        let grant = match account.grant {
            ServiceGrant::ClientCredentials => Grant::ClientCredentials,
            ServiceGrant::Jwt {
                private_key_pem,
                subject,
                audience,
            } => Grant::Jwt {
                private_key_pem,
                subject,
                audience: audience.unwrap_or_else(|| endpoints.origin().to_string()),
            },
        };
        let client = TokenClient::new(service, account.app, &endpoints, &self.network);
        let answer = match &grant {
            Grant::Jwt {
                private_key_pem,
                subject,
                audience,
            } => signed(&client, private_key_pem, subject, audience).await,
            Grant::Code | Grant::ClientCredentials => client
                .client_credentials()
                .await
                .map_err(ConnectError::from),
        };
        let secrets = |access_token, refresh_token, scopes| ConnectionSecrets {
            access_token,
            refresh_token,
            client_id: account.app.client_id.clone(),
            client_secret: account.app.client_secret.clone(),
            grant,
            endpoints: known::kept(&endpoints),
            scopes,
        };
        let tokens = match answer {
            Ok(tokens) => tokens,
            Err(ConnectError::Token(error)) => {
                let ended = |given: Given| Ended {
                    connection: None,
                    connector: account.connector.clone(),
                    owner: Owner::Shared,
                    label: account.label.to_owned(),
                    origin: endpoints.origin().clone(),
                    user: None,
                    secrets: secrets(given.access, given.refresh, Vec::new()),
                };
                return Err(self.unusable(error, ended).await);
            }
            Err(error) => return Err(error),
        };
        let Tokens {
            access,
            refresh,
            scopes,
            origin,
            ..
        } = tokens;
        let unsettled = Unsettled {
            by: account.person.clone(),
            allow_other_organization: account.allow_other_organization,
            subject: client.subject(&scopes),
            new: NewConnection {
                connector: account.connector.clone(),
                owner: Owner::Shared,
                label: account.label.to_owned(),
                origin,
                environment: account.login.environment,
                identity: None,
                state: ConnectionState::Pending,
                secrets: secrets(access, refresh, scopes.clone()),
                scopes,
                replaces: account.replaces,
            },
        };
        let this = self.clone();
        let task = tokio::spawn(async move { this.settle(unsettled).await });
        task.await.unwrap_or(Err(ConnectError::Ended))
    }
}

/// Gets a token by an assertion.
pub(super) async fn signed(
    client: &TokenClient<'_>,
    private_key_pem: &SecretString,
    subject: &str,
    audience: &str,
) -> Result<Tokens, ConnectError> {
    let key = SigningKey::from_pem(private_key_pem)?;
    let now = SystemTime::now();
    Ok(client.signed(&key, subject, Some(audience), now).await?)
}
