//! Who is at the browser by the word of the issuer: a person signs in there, and is led back here.
//!
//! The attack: somebody is signed in as another without knowing it, by a way back that another began (login CSRF), or with a code that another
//! got. So a way back counts only in the browser that holds the secret of its own sign-in, of which the state, the nonce and the verifier are
//! made (`cookie`), and once; who somebody is at the issuer is nobody here until an administrator has said so; and what is led back to is a page
//! here (`back`).

use std::time::Instant;

use http::Request;
use hyper::body::Body;

use super::back::Back;
use super::html::Page;
use super::sign_in::address_of;
use super::{Form, Pages, SESSION_LASTS, SIGN_IN_BACK};
use crate::issuer::CameBack;
use crate::random::unguessable;
use crate::{IssuerClient, NotSignedIn};

impl Pages {
    /// Gives where the issuer leads back to.
    fn issuer_redirect(&self) -> String {
        format!("{}{SIGN_IN_BACK}", self.base)
    }

    /// Leads to the issuer.
    pub(super) async fn begin_at_issuer<B>(
        &self,
        issuer: &IssuerClient,
        request: Request<B>,
    ) -> Page
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let Some(fields) = self.form(request, Form::AtIssuer).await else {
            return Page::not_from_here();
        };
        let browser = match unguessable() {
            Ok(browser) => browser,
            Err(error) => return Page::of_error(&error.into()),
        };
        let tie = self.cookies.tie(&browser);
        match issuer.way_out(&tie, &self.issuer_redirect()).await {
            Ok(url) => {
                let back = Back::of(&fields.body);
                let cookie = self
                    .cookies
                    .set_at_issuer(&tie.state, &browser, back.as_ref());
                Page::to_issuer(&issuer.name(), &url).with_cookie(cookie)
            }
            Err(error) => not_signed_in(issuer, &error),
        }
    }

    /// Begins a session, for whom the issuer vouches for and an administrator has said who they are.
    pub(super) async fn come_back<B>(&self, issuer: &IssuerClient, request: &Request<B>) -> Page {
        let address = address_of(request);
        let query = request.uri().query().unwrap_or_default();
        let Some((state, came)) = CameBack::of(query) else {
            return Page::not_from_here();
        };
        let Some((tie, back)) = self.cookies.at_issuer(request.headers(), &state) else {
            tracing::warn!(
                ?address,
                "a way back from the issuer is none of that browser's"
            );
            return Page::not_from_here();
        };
        if let Err(wait) = self.limit.count(address, Instant::now()) {
            tracing::warn!(?address, "there were too many tries to sign in");
            return Page::too_many(wait);
        }
        let over = self.cookies.unset_at_issuer(&state);
        let name = match issuer.who(&tie, &self.issuer_redirect(), came).await {
            Ok(name) => name,
            Err(error) => return not_signed_in(issuer, &error).with_cookie(over),
        };
        let begun = self
            .accounts
            .store()
            .begin_session_of_subject(issuer.url(), &name, SESSION_LASTS)
            .await;
        match begun {
            Ok(Some((session, person))) => {
                let headers = request.headers();
                self.signed_in(&session, &person, address, headers, back)
                    .await
                    .with_cookie(over)
            }
            Ok(None) => {
                tracing::warn!(
                    ?address,
                    "somebody did not get in: the issuer vouches for them, and nobody has said who they are here"
                );
                Page::nobody_here(&issuer.name(), &name, issuer.url()).with_cookie(over)
            }
            Err(error) => Page::of_error(&error.into()).with_cookie(over),
        }
    }
}

fn not_signed_in(issuer: &IssuerClient, error: &NotSignedIn) -> Page {
    let why = match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    tracing::warn!(
        issuer = issuer.url(),
        why,
        "somebody did not get in by the issuer"
    );
    Page::not_vouched(&issuer.name(), error)
}
