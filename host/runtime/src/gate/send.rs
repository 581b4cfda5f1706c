//! Sending: the credential goes on, and where the service calls it stale, it is renewed once.
//!
//! The attack: a service, or a proxy before it, that acts on a change and calls the token stale all the same, so that it is made twice. Whether it
//! did nobody here can know; so a change goes out again only while its call wants it, with an intent of its own, by which both are found.

use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CONTENT_LENGTH, ETAG, HOST, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use portcullis_policy::{Auth, ConnectionId};

use super::admit::Admitted;
use super::complete::Complete;
use super::credential;
use super::schema_cache::Schema;
use super::start::Start;
use crate::network::{NetworkError, Timeouts};
use crate::ports::audit::{Durability, Event, Intent, RequestEnd};
use crate::ports::credentials::{Lookup, RefreshError, Token};
use crate::ports::{PortError, Sensitive};
use crate::reply::{ConnectRequired, Failure, FailureCode};
use crate::scope::{CallScope, Stop};

/// Bytes of an error's body that are read to see whether it calls the token stale.
const STALE_BODY_BYTES_MAX: usize = 64 << 10;

/// A response's body as it arrives.
pub(super) type Arriving = UnsyncBoxBody<Bytes, hyper::Error>;

/// A service's answer.
pub(super) struct Answered {
    pub(super) response: Response<Arriving>,
    /// The tokens that went out, of which none may come back.
    pub(super) tokens: Vec<Token>,
    /// What the host remembered, where the service says that it still holds.
    pub(super) from_cache: Option<Schema>,
    /// Whether the token was renewed in between.
    pub(super) renewed: bool,
}

/// Why there is no answer.
pub(super) enum SendError {
    /// The network failed.
    Network(NetworkError),
    /// There is no secret to send.
    Credential(PortError),
    /// The request cannot be written down as HTTP.
    Malformed,
    /// The call ended before anything was sent.
    Late,
    /// The call ended before the answer.
    Abandoned,
}

/// Sends a request, twice at most: again only where the service refused the first for a stale token. `again` is what the second time is
/// written down as, where it must be.
pub(super) async fn send(
    scope: &CallScope,
    request: &Complete,
    again: Option<Intent>,
    timeouts: Timeouts,
) -> Result<Answered, SendError> {
    let remembered = remembered(scope, request);
    let owner = match (&scope.account.connection, &scope.connector.manifest().auth) {
        (_, Auth::None) => None,
        (Some(connection), _) if request.head.is_own_origin => Some(&connection.id),
        _ => None,
    };
    let Some(owner) = owner else {
        let response = once(scope, request, None, remembered.as_ref(), timeouts).await?;
        return Ok(answered(response, Vec::new(), remembered, false));
    };
    let token = token(scope, owner).await?;
    let response = once(scope, request, Some(&token), remembered.as_ref(), timeouts).await?;
    let (first, is_stale) = stale(scope, response).await;
    if !is_stale {
        return Ok(answered(first, vec![token], remembered, false));
    }
    if let Err(error) = renew(scope, owner, &token).await {
        let stop = not_renewed(scope, owner, error).await;
        scope.stop(stop);
        return Ok(answered(first, vec![token], remembered, false));
    }
    let is_change = again.is_some();
    match once_more(scope, request, owner, again, remembered.as_ref(), timeouts).await {
        Ok(Some((response, new))) => {
            let response = response.map(BodyExt::boxed_unsync);
            Ok(answered(response, vec![new, token], remembered, true))
        }
        Ok(None) => Ok(answered(first, vec![token], remembered, false)),
        // It was sent, and what the service said then is what is known of it.
        Err(error) if is_change && matches!(error.end(), RequestEnd::NotSent(_)) => {
            Ok(answered(first, vec![token], remembered, false))
        }
        Err(error) => Err(error),
    }
}

/// What of a second intent is written down where it came to nothing.
struct Second {
    request: u32,
    attempt: u32,
    body_bytes: usize,
}

impl Second {
    fn of(intent: &Intent) -> Self {
        Self {
            request: intent.request,
            attempt: intent.attempt,
            body_bytes: intent.body_bytes,
        }
    }

    /// Writes down that it was not sent.
    async fn was_not_sent(self, scope: &CallScope, why: String) {
        let event = Event::Unsent {
            request: self.request,
            attempt: self.attempt,
            body_bytes: self.body_bytes,
            why: Sensitive::new(why),
        };
        if let Err(error) = scope.record(event, Durability::Buffered).await {
            tracing::error!(call = %scope.id, %error, "that a request was not sent a second time could not be recorded");
        }
    }
}

