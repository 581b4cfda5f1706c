//! Tokens: a code is exchanged for them, they are renewed, and a service account gets them without a browser.
//!
//! All of it goes to the endpoints that were settled when the sign-in began, and nowhere else.

mod error;

use std::fmt;
use std::time::{Duration, SystemTime};

use oauth2::basic::{BasicErrorResponse, BasicTokenType};
use oauth2::{
    AuthType, AuthorizationCode, Client, ClientId, ClientSecret, EndpointNotSet, EndpointSet,
    ExtraTokenFields, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError,
    StandardTokenResponse, TokenResponse, TokenUrl,
};
use portcullis::Network;
use portcullis_policy::{ErrorPlace, Origin};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::exchange::{Exchange, Failure, Unavailable, Unclear};
use crate::guidance::guide_of;
use crate::{App, Attempt, Code, Endpoints, Service, SigningKey, Subject};

pub(crate) use error::bounded;
pub use error::{Given, Refused, TokenError, Unusable};

/// The grant type of RFC 7523.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Gets, renews and revokes the tokens of one connection.
pub struct TokenClient<'a> {
    pub(crate) service: Service<'a>,
    pub(crate) app: &'a App,
    pub(crate) endpoints: &'a Endpoints,
    network: &'a Network,
}

/// Tokens that the service gave. Its `Debug` shows none of them.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// What requests carry.
    pub access: SecretString,
    /// What gets the next one. After a refresh: the one that takes the place of the one that was used, if there is
    /// one; that is spent then.
    pub refresh: Option<SecretString>,
    /// What was granted.
    pub scopes: Vec<String>,
    /// Where the connection's requests go.
    pub origin: Origin,
    /// How long the access token lives, where the service says.
    pub expires_in: Option<Duration>,
}

/// What is known of a connection whose token is renewed: it stays where the answer does not say otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    /// Where its requests go.
    pub origin: &'a Origin,
    /// What was granted.
    pub scopes: &'a [String],
}

impl fmt::Debug for TokenClient<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenClient")
            .field("endpoints", self.endpoints)
            .finish_non_exhaustive()
    }
}

/// What a token's answer has beside what OAuth knows.
#[derive(Debug, Serialize, Deserialize)]
struct Beside(Map<String, Value>);

impl ExtraTokenFields for Beside {}

type Answer = StandardTokenResponse<Beside, BasicTokenType>;

type Protocol = Client<
    BasicErrorResponse,
    Answer,
    oauth2::basic::BasicTokenIntrospectionResponse,
    oauth2::StandardRevocableToken,
    oauth2::basic::BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

impl<'a> TokenClient<'a> {
    /// Makes a client of the endpoints that were settled for a connection.
    pub fn new(
        service: Service<'a>,
        app: &'a App,
        endpoints: &'a Endpoints,
        network: &'a Network,
    ) -> Self {
        Self {
            service,
            app,
            endpoints,
            network,
        }
    }

