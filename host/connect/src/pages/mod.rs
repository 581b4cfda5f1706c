//! The pages where a person connects an account: what a link leads to, and where the service leads back to; and where a person
//! decides on a question (`approve`).
//!
//! The attack: a link that somebody else opens, a program that opens it to show a preview, another site that sends its form, a name
//! that is pointed at this address (DNS rebinding), a service whose words are markup. So a link that is opened says who
//! gains access to what and does nothing; only its form begins, with a token that this page gave to this browser; a request counts only
//! where it names this host; a sign-in is bound to the browser by a cookie; and what is shown is escaped, runs nothing, and
//! is framed nowhere.
//!
//! Away from a person's own machine, anybody can be at the browser: somebody who is lured into lending their account by
//! a link that is another's. So there (at every address of https) a link, and the way back, are for that person alone,
//! signed in by a token of their own (`sign_in`), or at the issuer that the server believes (`vouched`).

mod approve;
mod back;
mod connect;
mod cookie;
mod html;
mod local;
mod same_store;
mod sign_in;
mod vouched;
mod waiting;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http::header::ORIGIN;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Body;
use portcullis_policy::{ConnectorName, Origin, PersonId};
use secrecy::SecretString;
use tokio::time::timeout;
use url::form_urlencoded;

use crate::links::Questions;
use crate::named::Named;
use crate::{
    Accounts, Allowance, App, Decisions, IssuerClient, Limit, Login, NoRandom, RedirectError,
    RedirectUri,
};
use cookie::{Cookies, Form, is_secret};
pub(crate) use html::Page;
use html::front::Front;

pub use html::front::front_page;
pub use local::{LoopbackPages, LoopbackPagesOptions};
pub use same_store::pages_here;

/// How long somebody stays signed in to the pages: a working day.
pub const SESSION_LASTS: Duration = Duration::from_secs(12 * 3_600);

/// The bare address.
const FRONT: &str = "/";
/// The path of the callback.
const CALLBACK: &str = "/callback";
/// The path of a link, before its secret.
const CONNECT: &str = "/connect/";
/// Where a person signs in to these pages.
const SIGN_IN: &str = "/sign-in";
/// Where they go on to the issuer.
const SIGN_IN_AT: &str = "/sign-in/issuer";
/// Where that leads back to.
pub const SIGN_IN_BACK: &str = "/sign-in/issuer/back";
/// Where they sign out.
const SIGN_OUT: &str = "/sign-out";
/// The path of a question, before its id.
const APPROVE: &str = "/approve/";
/// Where the questions are that wait for a person.
const APPROVALS: &str = "/approvals";
/// Bytes of a form: some tokens and a tick, or a reason.
const FORM_BYTES_MAX: usize = 8 << 10;
/// How long a form may take to arrive.
const FORM_TAKES: Duration = Duration::from_secs(10);

/// Tries to sign in that fail.
const TRIES: Allowance = Allowance {
    window: Duration::from_secs(600),
    each: 10,
    all: 2_000,
};

/// How people sign in to a connector's service here.
#[derive(Clone, Debug)]
pub struct Offer {
    /// As which app.
    pub app: App,
    /// Where.
    pub login: Login,
    /// What is asked for; empty: what the manifest asks for.
    pub scopes: Vec<String>,
    /// What the connection will be called.
    pub label: String,
}

/// Says how people sign in.
#[async_trait]
pub trait Offers: Send + Sync {
    /// Gives how a person signs in to a connector's service.
    ///
    /// # Errors
    ///
    /// [`NoOffer`] says to that person why they cannot.
    async fn offer(&self, person: &PersonId, connector: &ConnectorName) -> Result<Offer, NoOffer>;
}

/// Why nobody signs in to a connector's service here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoOffer {
    /// An administrator has not set it up.
    #[error("nobody has set up yet how people sign in here: ask an administrator")]
    NotSetUp,
    /// It is not clear how.
    #[error("{0}")]
    Because(String),
}

/// From which address a request comes. A server puts it into the request's extensions; without it nobody's tries to sign in are
/// told from another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// The pages at one origin. Clones are cheap and the same.
#[derive(Clone)]
pub struct Pages {
    accounts: Accounts,
    offers: Arc<dyn Offers>,
    decisions: Option<Decisions>,
    base: Origin,
    redirect: RedirectUri,
    named: Named,
    cookies: Cookies,
    /// Where people sign in besides.
    issuer: Option<Arc<IssuerClient>>,
    /// Whether clients of the protocol are served at the same address.
    serves: bool,
    limit: Arc<Limit<IpAddr>>,
}

impl Pages {
    /// Makes the pages of an origin: https, where people sign in first, or on this machine. Without decisions, nobody decides on
    /// questions there.
    ///
    /// # Errors
    ///
    /// [`PagesError`]: no code may come back to that origin, or there is no randomness.
    pub fn new(
        accounts: Accounts,
        offers: Arc<dyn Offers>,
        decisions: Option<Decisions>,
        base: Origin,
    ) -> Result<Self, PagesError> {
        let redirect = RedirectUri::parse(&format!("{base}{CALLBACK}"))?;
        Ok(Self {
            named: Named::of(&redirect),
            redirect,
            cookies: Cookies::of(&base)?,
            issuer: None,
            serves: false,
            limit: Arc::new(Limit::new(TRIES, Instant::now())),
            accounts,
            offers,
            decisions,
            base,
        })
    }