/// Sends a request with the renewed token, and gives that with the answer; none where it is not to be sent again.
async fn once_more(
    scope: &CallScope,
    request: &Complete,
    owner: &ConnectionId,
    again: Option<Intent>,
    remembered: Option<&Schema>,
    timeouts: Timeouts,
) -> Result<Option<(Response<Incoming>, Token)>, SendError> {
    // A renewal takes its time, and what was taken away meanwhile is away.
    let new = token(scope, owner).await?;
    let second = match again {
        None => None,
        Some(again) => match intended_again(scope, again).await {
            None => return Ok(None),
            second => second,
        },
    };
    let timeouts = within_its_time(scope, timeouts);
    match once(scope, request, Some(&new), remembered, timeouts).await {
        Ok(response) => Ok(Some((response, new))),
        Err(error) => {
            if let (Some(second), RequestEnd::NotSent(why)) = (second, error.end()) {
                second.was_not_sent(scope, why).await;
            }
            Err(error)
        }
    }
}

/// Writes down that a change is sent a second time, and gives what was written down; none where its call does not want that any more.
async fn intended_again(scope: &CallScope, again: Intent) -> Option<Second> {
    if !wants_more(scope) {
        return None;
    }
    let second = Second::of(&again);
    match scope
        .record(Event::Intended(again), Durability::Synced)
        .await
    {
        // Looked at anew: to write it down takes its time.
        Ok(()) if wants_more(scope) => Some(second),
        Ok(()) => {
            let why = "the call had ended by then";
            second.was_not_sent(scope, why.to_owned()).await;
            None
        }
        Err(error) => {
            let message = format!(
                "the service called the token stale, and the change was not sent again, for that could not be written down: {error}"
            );
            scope.stop(Stop::NotRenewed(Failure::new(
                FailureCode::Unavailable,
                message,
            )));
            None
        }
    }
}

fn wants_more(scope: &CallScope) -> bool {
    scope.is_live() && scope.time_left().is_none_or(|left| !left.is_zero())
}

/// What a second request may take: no more than the call still has.
fn within_its_time(scope: &CallScope, timeouts: Timeouts) -> Timeouts {
    let left = |first: Duration| scope.time_left().map_or(first, |left| first.min(left));
    Timeouts {
        response_header: timeouts.response_header.map(left),
    }
}

/// Gives the secret, if the caller still has the connection; else the call stops.
async fn token(scope: &CallScope, owner: &ConnectionId) -> Result<Token, SendError> {
    let credentials = &scope.ports.credentials;
    let token = match scope.account.is_new {
        true => credentials.token(owner).await.map(Some),
        false => {
            let connector = &scope.connector.manifest().name;
            credentials.token_for(&scope.caller, connector, owner).await
        }
    };
    match token.map_err(SendError::Credential)? {
        Some(token) => Ok(token),
        None => {
            scope.stop(Stop::Disconnected(ConnectRequired {
                link: link(scope).await,
                advice: "the connection was taken away while the call ran".to_owned(),
            }));
            Err(SendError::Late)
        }
    }
}

/// Says why the call goes no further with a stale token.
async fn not_renewed(scope: &CallScope, owner: &ConnectionId, error: RefreshError) -> Stop {
    let unavailable = |message: String| {
        Failure::new(FailureCode::Unavailable, message).with_hint("make the same call again later")
    };
    match error {
        RefreshError::Reconnect { reason } => Stop::Disconnected(ConnectRequired {
            link: link(scope).await,
            advice: format!("the connection has ended: {reason}"),
        }),
        RefreshError::Busy { retry_after } => Stop::NotRenewed(Failure {
            retry_after: Some(retry_after),
            ..unavailable(error.to_string())
        }),
        RefreshError::Unavailable(error) => {
            tracing::warn!(connection = %owner, %error, "a token could not be renewed");
            Stop::NotRenewed(unavailable(error.to_string()))
        }
    }
}

/// Gives where the person connects again: as a call that begins now would.
async fn link(scope: &CallScope) -> Option<String> {
    if scope.account.is_new {
        return None;
    }
    let connector = &scope.connector.manifest().name;
    let credentials = &scope.ports.credentials;
    match credentials.connection(&scope.caller, connector).await {
        Ok(Lookup::Missing { link, .. }) => link,
        Ok(Lookup::Found(_)) => None,
        Err(error) => {
            tracing::warn!(%error, "there is no link to connect again by");
            None
        }
    }
}

