//! Whom TLS trusts.

use rcgen::{CertificateParams, date_time_ymd};

use super::peer::{Authority, HELLO, Peer, get, public};
use crate::network::{NetworkError, NetworkOptions};

fn through(proxy: &Peer, options: NetworkOptions) -> crate::network::Client {
    public(NetworkOptions {
        https_proxy: Some(proxy.host_port().to_string().parse().unwrap()),
        ..options
    })
}

const URL: &str = "https://service.example/";

#[tokio::test]
async fn a_company_s_authority_is_trusted_when_it_is_named() {
    let (authority, other) = (Authority::new("Ours"), Authority::new("Other"));
    let proxy = Peer::tunnel(authority.service("service.example"));
    // Both of one file are read.
    let pem = format!("{}\n{}", other.pem, authority.pem);
    let options = NetworkOptions::default().with_ca_pem(pem.as_bytes());
    let client = through(&proxy, options.unwrap());
    assert_eq!(get(&client, URL).await.unwrap(), "hello");
    assert_eq!(get(&client, URL).await.unwrap(), "hello");
    assert_eq!(proxy.opened(), 1);
}

#[tokio::test]
async fn an_unknown_authority_is_refused_with_the_setting_that_helps() {
    let (authority, other) = (Authority::new("Ours"), Authority::new("Other"));
    let proxy = Peer::tunnel(authority.service("service.example"));
    let client = through(&proxy, other.trusted());
    let error = get(&client, URL).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no trusted TLS connection to `service.example`: its certificate is signed by an authority that this \
         system does not know; behind a company's proxy, name the company's CA certificate with `--ca-file`"
    );
    assert!(!error.may_have_been_sent());
    // Nothing followed the handshake.
    assert_eq!(proxy.seen().len(), 1);
}

#[tokio::test]
async fn an_authority_that_renewed_its_key_is_told_apart_by_it_and_not_by_its_name() {
    let (old, new) = (Authority::new("Company"), Authority::new("Company"));
    let proxy = Peer::tunnel(new.service("service.example"));
    let error = get(&through(&proxy, old.trusted()), URL).await.unwrap_err();
    assert!(matches!(error, NetworkError::Tls { .. }), "{error:?}");
    assert!(error.to_string().contains("with `--ca-file`"), "{error}");
    assert_eq!(proxy.seen().len(), 1);
}

#[tokio::test]
async fn a_certificate_of_another_name_or_time_is_refused() {
    let authority = Authority::new("Ours");
    let name = || CertificateParams::new(["service.example".to_owned()]).unwrap();
    let mut expired = name();
    expired.not_after = date_time_ymd(2001, 1, 1);
    let mut early = name();
    early.not_before = date_time_ymd(4001, 1, 1);
    for (tls, says) in [
        (authority.service("other.example"), "is for another name"),
        (authority.service_with(expired), "has expired"),
        (authority.service_with(early), "is not valid yet"),
    ] {
        let proxy = Peer::tunnel(tls);
        let client = through(&proxy, authority.trusted());
        let error = get(&client, URL).await.unwrap_err();
        assert!(matches!(error, NetworkError::Tls { .. }), "{error:?}");
        assert!(error.to_string().contains(says), "{error}");
        assert!(!error.may_have_been_sent());
        assert_eq!(proxy.seen().len(), 1);
    }
}

#[tokio::test]
async fn an_allowed_loopback_service_may_speak_https_too() {
    let authority = Authority::new("Ours");
    let tls = authority.service("127.0.0.1");
    let service = Peer::new(move |wire| {
        wire.start_tls(&tls)?;
        wire.answer_all(HELLO)
    });
    let mut options = authority.trusted();
    options.allow_private = vec![service.host_port()];
    let client = service.client_with(options);
    let url = service.url("/").replace("http://", "https://");
    assert_eq!(get(&client, &url).await.unwrap(), "hello");
    // The same service in plain text is another matter: the port does not speak it.
    let error = get(&client, &service.url("/")).await.unwrap_err();
    assert!(matches!(error, NetworkError::Broken { .. }), "{error:?}");
}

#[tokio::test]
async fn a_port_that_does_not_speak_tls_is_named_so() {
    for (answer, hangs_up) in [("HTTP/1.1 400 Bad Request\r\n\r\n", false), ("", true)] {
        let service = Peer::new(move |wire| {
            wire.say(answer)?;
            match hangs_up {
                true => wire.close(),
                false => wire.hold(),
            }
        });
        let client = service.client();
        let url = service.url("/").replace("http://", "https://");
        let error = get(&client, &url).await.unwrap_err();
        assert!(
            error
                .to_string()
                .contains("check that the port speaks https"),
            "{error:?}"
        );
        assert!(!error.may_have_been_sent());
    }
}
