//! What can go wrong between the host and a service, in words for people.
//!
//! Every message says what happened, with which host, and what to do about it. None carries a
//! secret: a proxy is named by host and port, never by the address that holds its password.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The part of an exchange that took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Looking the host's name up.
    Resolve,
    /// Opening the TCP connection, to the service or to the proxy.
    Connect,
    /// Waiting for the proxy to open its tunnel.
    Tunnel,
    /// The TLS handshake.
    Tls,
    /// Waiting for the head of the response after the request was handed to the connection.
    ResponseHeader,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "looking up its name",
            Self::Connect => "connecting",
            Self::Tunnel => "waiting for the proxy's tunnel",
            Self::Tls => "the TLS handshake",
            Self::ResponseHeader => "waiting for its answer",
        })
    }
}

/// A connection that was refused, failed or broke.
///
/// The errors are cheap to clone, since a pool may hand one failure to several waiters.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// A setting that does not parse. The value is not repeated: it may hold a password.
    #[error("{setting}: {problem}")]
    Setting {
        /// The setting, as the operator knows it.
        setting: &'static str,
        /// What is wrong and what to write instead.
        problem: String,
    },
    /// A request whose address is not `http://host/…` or `https://host/…`.
    #[error("the address of the request is not usable: {problem}")]
    Address {
        /// What is wrong.
        problem: &'static str,
    },
    /// The name has no address.
    #[error(
        "could not look up the host `{host}`: check its spelling, and this machine's DNS and connection"
    )]
    Resolve {
        /// The host that was looked up.
        host: String,
        /// The resolver's own words.
        #[source]
        source: Arc<io::Error>,
    },
    /// The host is on a loopback, private or otherwise not public address.
    #[error(
        "refused to connect to `{host}`: it has no public address; if you mean a service on this \
         machine or network, the operator allows it with `--allow-origin {host}:{port}`"
    )]
    PrivateAddress {
        /// The host that was refused.
        host: String,
        /// Its port.
        port: u16,
    },
    /// Nothing accepted a connection.
    #[error("could not connect to `{host}:{port}`: check that it is up and reachable from here")]
    Connect {
        /// The host.
        host: String,
        /// Its port.
        port: u16,
        /// The last address's failure.
        #[source]
        source: Arc<io::Error>,
    },
    /// The proxy did not accept a connection, or broke it before the tunnel stood.
    #[error("could not reach the proxy `{proxy}`: check `HTTPS_PROXY` and `HTTP_PROXY`")]
    ProxyConnect {
        /// The proxy's host and port.
        proxy: String,
        /// The failure.
        #[source]
        source: Arc<io::Error>,
    },
    /// The proxy answered that it opens no tunnel.
    #[error("the proxy `{proxy}` refused a tunnel to `{host}` with status {status}: {}", proxy_advice(*.status))]
    ProxyRefused {
        /// The proxy's host and port.
        proxy: String,
        /// The host asked for.
        host: String,
        /// The status that the proxy answered.
        status: u16,
    },
    /// The proxy does not speak HTTP, or says more than a tunnel's answer.
    #[error("`{proxy}` did not answer as an HTTP proxy does ({problem}): check the proxy setting")]
    ProxyProtocol {
        /// The proxy's host and port.
        proxy: String,
        /// What was wrong with the answer.
        problem: &'static str,
    },
    /// No certificate authority is known, so no service could be trusted.
    #[error(
        "found no certificate authority on this system, so no https service can be trusted: install \
         the system's CA certificates or name a PEM file with `--ca-file`"
    )]
    NoRoots,
    /// The handshake failed.
    #[error("no trusted TLS connection to `{host}`: {}", tls_advice(.source))]
    Tls {
        /// The host.
        host: String,
        /// The TLS library's own words.
        #[source]
        source: Arc<rustls::Error>,
    },
    /// The connection broke during the handshake.
    #[error(
        "the connection to `{host}` broke during the TLS handshake: check that the port speaks https"
    )]
    TlsBroken {
        /// The host.
        host: String,
        /// The failure.
        #[source]
        source: Arc<io::Error>,
    },
    /// A part of the exchange took too long.
    #[error("`{host}` took longer than {} ms for {phase}: try again, or raise the timeout", .after.as_millis())]
    Timeout {
        /// The host.
        host: String,
        /// The part.
        phase: Phase,
        /// The limit that was reached.
        after: Duration,
    },
    /// The connection was closed before any byte of the request was written.
    #[error("the connection to `{host}` closed before the request was sent: try again")]
    Unsent {
        /// The host.
        host: String,
        /// The HTTP library's own words.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The connection broke, or the answer was not HTTP, after bytes may have left.
    #[error(
        "the exchange with `{host}` broke before its answer: whether it acted on the request is not known"
    )]
    Broken {
        /// The host.
        host: String,
        /// The HTTP library's own words.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
}

impl NetworkError {
    /// Says whether a byte of the request may have reached the service.
    ///
    /// `false` is a promise: the service did not see the request, so that sending it later is not
    /// sending it twice. A plain-http proxy counts as the service.
    pub fn may_have_been_sent(&self) -> bool {
        match self {
            Self::Broken { .. } => true,
            Self::Timeout { phase, .. } => *phase == Phase::ResponseHeader,
            Self::Setting { .. }
            | Self::Address { .. }
            | Self::Resolve { .. }
            | Self::PrivateAddress { .. }
            | Self::Connect { .. }
            | Self::ProxyConnect { .. }
            | Self::ProxyRefused { .. }
            | Self::ProxyProtocol { .. }
            | Self::NoRoots
            | Self::Tls { .. }
            | Self::TlsBroken { .. }
            | Self::Unsent { .. } => false,
        }
    }
}

fn proxy_advice(status: u16) -> &'static str {
    match status {
        407 => "put the proxy's user name and password into `HTTPS_PROXY`",
        401 | 403 => "ask the proxy's administrator to allow the host, or exempt it in `NO_PROXY`",
        502..=504 => "the proxy could not reach the host; check the host's name",
        _ => "check `HTTPS_PROXY`, or exempt the host in `NO_PROXY`",
    }
}

fn tls_advice(error: &rustls::Error) -> &'static str {
    use rustls::{CertificateError, Error};
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "its certificate is signed by an authority that this system does not know; behind a \
             company's proxy, name the company's CA certificate with `--ca-file`"
        }
        Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => "its certificate has expired; check this machine's clock, then tell the service",
        Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => "its certificate is not valid yet; check this machine's clock",
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "its certificate is for another name; check the address",
        Error::InvalidCertificate(_) => {
            "its certificate is not valid; if a company's proxy issued it, name the company's CA \
             certificate with `--ca-file`"
        }
        _ => "the handshake failed; check that the port speaks https with TLS 1.2 or later",
    }
}
