//! The page that stays while a person is at the service: what came of it, and, after a minute, what an error may mean that the
//! service shows on a page of its own, from which nothing leads back.
//!
//! The attack: somebody who has read a link looks at what came of it. So the page is for the browser that went on from the link, by a
//! token that it alone was given, and, where people sign in, for the person whose link it was.

use std::time::Duration;

use http::HeaderMap;
use portcullis_policy::{ConnectionId, ConnectorName, PersonId};
use portcullis_store::{ConnectLink, LinkEnd, LinkState};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

use super::back::Back;
use super::html::Page;
use super::{CONNECT, Form, Offer, Pages};
use crate::accounts::known;
use crate::{ConnectError, Connected, Guide, SIGN_IN_LASTS, Service, Subject, guides_on_page};

/// What is left of a sign-in that began a minute ago: who has not come back by then is likely to have been kept at the service.
const NOT_BACK: Duration = SIGN_IN_LASTS.saturating_sub(Duration::from_secs(60));

/// Whose sign-in is waited for.
pub(super) struct Awaited {
    person: PersonId,
    connector: ConnectorName,
    token: String,
}

impl Awaited {
    /// Reads the query of the page's address.
    fn of(query: &str) -> Option<Self> {
        let param = |wanted: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            let found = pairs.find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.into_owned())
        };
        Some(Self {
            person: PersonId::parse(param("of")?).ok()?,
            connector: ConnectorName::parse(param("at")?).ok()?,
            token: param("wait")?,
        })
    }
}

impl Pages {
    /// Gives the address of the page for the browser that has gone on from a link.
    pub(super) fn waiting_at(
        &self,
        link: &ConnectLink,
        secret: &SecretString,
        browser: &SecretString,
    ) -> String {
        let (person, connector) = (&link.person, &link.connector);
        let form = Form::Wait {
            link: secret,
            person,
            connector,
        };
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("of", person.as_str())
            .append_pair("at", connector.as_str())
            .append_pair("wait", &self.cookies.form_token(browser, form))
            .finish();
        format!("{CONNECT}{}?{query}", secret.expose_secret())
    }

    /// Says how far a sign-in has come, to the browser that went for it; none to all others.
    pub(super) async fn waiting(
        &self,
        secret: &SecretString,
        query: &str,
        headers: &HeaderMap,
    ) -> Option<Page> {
        let awaited = Awaited::of(query)?;
        let browser = self.cookies.page(headers)?;
        let form = Form::Wait {
            link: secret,
            person: &awaited.person,
            connector: &awaited.connector,
        };
        if !self.cookies.is_form_token(&awaited.token, &browser, form) {
            return None;
        }
        let page = async {
            if self.signs_in() && self.visitor(headers).await?.person() != Some(&awaited.person) {
                return Ok(Page::ask_first(&Back::Link(secret.clone())));
            }
            let here = format!("{CONNECT}{}?{query}", secret.expose_secret());
            match self.accounts.store().link_state(secret).await? {
                LinkState::Ended(LinkEnd::Connected(id)) => self.connected_since(&id).await,
                LinkState::Ended(LinkEnd::Refused { problem, hint }) => {
                    Ok(Page::refused(&problem, hint.as_deref()))
                }
                LinkState::Open | LinkState::Begun => self.still(&awaited, &here).await,
            }
        };
        Some(page.await.unwrap_or_else(|error| Page::of_error(&error)))
    }

    async fn still(&self, awaited: &Awaited, here: &str) -> Result<Page, ConnectError> {
        let manifest = self.accounts.manifest(&awaited.connector)?;
        let service = known::service(&manifest)?;
        let (person, connector) = (&awaited.person, &awaited.connector);
        let offer = self.offers.offer(person, connector).await;
        let stuck = match offer {
            Ok(offer) => self.stuck(&service, person, &offer).await?,
            Err(_) => Vec::new(),
        };
        Ok(Page::waiting(&manifest.title, &stuck, here))
    }

    /// What the service's own page may mean, for who went there a minute ago and has not come back.
    pub(super) async fn stuck(
        &self,
        service: &Service<'_>,
        person: &PersonId,
        offer: &Offer,
    ) -> Result<Vec<Guide>, ConnectError> {
        let store = self.accounts.store();
        if !store.has_sign_in_ending_within(person, NOT_BACK).await? {
            return Ok(Vec::new());
        }
        let scopes = match offer.scopes.is_empty() {
            true => service.auth.scopes.default.clone(),
            false => offer.scopes.clone(),
        };
        let subject = Subject {
            origin: offer.login.origin.clone(),
            callback: Some(self.redirect.to_string()),
            client_id: Some(offer.app.client_id.clone()),
            scopes,
        };
        Ok(guides_on_page(service.auth, &subject))
    }

    async fn connected_since(&self, id: &ConnectionId) -> Result<Page, ConnectError> {
        let stored = self.accounts.store().stored_connection(id).await?;
        let stored = stored.ok_or(ConnectError::Gone)?;
        let manifest = self.accounts.manifest(&stored.connector).ok();
        let connected = Connected::of_stored(stored).ok_or(ConnectError::Gone)?;
        Ok(Page::connected(&connected, manifest.as_ref()))
    }
}
