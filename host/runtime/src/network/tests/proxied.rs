//! By a company's proxy, with its own certificates.

use super::super::{Network, NetworkError, NetworkOptions, Reach};
use super::support::{Manner, Scripted, authority, proxy, send, service};

const URL: &str = "https://org.example.com/services/data";

fn by(proxy: std::net::SocketAddr) -> NetworkOptions {
    NetworkOptions {
        https_proxy: Some(format!("http://ada:se%20cret@{proxy}").parse().unwrap()),
        ..NetworkOptions::default()
    }
}

#[tokio::test]
async fn a_tunnel_leads_to_a_service_that_a_companys_authority_vouches_for() {
    let (pem, tls) = authority("org.example.com");
    let (to, service) = service(Manner::Answers, Some(tls)).await;
    let (at, proxy) = proxy(None, to).await;
    let options = by(at).with_ca_pem(pem.as_bytes()).unwrap();
    let client = Network::new(options).unwrap().client(Reach::Public);
    assert_eq!(send(&client, "GET", URL).await.unwrap(), "hi");
    assert_eq!(send(&client, "POST", URL).await.unwrap(), "hi");
    assert_eq!(
        (proxy.connections(), service.connections()),
        (1, 1),
        "the tunnel is kept"
    );

    let [asked] = proxy.heads().try_into().unwrap();
    assert!(asked.starts_with("connect org.example.com:443 "), "{asked}");
    // RFC 7617: `ada:se cret` in base64.
    assert!(
        asked.contains("proxy-authorization: basic ywrhonnlignyzxq="),
        "{asked}"
    );
    assert!(
        !asked.contains("bearer"),
        "the account's token is not the proxy's"
    );
    for head in service.heads() {
        assert!(head.contains("authorization: bearer token"), "{head}");
        assert!(
            !head.contains("proxy-authorization"),
            "the proxy's password is not the service's"
        );
    }
}

#[tokio::test]
async fn an_unknown_authority_is_refused_with_the_setting_that_makes_it_known() {
    let (_, tls) = authority("org.example.com");
    let (other, _) = authority("org.example.com");
    let (to, service) = service(Manner::Answers, Some(tls)).await;
    let (at, _) = proxy(None, to).await;
    let options = by(at).with_ca_pem(other.as_bytes()).unwrap();
    let client = Network::new(options).unwrap().client(Reach::Public);
    let error = send(&client, "GET", URL).await.unwrap_err();
    assert!(matches!(error, NetworkError::Tls { .. }), "{error}");
    assert!(error.to_string().contains("--ca-file"), "{error}");
    assert!(service.heads().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn a_certificate_of_another_name_is_refused() {
    let (pem, tls) = authority("other.example.com");
    let (to, service) = service(Manner::Answers, Some(tls)).await;
    let (at, _) = proxy(None, to).await;
    let options = by(at).with_ca_pem(pem.as_bytes()).unwrap();
    let client = Network::new(options).unwrap().client(Reach::Public);
    let error = send(&client, "GET", URL).await.unwrap_err();
    assert!(error.to_string().contains("another name"), "{error}");
    assert!(service.heads().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn a_proxy_that_refuses_says_what_to_do_and_its_password_stays_secret() {
    let (pem, _) = authority("org.example.com");
    for (answer, words) in [
        (
            "HTTP/1.1 407 Who are you\r\ncontent-length: 0\r\n\r\n",
            "user name and password",
        ),
        (
            "HTTP/1.1 403 No\r\ncontent-type: text/html\r\n\r\n<html>blocked</html>",
            "NO_PROXY",
        ),
        (
            "<html>not a proxy</html>\r\n\r\n",
            "check the proxy setting",
        ),
    ] {
        let (at, _) = proxy(Some(answer), ([127, 0, 0, 1], 1).into()).await;
        let options = by(at).with_ca_pem(pem.as_bytes()).unwrap();
        let client = Network::new(options).unwrap().client(Reach::Public);
        let error = send(&client, "POST", URL).await.unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(!said.contains("cret"), "{said}");
        assert!(!error.may_have_been_sent(), "{error}");
    }
}

#[tokio::test]
async fn what_is_exempt_is_reached_without_the_proxy() {
    let (to, _) = service(Manner::Answers, None).await;
    let (at, proxy) = proxy(None, to).await;
    let (pem, _) = authority("org.example.com");
    let options = NetworkOptions {
        no_proxy: "localhost,.example.com".to_owned(),
        ..by(at)
    };
    let options = options.with_ca_pem(pem.as_bytes()).unwrap();
    // Without the proxy, the host looks the name up itself, and refuses what it finds.
    let resolver = Scripted::new(&[&["10.0.0.1"]]);
    let client = Network::with_resolver(options, resolver)
        .unwrap()
        .client(Reach::Public);
    let error = send(&client, "GET", URL).await.unwrap_err();
    assert!(
        matches!(error, NetworkError::PrivateAddress { .. }),
        "{error}"
    );
    assert_eq!(proxy.connections(), 0);
}

#[tokio::test]
async fn plain_http_is_forwarded_with_the_whole_address() {
    let (to, service) = service(Manner::Answers, None).await;
    let (at, proxy) = proxy(None, to).await;
    let options = NetworkOptions {
        http_proxy: Some(format!("http://ada:secret@{at}").parse().unwrap()),
        ..NetworkOptions::default()
    };
    let client = Network::new(options).unwrap().client(Reach::Public);
    assert_eq!(
        send(&client, "GET", "http://org.example.com/a?b")
            .await
            .unwrap(),
        "hi"
    );
    let [asked] = proxy.heads().try_into().unwrap();
    assert!(
        asked.starts_with("get http://org.example.com/a?b "),
        "{asked}"
    );
    assert_eq!(service.connections(), 1);
}
