//! A host and a port, as an operator writes them and as a request names them.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use http::Uri;
use http::uri::Authority;

use super::error::NetworkError;

/// One exact destination: a name or address, and a port.
///
/// Names compare without case and without the final dot of a fully qualified name; an IPv6 address
/// is kept without its brackets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPort {
    host: String,
    port: u16,
}

impl HostPort {
    /// Makes a destination of a host (an IPv6 address with or without brackets) and a port.
    pub fn new(host: &str, port: u16) -> Self {
        let host = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(host);
        let host = host.strip_suffix('.').unwrap_or(host);
        Self {
            host: host.to_ascii_lowercase(),
            port,
        }
    }

    /// Returns where a request for `uri` connects to, and whether it is `https`.
    ///
    /// # Errors
    ///
    /// [`NetworkError::Address`] when the scheme is neither `http` nor `https`, the host is
    /// missing, or a user name stands in the address (credentials travel in headers alone).
    pub(super) fn of(uri: &Uri) -> Result<(Self, bool), NetworkError> {
        let refuse = |problem| NetworkError::Address { problem };
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) => return Err(refuse("its scheme is neither `https` nor `http`")),
            None => return Err(refuse("it has no scheme")),
        };
        let authority = uri.authority().ok_or_else(|| refuse("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(refuse("it carries a user name or password"));
        }
        let port = port_of(authority)
            .ok_or_else(|| refuse("its port is not a number up to 65535"))?
            .unwrap_or_else(|| default_port(https));
        let target = Self::new(authority.host(), port);
        if target.host.is_empty() {
            return Err(refuse("it has no host"));
        }
        Ok((target, https))
    }

    /// Returns the host, lower-case, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the address when the host is one, and no name.
    pub(super) fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

/// Returns the port that `authority` names, if any, and nothing when it names one that is none.
///
/// The URI library reads an unreadable port as no port, which would mean the scheme's.
pub(super) fn port_of(authority: &Authority) -> Option<Option<u16>> {
    let text = authority.as_str();
    let after_user = text.rsplit_once('@').map_or(text, |(_, rest)| rest);
    let after_v6 = after_user
        .rsplit_once(']')
        .map_or(after_user, |(_, rest)| rest);
    match (after_v6.contains(':'), authority.port_u16()) {
        (true, None) => None,
        (_, port) => Some(port),
    }
}

fn default_port(https: bool) -> u16 {
    if https { 443 } else { 80 }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.parse::<Ipv6Addr>().is_ok() {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for HostPort {
    type Err = NetworkError;

    /// Parses `HOST:PORT`, for example `localhost:8080` or `[::1]:8080`.
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let refuse = || NetworkError::Setting {
            setting: "--allow-origin",
            problem: format!(
                "`{}` is not HOST:PORT; write for example `localhost:8080` or `[::1]:8080`",
                text.escape_debug()
            ),
        };
        let (host, port) = text.rsplit_once(':').ok_or_else(refuse)?;
        let port: u16 = port.parse().map_err(|_| refuse())?;
        let bracketed = host.starts_with('[') && host.ends_with(']');
        let target = Self::new(host, port);
        let is_v6 = target.host.parse::<Ipv6Addr>().is_ok();
        // A name in a request never holds these characters, so such an entry would match nothing.
        let is_name = !target.host.is_empty()
            && !target
                .host
                .contains(|c: char| c.is_whitespace() || ":/@[]?#\\".contains(c));
        if port == 0 || bracketed != is_v6 || !(is_v6 || is_name) {
            return Err(refuse());
        }
        Ok(target)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn parses_what_an_operator_writes() {
        for (text, shown) in [
            ("localhost:8080", "localhost:8080"),
            ("LOCALHOST.:8080", "localhost:8080"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("[::1]:443", "[::1]:443"),
        ] {
            assert_eq!(text.parse::<HostPort>().unwrap().to_string(), shown);
        }
        for text in [
            "localhost",
            "localhost:",
            "localhost:0",
            ":80",
            "::1:80",
            "http://a:80",
            "a b:80",
            "[a]:80",
            "a:65536",
            "u@a:80",
        ] {
            assert!(text.parse::<HostPort>().is_err(), "{text}");
        }
    }

    #[test]
    fn reads_the_destination_of_a_request() {
        for (uri, shown, https) in [
            ("https://A.example/x", "a.example:443", true),
            ("http://a.example./x", "a.example:80", false),
            ("https://[::1]:8443/", "[::1]:8443", true),
        ] {
            let (target, is_https) = HostPort::of(&uri.parse().unwrap()).unwrap();
            assert_eq!((target.to_string().as_str(), is_https), (shown, https));
        }
        for uri in [
            "/x",
            "ftp://a.example/",
            "https://user:pw@a.example/",
            "https://a.example:99999/",
            "https://[::1]:99999/",
        ] {
            // What the URI library itself refuses never becomes a request.
            let target = uri.parse().map(|uri: Uri| HostPort::of(&uri).is_ok());
            assert!(!matches!(target, Ok(true)), "{uri}");
        }
    }
}
