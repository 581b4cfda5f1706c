//! The one place where a secret becomes part of a request.

use std::ops::Range;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use portcullis_policy::{ApiKeyPlace, Auth};
use secrecy::ExposeSecret;

use crate::ports::PortError;
use crate::ports::credentials::Token;

/// Puts the connection's secret into a body, in the place of what stands for it there.
///
/// # Errors
///
/// [`PortError`] when the secret holds what no XML text can.
pub(super) fn write(token: &Token, body: &[u8], at: &Range<usize>) -> Result<Bytes, PortError> {
    let secret = token.secret.expose_secret();
    if secret
        .chars()
        .any(|char| char.is_control() || !char.is_ascii())
    {
        return Err(PortError::new(
            "the connection's secret holds characters that no message can",
        ));
    }
    let outside = || PortError::new("the token's place is outside of the message");
    let before = body.get(..at.start).ok_or_else(outside)?;
    let after = body.get(at.end..).ok_or_else(outside)?;
    Ok([before, escaped(secret).as_bytes(), after].concat().into())
}

/// Writes a text as XML has it.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            char => out.push(char),
        }
    }
    out
}

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
