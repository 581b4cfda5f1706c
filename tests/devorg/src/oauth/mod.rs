//! OAuth 2.0: how a person lets an app in, and how the app stays in.
//!
//! The authorization code flow with PKCE (RFC 6749 and RFC 7636; S256 alone) and its refresh, and
//! the flows without a browser, as Salesforce's help has them ("OAuth Authorization Flows"). Codes
//! and tokens are kept in memory; tokens in the state file, too, if there is one.

mod admission;
mod app;
mod app_state;
mod apps;
mod authorize;
mod direct;
mod grants;
mod id_token;
mod identity;
mod jwt;
mod origin;
mod page;
mod random;
mod samples;
mod scopes;
mod sign_in;
mod token;
mod usage;

use http::Method;
use serde_json::json;

use crate::state::Shared;
use crate::wire::{Reply, Request};
pub(crate) use app::{App, Apps, KeptApp};
pub use app_state::AppState;
pub use apps::DevApp;
pub use grants::IssuedTokens;
pub(crate) use grants::{Consent, Given, GrantKey, Grants};
pub(crate) use id_token::keys;
pub(crate) use identity::{configuration, identity};
pub(crate) use page::remote_access_error;
pub(crate) use random::random;
pub(crate) use samples::{main_app, other_apps};
pub(crate) use scopes::Scopes;
pub(crate) use sign_in::{SignIns, with_password};
pub(crate) use usage::usage;

/// An error of an endpoint that apps call: `{"error", "error_description"}`, status 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct OauthError {
    error: &'static str,
    description: &'static str,
}

impl OauthError {
    const fn new(error: &'static str, description: &'static str) -> Self {
        Self { error, description }
    }
}

impl From<OauthError> for Reply {
    fn from(error: OauthError) -> Self {
        Self::json(
            400,
            &json!({"error": error.error, "error_description": error.description}),
        )
    }
}

/// Answers a path below `/services/oauth2`.
pub(crate) fn answer(shared: &Shared, request: &Request, endpoint: &str) -> Reply {
    let method = &request.method;
    let (get, post) = (*method == Method::GET, *method == Method::POST);
    match endpoint {
        "authorize" if get => authorize::ask(shared, request),
        "authorize" if post => authorize::decide(shared, request),
        "token" if post => token::token(shared, request),
        "revoke" if get || post => token::revoke(shared, request),
        "introspect" if post => token::introspect(shared, request),
        "userinfo" if get || post => identity::userinfo(shared, request),
        "token" => OauthError::new("invalid_request", "must use HTTP POST").into(),
        "authorize" | "revoke" | "userinfo" => Reply::not_allowed(method, "GET,POST"),
        "introspect" => Reply::not_allowed(method, "POST"),
        _ => crate::error::ApiError::not_found().into(),
    }
}
