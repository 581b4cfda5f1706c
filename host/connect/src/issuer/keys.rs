//! The keys that an issuer publishes: found by discovery (OpenID Connect Discovery 1.0), kept, and asked for again when it rotates them.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use portcullis::Network;
use portcullis::network::{Client, NetworkError, Reach, Timeouts};
use portcullis_policy::Origin;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use crate::limit::{Allowance, Limit};
use crate::service::destination;

/// How long keys are used before the issuer is asked whether they still are its own.
const FRESH: Duration = Duration::from_secs(3_600);
/// How long they are used where it does not answer.
const KEPT: Duration = Duration::from_secs(24 * 3_600);
/// How often it is asked in a minute, whatever tokens come.
const ASKED_A_MINUTE: u32 = 5;
/// How long the head of an answer may take, and its body after that: a client waits for it.
const ANSWER_WAITS: Duration = Duration::from_secs(10);
/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 256 << 10;
/// Where an issuer says where its keys are.
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// An address that cannot be an issuer's.
#[derive(Clone, Debug, thiserror::Error)]
#[error("`{url}` cannot be an issuer's: {why}")]
pub struct IssuerError {
    url: String,
    why: &'static str,
}

/// Why an issuer's keys cannot be had.
#[derive(Clone, Debug, thiserror::Error)]
pub enum IssuerProblem {
    /// It was not reached.
    #[error("the issuer was not reached")]
    Network(#[source] NetworkError),
    /// It did not answer in time, or broke off.
    #[error("the issuer's answer from `{0}` did not come to its end")]
    Broken(String),
    /// It answered something else than was asked for.
    #[error(
        "the issuer answered {status} from `{url}`, which is not what OpenID Connect has there"
    )]
    Answer {
        /// What was asked for.
        url: String,
        /// The status.
        status: StatusCode,
    },
    /// It says that it is another one.
    #[error("the issuer calls itself `{0}`: give its URL exactly so")]
    Other(String),
    /// What is asked for is somewhere that may not be asked.
    #[error("the issuer sends to `{0}`, which is not https, or not where requests may go")]
    Elsewhere(String),
    /// It was asked too often.
    #[error("the issuer was asked too often: it is asked again in a minute")]
    TooOften,
}

/// Keys of one issuer, and what it says of itself.
pub(super) struct Keys {
    issuer: String,
    network: Network,
    known: RwLock<Option<Known>>,
    asked: Limit<()>,
    /// Held by who asks.
    flight: Mutex<()>,
}

#[derive(Clone)]
struct Known {
    keys: Arc<JwkSet>,
    description: Arc<Description>,
    since: Instant,
}

