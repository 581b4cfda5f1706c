//! Every connection that the host opens, be it for a connector's request, a token's refresh or a
//! sign-in, goes through here.
//!
//! Owned here: which addresses may be dialled, proxies, whom TLS trusts, pools and timeouts.
//! Refused here: loopback and private addresses that the operator did not allow, following
//! redirects, sending a change twice. Routes, headers and credentials are not known here; the
//! egress gate decides them before it sends.
//!
//! With a proxy, the proxy looks names up. The address check then covers addresses written as such
//! and names that are local by definition; what other names stand for is for the proxy to police.

mod client;
mod connect;
mod error;
mod options;
mod proxy;
mod resolve;
mod target;
#[cfg(test)]
mod tests;
mod tls;

use std::fmt;
use std::sync::Arc;

pub use client::{Client, Timeouts};
pub use error::{NetworkError, Phase};
pub use options::NetworkOptions;
pub use proxy::ProxyUrl;
pub use resolve::{Resolve, SystemResolver};
pub use target::HostPort;

/// Where a client may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Public addresses alone.
    Public,
    /// Public addresses, and this one destination wherever it is, without a proxy. It must stand in
    /// [`NetworkOptions::allow_private`] too: the operator's word, not the caller's.
    Loopback(HostPort),
}

/// The host's network: the operator's settings, ready to make clients. Clones are cheap and share
/// everything but connections.
#[derive(Clone)]
pub struct Network {
    shared: Arc<Shared>,
}

/// What all clients share.
struct Shared {
    options: NetworkOptions,
    proxies: proxy::Proxies,
    tls: tls::Tls,
    resolver: Arc<dyn Resolve>,
}

impl Network {
    /// Makes a network that looks names up with the system's resolver.
    ///
    /// # Errors
    ///
    /// [`NetworkError::Setting`] when a timeout is zero. Certificates are read at the first `https`
    /// request and not here.
    pub fn new(options: NetworkOptions) -> Result<Self, NetworkError> {
        Self::with_resolver(options, Arc::new(SystemResolver))
    }

    /// Makes a network with a resolver of the caller's. Its answers are checked as any other's.
    ///
    /// # Errors
    ///
    /// As [`Network::new`].
    pub fn with_resolver(
        options: NetworkOptions,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, NetworkError> {
        for (setting, timeout) in [
            ("connect timeout", options.connect_timeout),
            ("response header timeout", options.response_header_timeout),
        ] {
            if timeout.is_zero() {
                return Err(NetworkError::Setting {
                    setting,
                    problem: "zero would refuse every request; give at least a second".to_owned(),
                });
            }
        }
        let (https, http) = (options.https_proxy.clone(), options.http_proxy.clone());
        Ok(Self {
            shared: Arc::new(Shared {
                proxies: proxy::Proxies::new(https, http, &options.no_proxy),
                tls: tls::Tls::new(options.extra_roots.clone()),
                resolver,
                options,
            }),
        })
    }

    /// Says whether the operator allowed a destination to be on a loopback or private address.
    pub fn allows_private(&self, destination: &HostPort) -> bool {
        self.shared.options.allow_private.contains(destination)
    }

    /// Makes a client with a pool of its own: one for each connection (account).
    pub fn client(&self, reach: Reach) -> Client {
        Client::new(self.shared.clone(), reach)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("options", &self.shared.options)
            .finish_non_exhaustive()
    }
}