fn answered<B>(
    response: Response<B>,
    tokens: Vec<Token>,
    remembered: Option<Schema>,
    renewed: bool,
) -> Answered
where
    B: http_body::Body<Data = Bytes, Error = hyper::Error> + Send + 'static,
{
    let from_cache = remembered.filter(|_| response.status() == StatusCode::NOT_MODIFIED);
    Answered {
        response: response.map(BodyExt::boxed_unsync),
        tokens,
        from_cache,
        renewed,
    }
}

/// What the host remembers of this description.
fn remembered(scope: &CallScope, request: &Complete) -> Option<Schema> {
    let head = &request.head;
    match head.is_schema {
        true => scope
            .account
            .session
            .schemas
            .get(&super::schema_cache::key(head)),
        false => None,
    }
}

/// Writes the request down and sends it once.
async fn once(
    scope: &CallScope,
    request: &Complete,
    token: Option<&Token>,
    remembered: Option<&Schema>,
    timeouts: Timeouts,
) -> Result<Response<Incoming>, SendError> {
    let head = &request.head;
    let mut headers = head.headers.clone();
    if let Some(schema) = remembered {
        for (validator, condition) in [(LAST_MODIFIED, IF_MODIFIED_SINCE), (ETAG, IF_NONE_MATCH)] {
            if let Some(value) = schema.headers.get(validator) {
                headers.insert(condition, value.clone());
            }
        }
    }
    let mut path = head.path.as_str().to_owned();
    let mut body = request.body.clone();
    match (token, &request.token_at) {
        (Some(token), Some(at)) => {
            body = credential::write(token, &body, at).map_err(SendError::Credential)?;
        }
        (Some(token), None) => {
            let auth = &scope.connector.manifest().auth;
            path =
                credential::add(auth, token, &mut headers, &path).map_err(SendError::Credential)?;
        }
        (None, _) => {}
    }
    frame(head, &body, &mut headers)?;
    let mut outgoing = Request::new(Full::new(body));
    *outgoing.method_mut() = http::Method::from_bytes(head.method.as_str().as_bytes())
        .map_err(|_| SendError::Malformed)?;
    *outgoing.uri_mut() = format!("{}{path}", head.origin)
        .parse()
        .map_err(|_| SendError::Malformed)?;
    *outgoing.headers_mut() = headers;
    let session = &scope.account.session;
    let client = match head.is_own_origin {
        true => &session.own,
        false => &session.named,
    };
    client
        .send(outgoing, timeouts)
        .await
        .map_err(SendError::Network)
}

/// The headers that are the host's: where the request goes, how long it is, and that the answer comes as it is.
fn frame(head: &Admitted, body: &Bytes, headers: &mut HeaderMap) -> Result<(), SendError> {
    let authority = head.origin.authority();
    let host = HeaderValue::try_from(authority).map_err(|_| SendError::Malformed)?;
    headers.insert(HOST, host);
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let has_body = !matches!(
        head.method,
        portcullis_policy::Method::Get | portcullis_policy::Method::Head
    );
    if has_body || !body.is_empty() {
        headers.insert(CONTENT_LENGTH, body.len().into());
    }
    Ok(())
}

/// Says whether the service calls the token stale, by the manifest's patterns.
///
/// What was read of the body to see that is put back in front of it.
async fn stale(scope: &CallScope, response: Response<Incoming>) -> (Response<Arriving>, bool) {
    let Auth::OAuth2(auth) = &scope.connector.manifest().auth else {
        return (response.map(BodyExt::boxed_unsync), false);
    };
    let status = response.status().as_u16();
    if auth.stale_token.iter().all(|stale| stale.status != status) {
        return (response.map(BodyExt::boxed_unsync), false);
    }
    let (parts, body) = response.into_parts();
    let within = scope.time_left().unwrap_or(scope.limits.wall_clock);
    let start = Start::read(body, STALE_BODY_BYTES_MAX, within).await;
    let is_stale = auth
        .stale_token
        .iter()
        .any(|stale| stale.matches(status, start.bytes()));
    (Response::from_parts(parts, start.rejoined()), is_stale)
}

/// Renews the token, one call at a time: who comes second finds it renewed.
async fn renew(
    scope: &CallScope,
    connection: &ConnectionId,
    stale: &Token,
) -> Result<Token, RefreshError> {
    let credentials = &scope.ports.credentials;
    let _turn = scope.account.session.renewing.lock().await;
    let current = credentials.token(connection).await?;
    match current.generation == stale.generation {
        true => credentials.refresh(connection, stale).await,
        false => Ok(current),
    }
}
