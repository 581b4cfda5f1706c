//! Whom the host trusts: the system's certificate authorities and those that the operator adds.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use tokio::sync::OnceCell;

use super::error::NetworkError;

/// The TLS settings of every connection, made at the first `https` request.
///
/// Reading the system's certificates takes tens of milliseconds, which a program that only talks to
/// loopback, or only lists tools, does not pay.
#[derive(Debug)]
pub(super) struct Tls {
    extra_roots: Vec<CertificateDer<'static>>,
    config: OnceCell<Arc<ClientConfig>>,
}

impl Tls {
    pub(super) fn new(extra_roots: Vec<CertificateDer<'static>>) -> Self {
        Self {
            extra_roots,
            config: OnceCell::new(),
        }
    }

    /// Returns the settings. A failure is not kept: certificates installed meanwhile are found.
    ///
    /// # Errors
    ///
    /// [`NetworkError::NoRoots`] when neither the system nor the operator names an authority.
    pub(super) async fn config(&self) -> Result<Arc<ClientConfig>, NetworkError> {
        let load = || async {
            let extra = self.extra_roots.clone();
            // Files are read, so off the threads that serve calls.
            match tokio::task::spawn_blocking(move || load(extra)).await {
                Ok(config) => config,
                Err(_) => Err(NetworkError::NoRoots),
            }
        };
        self.config.get_or_try_init(load).await.cloned()
    }
}

fn load(extra: Vec<CertificateDer<'static>>) -> Result<Arc<ClientConfig>, NetworkError> {
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "a system certificate file could not be read");
    }
    let config = config_with(native.certs, extra)?;
    Ok(Arc::new(config))
}

fn config_with(
    native: Vec<CertificateDer<'static>>,
    extra: Vec<CertificateDer<'static>>,
) -> Result<ClientConfig, NetworkError> {
    let mut roots = RootCertStore::empty();
    // Systems carry odd old certificates; one that does not parse must not take the rest along.
    // The operator's were checked when they were read.
    roots.add_parsable_certificates(native);
    roots.add_parsable_certificates(extra);
    if roots.is_empty() {
        return Err(NetworkError::NoRoots);
    }
    // The provider is named, so that another crate's default for the process changes nothing here.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| NetworkError::NoRoots)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Parses the certificates of a `--ca-file`: one or more in PEM.
///
/// # Errors
///
/// [`NetworkError::Setting`] when the text holds no certificate, or one that is not usable as an
/// authority: the operator meant each of them, so none is skipped.
pub(super) fn parse_ca_pem(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, NetworkError> {
    let refuse = |problem: String| NetworkError::Setting {
        setting: "--ca-file",
        problem,
    };
    let mut certificates = Vec::new();
    let mut probe = RootCertStore::empty();
    for (index, certificate) in CertificateDer::pem_slice_iter(pem).enumerate() {
        let number = index + 1;
        let certificate = certificate.map_err(|error| {
            refuse(format!(
                "certificate {number} is not valid PEM ({error}); export it again"
            ))
        })?;
        probe.add(certificate.clone()).map_err(|error| {
            refuse(format!(
                "certificate {number} is not usable as an authority ({error})"
            ))
        })?;
        certificates.push(certificate);
    }
    if certificates.is_empty() {
        return Err(refuse(
            "it holds no certificate; the file must be PEM, with `-----BEGIN CERTIFICATE-----`"
                .to_owned(),
        ));
    }
    Ok(certificates)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn without_any_authority_nothing_is_trusted() {
        let error = config_with(Vec::new(), Vec::new()).unwrap_err();
        assert!(matches!(error, NetworkError::NoRoots));
        assert!(error.to_string().contains("--ca-file"), "{error}");
    }

    #[test]
    fn a_file_without_a_usable_certificate_is_refused() {
        for (pem, says) in [
            (&b""[..], "holds no certificate"),
            (b"\x30\x82\x01\x0a", "holds no certificate"),
            (
                b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "certificate 1",
            ),
            (b"-----BEGIN CERTIFICATE-----\nAAAA\n", "certificate 1"),
        ] {
            let error = parse_ca_pem(pem).unwrap_err().to_string();
            assert!(
                error.starts_with("--ca-file: ") && error.contains(says),
                "{error}"
            );
        }
    }
}