    /// Exchanges a code for tokens (RFC 6749, section 4.1.3), at the endpoints that were settled when the sign-in
    /// began, which are given back to be kept with the connection. The attempt is used up.
    ///
    /// # Errors
    ///
    /// [`TokenError`].
    pub async fn exchange(
        service: Service<'_>,
        app: &App,
        network: &Network,
        attempt: Attempt,
        code: Code,
    ) -> Result<(Tokens, Endpoints), TokenError> {
        let this = TokenClient::new(service, app, &attempt.endpoints, network);
        let redirect = RedirectUrl::new(attempt.redirect.to_string())
            .map_err(|_| this.forbidden(attempt.redirect.as_str()))?;
        let protocol = this.protocol()?.set_redirect_uri(redirect);
        let mut request =
            protocol.exchange_code(AuthorizationCode::new(code.0.expose_secret().to_owned()));
        if let Some(verifier) = &attempt.verifier {
            let verifier = verifier.expose_secret().to_owned();
            request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier));
        }
        let answer = request.request_async(&this.connect()?).await;
        let sent: Vec<&SecretString> = [&code.0].into_iter().chain(&attempt.verifier).collect();
        let tokens = this.read(answer, &attempt.scopes, None, &attempt.subject(), &sent)?;
        Ok((tokens, attempt.endpoints))
    }

    /// Gets the next access token (RFC 6749, section 6).
    ///
    /// Where the service gives a refresh token with it, the one that was used is spent, and the new one must be kept before the
    /// access token is used. After [`TokenError::Unclear`] the old one may be spent, too.
    ///
    /// # Errors
    ///
    /// [`TokenError`].
    pub async fn refresh(
        &self,
        refresh_token: &SecretString,
        held: Held<'_>,
    ) -> Result<Tokens, TokenError> {
        let (protocol, exchange) = (self.protocol()?, self.connect()?);
        let token = RefreshToken::new(refresh_token.expose_secret().to_owned());
        let request = protocol.exchange_refresh_token(&token);
        let answer = request.request_async(&exchange).await;
        let subject = Subject {
            origin: held.origin.clone(),
            ..self.subject(held.scopes)
        };
        let sent = [refresh_token];
        self.read(answer, held.scopes, Some(held.origin), &subject, &sent)
    }

    /// Gets a token for the app itself (RFC 6749, section 4.4). What it may do is what the app may.
    ///
    /// # Errors
    ///
    /// [`TokenError`].
    pub async fn client_credentials(&self) -> Result<Tokens, TokenError> {
        let (protocol, exchange) = (self.protocol()?, self.connect()?);
        let answer = protocol
            .exchange_client_credentials()
            .request_async(&exchange)
            .await;
        self.read(answer, &[], None, &self.subject(&[]), &[])
    }

    /// Gets a token for a user by an assertion that the app's key signs (RFC 7523). It is made for the audience, which
    /// is the login's origin where nothing else is said.
    ///
    /// # Errors
    ///
    /// [`TokenError`].
    pub async fn signed(
        &self,
        key: &SigningKey,
        user: &str,
        audience: Option<&str>,
        now: SystemTime,
    ) -> Result<Tokens, TokenError> {
        let login = self.endpoints.origin().to_string();
        let audience = audience.unwrap_or(&login);
        let assertion = key.assertion(&self.app.client_id, user, audience, now)?;
        let exchange = self.connect()?;
        let form = [
            ("grant_type", JWT_BEARER),
            ("assertion", assertion.expose_secret()),
        ];
        let answer = exchange.post(&self.endpoints.token(), &form).await;
        let answer = answer.map_err(|failure| self.failed(failure))?;
        let status = answer
            .token_status()
            .map_err(|failure| self.failed(failure))?;
        let answer = match status.is_success() {
            true => serde_json::from_slice(&answer.body).map_err(|_| None),
            false => Err(serde_json::from_slice(&answer.body).ok()),
        };
        let answer = answer.map_err(|error: Option<BasicErrorResponse>| match error {
            Some(error) => RequestTokenError::ServerResponse(error),
            None => RequestTokenError::Other(String::new()),
        });
        self.read(answer, &[], None, &self.subject(&[]), &[&assertion])
    }

    pub(crate) fn subject(&self, scopes: &[String]) -> Subject {
        Subject {
            origin: self.endpoints.origin().clone(),
            callback: None,
            client_id: Some(self.app.client_id.clone()),
            scopes: match scopes.is_empty() {
                true => self.service.auth.scopes.default.clone(),
                false => scopes.to_vec(),
            },
        }
    }

    fn protocol(&self) -> Result<Protocol, TokenError> {
        let url = self.endpoints.token();
        let url = TokenUrl::new(url).map_err(|_| self.forbidden(&self.endpoints.token()))?;
        // The secret stands in the form: services that take it elsewhere take it there, too.
        let mut protocol: Protocol = Client::new(ClientId::new(self.app.client_id.clone()))
            .set_token_uri(url)
            .set_auth_type(AuthType::RequestBody);
        if let Some(secret) = &self.app.client_secret {
            protocol =
                protocol.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()));
        }
        Ok(protocol)
    }

    /// Makes the client of one exchange: no connection is left open, or shared with another account.
    pub(crate) fn connect(&self) -> Result<Exchange, TokenError> {
        let reach = self.endpoints.reach(self.network);
        let reach = reach.ok_or_else(|| self.forbidden(&self.endpoints.origin().to_string()))?;
        Ok(Exchange {
            client: self.network.client(reach),
        })
    }

    fn forbidden(&self, address: &str) -> TokenError {
        self.failed(Unavailable::Forbidden(address.to_owned()).into())
    }

    pub(crate) fn failed(&self, failure: Failure) -> TokenError {
        let host = self.endpoints.origin().host().to_owned();
        match failure {
            Failure::Unclear(cause) => TokenError::Unclear { host, cause },
            Failure::Unavailable(cause) => TokenError::Unavailable { host, cause },
        }
    }

    /// Reads a service's no, to a request that had secrets in it.
    pub(crate) fn refused(
        &self,
        error: &BasicErrorResponse,
        subject: &Subject,
        sent: &[&SecretString],
    ) -> TokenError {
        let code = error.error().as_ref();
        let description = error.error_description().map(String::as_str);
        let guide = guide_of(
            self.service.auth,
            ErrorPlace::Token,
            code,
            description,
            subject,
        );
        let sent: Vec<&SecretString> = sent
            .iter()
            .copied()
            .chain(&self.app.client_secret)
            .collect();
        TokenError::Refused(Box::new(Refused::new(code, description, guide, &sent)))
    }

    fn read(
        &self,
        answer: Result<Answer, RequestTokenError<Failure, BasicErrorResponse>>,
        asked: &[String],
        held: Option<&Origin>,
        subject: &Subject,
        sent: &[&SecretString],
    ) -> Result<Tokens, TokenError> {
        let answer = match answer {
            Ok(answer) => answer,
            Err(RequestTokenError::ServerResponse(error)) => {
                return Err(self.refused(&error, subject, sent));
            }
            Err(RequestTokenError::Request(failure)) => return Err(self.failed(failure)),
            // It was read before as far as that it has a token.
            Err(RequestTokenError::Parse(..) | RequestTokenError::Other(_)) => {
                return Err(self.failed(Unclear::Malformed.into()));
            }
        };
        self.usable(&answer, asked, held).map_err(|why| {
            let secret = |text: &str| SecretString::from(text.to_owned());
            let refresh = answer.refresh_token();
            let given = Given {
                access: secret(answer.access_token().secret()),
                refresh: refresh.map(|refresh| secret(refresh.secret())),
            };
            TokenError::Unusable { why, given }
        })
    }

    /// Takes tokens out of an answer, if they are such that requests can carry, to where the manifest allows.
    fn usable(
        &self,
        answer: &Answer,
        asked: &[String],
        held: Option<&Origin>,
    ) -> Result<Tokens, Unusable> {
        if *answer.token_type() != BasicTokenType::Bearer {
            return Err(Unusable::Kind);
        }
        let origin = match (self.origin(&answer.extra_fields().0, held), held) {
            // The older token is spent by now: what there is goes where it went before, and nowhere else.
            (Err(why), Some(held)) => {
                tracing::warn!(%held, %why, "a connection stays where it is");
                held.clone()
            }
            (origin, _) => origin?,
        };
        let scopes = match answer.scopes() {
            Some(scopes) => scopes.iter().map(|scope| scope.to_string()).collect(),
            // What was asked for was granted, then (RFC 6749, section 5.1).
            None => asked.to_vec(),
        };
        Ok(Tokens {
            access: token(answer.access_token().secret())?,
            refresh: answer
                .refresh_token()
                .map(|refresh| token(refresh.secret()))
                .transpose()?,
            scopes,
            origin,
            expires_in: answer.expires_in(),
        })
    }

    /// Finds where the connection's requests go, and holds it to what the manifest allows.
    fn origin(
        &self,
        beside: &Map<String, Value>,
        held: Option<&Origin>,
    ) -> Result<Origin, Unusable> {
        let Some(pointer) = &self.service.auth.origin_from else {
            let named = self
                .service
                .origins
                .iter()
                .find_map(|pattern| pattern.exact());
            return Ok(held.or(named).unwrap_or(self.endpoints.origin()).clone());
        };
        let beside = Value::Object(beside.clone());
        let origin = match (beside.pointer(pointer), held) {
            (None | Some(Value::Null), Some(held)) => return Ok(held.clone()),
            (Some(Value::String(text)), _) => {
                Origin::parse(text).map_err(|_| Unusable::Origin(bounded(text)))?
            }
            _ => return Err(Unusable::NoOrigin),
        };
        match self.service.admits(self.network, &origin) {
            true => Ok(origin),
            false => Err(Unusable::Origin(origin.to_string())),
        }
    }
}

/// A token must fit into a header (RFC 6750, section 2.1).
fn token(text: &str) -> Result<SecretString, Unusable> {
    let is_visible = |byte: u8| matches!(byte, b'!'..=b'~');
    match !text.is_empty() && text.bytes().all(is_visible) {
        true => Ok(text.to_owned().into()),
        false => Err(Unusable::Token),
    }
}
