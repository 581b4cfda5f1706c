//! https: a certificate authority of the org's own, made at its start, and a certificate by it.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::error::StartError;

/// The names that the org answers by.
const NAMES: [&str; 7] = [
    "localhost",
    "127.0.0.1",
    "::1",
    "*.salesforce.com",
    "*.my.salesforce.com",
    "login.salesforce.com",
    "test.salesforce.com",
];

/// What https needs.
pub(crate) struct Tls {
    /// The authority's certificate, in PEM.
    pub(crate) authority_pem: String,
    pub(crate) acceptor: TlsAcceptor,
}

impl Tls {
    /// Makes an authority that signs one certificate; its key is forgotten.
    pub(crate) fn new() -> Result<Self, StartError> {
        let authority_key = KeyPair::generate()?;
        let mut authority = params("Dev org certificate authority", &[])?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority_certificate = authority.self_signed(&authority_key)?;
        let authority = Issuer::new(authority, authority_key);

        let key = KeyPair::generate()?;
        let mut server = params("Dev org", &NAMES)?;
        server.use_authority_key_identifier_extension = true;
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = server.signed_by(&key, &authority)?;

        let chain: Vec<CertificateDer<'static>> = vec![certificate.into()];
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::from(key))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            authority_pem: authority_certificate.pem(),
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }
}

fn params(name: &str, names: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    Ok(params)
}
