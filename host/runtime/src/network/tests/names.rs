//! Names that stand for this machine or its neighbours.

use super::super::{HostPort, Network, NetworkError, NetworkOptions, Reach};
use super::support::{Manner, Scripted, destination, send, service};

async fn refused(answers: &[&[&str]], options: NetworkOptions, reach: Reach, url: &str) -> bool {
    let network = Network::with_resolver(options, Scripted::new(answers)).unwrap();
    let sent = send(&network.client(reach), "GET", url).await;
    matches!(sent, Err(NetworkError::PrivateAddress { .. }))
}

#[tokio::test]
async fn a_public_name_with_a_private_address_is_refused_and_nothing_is_dialled() {
    let (address, seen) = service(Manner::Answers, None).await;
    let port = address.port();
    for private in [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "::1",
        "::ffff:127.0.0.1",
        "0.0.0.0",
    ] {
        let url = format!("http://service.example.com:{port}/");
        let options = NetworkOptions::default();
        assert!(
            refused(&[&[private]], options, Reach::Public, &url).await,
            "{private}"
        );
    }
    assert_eq!(seen.connections(), 0);
}

#[tokio::test]
async fn an_address_in_the_url_is_judged_as_one_behind_a_name() {
    let (address, seen) = service(Manner::Answers, None).await;
    let port = address.port();
    for host in ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"] {
        let url = format!("http://{host}:{port}/");
        let options = NetworkOptions::default();
        assert!(
            refused(&[&["1.1.1.1"]], options, Reach::Public, &url).await,
            "{host}"
        );
    }
    assert_eq!(seen.connections(), 0);
}

#[tokio::test]
async fn a_name_that_changes_its_address_is_judged_at_every_connection() {
    let (address, seen) = service(Manner::Answers, None).await;
    let url = format!("http://service.example.com:{}/", address.port());
    // The public address is one of documentation's neighbours that nothing answers at; it is dropped as not public.
    let answers: [&[&str]; 2] = [&["203.0.113.1"], &["127.0.0.1"]];
    let resolver = Scripted::new(&answers);
    let network = Network::with_resolver(NetworkOptions::default(), resolver).unwrap();
    let client = network.client(Reach::Public);
    for _ in 0..3 {
        let error = send(&client, "GET", &url).await.unwrap_err();
        assert!(
            matches!(error, NetworkError::PrivateAddress { .. }),
            "{error}"
        );
    }
    assert_eq!(seen.connections(), 0);
}

#[tokio::test]
async fn what_the_operator_allowed_is_reached_by_its_own_client_alone() {
    let (address, seen) = service(Manner::Answers, None).await;
    let (other, others) = service(Manner::Answers, None).await;
    let own = destination(address);
    let allowed = || NetworkOptions {
        allow_private: vec![destination(address)],
        ..NetworkOptions::default()
    };
    let answers: [&[&str]; 1] = [&["127.0.0.1"]];
    let url = format!("http://{address}/");
    // Allowed, and made for it.
    let network = Network::new(allowed()).unwrap();
    let client = network.client(Reach::Loopback(own.clone()));
    assert_eq!(send(&client, "GET", &url).await.unwrap(), "hi");
    assert_eq!(seen.connections(), 1);
    // Allowed, and made for the public alone.
    assert!(refused(&answers, allowed(), Reach::Public, &url).await);
    // Made for it, and not allowed.
    let reach = Reach::Loopback(own.clone());
    assert!(refused(&answers, NetworkOptions::default(), reach, &url).await);
    // Another port of the same address, and a name for the same address.
    let beside = format!("http://{other}/");
    assert!(refused(&answers, allowed(), Reach::Loopback(own.clone()), &beside).await);
    let named = format!("http://service.example.com:{}/", address.port());
    assert!(refused(&answers, allowed(), Reach::Loopback(own), &named).await);
    assert_eq!((seen.connections(), others.connections()), (1, 0));
}

#[test]
fn a_destination_is_told_by_host_and_port() {
    let network = Network::new(NetworkOptions {
        allow_private: vec![HostPort::new("LocalHost", 8080)],
        ..NetworkOptions::default()
    })
    .unwrap();
    assert!(network.allows_private(&HostPort::new("localhost", 8080)));
    assert!(!network.allows_private(&HostPort::new("localhost", 8081)));
    assert!(!network.allows_private(&HostPort::new("127.0.0.1", 8080)));
}
