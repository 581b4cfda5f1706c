//! Proxies: tunnels for https, forwarding for http, and what is kept from them.

use std::net::TcpListener;

use http::{HeaderValue, Method};

use super::peer::{Authority, HELLO, Names, Peer, get, post, public, public_with, request, text};
use crate::network::{Network, NetworkError, NetworkOptions, ProxyUrl, Reach, Timeouts};

/// `ann:p@ss`, as it stands in an address and as it is sent (RFC 7617).
const USER: &str = "ann:p%40ss";
const BASIC: &str = "Basic YW5uOnBAc3M=";

fn with_user(proxy: &Peer) -> Option<ProxyUrl> {
    Some(
        format!("http://{USER}@{}", proxy.host_port())
            .parse()
            .unwrap(),
    )
}

fn through(proxy: &Peer) -> NetworkOptions {
    NetworkOptions {
        https_proxy: with_user(proxy),
        http_proxy: with_user(proxy),
        ..NetworkOptions::default()
    }
}

#[tokio::test]
async fn a_tunnel_carries_https_and_the_proxy_alone_sees_its_password() {
    let authority = Authority::new("Ours");
    let proxy = Peer::tunnel(authority.service("service.example"));
    let names = Names::new(&[]);
    let options = NetworkOptions {
        https_proxy: with_user(&proxy),
        ..authority.trusted()
    };
    let client = public_with(options, names.clone());
    let url = "https://service.example/a?b";
    assert_eq!(post(&client, url, "body").await.unwrap(), "hello");
    // What a caller says to a proxy is not for the service either.
    let mut second = request(Method::GET, url, "");
    let theirs = HeaderValue::from_static("Basic dGhlaXJz");
    second.headers_mut().insert("proxy-authorization", theirs);
    // And what is for the service is not for the proxy.
    let token = HeaderValue::from_static("Bearer token");
    second.headers_mut().insert("authorization", token);
    client.send(second, Timeouts::default()).await.unwrap();

    let seen = proxy.seen();
    let lines: Vec<_> = seen.iter().map(|seen| seen.line.as_str()).collect();
    assert_eq!(
        lines,
        [
            "CONNECT service.example:443 HTTP/1.1",
            "POST /a?b HTTP/1.1",
            "GET /a?b HTTP/1.1",
        ]
    );
    assert_eq!(seen[0].header("host"), Some("service.example:443"));
    assert_eq!(seen[0].header("proxy-authorization"), Some(BASIC));
    assert_eq!(seen[1].header("host"), Some("service.example"));
    assert_eq!(seen[1].body, "body");
    assert_eq!(seen[0].header("authorization"), None);
    assert_eq!(seen[2].header("authorization"), Some("Bearer token"));
    for inner in &seen[1..] {
        assert_eq!(inner.header("proxy-authorization"), None);
    }
    assert_eq!(proxy.opened(), 1);
    assert!(names.asked().is_empty(), "the proxy looks names up");
}

