//! Each part of an exchange ends in time, and says which part it was.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use http::Method;
use tokio::net::{TcpListener, TcpSocket};

use super::peer::{
    Authority, ESTABLISHED, HELLO, Names, Peer, get, post, public, public_with, request,
};
use crate::network::{
    HostPort, Network, NetworkError, NetworkOptions, Phase, Reach, Resolve, Timeouts,
};

/// Over loopback everything that happens at all happens sooner.
const SHORT: Duration = Duration::from_millis(150);

fn phase(error: &NetworkError) -> Option<Phase> {
    match error {
        NetworkError::Timeout { phase, after, .. } if *after == SHORT => Some(*phase),
        _ => None,
    }
}

fn impatient(options: NetworkOptions) -> NetworkOptions {
    NetworkOptions {
        connect_timeout: SHORT,
        ..options
    }
}

#[tokio::test]
async fn a_service_that_does_not_answer_may_have_acted() {
    let service = Peer::new(|wire| {
        wire.request()?;
        match wire.number {
            1 | 2 => wire.hold(),
            _ => wire.say(HELLO),
        }
    });
    let options = NetworkOptions {
        response_header_timeout: SHORT,
        ..service.allowed()
    };
    let client = service.client_with(options);
    let error = get(&client, &service.url("/slow")).await.unwrap_err();
    assert_eq!(phase(&error), Some(Phase::ResponseHeader), "{error:?}");
    assert!(error.may_have_been_sent());
    assert_eq!(
        error.to_string(),
        "`127.0.0.1` took longer than 150 ms for waiting for its answer: try again, or raise the timeout"
    );
    let change = post(&client, &service.url("/slow"), "x").await;
    let error = change.unwrap_err();
    assert_eq!(phase(&error), Some(Phase::ResponseHeader), "{error:?}");
    assert!(error.may_have_been_sent());
    // A late answer would otherwise be taken for the next request's.
    assert_eq!(get(&client, &service.url("/next")).await.unwrap(), "hello");
    assert_eq!(service.opened(), 3);
}

#[tokio::test]
async fn a_request_brings_its_own_patience() {
    let service = Peer::new(|wire| {
        wire.request()?;
        wire.hold()
    });
    let request = request(Method::GET, &service.url("/"), "");
    let timeouts = Timeouts {
        response_header: Some(SHORT),
    };
    let error = service.client().send(request, timeouts).await.unwrap_err();
    assert_eq!(phase(&error), Some(Phase::ResponseHeader), "{error:?}");
}

/// A resolver that never answers.
struct Mute;

#[async_trait]
impl Resolve for Mute {
    async fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_lookup_that_does_not_end() {
    let client = public_with(
        impatient(NetworkOptions::default()),
        std::sync::Arc::new(Mute),
    );
    let error = get(&client, "https://service.example/").await.unwrap_err();
    assert_eq!(phase(&error), Some(Phase::Resolve), "{error:?}");
    assert!(!error.may_have_been_sent());
}

/// A port that swallows every attempt to connect: its queue is full and nobody accepts.
fn black_hole() -> (TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let connect = || TcpStream::connect_timeout(&address, SHORT).ok();
    let queue: Vec<_> = std::iter::from_fn(connect).take(64).collect();
    assert!(queue.len() < 64, "this system's queue has no end");
    (listener, queue)
}

#[tokio::test]
async fn a_port_that_swallows_packets() {
    let (listener, _queue) = black_hole();
    let target = HostPort::new("127.0.0.1", listener.local_addr().unwrap().port());
    let options = impatient(NetworkOptions {
        allow_private: vec![target.clone()],
        ..NetworkOptions::default()
    });
    let client = Network::new(options)
        .unwrap()
        .client(Reach::Loopback(target.clone()));
    let error = get(&client, &format!("http://{target}/")).await;
    let error = error.unwrap_err();
    assert_eq!(phase(&error), Some(Phase::Connect), "{error:?}");
    assert!(!error.may_have_been_sent());
}

#[tokio::test]
async fn an_address_that_swallows_packets_leaves_time_for_the_next() {
    let (listener, _queue) = black_hole();
    let port = listener.local_addr().unwrap().port();
    // Another address of the same machine, at the same port.
    let Ok(other) = std::net::TcpListener::bind((Ipv4Addr::new(127, 0, 0, 2), port)) else {
        return; // Only some systems have the whole block on loopback.
    };
    let target = HostPort::new("two.example", port);
    let options = NetworkOptions {
        connect_timeout: SHORT * 4,
        response_header_timeout: SHORT,
        allow_private: vec![target.clone()],
        ..NetworkOptions::default()
    };
    let names = Names::new(&[&["127.0.0.1", "127.0.0.2"]]);
    let network = Network::with_resolver(options, names).unwrap();
    let client = network.client(Reach::Loopback(target.clone()));
    let started = Instant::now();
    // The second address takes the connection, and then says nothing.
    let error = get(&client, &format!("http://{target}/")).await;
    let error = error.unwrap_err();
    assert_eq!(phase(&error), Some(Phase::ResponseHeader), "{error:?}");
    assert!(started.elapsed() >= SHORT * 2);
    assert!(other.accept().is_ok());
}

#[tokio::test]
async fn a_proxy_and_a_service_that_stop_halfway() {
    let authority = Authority::new("Ours");
    let mute_proxy = Peer::new(|wire| {
        wire.request()?;
        wire.hold()
    });
    let mute_service = Peer::new(|wire| {
        wire.request()?;
        wire.say(ESTABLISHED)?;
        wire.hold()
    });
    for (proxy, stopped) in [(&mute_proxy, Phase::Tunnel), (&mute_service, Phase::Tls)] {
        let client = public(impatient(NetworkOptions {
            https_proxy: Some(proxy.host_port().to_string().parse().unwrap()),
            ..authority.trusted()
        }));
        let error = get(&client, "https://service.example/").await.unwrap_err();
        assert_eq!(phase(&error), Some(stopped), "{error:?}");
        assert!(!error.may_have_been_sent());
    }
}

#[tokio::test]
async fn connecting_is_not_part_of_the_wait_for_an_answer() {
    let authority = Authority::new("Ours");
    let tls = authority.service("service.example");
    // The tunnel takes longer to open than the answer may take to begin.
    let proxy = Peer::new(move |wire| {
        wire.request()?;
        std::thread::sleep(SHORT * 2);
        wire.say(ESTABLISHED)?;
        wire.start_tls(&tls)?;
        wire.answer_all(HELLO)
    });
    let client = public(NetworkOptions {
        https_proxy: Some(proxy.host_port().to_string().parse().unwrap()),
        response_header_timeout: SHORT,
        ..authority.trusted()
    });
    let answer = get(&client, "https://service.example/").await.unwrap();
    assert_eq!(answer, "hello");
}

#[test]
fn a_timeout_of_zero_is_refused() {
    for options in [
        NetworkOptions {
            connect_timeout: Duration::ZERO,
            ..NetworkOptions::default()
        },
        NetworkOptions {
            response_header_timeout: Duration::ZERO,
            ..NetworkOptions::default()
        },
    ] {
        let error = Network::new(options).unwrap_err();
        assert!(matches!(error, NetworkError::Setting { .. }), "{error:?}");
    }
}
