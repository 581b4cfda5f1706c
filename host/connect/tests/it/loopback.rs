//! The callback on this machine, and who else comes to it.

use std::time::Duration;

use portcullis_connect::{
    Attempt, ConnectError, Loopback, LoopbackError, LoopbackHost, LoopbackOptions, Waiting,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Site, service};

struct Door {
    waiting: Waiting,
    attempt: Attempt,
    address: String,
    state: String,
}

async fn open(options: LoopbackOptions) -> Door {
    let site = Site::new().await;
    let loopback = Loopback::bind(options).await.unwrap();
    let redirect = loopback.redirect().to_string();
    let (url, attempt) = site.start(&site.app("Portcullis"), loopback.redirect(), "api");
    let (_, state) = url.split_once("&state=").unwrap();
    let address = redirect.strip_prefix("http://").unwrap();
    Door {
        waiting: loopback.wait(&attempt),
        attempt,
        address: address.strip_suffix("/callback").unwrap().to_owned(),
        state: state.split('&').next().unwrap().to_owned(),
    }
}

impl Door {
    async fn say(&self, request: &str) -> String {
        self.say_at("127.0.0.1", request).await
    }

    fn say_at(&self, ip: &str, request: &str) -> impl Future<Output = String> + use<> {
        let port = self.address.rsplit(':').next().unwrap();
        let address = format!("{ip}:{port}");
        let request = request
            .replace("HOST", &self.address)
            .replace("STATE", &self.state);
        async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            let _ = stream.read_to_string(&mut answer).await; // It may be reset.
            answer
        }
    }
}

#[tokio::test]
async fn only_the_browser_of_this_sign_in_is_heard() {
    let mut door = open(LoopbackOptions::default()).await;
    for (request, status) in [
        (
            "GET /callback?code=c&state=STATE HTTP/1.1\r\nHost: evil.example\r\n\r\n",
            403,
        ),
        (
            "GET /callback?code=c&state=STATE HTTP/1.1\r\nHost: evil.example:1\r\nHost: HOST\r\n\r\n",
            403,
        ),
        (
            "GET /callback?code=c&state=STATE HTTP/1.1\r\nHost: HOST.evil.example\r\n\r\n",
            403,
        ),
        (
            "GET /callback?code=c&state=STATE HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            403,
        ),
        ("GET /callback?code=c&state=STATE HTTP/1.1\r\n\r\n", 403),
        ("GET /callback?code=c&state=STATE HTTP/1.0\r\n\r\n", 403),
        (
            "GET http://HOST/callback?code=c&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n",
            403,
        ),
        (
            "GET /callback/?code=c&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n",
            404,
        ),
        (
            "GET //callback?code=c&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n",
            404,
        ),
        (
            "GET /Callback?code=c&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n",
            404,
        ),
        ("GET / HTTP/1.1\r\nHost: HOST\r\n\r\n", 404),
        (
            "POST /callback?code=c&state=STATE HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n\r\n",
            405,
        ),
        (
            "HEAD /callback?code=c&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n",
            405,
        ),
        (
            "OPTIONS /callback?code=c&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n",
            405,
        ),
        ("GET /callback HTTP/1.1\r\nHost: HOST\r\n\r\n", 400),
        (
            "GET /callback?code=c&state=x HTTP/1.1\r\nHost: HOST\r\n\r\n",
            400,
        ),
        (
            "GET /callback?code=c&state=STATE&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n",
            400,
        ),
        (
            "GET /callback?error=%3Cscript%3E&state=x HTTP/1.1\r\nHost: HOST\r\n\r\n",
            400,
        ),
        ("\x16\x03\x01\r\n\r\n", 400),
    ] {
        let answer = door.say(request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}"))
                || answer.starts_with(&format!("HTTP/1.0 {status}")),
            "{request} {answer}"
        );
        assert!(
            !answer.contains("script") && !answer.contains(&door.state),
            "{answer}"
        );
    }

    let good = "GET /callback?code=c&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n";
    let browser = tokio::spawn(door.say_at("127.0.0.1", good));
    let returned = door.waiting.callback().await.unwrap();
    assert_eq!(returned.query(), format!("code=c&state={}", door.state));
    assert!(!format!("{returned:?}").contains(&door.state));
    // Nobody says what came of it.
    drop(returned);
    let answer = browser.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    for header in [
        "content-security-policy: default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n",
        "referrer-policy: no-referrer\r\n",
        "cache-control: no-store\r\n",
        "x-content-type-options: nosniff\r\n",
        "connection: close\r\n",
    ] {
        assert!(answer.contains(header), "{header} {answer}");
    }
    assert!(!answer.contains(&door.state), "{answer}");
}

