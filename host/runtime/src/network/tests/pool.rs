//! Connections are kept, and kept apart.

use super::peer::{HELLO, Peer, get, post};
use crate::network::{Network, Reach};

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let service = Peer::hello();
    let client = service.client();
    for turn in 0..5 {
        let clone = client.clone();
        assert_eq!(get(&client, &service.url("/a")).await.unwrap(), "hello");
        let sent = format!("{turn}");
        let answer = post(&clone, &service.url("/b?c=d"), &sent).await.unwrap();
        assert_eq!(answer, "hello");
    }
    assert_eq!(service.opened(), 1);
    let seen = service.seen();
    assert_eq!(seen.len(), 10);
    assert_eq!(seen[8].line, "GET /a HTTP/1.1");
    assert_eq!(seen[9].line, "POST /b?c=d HTTP/1.1");
    assert_eq!(seen[9].body, "4");
    let host = service.host_port().to_string();
    assert_eq!(seen[9].header("host"), Some(host.as_str()));
}

#[tokio::test]
async fn requests_at_the_same_time_each_have_a_connection_and_both_are_kept() {
    // Answers a connection's first request once there are two connections.
    let (arrived, both) = (std::sync::Barrier::new(2), HELLO);
    let service = Peer::new(move |wire| {
        wire.request()?;
        arrived.wait();
        wire.say(both)?;
        wire.answer_all(both)
    });
    let client = service.client();
    let url = service.url("/");
    let (one, two) = tokio::join!(get(&client, &url), get(&client, &url));
    assert_eq!(
        (one.unwrap(), two.unwrap()),
        ("hello".into(), "hello".into())
    );
    let (one, two) = tokio::join!(get(&client, &url), get(&client, &url));
    assert_eq!(
        (one.unwrap(), two.unwrap()),
        ("hello".into(), "hello".into())
    );
    assert_eq!(service.opened(), 2);
}

#[tokio::test]
async fn two_clients_of_one_network_share_no_connection() {
    let service = Peer::hello();
    let network = Network::new(service.allowed()).unwrap();
    for _account in 0..2 {
        let client = network.client(Reach::Loopback(service.host_port()));
        for _request in 0..2 {
            get(&client, &service.url("/")).await.unwrap();
        }
    }
    assert_eq!(service.opened(), 2);
}

#[tokio::test]
async fn a_connection_that_the_service_ends_is_not_used_again() {
    let service =
        Peer::saying("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello");
    let client = service.client();
    for _ in 0..3 {
        assert_eq!(
            post(&client, &service.url("/"), "x").await.unwrap(),
            "hello"
        );
    }
    assert_eq!(service.opened(), 3);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let service =
        Peer::saying("HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 2\r\n\r\nno");
    assert_eq!(
        get(&service.client(), &service.url("/")).await.unwrap(),
        "no"
    );
    assert_eq!(service.seen().len(), 1);
}