    /// Has people sign in at an issuer, too, where they sign in at all: as the client whose redirect URI is [`SIGN_IN_BACK`] of this origin.
    #[must_use]
    pub fn with_issuer(self, issuer: IssuerClient) -> Self {
        Self {
            issuer: Some(Arc::new(issuer)),
            ..self
        }
    }

    /// Says that clients of the Model Context Protocol are served at the same address, for who opens that.
    #[must_use]
    pub fn beside_mcp(self) -> Self {
        Self {
            serves: true,
            ..self
        }
    }

    /// Gives the callback URL.
    pub fn redirect(&self) -> &RedirectUri {
        &self.redirect
    }

    /// Answers a request.
    pub async fn answer<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let page = match self.named.is(&request) {
            true => self.page(request).await,
            false => Page::words(StatusCode::FORBIDDEN, "This is not the address."),
        };
        // On a person's own machine, other programs have addresses that differ by the port alone.
        page.response(self.signs_in() && !self.base.is_loopback())
    }

    async fn page<B>(&self, request: Request<B>) -> Page
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let path = request.uri().path().to_owned();
        let method = request.method().clone();
        if let Some(secret) = path.strip_prefix(CONNECT) {
            let (true, secret) = (is_secret(secret), SecretString::from(secret)) else {
                return Page::no_link();
            };
            return match method {
                Method::GET => {
                    let (query, headers) = (request.uri().query(), request.headers());
                    match self
                        .waiting(&secret, query.unwrap_or_default(), headers)
                        .await
                    {
                        Some(page) => page,
                        None => self.welcome(&secret, headers).await,
                    }
                }
                Method::POST => self.begin(&secret, request).await,
                _ => Page::not_allowed("GET, POST"),
            };
        }
        if let Some((decisions, what)) = self.decisions.as_ref().zip(questions_at(&path)) {
            return match method {
                Method::GET => self.ask_person(what, &request).await,
                Method::POST => self.decide(decisions, what, request).await,
                _ => Page::not_allowed("GET, POST"),
            };
        }
        if let Some(issuer) = self.issuer.as_ref().filter(|_| self.signs_in()) {
            match (&method, &*path) {
                (&Method::POST, SIGN_IN_AT) => return self.begin_at_issuer(issuer, request).await,
                (_, SIGN_IN_AT) => return Page::not_allowed("POST"),
                (&Method::GET, SIGN_IN_BACK) => return self.come_back(issuer, &request).await,
                (_, SIGN_IN_BACK) => return Page::not_allowed("GET"),
                _ => {}
            }
        }
        match (method, &*path) {
            (Method::GET, FRONT) => Page::front(Front {
                decides: self.decisions.is_some(),
                serves: self.serves,
            }),
            (_, FRONT) => Page::not_allowed("GET"),
            (Method::GET, CALLBACK) => self.finish(&request).await,
            (_, CALLBACK) => Page::not_allowed("GET"),
            (Method::GET, SIGN_IN) if self.signs_in() => self.ask(&request).await,
            (Method::POST, SIGN_IN) if self.signs_in() => self.sign_in(request).await,
            (_, SIGN_IN) if self.signs_in() => Page::not_allowed("GET, POST"),
            (Method::POST, SIGN_OUT) if self.signs_in() => self.sign_out(request).await,
            (_, SIGN_OUT) if self.signs_in() => Page::not_allowed("POST"),
            _ => Page::words(StatusCode::NOT_FOUND, "There is no such page."),
        }
    }

    /// Says whether people sign in here: by https, for a session on its way could be read.
    fn signs_in(&self) -> bool {
        self.base.is_https()
    }

    /// Reads a form that this browser sends from a page that it was shown; none where it is another's.
    async fn form<B>(&self, request: Request<B>, form: Form<'_>) -> Option<Fields>
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        let browser = self.cookies.page(&parts.headers)?;
        if !self.is_from_here(&parts.headers) {
            return None;
        }
        let body = Limited::new(body, FORM_BYTES_MAX).collect();
        let body = timeout(FORM_TAKES, body).await.ok()?.ok()?.to_bytes();
        let fields = Fields {
            body,
            headers: parts.headers,
        };
        let token = fields.get("token")?;
        self.cookies
            .is_form_token(&token, &browser, form)
            .then_some(fields)
    }

    /// Says whether a browser sends a form from a page of this origin. Every browser says from where.
    fn is_from_here(&self, headers: &HeaderMap) -> bool {
        let base = self.base.to_string();
        let mut origins = headers.get_all(ORIGIN).iter();
        let is_here = |origin: &HeaderValue| origin.as_bytes() == base.as_bytes();
        origins.next().is_some_and(is_here) && origins.next().is_none()
    }
}

/// Reads which questions a path is about.
fn questions_at(path: &str) -> Option<Questions> {
    match path.strip_prefix(APPROVE) {
        Some(id) => id.parse().ok().map(Questions::One),
        None => (path == APPROVALS).then_some(Questions::All),
    }
}

/// The fields of a form, and what came with it.
struct Fields {
    body: Bytes,
    headers: HeaderMap,
}

impl Fields {
    /// Gives a field; the first of its name.
    fn get(&self, wanted: &str) -> Option<String> {
        let mut fields = form_urlencoded::parse(&self.body);
        let found = fields.find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.into_owned())
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

/// Why there are no pages.
#[derive(Debug, thiserror::Error)]
pub enum PagesError {
    /// No code may come back there.
    #[error(transparent)]
    Address(#[from] RedirectError),
    /// There is nothing that cannot be guessed.
    #[error(transparent)]
    NoRandom(#[from] NoRandom),
}
