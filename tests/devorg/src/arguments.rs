//! What the program's arguments mean: addresses, limits and secrets, each with its own mistake.

use std::env::VarError;
use std::net::{SocketAddr, ToSocketAddrs};

use salesforce_devorg::Limit;

/// Reads an address and port. A host's name must lead to this machine alone, so that nobody else is
/// served by mistake; the first such address is taken, one of IPv4 before others.
///
/// # Errors
///
/// What to write instead.
pub(crate) fn address(option: &str, text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let none = || format!("`{option} {text}` is no address and port; write it like 127.0.0.1:8080");
    let (host, port) = text.rsplit_once(':').ok_or_else(none)?;
    if host.is_empty() || host.contains(':') || port.parse::<u16>().is_err() {
        return Err(none());
    }
    let found = text.to_socket_addrs();
    let found = found.map_err(|error| format!("`{option} {text}`: no host `{host}`: {error}"))?;
    let mut loopback: Vec<SocketAddr> = found.filter(|found| found.ip().is_loopback()).collect();
    loopback.sort_by_key(SocketAddr::is_ipv6);
    loopback.first().copied().ok_or_else(|| {
        format!("`{option} {text}`: `{host}` is not this machine's own name, as localhost is; write an address")
    })
}

/// Reads a callback address: of the web or of an app's own scheme, and without a fragment (RFC 6749,
/// section 3.1.2).
///
/// # Errors
///
/// What to write instead.
pub(crate) fn callback(text: String) -> Result<String, String> {
    let is_scheme = |scheme: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(known)
    };
    let is_absolute = text.split_once(':').is_some_and(|(scheme, rest)| {
        let host = rest.strip_prefix("//").unwrap_or_default();
        match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => !host.is_empty() && !host.starts_with('/'),
            // `localhost:8080/callback` has no scheme, but looks so.
            _ => is_scheme(scheme) && (rest.starts_with('/') || scheme.contains('.')),
        }
    });
    let is_odd = |c: char| c == '#' || c.is_whitespace() || c.is_control();
    match is_absolute && !text.contains(is_odd) {
        true => Ok(text),
        false => Err(format!(
            "`--redirect-uri {text}` is no address that a browser could be sent to; write all of it, like https://example.com/callback"
        )),
    }
}

/// Reads limits, each `NAME=MAX`.
///
/// # Errors
///
/// What to write instead.
pub(crate) fn limits(texts: &[String]) -> Result<Vec<(Limit, u64)>, String> {
    let mut limits: Vec<(Limit, u64)> = Vec::new();
    for text in texts {
        let none = || {
            format!(
                "`--limit {text}` is no limit; write it like DailyApiRequests=100, with a whole number"
            )
        };
        let (name, max) = text.split_once('=').ok_or_else(none)?;
        let max = max.parse().map_err(|_| none())?;
        let mut known = Limit::ALL.iter().copied();
        let limit = known.find(|limit| limit.name() == name).ok_or_else(|| {
            format!("`--limit {text}`: there is no limit `{name}`; `GET /services/data/v68.0/limits` names them")
        })?;
        if limits.iter().any(|(given, _)| *given == limit) {
            return Err(format!("`--limit` is given twice for {name}"));
        }
        limits.push((limit, max));
    }
    Ok(limits)
}

/// Reads a consumer key, a secret or a token, which is sent in headers and forms as it is.
///
/// # Errors
///
/// It is empty or cannot be sent.
pub(crate) fn token(what: &str, text: String) -> Result<String, String> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(text);
    }
    Err(format!(
        "{what} must be of visible ASCII characters, at least one, without spaces"
    ))
}

/// Reads a secret from the environment, where other users of the machine do not see it.
///
/// # Errors
///
/// The variable is not set, or has no secret.
pub(crate) fn secret(option: &str, name: &str) -> Result<String, String> {
    let what = format!("the value of the variable that `{option} {name}` names");
    match std::env::var(name) {
        Ok(text) => token(&what, text),
        Err(VarError::NotPresent) => Err(format!(
            "`{option} {name}`: the environment has no variable `{name}`; the option takes a variable's name, not the secret"
        )),
        Err(VarError::NotUnicode(_)) => Err(format!("{what} is no Unicode")),
    }
}
