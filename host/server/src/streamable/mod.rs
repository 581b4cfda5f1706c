//! The Model Context Protocol over HTTP (streamable HTTP): `/mcp` and `/mcp/AGENT`.
//!
//! The attack: another program of this machine, another site's page, another person, or somebody who floods. So nothing is read of a
//! request before it is known that it is meant for this server (`here`), whose token it has (`callers`), and that this
//! one has not sent too many; a session is its caller's alone (`sessions`). What goes through after that is what goes over standard
//! input and output, too: [`Server`](crate::Server).

mod batched;
mod body;
mod callers;
mod here;
mod keeper;
mod misread;
mod refused;
mod resource;
mod sessions;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes};
use portcullis::Host;
use portcullis::policy::PersonId;
use portcullis::ports::{Caller, PortError};
use portcullis_connect::{Allowance, Limit, Peer, network};
use portcullis_telemetry::{Transport, Watchers};
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::sync::watch;

pub use callers::Callers;
pub use here::Here;

use crate::busy::{Busy, UnderWay};
use crate::logging::Wanted;
use crate::session::Watch;
use crate::{Asking, Served, Server, batch, unread};
use body::WhileSent;
use callers::bearer;
use keeper::Keeper;
use misread::Posted;
use refused::Refused;
use resource::Resource;
use sessions::{Full as NoRoom, Room, Sessions};

/// The path.
const PATH: &str = "/mcp";
/// By which a client names its session.
const SESSION: &str = "mcp-session-id";

/// What the library answers a caller's messages by.
type Service = StreamableHttpService<Server, Keeper>;

/// The body of an answer.
pub type HttpBody = BoxBody<Bytes, Infallible>;

/// What is taken of callers.
#[derive(Clone, Copy, Debug)]
pub struct HttpBounds {
    /// Bytes of a message.
    pub message_bytes: usize,
    /// Requests of one person in a minute.
    pub requests_a_minute: u32,
    /// Requests from one address in a minute that have no token, or one that is nobody's.
    pub strangers_a_minute: u32,
    /// Open sessions of one person with one agent.
    pub sessions_of_one: usize,
    /// Open sessions of all.
    pub sessions: usize,
    /// After which silence a session is over. Clients begin a new one by themselves, if they know the protocol well.
    pub session_idle: Duration,
}

impl Default for HttpBounds {
    fn default() -> Self {
        Self {
            message_bytes: 1 << 20,
            requests_a_minute: 60_000,
            strangers_a_minute: 120,
            sessions_of_one: 1_024,
            sessions: 4_096,
            session_idle: Duration::from_secs(3_600),
        }
    }
}

/// What a server may have besides.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// Says when the tools may be others: clients are told when they are.
    pub changes: Option<watch::Receiver<i64>>,
    /// Lets clients ask their people what is missing.
    pub asking: Option<Asking>,
    /// Who is told of what is asked.
    pub watchers: Watchers,
}

/// Serves the protocol over HTTP. Clones are cheap and the same.
#[derive(Clone)]
pub struct Http(Arc<Shared>);

struct Shared {
    host: Host,
    served: Arc<Served>,
    beside: Beside,
    callers: Arc<dyn Callers>,
    here: Here,
    bounds: HttpBounds,
    strangers: Limit<IpAddr>,
    requests: Limit<PersonId>,
    sessions: Sessions,
    transport: StreamableHttpServerConfig,
    /// Calls, and answers that are being sent.
    busy: Busy,
}

impl Http {
    /// Serves what agents have of a host.
    pub fn new(
        host: Host,
        served: Served,
        beside: Beside,
        callers: Arc<dyn Callers>,
        here: Here,
        bounds: HttpBounds,
    ) -> Self {
        let now = Instant::now();
        let each_minute = |each: u32| Allowance {
            window: Duration::from_secs(60),
            each,
            all: each.saturating_mul(64),
        };
        let watch = Watch {
            watchers: beside.watchers.clone(),
            by: Transport::Http,
            open: Busy::new(),
        };
        let room = Room {
            of_one: bounds.sessions_of_one,
            of_all: bounds.sessions,
            idle: bounds.session_idle,
        };
        Self(Arc::new(Shared {
            host,
            served: Arc::new(served),
            beside,
            callers,
            here,
            bounds,
            strangers: Limit::new(each_minute(bounds.strangers_a_minute), now),
            requests: Limit::new(each_minute(bounds.requests_a_minute), now),
            sessions: Sessions::new(room, watch),
            // Who may name this server, and from where, is looked at here.
            transport: StreamableHttpServerConfig::default()
                .disable_allowed_hosts()
                .with_sse_retry(None)
                .with_max_request_body_bytes(bounds.message_bytes),
            busy: Busy::new(),
        }))
    }

