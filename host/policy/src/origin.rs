//! Origins: where requests go, and the patterns of a manifest for them.
//!
//! The attack: an address that the host reads as one place and the network as another: a user name that looks like a host, a
//! number that is an address, a name in letters that look like others. Whatever can be written in two ways is
//! taken in one.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest name of a host (RFC 1035, section 2.3.4) and of one of its labels.
const HOST_LEN_MAX: usize = 253;
const LABEL_LEN_MAX: usize = 63;

/// A text that is no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no origin: {problem}")]
pub struct OriginError {
    text: String,
    problem: &'static str,
}

impl OriginError {
    fn new(text: &str, problem: &'static str) -> Self {
        // A password that stands in an address is not repeated.
        let shown = match text.contains('@') {
            true => "…@…".to_owned(),
            false => text
                .chars()
                .take(100)
                .filter(|char| !char.is_control())
                .collect(),
        };
        Self {
            text: shown,
            problem,
        }
    }

    /// Gives what is wrong, without the text.
    pub fn problem(&self) -> &'static str {
        self.problem
    }
}

/// A scheme, a host and a port (RFC 6454): `https://acme.my.salesforce.com`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin {
    is_https: bool,
    host: Host,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Host {
    Name(String),
    Address(IpAddr, String),
}

impl Origin {
    /// Takes `https://host[:port]` or `http://host[:port]`, with at most one `/` behind it. Letters of the host
    /// become lower case.
    ///
    /// # Errors
    ///
    /// [`OriginError`] for anything else: user names, paths, hosts that are not ASCII, numbers that only
    /// some programs take for addresses.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let refuse = |problem| OriginError::new(text, problem);
        let (is_https, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            _ => return Err(refuse("it must begin with `https://` or `http://`")),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains('@') {
            return Err(refuse("it must not carry a user name or password"));
        }
        if authority.contains(['/', '\\', '?', '#']) {
            return Err(refuse("nothing may stand behind the host and port"));
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest
                    .split_once(']')
                    .ok_or_else(|| refuse("its `[` has no `]`"))?;
                let address: Ipv6Addr = address
                    .parse()
                    .map_err(|_| refuse("there is no IPv6 address in its brackets"))?;
                (of_address(IpAddr::V6(address)), port)
            }
            None => {
                let end = authority.find(':').unwrap_or(authority.len());
                let (host, port) = authority.split_at(end);
                (name(host).map_err(refuse)?, port)
            }
        };
        let port = match port.strip_prefix(':') {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok().filter(|port| *port != 0)
            }
            Some(_) => None,
            None if port.is_empty() => Some(default_port(is_https)),
            None => None,
        };
        Ok(Self {
            is_https,
            host,
            port: port.ok_or_else(|| refuse("its port is not a number from 1 to 65535"))?,
        })
    }

    /// Says whether requests go by TLS.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// Gives the host in lower case; an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        match &self.host {
            Host::Name(name) | Host::Address(_, name) => name,
        }
    }

    /// Gives the port, also where it is the scheme's.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Gives host and port as they stand in a `Host` header: without the scheme's port.
    pub fn authority(&self) -> String {
        let host = match &self.host {
            Host::Address(IpAddr::V6(_), text) => format!("[{text}]"),
            Host::Name(text) | Host::Address(IpAddr::V4(_), text) => text.clone(),
        };
        match self.port == default_port(self.is_https) {
            true => host,
            false => format!("{host}:{}", self.port),
        }
    }

    /// Gives the address, where the host is one.
    pub fn address(&self) -> Option<IpAddr> {
        match self.host {
            Host::Address(address, _) => Some(address),
            Host::Name(_) => None,
        }
    }

    /// Says whether the host is this machine by its writing: a loopback address or `localhost`.
    pub fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Address(address, _) => address.is_loopback(),
            Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
        }
    }
}

fn default_port(is_https: bool) -> u16 {
    if is_https { 443 } else { 80 }
}

