//! The pages where a person connects an account: what a link leads to, and where the service leads back to.
//!
//! The attack: a link that somebody else opens, a program that opens it to show a preview, another site that sends its form, a name
//! that is pointed at this address (DNS rebinding), a service whose words are markup. So a link that is opened says who
//! gains access to what and does nothing; only its form begins, with a token that this page gave to this browser; a request counts only
//! where it names this host; a sign-in is bound to the browser by a cookie; and what is shown is escaped, runs nothing, and
//! is framed nowhere.

mod cookie;
mod html;
mod local;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Body;
use portcullis_policy::{ConnectorName, Origin, PersonId};
use portcullis_store::{ConnectLink, Owner, Taken};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

use crate::accounts::known;
use crate::callback::state_of;
use crate::random::unguessable;
use crate::{Accounts, App, Begin, ConnectError, Login, NoRandom, RedirectError, RedirectUri};
use cookie::Cookies;
use html::{Page, Welcome};

pub use local::{LoopbackPages, LoopbackPagesOptions};

/// The path of the callback.
const CALLBACK: &str = "/callback";
/// The path of a link, before its secret.
const CONNECT: &str = "/connect/";
/// Bytes of a form: a token and a tick.
const FORM_BYTES_MAX: usize = 4 << 10;

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
    /// Gives how a person signs in to a connector's service; none where an administrator has not set it up.
    async fn offer(&self, person: &PersonId, connector: &ConnectorName) -> Option<Offer>;
}

/// The pages at one origin. Clones are cheap and the same.
#[derive(Clone)]
pub struct Pages {
    accounts: Accounts,
    offers: Arc<dyn Offers>,
    base: Origin,
    redirect: RedirectUri,
    cookies: Cookies,
}

impl Pages {
    /// Makes the pages of an origin: https, or on this machine.
    ///
    /// # Errors
    ///
    /// [`PagesError`]: no code may come back to that origin, or there is no randomness.
    pub fn new(
        accounts: Accounts,
        offers: Arc<dyn Offers>,
        base: Origin,
    ) -> Result<Self, PagesError> {
        Ok(Self {
            redirect: RedirectUri::parse(&format!("{base}{CALLBACK}"))?,
            cookies: Cookies::of(&base)?,
            accounts,
            offers,
            base,
        })
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
        if !self.is_named(request.headers()) || request.uri().authority().is_some() {
            return Page::words(StatusCode::FORBIDDEN, "This is not the address.").response();
        }
        let path = request.uri().path().to_owned();
        let page = match (request.method(), path.strip_prefix(CONNECT)) {
            (&Method::GET, Some(secret)) => self.welcome(secret.into(), request.headers()).await,
            (&Method::POST, Some(secret)) => self.begin(secret.into(), request).await,
            (&Method::GET, None) if path == CALLBACK => self.finish(&request).await,
            (_, Some(_)) => Page::not_allowed("GET, POST"),
            (_, None) if path == CALLBACK => Page::not_allowed("GET"),
            (_, None) => Page::words(StatusCode::NOT_FOUND, "There is no such page."),
        };
        page.response()
    }

    /// Says whether a request names this host, once.
    fn is_named(&self, headers: &HeaderMap) -> bool {
        let base = self.base.to_string();
        let authority = base
            .split_once("://")
            .map_or("", |(_, authority)| authority);
        let mut hosts = headers.get_all(HOST).iter();
        let is_ours = |host: &HeaderValue| host.as_bytes() == authority.as_bytes();
        hosts.next().is_some_and(is_ours) && hosts.next().is_none()
    }

    /// Says who gains access to what. The link is as good as before.
    async fn welcome(&self, secret: SecretString, headers: &HeaderMap) -> Page {
        let link = match self.accounts.store().look_at_link(&secret).await {
            Ok(Taken::Taken(link)) => *link,
            Ok(Taken::Expired | Taken::Unknown) => return Page::no_link(),
            Err(error) => return Page::of_error(&error.into()),
        };
        match self.welcome_to(&link, &secret, headers).await {
            Ok(page) => page,
            Err(error) => Page::of_error(&error),
        }
    }

