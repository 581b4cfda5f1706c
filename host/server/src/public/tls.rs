//! TLS of the server's own.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A server's certificate and key. Its `Debug` shows neither.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The chain is none.
    #[error("the certificate is no chain of certificates in PEM, the server's own first")]
    Certificate(#[source] Option<rustls::pki_types::pem::Error>),
    /// The key is none.
    #[error("the key is no private key in PEM (PKCS#8, PKCS#1 or SEC1)")]
    Key(#[source] rustls::pki_types::pem::Error),
    /// They do not belong together, or cannot be used.
    #[error("the certificate and the key do not make a server")]
    Unusable(#[source] rustls::Error),
}

impl Tls {
    /// Reads a chain of certificates and the key of the first, each in PEM.
    ///
    /// # Errors
    ///
    /// [`TlsError`]. No variant shows anything of the key.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
        let chain = chain.map_err(|error| TlsError::Certificate(Some(error)))?;
        if chain.is_empty() {
            return Err(TlsError::Certificate(None));
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(TlsError::Key)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Unusable)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(TlsError::Unusable)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.0.accept(stream).await
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}
