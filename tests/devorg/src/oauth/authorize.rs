//! `/services/oauth2/authorize`: one page on which a person signs in and lets the app in.
//!
//! A page that a browser can show and a test can post. What is wrong with the app itself is said
//! on an error page; everything else goes back to the app, with its `state`.

use std::time::Instant;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::grants::Code;
use super::{OauthError, Scopes, page};
use crate::state::Shared;
use crate::wire::{Form, Reply, Request};

/// What stands in a query string as it is (RFC 3986, unreserved).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A request to be let in that has been found in order.
struct Wish<'a> {
    redirect_uri: &'a str,
    state: Option<&'a str>,
    scopes: Scopes,
    challenge: Option<&'a str>,
}

/// Shows the page.
pub(super) fn ask(shared: &Shared, request: &Request) -> Reply {
    let form = request.form();
    match wish(shared, &form) {
        Ok(wish) => page::sign_in(&form, shared, &wish.scopes, None),
        Err(reply) => reply,
    }
}

/// Takes what the page sends: who signs in, and whether the app is let in.
pub(super) fn decide(shared: &Shared, request: &Request) -> Reply {
    let form = request.form();
    let wish = match wish(shared, &form) {
        Ok(wish) => wish,
        Err(reply) => return reply,
    };
    if form.get("decision") == Some("deny") {
        let denied = OauthError::new("access_denied", "end-user denied authorization");
        return back(wish.redirect_uri, wish.state, &denied);
    }
    let given = (
        form.get("username").unwrap_or_default(),
        form.get("password").unwrap_or_default(),
    );
    let user = shared
        .users
        .iter()
        .find(|user| user.username.eq_ignore_ascii_case(given.0) && user.password == given.1);
    let Some(user) = user else {
        let words = "Please check your username and password.";
        return page::sign_in(&form, shared, &wish.scopes, Some(words));
    };
    if !shared.is_active(user.id()) {
        return back(
            wish.redirect_uri,
            wish.state,
            &OauthError::new("inactive_user", "user is inactive"),
        );
    }
    if shared.access(&shared.org(), user.id()).api_only() {
        return page::api_only();
    }
    let code = Code {
        user: user.id(),
        scopes: wish.scopes,
        redirect_uri: wish.redirect_uri.to_owned(),
        challenge: wish.challenge.map(str::to_owned),
        made: Instant::now(),
    };
    match shared.grants().add_code(code) {
        Ok(code) => to_app(
            wish.redirect_uri,
            &[("code", Some(&code)), ("state", wish.state)],
        ),
        Err(_) => back(
            wish.redirect_uri,
            wish.state,
            &OauthError::new("server_error", "no random bytes"),
        ),
    }
}

/// Checks a request; what is wrong with it is already an answer.
fn wish<'a>(shared: &Shared, form: &'a Form) -> Result<Wish<'a>, Reply> {
    let app = &shared.app;
    if form.get("client_id") != Some(&*app.client_id) {
        return Err(page::error(
            "invalid_client_id",
            "client identifier invalid",
        ));
    }
    let redirect_uri = form.get("redirect_uri").unwrap_or_default();
    if !app.redirects_to(redirect_uri) {
        return Err(page::error(
            "redirect_uri_mismatch",
            "redirect_uri must match configuration",
        ));
    }
    let state = form.get("state");
    let refuse =
        |error, description| back(redirect_uri, state, &OauthError::new(error, description));
    if form.get("response_type") != Some("code") {
        return Err(refuse(
            "unsupported_response_type",
            "response type not supported",
        ));
    }
    let scopes = Scopes::parse(form.get("scope").unwrap_or_default())
        .ok_or_else(|| refuse("invalid_scope", "the requested scope is not allowed"))?;
    let challenge = form
        .get("code_challenge")
        .filter(|challenge| !challenge.is_empty());
    // Clients that leave the method out mean S256 all the same, and Salesforce takes them so.
    if form
        .get("code_challenge_method")
        .is_some_and(|method| method != "S256")
    {
        return Err(refuse(
            "invalid_request",
            "code challenge method must be S256",
        ));
    }
    Ok(Wish {
        redirect_uri,
        state,
        scopes,
        challenge,
    })
}

fn back(redirect_uri: &str, state: Option<&str>, error: &OauthError) -> Reply {
    let error = [
        ("error", Some(error.error)),
        ("error_description", Some(error.description)),
        ("state", state),
    ];
    to_app(redirect_uri, &error)
}

/// Sends the browser back to the app.
fn to_app(redirect_uri: &str, params: &[(&str, Option<&str>)]) -> Reply {
    let mut url = redirect_uri.to_owned();
    let mut before = if url.contains('?') { '&' } else { '?' };
    for (name, value) in params {
        if let Some(value) = value {
            url.push(before);
            url.push_str(name);
            url.push('=');
            url.extend(utf8_percent_encode(value, UNRESERVED));
            before = '&';
        }
    }
    Reply::redirect(&url)
}