    /// Says whether a path is one of the protocol's, or says where its tokens come from.
    pub fn is_at(&self, path: &str) -> bool {
        let describes = path.starts_with("/.well-known/") && self.0.callers.issuer().is_some();
        agent_in(path).is_some() || describes
    }

    /// Counts the open sessions.
    pub async fn sessions(&self) -> usize {
        self.0.sessions.count().await
    }

    /// Answers a request.
    pub async fn answer<B>(&self, request: Request<B>) -> Response<HttpBody>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let metadata = self.metadata(&request);
        let answered = async {
            let under_way = self.0.busy.begin().ok_or(Refused::Ends)?;
            if let Some(described) = self.describe(&request)? {
                return Ok(described);
            }
            let caller = self.admit(&request).await?;
            self.pass_on(caller, request, under_way).await
        };
        let answered = answered.await;
        answered.unwrap_or_else(|refused| refused.response(metadata.as_deref()))
    }

    /// Gives where a client finds out where tokens come from.
    fn metadata<B>(&self, request: &Request<B>) -> Option<String> {
        self.0.callers.issuer()?;
        let origin = self.0.here.named_by(request)?;
        Some(Resource::asked(origin, request.uri().path()).metadata())
    }

    /// Says where tokens come from, to anybody who asks for that.
    fn describe<B>(&self, request: &Request<B>) -> Result<Option<Response<HttpBody>>, Refused> {
        let path = request.uri().path();
        if agent_in(path).is_some() {
            return Ok(None);
        }
        let origin = self.0.here.named_by(request).ok_or(Refused::OtherHost)?;
        let (Some(issuer), Some(resource), &Method::GET) = (
            self.0.callers.issuer(),
            Resource::described_at(origin, path),
            request.method(),
        ) else {
            return Err(Refused::Nothing);
        };
        Ok(Some(resource.describe(issuer, self.0.callers.scopes())))
    }

    /// Finishes what is under way, then ends all sessions and streams. What comes meanwhile is refused.
    pub async fn end(&self) {
        self.0.busy.end().await;
        self.0.transport.cancellation_token.cancel();
        self.0.sessions.ended().await;
    }

    /// Says whether it is about to end.
    pub fn ends(&self) -> bool {
        self.0.busy.ends()
    }

    /// Finds out who calls, before anything of the message is read.
    async fn admit<B>(&self, request: &Request<B>) -> Result<Caller, Refused> {
        let shared = &self.0;
        let origin = shared.here.named_by(request).ok_or(Refused::OtherHost)?;
        if shared.here.is_elsewhere(request) {
            return Err(Refused::OtherOrigin);
        }
        let peer = request
            .extensions()
            .get::<Peer>()
            .map(|peer| network(peer.0));
        let now = Instant::now();
        shared
            .strangers
            .look(peer.as_ref(), now)
            .map_err(Refused::TooMany)?;
        let token = bearer(request.headers());
        let audiences = Resource::asked(origin, request.uri().path()).audiences();
        let person = shared
            .callers
            .person(token.as_ref(), &audiences)
            .await
            .map_err(unavailable)?;
        let Some(person) = person else {
            let _ = shared.strangers.count(peer, now); // It counts from the next one on.
            if token.is_some() {
                tracing::warn!(address = ?peer, "somebody did not get in: the token is nobody's");
            }
            return Err(token.map_or(Refused::NoToken, |_| Refused::Unknown));
        };
        shared
            .requests
            .count(Some(person.clone()), now)
            .map_err(Refused::TooMany)?;
        let named = agent_in(request.uri().path()).flatten();
        let agent = shared.callers.agent(named).await.map_err(unavailable)?;
        let agent = agent.ok_or_else(|| Refused::NoAgent(named.map(str::to_owned)))?;
        Ok(Caller { agent, person })
    }

    /// Reads the message, and gives it to the caller's own server.
    async fn pass_on<B>(
        &self,
        caller: Caller,
        request: Request<B>,
        under_way: UnderWay,
    ) -> Result<Response<HttpBody>, Refused>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let shared = &self.0;
        let person = caller.person.clone();
        let (parts, body) = request.into_parts();
        let message = read(body, shared.bounds.message_bytes).await?;
        let begins = parts.method == Method::POST
            && !parts.headers.contains_key(SESSION)
            && unread::is_initialize(&message);
        let sessions = match begins {
            true => shared
                .sessions
                .begin(&caller)
                .await
                .map_err(|full| match full {
                    NoRoom::One => Refused::OwnSessions,
                    NoRoom::All => Refused::AllSessions,
                })?,
            false => shared.sessions.of(&caller),
        };
        let (is_stream, is_end) = (parts.method == Method::GET, parts.method == Method::DELETE);
        let server = Server {
            host: shared.host.clone(),
            agent: caller.agent,
            person: caller.person,
            served: shared.served.clone(),
            busy: shared.busy.clone(),
            changes: shared.beside.changes.clone(),
            asking: shared.beside.asking.clone(),
            wanted: Wanted::default(),
            watchers: shared.beside.watchers.clone(),
            transport: Transport::Http,
        };
        let make = move || Ok(server.clone());
        let is_batch = batched::is_one(&parts, &message, &sessions)?;
        let service = StreamableHttpService::new(make, sessions, shared.transport.clone());
        let mut response = match is_batch {
            true => self.pass_all_on(person, service, parts, &message).await?,
            false => pass_one_on(&service, parts, message).await,
        };
        if is_end && response.status() == StatusCode::ACCEPTED {
            // It is done, and not merely taken: a client of others' takes the second for a failure.
            *response.status_mut() = StatusCode::NO_CONTENT;
        }
        // A stream on which nothing was asked lasts until the end, and is not waited for.
        Ok(match is_stream {
            true => response.map(|body| WhileSent::new(body, None).boxed()),
            false => WhileSent::answer(response, under_way).await,
        })
    }

    /// Gives the messages of a batch to the library, each as one that came by itself.
    async fn pass_all_on(
        &self,
        person: PersonId,
        service: Service,
        mut parts: Parts,
        body: &Bytes,
    ) -> Result<Response<HttpBody>, Refused> {
        let entries = match batch::split(body) {
            Ok(entries) => entries,
            Err(error) => return Ok(misread::response(StatusCode::BAD_REQUEST, None, &error)),
        };
        let now = Instant::now();
        // The first was counted when it was admitted. Where there is not room for all of them, none counts but that one.
        for counted in 1..entries.len() {
            if let Err(wait) = self.0.requests.count(Some(person.clone()), now) {
                (1..counted).for_each(|_| self.0.requests.give_back(Some(person.clone())));
                return Err(Refused::TooMany(wait));
            }
        }
        batched::mark(&mut parts);
        let service = Arc::new(service);
        let one = move |message| {
            let (service, parts) = (service.clone(), parts.clone());
            async move { pass_one_on(&service, parts, message).await }
        };
        Ok(batched::answer(body, entries, one).await)
    }
}