#[tokio::test]
async fn a_tunnel_is_asked_for_the_port_and_the_address_of_the_request() {
    let proxy = Peer::saying("HTTP/1.1 403 Forbidden\r\n\r\n");
    for (url, line) in [
        (
            "https://Service.Example:8443/",
            "CONNECT service.example:8443 HTTP/1.1",
        ),
        ("https://1.1.1.1/", "CONNECT 1.1.1.1:443 HTTP/1.1"),
        (
            "https://[2606:4700::1111]/",
            "CONNECT [2606:4700::1111]:443 HTTP/1.1",
        ),
    ] {
        get(&public(through(&proxy)), url).await.unwrap_err();
        assert_eq!(proxy.seen().last().unwrap().line, line);
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_is_quoted_with_what_to_do() {
    for (answer, says) in [
        (
            "HTTP/1.1 403 Forbidden\r\ncontent-length: 9999\r\n\r\n<html>",
            "with status 403: ask the proxy's administrator to allow the host, or exempt it in `NO_PROXY`",
        ),
        (
            "HTTP/1.0 407 Who?\r\nproxy-authenticate: Basic\r\n\r\n",
            "with status 407: put the proxy's user name and password into `HTTPS_PROXY`",
        ),
        (
            "HTTP/1.1 502 Bad Gateway\r\n\r\n",
            "with status 502: the proxy could not reach the host; check the host's name",
        ),
        (
            "HTTP/1.1 302 Found\r\nlocation: http://login.example/\r\n\r\n",
            "with status 302: check `HTTPS_PROXY`, or exempt the host in `NO_PROXY`",
        ),
    ] {
        let proxy = Peer::saying(answer);
        let client = public(through(&proxy));
        let error = get(&client, "https://service.example/").await.unwrap_err();
        let address = proxy.host_port();
        assert_eq!(
            error.to_string(),
            format!("the proxy `{address}` refused a tunnel to `service.example` {says}")
        );
        assert!(!error.may_have_been_sent());
        assert_eq!(proxy.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_proxy_that_is_none_is_named_so() {
    for (answer, problem) in [
        (
            "<!DOCTYPE html><html>Please sign in</html>",
            "its answer is not HTTP",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<html>Please sign in</html>",
            "it sent more than the tunnel's answer",
        ),
        ("SSH-2.0-OpenSSH\r\n", "its answer is not HTTP"),
        ("HTTP/1.1 200 OK\r\nvia: a", "it closed the connection"),
        ("", "it closed the connection"),
    ] {
        let proxy = Peer::saying(answer);
        let client = public(through(&proxy));
        let error = get(&client, "https://service.example/").await.unwrap_err();
        let says = format!(
            "`{}` did not answer as an HTTP proxy does ({problem}",
            proxy.host_port()
        );
        assert!(error.to_string().starts_with(&says), "{error} for {answer}");
        assert!(
            error.to_string().ends_with("check the proxy setting"),
            "{error}"
        );
        assert!(!error.may_have_been_sent());
    }
}

#[tokio::test]
async fn an_endless_answer_of_a_proxy_is_not_read_to_its_end() {
    let proxy = Peer::new(|wire| {
        wire.request()?;
        wire.say("HTTP/1.1 200 OK\r\n")?;
        loop {
            wire.say("x-padding: 0123456789abcdef\r\n")?;
        }
    });
    let client = public(through(&proxy));
    let error = get(&client, "https://service.example/").await.unwrap_err();
    assert!(error.to_string().contains("head is too long"), "{error}");
}

#[tokio::test]
async fn a_proxy_that_is_down_is_named_and_not_the_service() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    for url in ["https://service.example/", "http://service.example/"] {
        let client = public(NetworkOptions {
            https_proxy: Some(address.parse().unwrap()),
            http_proxy: Some(address.parse().unwrap()),
            ..NetworkOptions::default()
        });
        let error = get(&client, url).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("could not reach the proxy `{address}`: check `HTTPS_PROXY` and `HTTP_PROXY`")
        );
        assert!(!error.may_have_been_sent());
    }
}

#[tokio::test]
async fn plain_http_is_forwarded_with_its_whole_address() {
    let proxy = Peer::hello();
    let names = Names::new(&[]);
    let client = public_with(through(&proxy), names.clone());
    for _ in 0..2 {
        let answer = get(&client, "http://service.example/a?b").await.unwrap();
        assert_eq!(answer, "hello");
    }
    for seen in proxy.seen() {
        assert_eq!(seen.line, "GET http://service.example/a?b HTTP/1.1");
        assert_eq!(seen.header("host"), Some("service.example"));
        assert_eq!(seen.header("proxy-authorization"), Some(BASIC));
    }
    assert_eq!((proxy.opened(), proxy.seen().len()), (1, 2));
    assert!(names.asked().is_empty());
}

#[tokio::test]
async fn an_exempt_host_is_looked_up_here_and_the_proxy_hears_nothing_of_it() {
    let proxy = Peer::hello();
    let options = NetworkOptions {
        no_proxy: "localhost,.example.com,direct.example".to_owned(),
        ..through(&proxy)
    };
    let names = Names::new(&[&["127.0.0.1"]]);
    let client = public_with(options, names.clone());
    for url in [
        "http://direct.example/",
        "https://direct.example/",
        "https://below.direct.example/",
        "https://org.example.com/",
    ] {
        let error = get(&client, url).await.unwrap_err();
        let refused = matches!(error, NetworkError::PrivateAddress { .. });
        assert!(refused, "{error:?}");
    }
    assert_eq!(proxy.opened(), 0);
    let direct = [
        "direct.example",
        "direct.example",
        "below.direct.example",
        "org.example.com",
    ];
    assert_eq!(names.asked(), direct);

    assert_eq!(
        get(&client, "http://other.example/").await.unwrap(),
        "hello"
    );
    assert_eq!((proxy.opened(), names.asked().len()), (1, 4));
}

#[tokio::test]
async fn an_allowed_loopback_service_is_never_asked_of_a_proxy() {
    let (service, proxy) = (Peer::hello(), Peer::hello());
    let options = NetworkOptions {
        allow_private: vec![service.host_port()],
        ..through(&proxy)
    };
    let client = service.client_with(options);
    let mut theirs = request(Method::GET, &service.url("/a"), "");
    let value = HeaderValue::from_static("Basic dGhlaXJz");
    theirs.headers_mut().insert("proxy-authorization", value);
    let response = client.send(theirs, Timeouts::default()).await.unwrap();
    assert_eq!(text(response).await, "hello");
    let seen = &service.seen()[0];
    assert_eq!(seen.line, "GET /a HTTP/1.1");
    assert_eq!(seen.header("proxy-authorization"), None);
    assert_eq!(proxy.opened(), 0);
}

#[tokio::test]
async fn a_proxy_is_not_asked_for_what_is_local() {
    let proxy = Peer::new(|wire| wire.say(HELLO));
    let allowed = HOSTS.map(|host| crate::network::HostPort::new(host, 80));
    let options = NetworkOptions {
        allow_private: allowed.to_vec(),
        ..through(&proxy)
    };
    // Allowed, but not for this client.
    let client = Network::new(options).unwrap().client(Reach::Public);
    for host in HOSTS {
        for scheme in ["http", "https"] {
            let error = get(&client, &format!("{scheme}://{host}/")).await;
            let error = error.unwrap_err();
            // No certificate is for an address in short, so that https ends sooner.
            let refused = match (scheme, host) {
                ("https", "127.1") => matches!(error, NetworkError::Address { .. }),
                _ => matches!(error, NetworkError::PrivateAddress { .. }),
            };
            assert!(refused, "{host}: {error:?}");
        }
    }
    assert_eq!(proxy.opened(), 0);
}

const HOSTS: [&str; 6] = [
    "localhost",
    "127.0.0.1",
    "[::1]",
    "169.254.169.254",
    "metadata.google.internal",
    "127.1",
];
