//! What an operator decides about the network, as values: nothing here reads the environment.

use std::time::Duration;

use rustls::pki_types::CertificateDer;

use super::error::NetworkError;
use super::proxy::ProxyUrl;
use super::target::HostPort;
use super::tls::parse_ca_pem;

/// The operator's settings for every connection that the host opens.
#[derive(Clone, Debug)]
pub struct NetworkOptions {
    /// The proxy for `https` services (`HTTPS_PROXY`), asked for a tunnel.
    pub https_proxy: Option<ProxyUrl>,
    /// The proxy for `http` services (`HTTP_PROXY`), which forwards each request.
    pub http_proxy: Option<ProxyUrl>,
    /// The hosts that are reached without a proxy (`NO_PROXY`): comma-separated names, each with
    /// the names below it, addresses and CIDR blocks, or `*`.
    pub no_proxy: String,
    /// Certificate authorities trusted beside the system's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// The bound on opening one connection: lookup, TCP, tunnel and TLS together.
    pub connect_timeout: Duration,
    /// The bound on waiting for a response's head, unless a request brings its own.
    pub response_header_timeout: Duration,
    /// How long an unused connection is kept for the next request.
    pub idle_timeout: Duration,
    /// The destinations that may be on a loopback or private address. Each is still only reached
    /// by a client made for it ([`Reach::Loopback`](super::Reach::Loopback)).
    pub allow_private: Vec<HostPort>,
}

impl Default for NetworkOptions {
    /// No proxy, the system's authorities, nothing private.
    ///
    /// Ten seconds to connect cover a slow proxy with one lost packet. Services answer long queries
    /// late, hence two minutes for the head. Many balancers drop a connection that was silent for a
    /// minute; letting go of it after 50 seconds loses that race rarely.
    fn default() -> Self {
        Self {
            https_proxy: None,
            http_proxy: None,
            no_proxy: String::new(),
            extra_roots: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            response_header_timeout: Duration::from_secs(120),
            idle_timeout: Duration::from_secs(50),
            allow_private: Vec::new(),
        }
    }
}

impl NetworkOptions {
    /// Adds the certificate authorities of a PEM file (`--ca-file`) to those trusted.
    ///
    /// # Errors
    ///
    /// [`NetworkError::Setting`] when the text holds no certificate or an unusable one.
    pub fn with_ca_pem(mut self, pem: &[u8]) -> Result<Self, NetworkError> {
        self.extra_roots.extend(parse_ca_pem(pem)?);
        Ok(self)
    }
}