#[tokio::test]
async fn an_error_comes_back_too_and_nobody_after_it() {
    let mut door = open(LoopbackOptions {
        host: LoopbackHost::Localhost,
        ..LoopbackOptions::default()
    })
    .await;
    assert!(door.address.starts_with("localhost:"));
    let denied = "GET /callback?error=access_denied&state=STATE HTTP/1.1\r\nHost: HOST\r\n\r\n";
    let browser = tokio::spawn(door.say_at("[::1]", denied));
    let returned = door.waiting.callback().await.unwrap();
    assert!(returned.query().starts_with("error=access_denied"));
    returned.tell(&Err(ConnectError::Late), None).await;
    let answer = browser.await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 400 ") && answer.contains("Not connected"),
        "{answer}"
    );
    assert!(answer.contains("took too long"), "{answer}");
    let port = door.address.rsplit(':').next().unwrap().to_owned();
    drop(door);
    // The task ends when the runtime comes to it.
    while TcpStream::connect(format!("127.0.0.1:{port}"))
        .await
        .is_ok()
    {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn who_is_kept_by_the_service_is_told_what_its_page_may_mean() {
    let mut door = open(LoopbackOptions {
        deadline: Duration::from_millis(20),
        stuck_after: Duration::from_millis(1),
        ..LoopbackOptions::default()
    })
    .await;
    let guides = door.waiting.waiting(&service(), &door.attempt).await;
    assert_eq!(
        guides[0].title,
        "Salesforce did not let this app in, and does not say why"
    );
    assert!(
        guides
            .iter()
            .any(|guide| guide.title.contains("callback URL"))
    );
    let late = door.waiting.callback().await;
    assert!(matches!(late, Err(LoopbackError::Late(_))), "{late:?}");
}

#[tokio::test]
async fn who_listens_at_the_other_address_of_this_machine_gets_nothing() {
    // Browsers ask for `localhost` at `::1` first.
    let theirs = TcpListener::bind("[::1]:0").await.unwrap();
    let at = |port| LoopbackOptions {
        port,
        host: LoopbackHost::Localhost,
        ..LoopbackOptions::default()
    };
    let port = theirs.local_addr().unwrap().port();
    let refused = Loopback::bind(at(port)).await.unwrap_err();
    let named = format!("cannot listen on `localhost:{port}`");
    assert!(refused.to_string().contains(&named), "{refused}");
    // And nobody can come after it.
    let ours = Loopback::bind(at(0)).await.unwrap();
    let (_, rest) = ours.redirect().as_str().split_once("localhost:").unwrap();
    let port = rest.split('/').next().unwrap();
    for ip in ["[::1]", "127.0.0.1"] {
        assert!(
            TcpListener::bind(format!("{ip}:{port}")).await.is_err(),
            "{ip}"
        );
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_said() {
    let one = Loopback::bind(LoopbackOptions::default()).await.unwrap();
    let port = one.redirect().as_str().rsplit(':').next().unwrap();
    let port = port.strip_suffix("/callback").unwrap().parse().unwrap();
    let other = Loopback::bind(LoopbackOptions {
        port,
        ..LoopbackOptions::default()
    })
    .await;
    let error = other.unwrap_err().to_string();
    assert!(
        error.contains(&format!("cannot listen on `127.0.0.1:{port}`")),
        "{error}"
    );
}
