//! OAuth 2.0: how a person lets an app in, and how the app stays in.
//!
//! The authorization code flow with PKCE (RFC 6749 and RFC 7636; S256 alone) and its refresh, as
//! Salesforce's help has them ("OAuth 2.0 Web Server Flow for Web App Integration"). Other grants
//! are refused. Codes and tokens are kept in memory and end with the org.

mod app;
mod authorize;
mod grants;
mod identity;
mod page;
mod random;
mod scopes;
mod token;

use http::Method;
use serde_json::json;

use crate::state::Shared;
use crate::wire::{Reply, Request};
pub(crate) use app::App;
pub(crate) use grants::Grants;
pub(crate) use identity::{configuration, identity};
pub(crate) use random::random;
pub(crate) use scopes::Scopes;

/// An error of an endpoint that apps call: `{"error", "error_description"}`, status 400.
#[derive(Debug)]
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
        "authorize" | "revoke" | "userinfo" => Reply::not_allowed(method, "GET,POST"),
        "token" | "introspect" => Reply::not_allowed(method, "POST"),
        _ => crate::error::ApiError::not_found().into(),
    }
}
