//! Which addresses are dialled: what was checked, and nothing that is not public or allowed.

use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};

use super::peer::{Names, Peer, get, post, public_with, was_dialled};
use crate::network::resolve::addresses;
use crate::network::{HostPort, Network, NetworkError, NetworkOptions, Reach};

fn refused(error: &NetworkError) -> bool {
    matches!(error, NetworkError::PrivateAddress { .. }) && !error.may_have_been_sent()
}

#[tokio::test]
async fn a_public_name_for_an_inner_address_is_refused_and_nothing_is_dialled() {
    let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = v4.local_addr().unwrap().port();
    // Not every system has IPv6, nor this port free in it.
    let v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).ok();
    for inner in [
        &["127.0.0.1"][..],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["0.0.0.0"],
        &["10.0.0.1"],
        &["172.16.0.1"],
        &["192.168.0.1"],
        &["169.254.169.254"],
        &["fd00:ec2::254"],
        // Of a block for documentation, which nobody owns.
        &["203.0.113.1"],
        &["10.0.0.1", "127.0.0.1", "::1"],
    ] {
        for scheme in ["http", "https"] {
            let names = Names::new(&[inner]);
            let client = public_with(NetworkOptions::default(), names.clone());
            let url = format!("{scheme}://service.example:{port}/");
            let error = get(&client, &url).await.unwrap_err();
            assert!(refused(&error), "{inner:?}: {error:?}");
            assert_eq!(
                error.to_string(),
                format!(
                    "refused to connect to `service.example`: it has no public address; if you mean a \
                     service on this machine or network, the operator allows it with `--allow-origin \
                     service.example:{port}`"
                )
            );
            assert_eq!(names.asked(), ["service.example"]);
        }
    }
    assert!(!was_dialled(&v4));
    assert!(!v6.is_some_and(|v6| was_dialled(&v6)));
}

#[tokio::test]
async fn an_inner_address_is_refused_however_it_is_written() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = Network::new(NetworkOptions::default()).unwrap();
    let client = client.client(Reach::Public);
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"] {
        let error = get(&client, &format!("http://{host}:{port}/")).await;
        assert!(refused(&error.unwrap_err()), "{host}");
    }
    // For the system's resolver to read: as an address that is refused, or not at all.
    for host in ["127.1", "2130706433", "0x7f000001"] {
        let error = get(&client, &format!("http://{host}:{port}/")).await;
        let error = error.unwrap_err();
        let unknown = matches!(error, NetworkError::Resolve { .. });
        assert!(refused(&error) || unknown, "{host}: {error:?}");
    }
    // Whatever a resolver would say of it.
    let names = Names::new(&[&["1.1.1.1"]]);
    let client = public_with(NetworkOptions::default(), names);
    for host in ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"] {
        let error = get(&client, &format!("http://{host}:{port}/")).await;
        assert!(refused(&error.unwrap_err()), "{host}");
    }
    assert!(!was_dialled(&listener));
}

#[tokio::test]
async fn a_name_that_turns_from_public_to_inner_is_judged_anew_each_time() {
    let names = Names::new(&[&["93.184.215.14"], &["127.0.0.1"]]);
    let target = HostPort::new("service.example", 443);
    let first = addresses(&*names, &target, false).await.unwrap();
    assert_eq!(first, ["93.184.215.14:443".parse().unwrap()]);
    let second = addresses(&*names, &target, false).await.unwrap_err();
    assert!(refused(&second), "{second:?}");

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let names = Names::new(&[&["203.0.113.1"], &["127.0.0.1"]]);
    let client = public_with(NetworkOptions::default(), names);
    for _ in 0..3 {
        let error = get(&client, &format!("http://service.example:{port}/")).await;
        assert!(refused(&error.unwrap_err()));
    }
    assert!(!was_dialled(&listener));
}