fn of_address(address: IpAddr) -> Host {
    Host::Address(address, address.to_string())
}

fn name(host: &str) -> Result<Host, &'static str> {
    if !host.is_ascii() {
        return Err("its host must be ASCII; write an international name in its `xn--` form");
    }
    let host = host.to_ascii_lowercase();
    if host.is_empty() || host.len() > HOST_LEN_MAX {
        return Err("its host must have 1 to 253 characters");
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= LABEL_LEN_MAX
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if !host.split('.').all(is_label) {
        return Err("its host must be letters, digits and hyphens between single dots");
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Ok(of_address(IpAddr::V4(address)));
    }
    // `2130706433`, `127.1`, `0x7f.1`: some programs take what ends in a number for an address (WHATWG URL, 3.5).
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit())
        || last
            .strip_prefix("0x")
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    match is_number {
        true => {
            Err("its host ends in a number and is no address; write an address as four numbers")
        }
        false => Ok(Host::Name(host)),
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Origin {
    type Error = OriginError;

    fn try_from(text: String) -> Result<Self, OriginError> {
        Self::parse(&text)
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.to_string()
    }
}

/// Origins that a manifest declares: one in full, or all below a name, `https://*.example.com`. Always https.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OriginPattern(Pattern);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Pattern {
    Exact(Origin),
    /// The origin of the name itself, which is not matched.
    Below(Origin),
}

impl OriginPattern {
    /// Takes a pattern.
    ///
    /// # Errors
    ///
    /// [`OriginError`]: it is not https, the star is not the whole first label, or it stands right below a top-level
    /// name, where anyone can have a name.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let refuse = |problem| OriginError::new(text, problem);
        let pattern = match text.strip_prefix("https://*.") {
            Some(below) => {
                let below = Origin::parse(&format!("https://{below}"))
                    .map_err(|error| refuse(error.problem))?;
                if below.address().is_some() {
                    return Err(refuse("a `*` cannot stand in front of an address"));
                }
                if !below.host().contains('.') {
                    return Err(refuse("`*` must have at least two labels behind it"));
                }
                Pattern::Below(below)
            }
            None => Pattern::Exact(Origin::parse(text)?),
        };
        let (Pattern::Exact(origin) | Pattern::Below(origin)) = &pattern;
        match origin.is_https() {
            true => Ok(Self(pattern)),
            false => Err(refuse("it must be https")),
        }
    }

    /// Says whether an origin is one of these.
    pub fn matches(&self, origin: &Origin) -> bool {
        match &self.0 {
            Pattern::Exact(exact) => exact == origin,
            Pattern::Below(below) => {
                origin.is_https == below.is_https
                    && origin.port == below.port
                    && origin.address().is_none()
                    && origin
                        .host()
                        .strip_suffix(below.host())
                        .is_some_and(|front| front.len() > 1 && front.ends_with('.'))
            }
        }
    }

    /// Says whether every origin of the other is one of these.
    pub fn covers(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (_, Pattern::Exact(origin)) => self.matches(origin),
            (Pattern::Below(wide), Pattern::Below(narrow)) => {
                wide == narrow || self.matches(narrow)
            }
            (Pattern::Exact(_), Pattern::Below(_)) => false,
        }
    }

    /// Gives the origin, where the pattern names one in full.
    pub fn exact(&self) -> Option<&Origin> {
        match &self.0 {
            Pattern::Exact(origin) => Some(origin),
            Pattern::Below(_) => None,
        }
    }
}

impl fmt::Display for OriginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Pattern::Exact(origin) => origin.fmt(f),
            Pattern::Below(below) => write!(f, "https://*.{}", below.authority()),
        }
    }
}

impl TryFrom<String> for OriginPattern {
    type Error = OriginError;

    fn try_from(text: String) -> Result<Self, OriginError> {
        Self::parse(&text)
    }
}

