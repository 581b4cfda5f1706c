//! Who is at the browser: a person signs in to these pages by a token of theirs, or at the issuer (`vouched`).
//!
//! The attack: somebody is signed in as another without knowing it (a form that another site sends, a cookie that was planted, a
//! session that was there before), or is led elsewhere afterwards by a page that they trust. So the form counts only from the page
//! that this browser was shown; each sign-in makes a new session; and what is led back to is a page here (`back`).

use std::net::IpAddr;
use std::time::Instant;

use http::{HeaderMap, Request, StatusCode};
use hyper::body::Body;
use portcullis_policy::PersonId;
use portcullis_store::Person;
use secrecy::SecretString;

use super::back::Back;
use super::html::Page;
use super::html::sign_in::{Asked, AtIssuer, SignOut};
use super::{Form, Pages, Peer, SESSION_LASTS};
use crate::random::unguessable;
use crate::{ConnectError, IssuerClient, NoRandom, network};

/// Who may open what is for one person.
pub(super) enum Visitor {
    /// Whoever is at this machine.
    AtThisMachine,
    /// A person who has signed in.
    Person(Person),
    /// Nobody who has signed in.
    Unknown,
}

impl Visitor {
    /// Gives who has signed in.
    pub(super) fn person(&self) -> Option<&PersonId> {
        match self {
            Self::Person(person) => Some(&person.id),
            Self::AtThisMachine | Self::Unknown => None,
        }
    }
}

impl Pages {
    /// Says who is at the browser.
    pub(super) async fn visitor(&self, headers: &HeaderMap) -> Result<Visitor, ConnectError> {
        if !self.signs_in() {
            return Ok(Visitor::AtThisMachine);
        }
        let Some(session) = self.cookies.session(headers) else {
            return Ok(Visitor::Unknown);
        };
        let store = self.accounts.store();
        let issuer = self.issuer.as_deref().map(IssuerClient::url);
        let person = store.person_of_session(&session, issuer).await?;
        Ok(person.map_or(Visitor::Unknown, Visitor::Person))
    }

    /// Asks who it is, or says who is signed in.
    pub(super) async fn ask<B>(&self, request: &Request<B>) -> Page {
        let back = Back::of(request.uri().query().unwrap_or_default().as_bytes());
        let asked = async {
            match self.visitor(request.headers()).await? {
                Visitor::Person(person) => {
                    let (sign_out, cookie) = self.sign_out_form(request.headers(), back)?;
                    Ok(Page::signed_in(&person.name, &sign_out).with_cookie(cookie))
                }
                Visitor::AtThisMachine | Visitor::Unknown => {
                    let page = self.sign_in_form(request.headers(), back, None)?;
                    Ok(page)
                }
            }
        };
        asked.await.unwrap_or_else(|error| Page::of_error(&error))
    }

