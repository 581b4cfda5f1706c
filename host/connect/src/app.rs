//! The app by which a host is known to a service.

use secrecy::SecretString;

/// An app that somebody registered at the service. Its `Debug` does not show the secret.
#[derive(Clone, Debug)]
pub struct App {
    /// The client id (RFC 6749, section 2.2).
    pub client_id: String,
    /// The client's secret, where it has one.
    pub client_secret: Option<SecretString>,
}
