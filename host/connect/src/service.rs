//! The service that accounts are connected to, as its connector's manifest declares it.

use portcullis::Network;
use portcullis::network::HostPort;
use portcullis_policy::{Auth, Manifest, OAuth2, Origin, OriginPattern};

/// What a manifest says about connecting accounts.
#[derive(Clone, Copy, Debug)]
pub struct Service<'a> {
    /// What people call the service.
    pub title: &'a str,
    /// How accounts sign in.
    pub auth: &'a OAuth2,
    /// Where connections may be.
    pub origins: &'a [OriginPattern],
}

impl<'a> Service<'a> {
    /// Reads a manifest; none where accounts do not sign in by OAuth.
    pub fn of(manifest: &'a Manifest) -> Option<Self> {
        match &manifest.auth {
            Auth::OAuth2(auth) => Some(Self {
                title: &manifest.title,
                auth,
                origins: &manifest.origins,
            }),
            Auth::ApiKey(_) | Auth::None => None,
        }
    }

    /// Says whether a connection may be somewhere: where the manifest says, by https, or where the operator allowed it
    /// by host and port.
    pub(crate) fn admits(&self, network: &Network, origin: &Origin) -> bool {
        let fits = self.origins.iter().any(|pattern| pattern.matches(origin));
        (fits && origin.is_https()) || network.allows_private(&destination(origin))
    }
}

/// Gives where requests to an origin connect to.
pub(crate) fn destination(origin: &Origin) -> HostPort {
    HostPort::new(origin.host(), origin.port())
}
