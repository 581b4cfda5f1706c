//! Where a connector's requests go: to what is declared, and nowhere else.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use portcullis::Outcome;
use portcullis::network::Resolve;
use serde_json::json;

use crate::support::{Setup, World, ended};

/// A resolver that answers every name with the same addresses, and keeps the names.
struct Lies {
    addresses: Vec<IpAddr>,
    asked: Mutex<Vec<String>>,
}

impl Lies {
    fn new(addresses: &[&str]) -> Arc<Self> {
        Arc::new(Self {
            addresses: addresses.iter().map(|ip| ip.parse().unwrap()).collect(),
            asked: Mutex::default(),
        })
    }
}

#[async_trait]
impl Resolve for Lies {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        self.asked.lock().unwrap().push(host.to_owned());
        let addresses = self.addresses.iter();
        Ok(addresses.map(|ip| SocketAddr::new(*ip, port)).collect())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_2_a_connector_reaches_only_what_is_declared() {
    let resolver = Lies::new(&["127.0.0.1"]);
    let setup = Setup {
        resolver: Some(resolver.clone()),
        ..Setup::default()
    };
    let connectors = ["elsewhere", "undeclared_route", "undeclared_header"];
    let world = World::new(setup, &connectors).await;
    world.mode("undeclared-route", "send", portcullis::policy::Mode::Allow);
    let port = world.service.address.port();

    for origin in [
        "https://evil.example".to_owned(),
        // Fits the manifest's pattern, and is somebody else's.
        "https://other.example.com".to_owned(),
        // The same machine, under every other name and at every other port.
        format!("https://127.0.0.1:{port}"),
        format!("http://localhost:{port}"),
        format!("http://[::1]:{port}"),
        format!("http://127.1:{port}"),
        "http://127.0.0.1:1".to_owned(),
        "http://169.254.169.254".to_owned(),
        "http://10.0.0.1".to_owned(),
        "http://files.example.org".to_owned(),
        "https://files.example.org:8443".to_owned(),
    ] {
        let arguments = json!({"origin": origin, "path": "/record/1"});
        let reply = world.call("elsewhere", "get", arguments).await;
        assert_eq!(ended(&reply), "refused origin", "{origin}");
    }
    assert!(resolver.asked.lock().unwrap().is_empty());

    for (method, target, code) in [
        ("GET", "/", "route"),
        ("GET", "/records", "route"),
        ("GET", "/record/1/owner", "route"),
        ("PUT", "/record/1", "route"),
        ("POST", "/record/1", "route"),
        ("OPTIONS", "/record/1", "route"),
        ("TRACE", "/record/1", "route"),
        ("get", "/record/1", "route"),
        ("GET", "/file/1", "route"),
        ("GET", "/record/../admin", "path"),
        ("GET", "/record/%2e%2e/admin", "path"),
        ("GET", "/record//1", "path"),
        ("GET", "/record/a%2Fb", "path"),
        ("GET", "/record/a%5Cb", "path"),
        ("GET", "/record/%00", "path"),
        ("GET", "/%72ecord/../x", "path"),
        ("GET", "/record/1?_HttpMethod=DELETE", "path"),
    ] {
        let arguments = json!({"method": method, "target": target});
        let reply = world.call("undeclared-route", "send", arguments).await;
        assert_eq!(
            ended(&reply),
            format!("refused {code}"),
            "{method} {target}"
        );
    }

    for (name, code) in [
        ("x-debug", "refused header"),
        ("sforce-call-options", "refused header"),
        ("x-http-method-override", "failed not_permitted"),
        ("authorization", "failed not_permitted"),
        ("host", "failed not_permitted"),
        ("x-forwarded-for", "failed not_permitted"),
    ] {
        let arguments = json!({"path": "/record/1", "name": name, "value": "x"});
        let reply = world.call("undeclared-header", "get", arguments).await;
        assert_eq!(ended(&reply), code, "{name}");
        assert!(reply.outcome.message().unwrap().contains(name), "{reply:?}");
    }
    assert_eq!(world.service.connections(), 0);
    assert!(resolver.asked.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_address_behind_a_public_name_is_not_dialled() {
    for address in [
        "127.0.0.1",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "::1",
        "fd00::1",
        "::ffff:127.0.0.1",
    ] {
        let resolver = Lies::new(&[address]);
        // The service listens where the name leads, so that a connection would be seen.
        let world = World::new(
            Setup {
                resolver: Some(resolver.clone()),
                origin: Some("https://acme.example.com".to_owned()),
                allow_service: false,
                ..Setup::default()
            },
            &["fetch"],
        )
        .await;
        let call = json!({"path": "/record/1"});
        let reply = world.call("fetch", "get", call).await;
        assert_eq!(ended(&reply), "refused private_address", "{address}");
        let Outcome::Refused(refusal) = &reply.outcome else {
            panic!("{reply:?}");
        };
        assert_eq!(
            refusal.allow.as_deref(),
            Some("--allow-origin acme.example.com:443")
        );
        let elsewhere = json!({"path": "/file/1", "origin": "https://files.example.org"});
        let reply = world.call("fetch", "get", elsewhere).await;
        assert_eq!(ended(&reply), "refused private_address", "{address}");
        assert_eq!(
            *resolver.asked.lock().unwrap(),
            ["acme.example.com", "files.example.org"]
        );
        assert_eq!(world.service.connections(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_operator_allowed_is_that_destination_alone() {
    let setup = Setup {
        resolver: Some(Lies::new(&["127.0.0.1"])),
        ..Setup::default()
    };
    let world = World::new(setup, &["fetch"]).await;
    let own = json!({"path": "/record/1"});
    assert_eq!(ended(&world.call("fetch", "get", own).await), "done");
    // The same address by another name, although the manifest declares it.
    let named = json!({"path": "/file/1", "origin": "https://files.example.org"});
    let reply = world.call("fetch", "get", named).await;
    assert_eq!(ended(&reply), "refused private_address");
    assert_eq!(world.service.connections(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_to_what_was_not_allowed_is_none() {
    for (origin, says) in [
        ("http://127.0.0.1:9", "not https"),
        ("https://127.0.0.1:9", "fits none of the origins"),
        ("http://acme.example.com", "not https"),
        ("https://acme.example.net", "fits none of the origins"),
        ("https://example.com", "fits none of the origins"),
    ] {
        let world = World::new(
            Setup {
                origin: Some(origin.to_owned()),
                ..Setup::default()
            },
            &["fetch"],
        )
        .await;
        let reply = world
            .call("fetch", "get", json!({"path": "/record/1"}))
            .await;
        assert_eq!(ended(&reply), "refused connection_origin", "{origin}");
        let message = reply.outcome.message().unwrap();
        assert!(message.contains(says), "{origin}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_is_not_followed() {
    let world = World::with(&["redirect"]).await;
    for location in [
        "https://evil.example/record/1?secret=in+the+path",
        "https://files.example.org/file/1",
        "/record/1",
        "//evil.example/x",
    ] {
        world.service.move_to(location);
        for follow in [false, true] {
            let before = world.service.seen().len();
            let arguments = json!({"path": "/moved", "follow": follow});
            let reply = world.call("redirect", "get", arguments).await;
            assert_eq!(ended(&reply), "refused redirect", "{location}");
            let message = reply.outcome.message().unwrap();
            assert!(!message.contains("secret="), "{message}");
            assert_eq!(world.service.seen().len(), before + 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_cannot_be_smuggled_into_another() {
    let world = World::with(&["smuggle"]).await;
    for (name, value) in [
        ("host", "evil.example"),
        ("Authorization", "Bearer mine"),
        ("cookie", "a=b"),
        ("transfer-encoding", "chunked"),
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("te", "trailers"),
        ("x-http-method-override", "DELETE"),
        ("x-original-url", "/admin"),
        ("accept", "a\r\nx-evil: 1"),
        ("accept\r\nx-evil", "1"),
        ("content-length", "3"),
    ] {
        for with_body in [false, true] {
            let arguments = json!({"name": name, "value": value, "with_body": with_body});
            let reply = world.call("smuggle", "header", arguments).await;
            let ended = ended(&reply);
            let expected = match name {
                // `wasi:http` counts the body itself: it never gets to the gate.
                "content-length" if !with_body => "failed connector_error",
                _ => "failed not_permitted",
            };
            assert_eq!(ended, expected, "{name}");
        }
    }
    let port = world.service.address.port();
    for arguments in [
        json!({"origin": format!("http://127.0.0.1:{port}@evil.example")}),
        json!({"origin": format!("http://evil.example@127.0.0.1:{port}")}),
        json!({"origin": format!("http://127.0.0.1:{port}\r\nhost: evil.example")}),
        json!({"origin": format!("http://127.0.0.1:{port}/")}),
        json!({"origin": format!("gopher://127.0.0.1:{port}")}),
        json!({"target": "/record/1 HTTP/1.1\r\nhost: evil.example\r\n\r\nGET /"}),
        json!({"target": "http://evil.example/"}),
        json!({"target": "//evil.example/"}),
        json!({"method": "GET /record/2 HTTP/1.1\r\n\r\nGET"}),
        json!({"method": "CONNECT"}),
    ] {
        let reply = world.call("smuggle", "address", arguments.clone()).await;
        assert!(
            !matches!(reply.outcome, Outcome::Done(_)),
            "{arguments}: {reply:?}"
        );
    }
    assert_eq!(world.service.connections(), 0);
}
