//! The whole: one program serves the pages, another an MCP client, and a third waits for its person; all on one store.

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::TokioChildProcess;
use rustls::pki_types::CertificateDer;

use super::visitor::Visitor;
use super::{BASE, Place, Server};
use crate::program::{PROGRAM, cache};

#[tokio::test(flavor = "multi_thread")]
async fn a_person_connects_on_the_server_and_the_same_call_works() {
    let place = Place::new().await;
    let mut command = tokio::process::Command::new(PROGRAM);
    command
        .args(["serve", "--stdio", "--agent", "helper", "--as", "bob"])
        .args(["--public-url", BASE])
        .args(["--allow-origin", &place.org.address().to_string()])
        .env("XDG_CACHE_HOME", cache())
        .env("PORTCULLIS_DATA_DIR", place.home.data())
        .env("USER", "ada")
        .env_remove("PORTCULLIS_KEY")
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env_remove("XDG_RUNTIME_DIR");
    let client = ().serve(TokioChildProcess::new(command).unwrap()).await.unwrap();
    let call = async || {
        let request = CallToolRequestParams::new("get_identity");
        serde_json::to_string(&client.call_tool(request).await.unwrap()).unwrap()
    };
    let needed = call().await;
    let (_, link) = needed.split_once(BASE).unwrap();
    let end = link.find(|char: char| !(char.is_ascii_alphanumeric() || "/-_".contains(char)));
    let link = &link[..end.unwrap()];

    // Bob is led to sign in first, and back.
    let mut bob = place.visitor();
    let seen = bob.get(link).await;
    assert_eq!(seen.status, 303);
    let asked = seen.to().to_owned();
    let seen = bob.sign_in(&asked, &place.token("bob").await).await;
    assert_eq!((seen.status, seen.to()), (303, link));
    let cookie = seen.headers["set-cookie"].to_str().unwrap();
    assert!(
        cookie.starts_with("__Host-portcullis_session_443=")
            && cookie.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure"),
        "{cookie}"
    );
    let welcome = bob.get(link).await;
    for word in [
        "The agent helper",
        "as bob",
        place.org.url(),
        "Stay connected",
    ] {
        welcome.has(word);
    }
    let url = bob.go_on(link).await;
    let redirect = format!("{BASE}/callback")
        .replace(':', "%3A")
        .replace('/', "%2F");
    assert!(url.contains(&redirect), "{url}");
    let end = bob.get(&place.come_back(&url, "aiko", "allow").await).await;
    assert_eq!(end.status, 200, "{}", end.text);
    for word in ["You are connected", "aiko", "Organization: "] {
        end.has(word);
    }
    let answer = call().await;
    assert!(answer.contains("aiko"), "{answer}");
    client.cancel().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_can_end_tls_itself() {
    let place = Place::new().await;
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let file = |name: &str, text: String| {
        let path = place.home.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let chain = file("chain.pem", cert.pem());
    let key = file("key.pem", signing_key.serialize_pem());
    let tls = |chain: &str, key: &str, base: &str| {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--public-url", base];
        let said = place
            .home
            .run(&[&serve[..], &["--tls-cert", chain, "--tls-key", key]].concat());
        assert_eq!(said.code, 2, "{}", said.stderr);
        assert!(!said.stderr.contains("PRIVATE"), "{}", said.stderr);
        said.stderr
    };
    let base = "https://localhost";
    assert!(tls(&key, &key, base).contains("no chain of certificates"));
    assert!(tls(&chain, &chain, base).contains("no private key"));
    assert!(tls("/nowhere", &key, base).contains("/nowhere"));
    assert!(tls(&chain, &key, "http://localhost").contains("no https address"));

    let more = ["--tls-cert", &chain, "--tls-key", &key];
    let server = Server::start(&place.home, &place.org, base, &more);
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from(cert.der().to_vec()))
        .unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut ada = Visitor::at(server.address, base).with_tls(config);
    // Nobody before it says from where a request comes: what a request says of that does not count.
    let right = place.token("ada").await;
    for _ in 0..10 {
        let guess = format!("pct_{}", "A".repeat(43)).into();
        assert_eq!(ada.sign_in("/sign-in", &guess).await.status, 403);
    }
    ada.from = Some("203.0.113.7");
    assert_eq!(ada.sign_in("/sign-in", &right).await.status, 429);
    let seen = ada.get("/sign-in").await;
    assert_eq!(seen.status, 200);
    // Other programs of this machine are not forced to https.
    assert!(!seen.headers.contains_key("strict-transport-security"));
}
