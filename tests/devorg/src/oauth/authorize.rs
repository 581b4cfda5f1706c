//! `/services/oauth2/authorize`: a person signs in, and lets the app in.
//!
//! Pages of plain forms, which any browser can show and a test can post. What is wrong with the
//! app itself stays on a page of Salesforce's own; everything else goes back to the app, with its
//! `state`.

use std::time::Instant;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::admission::{self, Door, Refusal};
use super::app::App;
use super::grants::{Code, Consent};
use super::scopes::ScopeError;
use super::{AppState, OauthError, Scopes, page, sign_in};
use crate::id::Id;
use crate::state::Shared;
use crate::wire::{Form, Reply, Request};

/// What stands in a query string as it is (RFC 3986, unreserved).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The page of Salesforce's own that says what is wrong with an app.
const ERROR_PAGE: &str = "/setup/secur/RemoteAccessErrorPage.apexp";

/// A request to be let in that has been found in order.
struct Wish<'a> {
    app: App,
    redirect_uri: &'a str,
    state: Option<&'a str>,
    scopes: Scopes,
    challenge: Option<&'a str>,
    nonce: Option<&'a str>,
}

/// Shows where to sign in.
pub(super) fn ask(shared: &Shared, request: &Request) -> Reply {
    let form = request.form();
    match wish(shared, request, &form) {
        Ok(wish) => page::sign_in(&form, shared, &wish.app.name, None),
        Err(reply) => reply,
    }
}

/// Takes what the pages send: who signs in, and then whether the app is let in.
pub(super) fn decide(shared: &Shared, request: &Request) -> Reply {
    let form = request.form();
    let wish = match wish(shared, request, &form) {
        Ok(wish) => wish,
        Err(reply) => return reply,
    };
    let Some(user) = sign_in::who(shared, &form) else {
        let words = "Please check your username and password.";
        return page::sign_in(&form, shared, &wish.app.name, Some(words));
    };
    if let Err(refusal) = admission::of_user(shared, &wish.app, user, Door::Browser) {
        return wish.refused(refusal);
    }
    match form.get("decision") {
        Some("deny") => wish.refused(Refusal::Denied),
        Some("allow") => let_in(shared, wish, user),
        _ if consented(shared, &wish, user, &form) => let_in(shared, wish, user),
        _ => match shared.sign_ins().open(user) {
            Ok(ticket) => page::consent(&form, shared, &wish.app.name, &wish.scopes, user, &ticket),
            Err(_) => wish.no_random(),
        },
    }
}

/// Says whether nobody needs to be asked: an administrator has approved, or the user before.
fn consented(shared: &Shared, wish: &Wish<'_>, user: Id, form: &Form) -> bool {
    let asked_again = form
        .get("prompt")
        .is_some_and(|prompt| prompt.split(' ').any(|word| word == "consent"));
    match wish.app.state {
        AppState::AdminApproved => true,
        AppState::NotPreApproved => false,
        _ => {
            !asked_again
                && shared
                    .grants()
                    .approved(&wish.app.client_id, user, &wish.scopes)
        }
    }
}

fn let_in(shared: &Shared, wish: Wish<'_>, user: Id) -> Reply {
    if admission::approves_uninstalled(shared, user) {
        shared.approve_uninstalled(&wish.app.client_id);
    }
    if shared.access(&shared.org(), user).api_only() {
        return page::api_only();
    }
    let code = Code {
        consent: Consent {
            client_id: wish.app.client_id.clone(),
            user,
            scopes: wish.scopes.clone(),
            asked: true,
        },
        redirect_uri: wish.redirect_uri.to_owned(),
        challenge: wish.challenge.map(str::to_owned),
        nonce: wish.nonce.map(str::to_owned),
        made: Instant::now(),
    };
    match shared.grants().add_code(code) {
        Ok(code) => with_params(
            wish.redirect_uri,
            &[("code", Some(&code)), ("state", wish.state)],
        ),
        Err(_) => wish.no_random(),
    }
}

impl Wish<'_> {
    fn refused(&self, refusal: Refusal) -> Reply {
        let error = refusal.error_in_browser();
        if refusal.stays() {
            return to_error_page(&error, self.state);
        }
        back(self.redirect_uri, self.state, &error)
    }

    fn no_random(&self) -> Reply {
        let error = OauthError::new("server_error", "no random bytes");
        back(self.redirect_uri, self.state, &error)
    }
}

/// Checks a request; what is wrong with it is already an answer.
fn wish<'a>(shared: &Shared, request: &Request, form: &'a Form) -> Result<Wish<'a>, Reply> {
    let app = form
        .get("client_id")
        .and_then(|client_id| shared.apps().find(client_id).cloned())
        .ok_or_else(|| {
            let unknown = OauthError::new("invalid_client_id", "client identifier invalid");
            page::error(&unknown)
        })?;
    let state = form.get("state");
    admission::of_app(&app, request)
        .map_err(|refusal| to_error_page(&refusal.error_in_browser(), state))?;
    let redirect_uri = form.get("redirect_uri").unwrap_or_default();
    if redirect_uri.is_empty() {
        let missing = OauthError::new("redirect_uri_missing", "redirect_uri not provided");
        return Err(page::error(&missing));
    }
    if !app.redirects_to(redirect_uri) {
        return Err(page::error(&OauthError::new(
            "redirect_uri_mismatch",
            "redirect_uri must match configuration",
        )));
    }
    let refuse =
        |error, description| back(redirect_uri, state, &OauthError::new(error, description));
    if form.get("response_type") != Some("code") {
        return Err(refuse(
            "unsupported_response_type",
            "response type not supported",
        ));
    }
    let scopes =
        Scopes::parse(form.get("scope").unwrap_or_default(), &app.scopes()).map_err(|error| {
            match error {
                ScopeError::Unknown => {
                    refuse("invalid_scope", "the requested scope is not allowed")
                }
                ScopeError::NotOfApp => to_error_page(
                    &OauthError::new("invalid_scope", "the requested scope is not allowed"),
                    state,
                ),
            }
        })?;
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
    if app.pkce_needed && challenge.is_none() {
        return Err(refuse("invalid_request", "missing required code challenge"));
    }
    Ok(Wish {
        app,
        redirect_uri,
        state,
        scopes,
        challenge,
        nonce: form.get("nonce"),
    })
}

fn back(redirect_uri: &str, state: Option<&str>, error: &OauthError) -> Reply {
    with_params(redirect_uri, &params(error, state))
}

/// Keeps the browser; the cause stands in the address alone.
fn to_error_page(error: &OauthError, state: Option<&str>) -> Reply {
    with_params(ERROR_PAGE, &params(error, state))
}

fn params<'a>(error: &OauthError, state: Option<&'a str>) -> [(&'static str, Option<&'a str>); 3] {
    [
        ("error", Some(error.error)),
        ("error_description", Some(error.description)),
        ("state", state),
    ]
}

/// Sends the browser elsewhere.
fn with_params(to: &str, params: &[(&str, Option<&str>)]) -> Reply {
    let mut url = to.to_owned();
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
