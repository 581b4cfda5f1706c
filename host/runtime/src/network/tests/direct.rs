//! Straight to a service.

use std::time::Duration;

use super::super::{Network, NetworkError, NetworkOptions, Phase, Reach};
use super::support::{Manner, destination, send, service};

fn options(address: std::net::SocketAddr) -> NetworkOptions {
    NetworkOptions {
        allow_private: vec![destination(address)],
        ..NetworkOptions::default()
    }
}

#[tokio::test]
async fn one_connection_carries_many_requests_and_is_shared_with_nobody() {
    let (address, seen) = service(Manner::Answers, None).await;
    let network = Network::new(options(address)).unwrap();
    let reach = Reach::Loopback(destination(address));
    let (one, other) = (network.client(reach.clone()), network.client(reach));
    for _ in 0..3 {
        let answer = send(&one, "GET", &format!("http://{address}/")).await;
        assert_eq!(answer.unwrap(), "hi");
    }
    assert_eq!(seen.connections(), 1);
    send(&other, "GET", &format!("http://{address}/"))
        .await
        .unwrap();
    assert_eq!(
        seen.connections(),
        2,
        "two accounts never share a connection"
    );
}

#[tokio::test]
async fn a_change_on_a_connection_that_breaks_is_sent_once_and_may_have_arrived() {
    let (address, seen) = service(Manner::HangsUpAtTheSecond, None).await;
    let network = Network::new(options(address)).unwrap();
    let client = network.client(Reach::Loopback(destination(address)));
    let url = format!("http://{address}/");
    send(&client, "GET", &url).await.unwrap();
    let error = send(&client, "POST", &url).await.unwrap_err();
    assert!(error.may_have_been_sent(), "{error}");
    let posts = seen
        .heads()
        .iter()
        .filter(|head| head.starts_with("post"))
        .count();
    assert_eq!(posts, 1);
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_a_timeout_of_its_own() {
    let (address, _) = service(Manner::Silent, None).await;
    let network = Network::new(NetworkOptions {
        response_header_timeout: Duration::from_millis(50),
        ..options(address)
    })
    .unwrap();
    let client = network.client(Reach::Loopback(destination(address)));
    let error = send(&client, "POST", &format!("http://{address}/"))
        .await
        .unwrap_err();
    let is_late = matches!(
        error,
        NetworkError::Timeout {
            phase: Phase::ResponseHeader,
            ..
        }
    );
    assert!(is_late, "{error}");
    assert!(error.may_have_been_sent());
}

#[tokio::test]
async fn nothing_listens() {
    let (address, _) = service(Manner::Answers, None).await;
    let closed = std::net::SocketAddr::new(address.ip(), 1);
    let network = Network::new(options(closed)).unwrap();
    let client = network.client(Reach::Loopback(destination(closed)));
    let error = send(&client, "POST", &format!("http://{closed}/"))
        .await
        .unwrap_err();
    assert!(matches!(error, NetworkError::Connect { .. }), "{error}");
    assert!(!error.may_have_been_sent());
}
