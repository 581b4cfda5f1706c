//! The account's token: where it comes from, and how it is renewed.

use async_trait::async_trait;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request};
use http_body_util::{BodyExt, Full, Limited};
use portcullis::network::{Client, Timeouts};
use portcullis::policy::{ConnectionId, ConnectorName};
use portcullis::ports::credentials::{Lookup, RefreshError, Token};
use portcullis::ports::{Caller, Credentials, MemoryCredentials, PortError};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::form_urlencoded;

/// Bytes of a token endpoint's answer; a real one has about two thousand.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// How the token is renewed.
pub(crate) enum Renewal {
    /// There is no account.
    None,
    /// It came from this environment variable, and nothing came with it to renew it.
    Variable(String),
    /// By the refresh token of the sample org's administrator.
    DevOrg(TokenEndpoint),
}

/// Where a refresh token is exchanged (RFC 6749, section 6).
pub(crate) struct TokenEndpoint {
    pub(crate) client: Client,
    pub(crate) url: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: SecretString,
    pub(crate) refresh_token: SecretString,
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
            Renewal::DevOrg(endpoint) => {
                self.known
                    .on_refresh(connection, endpoint.exchange().await?);
            }
        }
        self.known.refresh(connection, stale).await
    }
}

impl TokenEndpoint {
    async fn exchange(&self) -> Result<SecretString, PortError> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .append_pair("refresh_token", self.refresh_token.expose_secret())
            .append_pair("client_id", &self.client_id)
            .append_pair("client_secret", self.client_secret.expose_secret())
            .finish();
        let request = Request::builder()
            .method(Method::POST)
            .uri(&self.url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(form)))
            .map_err(|error| {
                PortError::new("the sample org's address is unusable").caused_by(error)
            })?;
        let response = self
            .client
            .send(request, Timeouts::default())
            .await
            .map_err(|error| PortError::new("the sample org does not answer").caused_by(error))?;
        let status = response.status();
        let answer = Limited::new(response.into_body(), ANSWER_BYTES_MAX)
            .collect()
            .await
            .map_err(|error| {
                PortError::new(format!("the sample org's answer broke off: {error}"))
            })?;
        let answer: Value = serde_json::from_slice(&answer.to_bytes()).map_err(|error| {
            PortError::new("the sample org's token is no JSON").caused_by(error)
        })?;
        match answer["access_token"].as_str() {
            Some(token) if status.is_success() => Ok(token.to_owned().into()),
            _ => Err(PortError::new(format!(
                "the sample org gave no new token, and status {status}"
            ))),
        }
    }
}
