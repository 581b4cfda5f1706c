//! A link and what follows: its page, the way to the service, and the way back.

use http::{HeaderMap, Request};
use hyper::body::Body;
use portcullis_store::{ConnectLink, Owner, Taken};
use secrecy::{ExposeSecret, SecretString};

use super::back::Back;
use super::html::{self, Page, Welcome};
use super::sign_in::{Visitor, nobody_came_back};
use super::{CONNECT, Fields, Form, Pages};
use crate::accounts::{Waited, known};
use crate::callback::state_of;
use crate::random::unguessable;
use crate::{Begin, ConnectError};

impl Pages {
    /// Says who gains access to what. The link is as good as before.
    pub(super) async fn welcome(&self, secret: &SecretString, headers: &HeaderMap) -> Page {
        let page = async {
            match self.look(secret, headers).await? {
                Ok((link, visitor)) => self.welcome_to(&link, &visitor, secret, headers).await,
                Err(page) => Ok(page),
            }
        };
        page.await.unwrap_or_else(|error| Page::of_error(&error))
    }

    /// Looks at a link, for who may open it; else gives the page that says why not. Nothing is used up.
    async fn look(
        &self,
        secret: &SecretString,
        headers: &HeaderMap,
    ) -> Result<Result<(ConnectLink, Visitor), Page>, ConnectError> {
        let visitor = self.visitor(headers).await?;
        if matches!(visitor, Visitor::Unknown) {
            return Ok(Err(Page::ask_first(&Back::Link(secret.clone()))));
        }
        let link = match self.accounts.store().look_at_link(secret).await? {
            Taken::Taken(link) => *link,
            Taken::Expired | Taken::Unknown => return Ok(Err(Page::no_link())),
        };
        match &visitor {
            Visitor::Person(person) if person.id != link.person => {
                let (of, by) = (&link.person, &person.id);
                tracing::warn!(%of, %by, connector = %link.connector, "a link was opened by another person than it is for");
                Ok(Err(self.not_yours(person, headers, secret)))
            }
            _ => Ok(Ok((link, visitor))),
        }
    }

    async fn welcome_to(
        &self,
        link: &ConnectLink,
        visitor: &Visitor,
        secret: &SecretString,
        headers: &HeaderMap,
    ) -> Result<Page, ConnectError> {
        let manifest = self.accounts.manifest(&link.connector)?;
        let service = known::service(&manifest)?;
        let offer = match self.offers.offer(&link.person, &link.connector).await {
            Ok(offer) => offer,
            Err(why) => return Ok(Page::no_offer(&manifest.title, &why)),
        };
        let store = self.accounts.store();
        let person = store.person(&link.person).await?;
        let agent = match &link.agent {
            Some(agent) => store.agent(agent).await?,
            None => None,
        };
        let own = store.own_connection(&link.person, &link.connector).await?;
        let chosen = match offer.scopes.is_empty() {
            true => &service.auth.scopes.default,
            false => &offer.scopes,
        };
        let stuck = self.stuck(&service, &link.person, &offer).await?;
        let browser = self.browser(headers)?;
        let welcome = Welcome {
            service: &manifest.title,
            login: &offer.login,
            person: person.as_ref().map(|person| person.name.as_str()),
            is_by_agent: link.agent.is_some(),
            agent: agent.as_ref().map(|agent| agent.name.as_str()),
            scopes: html::meanings(&service.auth.scopes, chosen),
            organization: own
                .and_then(|own| own.identity)
                .and_then(|identity| identity.organization_name),
            stuck,
            action: format!("{CONNECT}{}", secret.expose_secret()),
            token: self.cookies.form_token(&browser, Form::Connect(secret)),
            sign_out: match visitor {
                Visitor::Person(_) => Some(html::sign_in::SignOut {
                    token: self.cookies.form_token(&browser, Form::SignOut),
                    back: Some(Back::Link(secret.clone())),
                }),
                Visitor::AtThisMachine | Visitor::Unknown => None,
            },
        };
        Ok(Page::welcome(&welcome).with_cookie(self.cookies.set_page(&browser)))
    }

    /// Uses the link up, and leads to the service.
    pub(super) async fn begin<B>(&self, secret: &SecretString, request: Request<B>) -> Page
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let Some(fields) = self.form(request, Form::Connect(secret)).await else {
            return Page::not_from_here();
        };
        let may_change = fields.get("other_organization").is_some();
        let page = async {
            match self.look(secret, &fields.headers).await? {
                Ok(_) => self.begin_by(secret, &fields, may_change).await,
                Err(page) => Ok(page),
            }
        };
        page.await.unwrap_or_else(|error| Page::of_error(&error))
    }

    async fn begin_by(
        &self,
        secret: &SecretString,
        fields: &Fields,
        may_change: bool,
    ) -> Result<Page, ConnectError> {
        let link = match self.accounts.store().take_link(secret).await? {
            Taken::Taken(link) => *link,
            Taken::Expired | Taken::Unknown => return Ok(Page::no_link()),
        };
        let waited = Waited::by(&link, secret);
        let browser = self.browser(&fields.headers)?;
        let wait = self.waiting_at(&link, secret, &browser);
        let begun = self.begin_for(&link, &waited, &wait, may_change).await;
        if let Err(error) = &begun {
            let (problem, hint) = (error.to_string(), error.hint());
            self.accounts.tell_refused(&waited, problem, hint).await;
        }
        begun
    }

    async fn begin_for(
        &self,
        link: &ConnectLink,
        waited: &Waited,
        wait: &str,
        may_change: bool,
    ) -> Result<Page, ConnectError> {
        let manifest = self.accounts.manifest(&link.connector)?;
        let offer = match self.offers.offer(&link.person, &link.connector).await {
            Ok(offer) => offer,
            Err(why) => {
                let problem = why.to_string();
                self.accounts.tell_refused(waited, problem, None).await;
                return Ok(Page::no_offer(&manifest.title, &why));
            }
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
            link: Some(waited.link),
            browser: Some(&browser),
            label: &offer.label,
            replaces: None,
            allow_other_organization: may_change,
        };
        let started = self.accounts.begin(begin).await?;
        let cookie = self.cookies.set_sign_in(&started.attempt.state.0, &browser);
        let warning = started.warning.as_deref();
        Ok(Page::onward(&manifest.title, &started.url, warning, wait).with_cookie(cookie))
    }

    /// Finishes the sign-in that a browser comes back from. Where people sign in, it is that of the person who has.
    pub(super) async fn finish<B>(&self, request: &Request<B>) -> Page {
        let query = request.uri().query().unwrap_or_default();
        let visitor = match self.visitor(request.headers()).await {
            Ok(Visitor::Unknown) => return nobody_came_back(),
            Ok(visitor) => visitor,
            Err(error) => return Page::of_error(&error),
        };
        let browser = state_of(query)
            .ok()
            .and_then(|state| self.cookies.sign_in(request.headers(), &state));
        // No sign-in that was begun elsewhere ends here: a browser that holds no secret has one that fits nothing.
        let browser = match browser.map_or_else(unguessable, Ok) {
            Ok(browser) => browser,
            Err(error) => return Page::of_error(&error.into()),
        };
        let (redirect, who) = (&self.redirect, visitor.person());
        let finished = self
            .accounts
            .finish(query, redirect, who, Some(&browser))
            .await;
        match finished {
            Ok(connected) => {
                let manifest = self.accounts.manifest(&connected.connector);
                Page::connected(&connected, manifest.ok().as_ref())
            }
            Err(error) => Page::of_error(&error),
        }
    }
}