/// What of an issuer's description is needed (OpenID Connect Discovery 1.0, section 3; RFC 8414; RFC 9207).
#[derive(Deserialize)]
pub(super) struct Description {
    issuer: String,
    jwks_uri: String,
    /// Where people sign in.
    pub(super) authorization_endpoint: Option<String>,
    /// Where codes become tokens.
    pub(super) token_endpoint: Option<String>,
    /// How a client says who it is there.
    pub(super) token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Whether who comes back says from which issuer.
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl Keys {
    pub(super) fn new(issuer: &str, network: Network) -> Result<Self, IssuerError> {
        let refused = |why| IssuerError {
            url: issuer.to_owned(),
            why,
        };
        let url = Url::parse(issuer).map_err(|_| refused("it is no URL"))?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refused("an issuer's has no query and no fragment"));
        }
        if reach(&network, issuer).is_none() {
            return Err(refused(
                "it must be https and public, or be named with `--allow-origin`",
            ));
        }
        let allowance = Allowance {
            window: Duration::from_secs(60),
            each: ASKED_A_MINUTE,
            all: ASKED_A_MINUTE,
        };
        Ok(Self {
            issuer: issuer.to_owned(),
            network,
            known: RwLock::default(),
            asked: Limit::new(allowance, Instant::now()),
            flight: Mutex::default(),
        })
    }

    /// Finds the key of a token; none where the issuer has none that fits.
    pub(super) async fn key(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Option<DecodingKey>, IssuerProblem> {
        let now = Instant::now();
        let known = self.known();
        let found = known
            .as_ref()
            .and_then(|known| Some((fitting(&known.keys, id, algorithm)?, known.since)));
        if let Some((key, since)) = found {
            let age = now.saturating_duration_since(since);
            if age < FRESH {
                return Ok(Some(key));
            }
            // One asks, and the others go on meanwhile.
            let asked = match self.flight.try_lock() {
                Ok(_flight) => self.ask(now).await,
                Err(_) => return Ok(Some(key)),
            };
            return match asked {
                Ok(keys) => Ok(fitting(&keys, id, algorithm)),
                Err(problem) if age >= KEPT => Err(problem),
                Err(problem) => {
                    tracing::warn!(issuer = self.issuer, error = %problem, "the issuer's keys are used as they were");
                    Ok(Some(key))
                }
            };
        }
        let _flight = self.flight.lock().await;
        // Whoever asked before may have got it.
        if let Some(newer) = self.known()
            && known.is_none_or(|known| newer.since > known.since)
            && let Some(key) = fitting(&newer.keys, id, algorithm)
        {
            return Ok(Some(key));
        }
        match self.ask(now).await {
            Ok(keys) => Ok(fitting(&keys, id, algorithm)),
            // What is known says that it is none, as far as that goes.
            Err(IssuerProblem::TooOften) if self.known().is_some() => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    /// Gives what the issuer says of itself.
    pub(super) async fn described(&self) -> Result<Arc<Description>, IssuerProblem> {
        let now = Instant::now();
        let is_fresh = |known: &Known| now.saturating_duration_since(known.since) < FRESH;
        if let Some(known) = self.known().filter(is_fresh) {
            return Ok(known.description);
        }
        let _flight = self.flight.lock().await;
        // Whoever asked before may have got it.
        if let Some(known) = self.known().filter(is_fresh) {
            return Ok(known.description);
        }
        match (self.ask(now).await, self.known()) {
            // As the keys, it is used as it was.
            (_, Some(known)) if now.saturating_duration_since(known.since) < KEPT => {
                Ok(known.description)
            }
            (Err(problem), _) => Err(problem),
            (Ok(_), _) => Err(IssuerProblem::Broken(self.issuer.clone())),
        }
    }

    /// Gives what sends requests to an address that the issuer names.
    pub(super) fn client(&self, url: &str) -> Result<Client, IssuerProblem> {
        let reach = reach(&self.network, url).ok_or_else(|| elsewhere(url))?;
        Ok(self.network.client(reach))
    }

    /// Asks the issuer. Who calls holds the flight.
    async fn ask(&self, now: Instant) -> Result<Arc<JwkSet>, IssuerProblem> {
        let counted = self.asked.count(Some(()), now);
        counted.map_err(|_| IssuerProblem::TooOften)?;
        let at = format!("{}{DISCOVERY}", self.issuer.trim_end_matches('/'));
        let description: Description = self.get(&at).await?;
        if description.issuer != self.issuer {
            return Err(IssuerProblem::Other(description.issuer));
        }
        let keys: Arc<JwkSet> = Arc::new(self.get(&description.jwks_uri).await?);
        let known = Known {
            keys: keys.clone(),
            description: Arc::new(description),
            since: Instant::now(),
        };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(keys)
    }

    async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, IssuerProblem> {
        let client = self.client(url)?;
        let request = Request::get(url)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .body(Full::new(Bytes::new()))
            .map_err(|_| elsewhere(url))?;
        let timeouts = Timeouts {
            response_header: Some(ANSWER_WAITS),
        };
        let response = client.send(request, timeouts).await;
        let response = response.map_err(IssuerProblem::Network)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect();
        let body = tokio::time::timeout(ANSWER_WAITS, body).await;
        let body = body
            .ok()
            .and_then(Result::ok)
            .ok_or_else(|| IssuerProblem::Broken(url.to_owned()))?;
        let read = serde_json::from_slice(&body.to_bytes());
        match (status, read) {
            (StatusCode::OK, Ok(read)) => Ok(read),
            _ => Err(IssuerProblem::Answer {
                url: url.to_owned(),
                status,
            }),
        }
    }

    fn known(&self) -> Option<Known> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }
}

fn elsewhere(url: &str) -> IssuerProblem {
    IssuerProblem::Elsewhere(url.chars().take(256).collect())
}

/// Finds the key of an id that signs by an algorithm; without an id, the only one that does.
fn fitting(keys: &JwkSet, id: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
    let mut fit = keys.keys.iter().filter(|key| {
        id.is_none_or(|id| key.common.key_id.as_deref() == Some(id)) && signs_by(key, algorithm)
    });
    let key = fit.next()?;
    match (id, fit.next()) {
        (None, Some(_)) => None,
        _ => DecodingKey::from_jwk(key).ok(),
    }
}

fn signs_by(key: &Jwk, algorithm: Algorithm) -> bool {
    let is_public = !matches!(
        key.algorithm,
        AlgorithmParameters::OctetKey(_) | AlgorithmParameters::Other(_)
    );
    let signs = key
        .common
        .public_key_use
        .as_ref()
        .is_none_or(|what| *what == PublicKeyUse::Signature);
    // Both are written as the name that the standard has.
    let name = |of: Result<Value, serde_json::Error>| of.ok();
    let by = key
        .common
        .key_algorithm
        .is_none_or(|by| name(serde_json::to_value(by)) == name(serde_json::to_value(algorithm)));
    is_public
        && signs
        && by
        && DecodingKey::from_jwk(key).is_ok_and(|key| key.family() == algorithm.family())
}

/// Decides how far a request to the issuer reaches; none: nowhere.
fn reach(network: &Network, url: &str) -> Option<Reach> {
    let url = Url::parse(url).ok()?;
    let origin = Origin::parse(&url.origin().ascii_serialization()).ok()?;
    let has_nobody = url.username().is_empty() && url.password().is_none();
    let destination = destination(&origin);
    match network.allows_private(&destination) {
        _ if !has_nobody => None,
        true => Some(Reach::Loopback(destination)),
        false => origin.is_https().then_some(Reach::Public),
    }
}
