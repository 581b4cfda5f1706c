//! The one place where a secret becomes part of a request.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use portcullis_policy::{ApiKeyPlace, Auth};
use secrecy::ExposeSecret;

use crate::ports::PortError;
use crate::ports::credentials::Token;

/// Adds the connection's secret where the manifest's `auth` says, and gives the path to ask for.
///
/// # Errors
///
/// [`PortError`] when the secret holds what no header can.
pub(super) fn add(
    auth: &Auth,
    token: &Token,
    headers: &mut HeaderMap,
    path: &str,
) -> Result<String, PortError> {
    let secret = token.secret.expose_secret();
    let (name, value) = match auth {
        Auth::OAuth2(_) => (AUTHORIZATION, format!("Bearer {secret}")),
        Auth::ApiKey(key) => match &key.place {
            ApiKeyPlace::Header(name) => {
                let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| {
                    PortError::new("the manifest's header for the key is not usable")
                        .caused_by(error)
                })?;
                (name, secret.to_owned())
            }
            ApiKeyPlace::Query(parameter) => {
                let joint = if path.contains('?') { '&' } else { '?' };
                let secret = utf8_percent_encode(secret, NON_ALPHANUMERIC);
                return Ok(format!("{path}{joint}{parameter}={secret}"));
            }
        },
        Auth::None => return Ok(path.to_owned()),
    };
    // The library's error would not repeat the value; ours must not either.
    let mut value = HeaderValue::try_from(value).map_err(|_| {
        PortError::new("the connection's secret holds characters that no header can")
    })?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(path.to_owned())
}
