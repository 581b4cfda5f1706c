//! No password and no token is in what an error or the network says of itself.

use std::error::Error;

use http::{HeaderValue, Method};

use super::peer::{Authority, ESTABLISHED, Peer, public, request};
use crate::network::{Network, NetworkError, NetworkOptions, Reach, Timeouts};

const SECRETS: [&str; 5] = [
    "hunter2",
    // `ann:hunter2` in base64.
    "YW5uOmh1bnRlcjI",
    "token-of-ann",
    "body-of-ann",
    "query-of-ann",
];

/// An error's message, its debug output, and those of all its causes.
fn everything(error: &NetworkError) -> String {
    let mut shown = format!("{error} {error:?} {error:#?}");
    let mut cause = error.source();
    while let Some(current) = cause {
        shown.push_str(&format!(" {current} {current:?}"));
        cause = current.source();
    }
    shown
}

fn assert_clean(shown: &str) {
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

async fn failure(options: NetworkOptions, url: &str) -> NetworkError {
    let mut request = request(Method::POST, url, "body-of-ann");
    let token = HeaderValue::from_static("Bearer token-of-ann");
    request.headers_mut().insert("authorization", token);
    let client = public(options);
    client.send(request, Timeouts::default()).await.unwrap_err()
}

#[tokio::test]
async fn no_failure_shows_what_was_sent_or_with_which_password() {
    let (authority, other) = (Authority::new("Ours"), Authority::new("Other"));
    let known = authority.service("service.example");
    let proxies = [
        Peer::saying("HTTP/1.1 407 Who?\r\n\r\n"),
        Peer::saying("HTTP/1.1 403 No\r\n\r\n"),
        Peer::saying("<html>"),
        Peer::saying(""),
        Peer::saying(ESTABLISHED),
        Peer::tunnel(other.service("service.example")),
        // Reads the request within the tunnel, and hangs up.
        Peer::new(move |wire| {
            wire.request()?;
            wire.say(ESTABLISHED)?;
            wire.start_tls(&known)?;
            wire.request()?;
            wire.close()
        }),
    ];
    for proxy in &proxies {
        let address = format!("http://ann:hunter2@{}", proxy.host_port());
        let options = || NetworkOptions {
            https_proxy: Some(address.parse().unwrap()),
            http_proxy: Some(address.parse().unwrap()),
            ..authority.trusted()
        };
        let url = "https://service.example/?query-of-ann";
        assert_clean(&everything(&failure(options(), url).await));
        assert!(!proxy.seen().is_empty());
    }
}

#[tokio::test]
async fn a_broken_forwarding_shows_nothing_either() {
    let proxy = Peer::saying("HTTP/1.1 ???");
    let address = format!("http://ann:hunter2@{}", proxy.host_port());
    let options = NetworkOptions {
        http_proxy: Some(address.parse().unwrap()),
        ..NetworkOptions::default()
    };
    let error = failure(options, "http://service.example/?query-of-ann").await;
    assert!(error.may_have_been_sent(), "{error:?}");
    assert_clean(&everything(&error));
}

#[test]
fn the_network_does_not_show_its_proxy_s_password() {
    let options = NetworkOptions {
        https_proxy: Some("http://ann:hunter2@proxy.example".parse().unwrap()),
        http_proxy: Some("http://ann:hunter2@proxy.example".parse().unwrap()),
        ..NetworkOptions::default()
    };
    assert_clean(&format!("{options:?}"));
    let network = Network::new(options).unwrap();
    assert_clean(&format!("{network:?} {:?}", Reach::Public));
}
