//! Behind a company's proxy that opens TLS with an authority of its own: every request of the program goes through it, and
//! the authority is trusted when it is named.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use salesforce_devorg::{DevOrg, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::program::{Said, command};

const HOST: &str = "acme.my.salesforce.com";

/// Makes an authority, as PEM, and what [`HOST`] shows that is signed by it.
fn certificates() -> (String, TlsAcceptor) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);

    let key = KeyPair::generate().unwrap();
    let service = CertificateParams::new([HOST.to_owned()]).unwrap();
    let service = service.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![service.der().clone()], key)
        .unwrap();
    (pem, TlsAcceptor::from(Arc::new(config)))
}

/// Starts a proxy behind which [`HOST`] is the org at `org`, and counts its tunnels.
async fn proxy(org: SocketAddr, tls: TlsAcceptor) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tunnels = Arc::new(AtomicUsize::new(0));
    let count = tunnels.clone();
    tokio::spawn(async move {
        while let Ok((mut outer, _)) = listener.accept().await {
            let (tls, count) = (tls.clone(), count.clone());
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(outer.read_u8().await.unwrap());
                }
                assert!(head.starts_with(format!("CONNECT {HOST}:443 ").as_bytes()));
                count.fetch_add(1, Ordering::SeqCst);
                outer
                    .write_all(b"HTTP/1.1 200 Connected\r\n\r\n")
                    .await
                    .unwrap();
                // A client that does not trust the certificate ends here.
                if let Ok(mut outer) = tls.accept(outer).await {
                    let mut inner = TcpStream::connect(org).await.unwrap();
                    let _ = copy_bidirectional(&mut outer, &mut inner).await;
                }
            });
        }
    });
    (address, tunnels)
}

/// Asks an org, with settings of the environment.
async fn ask(url: &str, token: &str, more: &[&str], settings: &[(&str, String)]) -> Said {
    let mut arguments = vec!["call", "query", "--json"];
    arguments.push(r#"{"soql": "SELECT COUNT() FROM Account"}"#);
    arguments.extend(["--instance-url", url, "--access-token-env", "TEST_TOKEN"]);
    arguments.extend(more);
    let mut command = command(&arguments);
    command.env("TEST_TOKEN", token);
    command.envs(settings.iter().map(|(name, value)| (name, value)));
    let output = tokio::task::spawn_blocking(move || command.output());
    output.await.unwrap().unwrap().into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_goes_through_the_proxy_and_trusts_the_named_authority() {
    let org = DevOrg::start(Options::default()).await.unwrap();
    let token = org.users()[0].access_token.clone();
    let (pem, tls) = certificates();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("company.pem");
    std::fs::write(&file, pem).unwrap();
    let trusted = ["--ca-file", file.to_str().unwrap()];
    let (address, tunnels) = proxy(org.address(), tls).await;
    let through = ("HTTPS_PROXY", format!("http://{address}"));
    let url = format!("https://{HOST}");

    let said = ask(&url, &token, &trusted, std::slice::from_ref(&through)).await;
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(said.stdout.contains("60"), "{}", said.stdout);
    assert!(tunnels.load(Ordering::SeqCst) >= 1);
    let asked = org.requests();
    assert!(asked >= 1);

    // Without the authority: refused, with the setting that helps, and nothing was asked.
    let said = ask(&url, &token, &[], std::slice::from_ref(&through)).await;
    assert_eq!(said.code, 1, "{}", said.stdout);
    assert!(said.stderr.contains("--ca-file"), "{}", said.stderr);
    assert!(!said.stderr.contains(&token));
    assert_eq!(org.requests(), asked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_allowed_loopback_org_is_not_asked_of_a_proxy() {
    let org = DevOrg::start(Options::default()).await.unwrap();
    let address = org.address().to_string();
    let token = org.users()[0].access_token.clone();
    // Nothing listens there any more.
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = closed.local_addr().unwrap();
    let through = ("HTTP_PROXY", format!("http://{closed}"));
    let url = format!("http://{address}");
    let said = ask(&url, &token, &["--allow-origin", &address], &[through]).await;
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(org.requests() >= 1);
}
