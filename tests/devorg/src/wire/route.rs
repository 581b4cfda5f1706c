//! Who answers which path.

use super::{Reply, Request};
use crate::error::ApiError;
use crate::state::Shared;
use crate::{oauth, rest, soap};

/// Answers a request.
pub(crate) fn route(shared: &Shared, request: &Request) -> Reply {
    let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["services", "data"] => rest::versions(request),
        ["services", "data", version, path @ ..] => rest::answer(shared, request, version, path),
        ["services", "async", version, path @ ..] => {
            rest::answer_classic(shared, request, version, path)
        }
        ["services", "oauth2", endpoint] => oauth::answer(shared, request, endpoint),
        ["id", "keys"] => oauth::keys(request),
        ["services", "Soap", kind @ ("u" | "c"), version]
        | ["services", "Soap", kind @ ("u" | "c"), version, _] => {
            soap::answer(shared, request, kind, version)
        }
        ["id", org, user] => oauth::identity(shared, request, org, user),
        ["setup", "oauth-usage"] => oauth::usage(shared, request),
        ["setup", "secur", "RemoteAccessErrorPage.apexp"] => oauth::remote_access_error(request),
        [".well-known", "openid-configuration"] => oauth::configuration(shared, request),
        _ => ApiError::not_found().into(),
    }
}