#[tokio::test]
async fn what_was_looked_up_once_is_what_is_dialled() {
    let service = Peer::hello();
    let port = service.host_port().port();
    let target = HostPort::new("service.example", port);
    let options = NetworkOptions {
        allow_private: vec![target.clone()],
        ..NetworkOptions::default()
    };
    // A second lookup for the same connection would lead astray.
    let names = Names::new(&[&["127.0.0.1"], &["240.0.0.1"]]);
    let network = Network::with_resolver(options, names.clone()).unwrap();
    let client = network.client(Reach::Loopback(target.clone()));
    for _ in 0..3 {
        let answer = get(&client, &format!("http://{target}/")).await.unwrap();
        assert_eq!(answer, "hello");
    }
    assert_eq!(names.asked(), ["service.example"]);
    let host = format!("service.example:{port}");
    assert_eq!(service.seen()[0].header("host"), Some(host.as_str()));
}

#[tokio::test]
async fn an_address_that_refuses_leads_to_the_next() {
    let service = Peer::hello();
    let target = HostPort::new("localhost", service.host_port().port());
    let options = NetworkOptions {
        allow_private: vec![target.clone()],
        ..NetworkOptions::default()
    };
    let names = Names::new(&[&["::1", "127.0.0.1"]]);
    let network = Network::with_resolver(options, names).unwrap();
    let client = network.client(Reach::Loopback(target.clone()));
    let answer = get(&client, &format!("http://{target}/")).await.unwrap();
    assert_eq!(answer, "hello");
}

#[tokio::test]
async fn a_client_for_one_inner_destination_reaches_no_other() {
    let service = Peer::hello();
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let other_port = other.local_addr().unwrap().port();
    let mut options = service.allowed();
    // The operator allows both, the client is for one.
    let second = HostPort::new("127.0.0.1", other_port);
    options.allow_private.push(second);
    let client = service.client_with(options);
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"] {
        let error = get(&client, &format!("http://{host}:{other_port}/")).await;
        assert!(refused(&error.unwrap_err()), "{host}");
    }
    // The same port under another name is another destination.
    let port = service.host_port().port();
    let error = get(&client, &format!("http://localhost:{port}/")).await;
    assert!(refused(&error.unwrap_err()));
    let names = Names::new(&[&["127.0.0.1"]]);
    let network = Network::with_resolver(service.allowed(), names).unwrap();
    let named = network.client(Reach::Loopback(service.host_port()));
    let error = get(&named, &format!("http://service.example:{port}/")).await;
    assert!(refused(&error.unwrap_err()));
    assert!(!was_dialled(&other));
    assert_eq!(service.opened(), 0);
    assert_eq!(get(&client, &service.url("/")).await.unwrap(), "hello");
}

#[tokio::test]
async fn an_inner_destination_takes_both_the_client_and_the_operator() {
    let service = Peer::hello();
    // A client for it, and an operator that allows nothing or something else.
    for allow_private in [vec![], vec![HostPort::new("127.0.0.1", 1)]] {
        let options = NetworkOptions {
            allow_private,
            ..NetworkOptions::default()
        };
        let error = get(&service.client_with(options), &service.url("/")).await;
        assert!(refused(&error.unwrap_err()));
    }
    // The operator's word, and a client for the public internet.
    let network = Network::new(service.allowed()).unwrap();
    assert!(network.allows_private(&service.host_port()));
    let error = get(&network.client(Reach::Public), &service.url("/")).await;
    assert!(refused(&error.unwrap_err()));
    assert_eq!(service.opened(), 0);
}

#[tokio::test]
async fn a_service_that_is_down_or_unknown_is_named() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let target = HostPort::new("127.0.0.1", listener.local_addr().unwrap().port());
    drop(listener);
    let options = NetworkOptions {
        allow_private: vec![target.clone()],
        ..NetworkOptions::default()
    };
    let network = Network::new(options).unwrap();
    let client = network.client(Reach::Loopback(target.clone()));
    let url = format!("http://{target}/");
    let error = post(&client, &url, "x").await.unwrap_err();
    assert!(matches!(error, NetworkError::Connect { .. }), "{error:?}");
    assert!(!error.may_have_been_sent());
    let error = get(&client, &url).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("could not connect to `{target}`: check that it is up and reachable from here")
    );
    assert!(!error.may_have_been_sent());

    let nobody = public_with(NetworkOptions::default(), Names::new(&[]));
    let error = get(&nobody, "https://typo.example/").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not look up the host `typo.example`: check its spelling, and this machine's DNS and connection"
    );
    assert!(!error.may_have_been_sent());
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