    /// Begins a session, for who has a token.
    pub(super) async fn sign_in<B>(&self, request: Request<B>) -> Page
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let address = address_of(&request);
        let Some(fields) = self.form(request, Form::SignIn).await else {
            return Page::not_from_here();
        };
        if let Err(wait) = self.limit.count(address, Instant::now()) {
            tracing::warn!(?address, "there were too many tries to sign in");
            return Page::too_many(wait);
        }
        let token: SecretString = fields.get("secret").unwrap_or_default().trim().into();
        let back = Back::of(&fields.body);
        let store = self.accounts.store();
        let begun = match store.begin_session(&token, SESSION_LASTS).await {
            Ok(begun) => begun,
            Err(error) => return Page::of_error(&error.into()),
        };
        let Some((session, person)) = begun else {
            tracing::warn!(?address, "somebody did not get in: the token is nobody's");
            let page = self.sign_in_form(&fields.headers, back, Some(Asked::NOT_KNOWN));
            return page.unwrap_or_else(|error| Page::of_error(&error.into()));
        };
        self.signed_in(&session, &person, address, &fields.headers, back)
            .await
    }

    /// Hands a session that has begun to the browser, and leads back.
    pub(super) async fn signed_in(
        &self,
        session: &SecretString,
        person: &Person,
        address: Option<IpAddr>,
        headers: &HeaderMap,
        back: Option<Back>,
    ) -> Page {
        self.limit.give_back(address);
        tracing::info!(person = %person.id, ?address, "signed in");
        // What the browser had before is good for nothing any more.
        if let Some(before) = self.cookies.session(headers)
            && let Err(error) = self.accounts.store().end_session(&before).await
        {
            tracing::warn!(%error, "the session before was not ended");
        }
        Page::go_to(back.as_ref()).with_cookie(self.cookies.set_session(session))
    }

    /// Ends the session.
    pub(super) async fn sign_out<B>(&self, request: Request<B>) -> Page
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let Some(fields) = self.form(request, Form::SignOut).await else {
            return Page::not_from_here();
        };
        if let Some(session) = self.cookies.session(&fields.headers)
            && let Err(error) = self.accounts.store().end_session(&session).await
        {
            return Page::of_error(&error.into());
        }
        let back = Back::of(&fields.body);
        Page::ask_again(back.as_ref()).with_cookie(self.cookies.unset_session())
    }

    /// Refuses who has signed in as another person than a link is for, without a word about whose it is.
    pub(super) fn not_yours(
        &self,
        visitor: &Person,
        headers: &HeaderMap,
        link: &SecretString,
    ) -> Page {
        let page = self
            .sign_out_form(headers, Some(Back::Link(link.clone())))
            .map(|(form, cookie)| Page::not_yours(&visitor.name, &form).with_cookie(cookie));
        page.unwrap_or_else(|error| Page::of_error(&error.into()))
    }

    /// Makes the page that asks, and the cookie that its form counts with.
    fn sign_in_form(
        &self,
        headers: &HeaderMap,
        back: Option<Back>,
        problem: Option<&'static str>,
    ) -> Result<Page, NoRandom> {
        let browser = self.browser(headers)?;
        let page = Page::sign_in(&Asked {
            token: self.cookies.form_token(&browser, Form::SignIn),
            back,
            problem,
            issuer: self.issuer.as_ref().map(|issuer| AtIssuer {
                token: self.cookies.form_token(&browser, Form::AtIssuer),
                name: issuer.name(),
            }),
        });
        Ok(page.with_cookie(self.cookies.set_page(&browser)))
    }

    /// Makes the form by which somebody signs out, and the cookie that it counts with.
    pub(super) fn sign_out_form(
        &self,
        headers: &HeaderMap,
        back: Option<Back>,
    ) -> Result<(SignOut, String), NoRandom> {
        let browser = self.browser(headers)?;
        let form = self.sign_out_by(&browser, back);
        Ok((form, self.cookies.set_page(&browser)))
    }

    /// Makes the form by which somebody signs out, on a page that is bound to a browser already.
    pub(super) fn sign_out_by(&self, browser: &SecretString, back: Option<Back>) -> SignOut {
        SignOut {
            token: self.cookies.form_token(browser, Form::SignOut),
            back,
        }
    }

    /// Gives what a page is bound to: the browser's secret, or a new one.
    pub(super) fn browser(&self, headers: &HeaderMap) -> Result<SecretString, NoRandom> {
        match self.cookies.page(headers) {
            Some(browser) => Ok(browser),
            None => unguessable(),
        }
    }
}

/// Gives from where a request comes, as tries are counted.
pub(super) fn address_of<B>(request: &Request<B>) -> Option<IpAddr> {
    let peer = request.extensions().get::<Peer>();
    peer.map(|peer| network(peer.0))
}

/// What is answered where nobody who is known comes back from a service.
pub(super) fn nobody_came_back() -> Page {
    Page::words(
        StatusCode::FORBIDDEN,
        "You are not signed in here, or no longer. Open the link again and sign in first.",
    )
}