/// Gives a message to the library.
async fn pass_one_on(service: &Service, parts: Parts, message: Bytes) -> Response<HttpBody> {
    let posted = Posted::of(&parts, &message);
    if let Some(told) = posted.as_ref().and_then(Posted::taken_for_another) {
        return told;
    }
    let request = Request::from_parts(parts, Full::new(message));
    let response = service.handle(request).await;
    let told = posted.and_then(|posted| posted.told(response.status()));
    told.unwrap_or(response)
}

/// Reads a message to its end.
async fn read<B>(body: B, bytes_max: usize) -> Result<Bytes, Refused>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match Limited::new(body, bytes_max).collect().await {
        Ok(message) => Ok(message.to_bytes()),
        Err(error) if is_too_large(&*error) => Err(Refused::TooLarge(bytes_max)),
        Err(_) => Err(Refused::Broken),
    }
}

/// Says whether a body was refused for its size, here or by who passed it on.
fn is_too_large(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut error = Some(error);
    while let Some(one) = error {
        if one.is::<LengthLimitError>() {
            return true;
        }
        error = one.source();
    }
    false
}

/// Reads which agent a path names; none where it is no path of the protocol's.
fn agent_in(path: &str) -> Option<Option<&str>> {
    let rest = path.strip_prefix(PATH)?;
    match rest.strip_prefix('/') {
        None => rest.is_empty().then_some(None),
        Some(agent) => (!agent.is_empty() && !agent.contains('/')).then_some(Some(agent)),
    }
}

fn unavailable(error: PortError) -> Refused {
    tracing::error!(%error, "it could not be found out who calls");
    Refused::Unavailable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_an_agent_or_none() {
        assert_eq!(agent_in("/mcp"), Some(None));
        assert_eq!(agent_in("/mcp/helper"), Some(Some("helper")));
        for other in ["/", "/mcp/", "/mcpx", "/mcp/a/b", "/mcp//", "/MCP", "mcp"] {
            assert_eq!(agent_in(other), None, "{other}");
        }
    }
}
