//! https, with an authority that the org makes for itself.

use std::process::{Command, Stdio};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use salesforce_devorg::Options;
use serde_json::Value as Json;

use crate::client::{Api, V};

type Https = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A client that trusts one authority and takes the org for a host of that name.
fn client(authority: Option<&str>, name: &str) -> Https {
    let mut roots = RootCertStore::empty();
    if let Some(pem) = authority {
        let authority = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        roots.add(authority).unwrap();
    }
    let provider = rustls::crypto::ring::default_provider();
    let config = ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_only()
        .with_server_name_resolver(FixedServerNameResolver::new(name))
        .enable_http1()
        .build();
    Client::builder(TokioExecutor::new()).build(connector)
}

async fn api() -> Api {
    Api::with(Options {
        tls: Some(([127, 0, 0, 1], 0).into()),
        ..Options::default()
    })
    .await
}

#[tokio::test]
async fn tokens_name_the_address_that_the_client_came_by() {
    let api = api().await;
    let url = api.org.https_url().unwrap();
    let port = url.rsplit(':').next().unwrap();
    let plain = api.org.url();
    let login = "https://devorg.my.salesforce.com".to_owned();
    for (name, host, instance) in [
        ("127.0.0.1", format!("127.0.0.1:{port}"), url.to_owned()),
        (
            "localhost",
            format!("localhost:{port}"),
            format!("https://localhost:{port}"),
        ),
        (
            "acme.my.salesforce.com",
            "acme.my.salesforce.com".to_owned(),
            "https://acme.my.salesforce.com".to_owned(),
        ),
        (
            "login.salesforce.com",
            "login.salesforce.com".to_owned(),
            login.clone(),
        ),
        (
            "test.salesforce.com",
            "test.salesforce.com".to_owned(),
            login,
        ),
        (
            "na1.salesforce.com",
            "evil.example".to_owned(),
            url.to_owned(),
        ),
    ] {
        let client = client(api.org.ca_pem(), name);
        let form = format!(
            "grant_type=refresh_token&client_id={}&refresh_token={}",
            api.org.client_id(),
            api.org.users()[0].refresh_token
        );
        let request = Request::post(format!("{url}/services/oauth2/token"))
            .header("host", host)
            .body(Full::new(Bytes::from(form)))
            .unwrap();
        let body = client.request(request).await.unwrap().into_body();
        let tokens: Json =
            serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap();
        assert_eq!(tokens["instance_url"], instance, "{name} {tokens}");
        let id = tokens["id"].as_str().unwrap();
        assert!(id.starts_with(&format!("{instance}/id/00D")), "{id}");
    }
    // Plain http goes on beside it.
    let root = api.get(V).await.json();
    assert!(root["identity"].as_str().unwrap().starts_with(plain));
}

#[tokio::test]
async fn who_does_not_trust_the_authority_or_takes_the_org_for_another_gets_nothing() {
    let api = api().await;
    let url = api.org.https_url().unwrap();
    let other = self::api().await;
    for (authority, name) in [
        (None, "localhost"),
        (other.org.ca_pem(), "localhost"),
        (api.org.ca_pem(), "salesforce.example"),
    ] {
        let request = Request::get(url).body(Full::default()).unwrap();
        assert!(client(authority, name).request(request).await.is_err());
    }
    assert_eq!(api.get(V).await.status, 200, "the org goes on");
}

#[test]
fn the_program_writes_its_authority_and_says_where_everything_is() {
    let folder = std::env::temp_dir().join(format!("devorg-https-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("ca.pem");
    let mut child = Command::new(env!("CARGO_BIN_EXE_salesforce-devorg"))
        .args(["--tls", "--admin", "--app-state", "blocked", "--ca-file"])
        .arg(&file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
    let pem = std::fs::read_to_string(&file);
    child.kill().unwrap();
    child.wait().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(pem.unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    let started: Json = serde_json::from_str(&line).unwrap();
    assert_eq!(started["ca_file"], file.to_str().unwrap());
    for (name, scheme) in [
        ("https_url", "https://127.0.0.1:"),
        ("admin_url", "http://127.0.0.1:"),
    ] {
        assert!(
            started[name].as_str().unwrap().starts_with(scheme),
            "{line}"
        );
    }
}