impl From<OriginPattern> for String {
    fn from(pattern: OriginPattern) -> Self {
        pattern.to_string()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn origins_have_one_form() {
        for (text, form) in [
            (
                "https://Acme.My.Salesforce.com",
                "https://acme.my.salesforce.com",
            ),
            ("https://acme.example.com:443/", "https://acme.example.com"),
            ("HTTP://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://localhost:80", "http://localhost"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("https://[2001:DB8:0:0::1]", "https://[2001:db8::1]"),
            (
                "https://xn--bcher-kva.example",
                "https://xn--bcher-kva.example",
            ),
        ] {
            assert_eq!(Origin::parse(text).unwrap().to_string(), form);
        }
        let origin = Origin::parse("http://[::1]:3000").unwrap();
        assert_eq!((origin.host(), origin.port()), ("::1", 3000));
        assert!(origin.is_loopback() && !origin.is_https());
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for text in [
            "",
            "example.com",
            "//example.com",
            "ftp://example.com",
            "https://",
            "https:///",
            "https:example.com",
            "https://example.com/path",
            "https://example.com//",
            "https://example.com?x",
            "https://example.com#x",
            "https://user@example.com",
            "https://example.com@evil.com",
            "https://example.com\\@evil.com",
            "https://example.com\\evil.com",
            "https://example.com:",
            "https://example.com:0",
            "https://example.com:65536",
            "https://example.com:+443",
            "https://example.com:4 3",
            "https://example.com.",
            "https://.example.com",
            "https://a..b",
            "https://-a.com",
            "https://a-.com",
            "https://exam ple.com",
            "https://example.com\r\nx: y",
            "https://example.com\0",
            "https://bücher.example",
            "https://example。com",
            "https://2130706433",
            "https://0x7f.1",
            "https://0x7f000001",
            "https://127.1",
            "https://0177.0.0.1",
            "https://1.2.3.4.5",
            "https://example.0x",
            "https://[::1",
            "https://::1",
            "https://[fe80::1%25eth0]",
            "https://[127.0.0.1]",
            "https://[::1]x",
            "https://*.example.com",
            "https://%65xample.com",
        ] {
            assert!(Origin::parse(text).is_err(), "{text:?}");
        }
        let error = Origin::parse("https://ada:secret@example.com").unwrap_err();
        assert!(!error.to_string().contains("secret"));
    }

    #[test]
    fn patterns_match_what_is_below_and_nothing_beside() {
        let pattern = OriginPattern::parse("https://*.example.com").unwrap();
        for inside in ["https://a.example.com", "https://a.b.example.com"] {
            assert!(pattern.matches(&Origin::parse(inside).unwrap()), "{inside}");
        }
        for outside in [
            "https://example.com",
            "https://evilexample.com",
            "http://a.example.com",
            "https://a.example.com:8443",
            "https://a.example.com.evil.com",
        ] {
            assert!(
                !pattern.matches(&Origin::parse(outside).unwrap()),
                "{outside}"
            );
        }
        for text in [
            "http://*.example.com",
            "http://example.com",
            "https://*.com",
            "https://*",
            "https://*example.com",
            "https://a.*.com",
            "https://**.example.com",
            "https://*.*.example.com",
            "https://*.127.0.0.1",
            "https://*.",
            "*.example.com",
        ] {
            assert!(OriginPattern::parse(text).is_err(), "{text}");
        }
        assert_eq!(pattern.to_string(), "https://*.example.com");
        assert!(pattern.exact().is_none());
    }

    proptest! {
        #[test]
        fn no_text_panics_and_forms_are_stable(text in "(https?://)?[a-z0-9.:\\[\\]@/%x-]{0,30}|.{0,30}") {
            if let Ok(origin) = Origin::parse(&text) {
                prop_assert_eq!(Origin::parse(&origin.to_string()), Ok(origin));
            }
            if let Ok(pattern) = OriginPattern::parse(&text) {
                prop_assert_eq!(OriginPattern::parse(&pattern.to_string()), Ok(pattern));
            }
        }
    }
}