    async fn welcome_to(
        &self,
        link: &ConnectLink,
        secret: &SecretString,
        headers: &HeaderMap,
    ) -> Result<Page, ConnectError> {
        let manifest = self.accounts.manifest(&link.connector)?;
        let service = known::service(&manifest)?;
        let Some(offer) = self.offers.offer(&link.person, &link.connector).await else {
            return Ok(Page::no_offer(&manifest.title));
        };
        let store = self.accounts.store();
        let person = store.person(&link.person).await?;
        let agent = store.agent(&link.agent).await?;
        let own = store.own_connection(&link.person, &link.connector).await?;
        let chosen = match offer.scopes.is_empty() {
            true => &service.auth.scopes.default,
            false => &offer.scopes,
        };
        let browser = match self.cookies.page(headers) {
            Some(browser) => browser,
            None => unguessable()?,
        };
        let welcome = Welcome {
            service: &manifest.title,
            login: &offer.login,
            person: person.as_ref().map(|person| person.name.as_str()),
            agent: agent.as_ref().map(|agent| agent.name.as_str()),
            scopes: html::meanings(&service.auth.scopes, chosen),
            organization: own
                .and_then(|own| own.identity)
                .and_then(|identity| identity.organization_name),
            action: format!("{CONNECT}{}", secret.expose_secret()),
            token: self.cookies.form_token(&browser, secret),
        };
        Ok(Page::welcome(&welcome).with_cookie(self.cookies.set_page(&browser)))
    }

    /// Uses the link up, and leads to the service.
    async fn begin<B>(&self, secret: SecretString, request: Request<B>) -> Page
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        let base = self.base.to_string();
        let is_here = |origin: &HeaderValue| origin.as_bytes() == base.as_bytes();
        let browser = self.cookies.page(&parts.headers);
        let (Some(browser), true) = (browser, parts.headers.get(ORIGIN).is_none_or(is_here)) else {
            return Page::not_from_here();
        };
        let Ok(body) = Limited::new(body, FORM_BYTES_MAX).collect().await else {
            return Page::not_from_here();
        };
        let body = body.to_bytes();
        let field = |wanted: &str| {
            let mut fields = form_urlencoded::parse(&body);
            let found = fields.find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.into_owned())
        };
        let token = field("token").unwrap_or_default();
        if !self.cookies.is_form_token(&token, &browser, &secret) {
            return Page::not_from_here();
        }
        let may_change = field("other_organization").is_some();
        match self.begin_by(&secret, may_change).await {
            Ok(page) => page,
            Err(error) => Page::of_error(&error),
        }
    }

    async fn begin_by(
        &self,
        secret: &SecretString,
        may_change: bool,
    ) -> Result<Page, ConnectError> {
        let link = match self.accounts.store().take_link(secret).await? {
            Taken::Taken(link) => *link,
            Taken::Expired | Taken::Unknown => return Ok(Page::no_link()),
        };
        let manifest = self.accounts.manifest(&link.connector)?;
        let Some(offer) = self.offers.offer(&link.person, &link.connector).await else {
            return Ok(Page::no_offer(&manifest.title));
        };
        let browser = unguessable()?;
        let begin = Begin {
            person: &link.person,
            owner: Owner::Person(link.person.clone()),
            connector: &link.connector,
            app: &offer.app,
            login: &offer.login,
            scopes: &offer.scopes,
            redirect: &self.redirect,
            browser: Some(&browser),
            label: &offer.label,
            replaces: None,
            allow_other_organization: may_change,
        };
        let started = self.accounts.begin(begin).await?;
        let cookie = self.cookies.set_sign_in(&started.attempt.state.0, &browser);
        let warning = started.warning.as_deref();
        Ok(Page::onward(&manifest.title, &started.url, warning).with_cookie(cookie))
    }

    /// Finishes the sign-in that a browser comes back from.
    async fn finish<B>(&self, request: &Request<B>) -> Page {
        let query = request.uri().query().unwrap_or_default();
        let browser = state_of(query)
            .ok()
            .and_then(|state| self.cookies.sign_in(request.headers(), &state));
        let finished = self.accounts.finish(query, None, browser.as_ref()).await;
        match finished {
            Ok(connected) => {
                let manifest = self.accounts.manifest(&connected.connector);
                Page::connected(&connected, manifest.ok().as_ref())
            }
            Err(error) => Page::of_error(&error),
        }
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
