//! Who is at the browser: a person signs in to these pages by a token of theirs.
//!
//! The attack: somebody is signed in as another without knowing it (a form that another site sends, a cookie that was planted, a
//! session that was there before), or is led elsewhere afterwards by a page that they trust. So the form counts only from the page
//! that this browser was shown; each sign-in makes a new session; and what is led back to is a link, of which nothing but
//! the secret is taken from the request.

use std::time::Instant;

use http::{HeaderMap, Request, StatusCode};
use hyper::body::Body;
use portcullis_policy::PersonId;
use portcullis_store::Person;
use secrecy::SecretString;
use url::form_urlencoded;

use super::html::Page;
use super::html::sign_in::{Asked, SignOut};
use super::{Form, Pages, Peer, SESSION_LASTS, is_secret};
use crate::random::unguessable;
use crate::{ConnectError, NoRandom, network};

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
        let person = self.accounts.store().person_of_session(&session).await?;
        Ok(person.map_or(Visitor::Unknown, Visitor::Person))
    }

    /// Asks who it is, or says who is signed in.
    pub(super) async fn ask<B>(&self, request: &Request<B>) -> Page {
        let link = link_in(request.uri().query().unwrap_or_default());
        let asked = async {
            match self.visitor(request.headers()).await? {
                Visitor::Person(person) => {
                    let (sign_out, cookie) = self.sign_out_form(request.headers(), link)?;
                    Ok(Page::signed_in(&person.name, &sign_out).with_cookie(cookie))
                }
                Visitor::AtThisMachine | Visitor::Unknown => {
                    let page = self.sign_in_form(request.headers(), link, None)?;
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
        let peer = request.extensions().get::<Peer>();
        let address = peer.map(|peer| network(peer.0));
        let Some(fields) = self.form(request, Form::SignIn).await else {
            return Page::not_from_here();
        };
        if let Err(wait) = self.limit.count(address, Instant::now()) {
            tracing::warn!(?address, "there were too many tries to sign in");
            return Page::too_many(wait);
        }
        let token: SecretString = fields.get("secret").unwrap_or_default().trim().into();
        let link = fields.get("link").and_then(as_link);
        let store = self.accounts.store();
        let begun = match store.begin_session(&token, SESSION_LASTS).await {
            Ok(begun) => begun,
            Err(error) => return Page::of_error(&error.into()),
        };
        let Some((session, person)) = begun else {
            tracing::warn!(?address, "somebody did not get in: the token is nobody's");
            let page = self.sign_in_form(&fields.headers, link, Some(Asked::NOT_KNOWN));
            return page.unwrap_or_else(|error| Page::of_error(&error.into()));
        };
        self.limit.give_back(address);
        tracing::info!(person = %person.id, ?address, "signed in");
        // What the browser had before is good for nothing any more.
        if let Some(before) = self.cookies.session(&fields.headers)
            && let Err(error) = store.end_session(&before).await
        {
            tracing::warn!(%error, "the session before was not ended");
        }
        Page::go_to(link.as_ref()).with_cookie(self.cookies.set_session(&session))
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
        let link = fields.get("link").and_then(as_link);
        Page::ask_again(link.as_ref()).with_cookie(self.cookies.unset_session())
    }

    /// Refuses who has signed in as another person than a link is for, without a word about whose it is.
    pub(super) fn not_yours(
        &self,
        visitor: &Person,
        headers: &HeaderMap,
        link: &SecretString,
    ) -> Page {
        let page = self
            .sign_out_form(headers, Some(link.clone()))
            .map(|(form, cookie)| Page::not_yours(&visitor.name, &form).with_cookie(cookie));
        page.unwrap_or_else(|error| Page::of_error(&error.into()))
    }

    /// Makes the page that asks, and the cookie that its form counts with.
    fn sign_in_form(
        &self,
        headers: &HeaderMap,
        link: Option<SecretString>,
        problem: Option<&'static str>,
    ) -> Result<Page, NoRandom> {
        let browser = self.browser(headers)?;
        let page = Page::sign_in(&Asked {
            token: self.cookies.form_token(&browser, Form::SignIn),
            link,
            problem,
        });
        Ok(page.with_cookie(self.cookies.set_page(&browser)))
    }

    /// Makes the form by which somebody signs out, and the cookie that it counts with.
    pub(super) fn sign_out_form(
        &self,
        headers: &HeaderMap,
        link: Option<SecretString>,
    ) -> Result<(SignOut, String), NoRandom> {
        let browser = self.browser(headers)?;
        let form = SignOut {
            token: self.cookies.form_token(&browser, Form::SignOut),
            link,
        };
        Ok((form, self.cookies.set_page(&browser)))
    }

    /// Gives what a page is bound to: the browser's secret, or a new one.
    pub(super) fn browser(&self, headers: &HeaderMap) -> Result<SecretString, NoRandom> {
        match self.cookies.page(headers) {
            Some(browser) => Ok(browser),
            None => unguessable(),
        }
    }
}

/// Reads which link is led back to.
fn link_in(query: &str) -> Option<SecretString> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, value) = pairs.find(|(name, _)| name == "link")?;
    as_link(value.into_owned())
}

/// Takes a link's secret. What cannot be one, such as an address, is none.
fn as_link(text: String) -> Option<SecretString> {
    is_secret(&text).then(|| text.into())
}

/// What is answered where nobody who is known comes back from a service.
pub(super) fn nobody_came_back() -> Page {
    Page::words(
        StatusCode::FORBIDDEN,
        "You are not signed in here, or no longer. Open the link again and sign in first.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_led_back_to_is_a_link_or_nothing() {
        let link = "A-_z".repeat(10) + "abc";
        assert!(link_in(&format!("link={link}")).is_some());
        assert!(link_in(&format!("x=y&link={link}&link=//evil.example")).is_some());
        for query in [
            "",
            "link=",
            "link=//evil.example",
            "link=/%5Cevil.example",
            "link=https:evil.example",
            "link=https%3A%2F%2Fevil.example%2F",
            "link=%252F%252Fevil.example",
            "link=/connect/x",
            "link=..%2F..%2Fsign-out%2Fxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            &format!("link={link}x"),
            &format!("link=/{link}"),
            &format!("link={}%0d%0a", &link[2..]),
            &format!("link={}.", &link[1..]),
            &format!("to={link}"),
        ] {
            assert!(link_in(query).is_none(), "{query}");
        }
    }
}
