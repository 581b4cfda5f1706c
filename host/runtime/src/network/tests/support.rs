//! Servers that play one part each and remember what they were sent.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::super::{Client, HostPort, NetworkError, Resolve, Timeouts};

/// What a server saw.
#[derive(Clone, Default)]
pub(super) struct Seen {
    connections: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Seen {
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The heads of the requests, in lower case.
    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    fn connected(&self) -> usize {
        self.connections.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn head(&self, head: &str) {
        self.heads.lock().unwrap().push(head.to_lowercase());
    }
}

/// How a service behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// It answers every request of a connection.
    Answers,
    /// It answers the first request of a connection, and hangs up without a word at the second.
    HangsUpAtTheSecond,
    /// It never answers.
    Silent,
}

/// A service on a loopback address, plain or by TLS.
pub(super) async fn service(manner: Manner, tls: Option<TlsAcceptor>) -> (SocketAddr, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Seen::default();
    let watched = seen.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (seen, tls) = (watched.clone(), tls.clone());
            seen.connected();
            tokio::spawn(async move {
                let _ = match tls {
                    None => serve(stream, manner, &seen).await,
                    Some(tls) => match tls.accept(stream).await {
                        Ok(stream) => serve(stream, manner, &seen).await,
                        Err(error) => Err(error),
                    },
                };
            });
        }
    });
    (address, seen)
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    manner: Manner,
    seen: &Seen,
) -> io::Result<()> {
    let mut answered = 0;
    loop {
        let head = read_head(&mut stream).await?;
        if head.is_empty() {
            return Ok(());
        }
        seen.head(&head);
        match manner {
            Manner::Silent => std::future::pending::<()>().await,
            Manner::HangsUpAtTheSecond if answered == 1 => return Ok(()),
            Manner::Answers | Manner::HangsUpAtTheSecond => {}
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
            .await?;
        stream.flush().await?;
        answered += 1;
    }
}

/// Reads to the end of a head; the requests of these tests have bodies of at most a few bytes, which
/// come with it.
async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        head.extend_from_slice(&buffer[..count]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// A proxy that answers a request with `answer`, or, without one, opens the tunnel to `to`, whatever host
/// it is asked for.
pub(super) async fn proxy(answer: Option<&'static str>, to: SocketAddr) -> (SocketAddr, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Seen::default();
    let watched = seen.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let seen = watched.clone();
            seen.connected();
            tokio::spawn(async move {
                let head = read_head(&mut client).await?;
                seen.head(&head);
                if let Some(answer) = answer {
                    return client.write_all(answer.as_bytes()).await;
                }
                let mut service = TcpStream::connect(to).await?;
                match head.starts_with("CONNECT ") {
                    true => client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await?,
                    false => service.write_all(head.as_bytes()).await?,
                }
                tokio::io::copy_bidirectional(&mut client, &mut service).await?;
                Ok(())
            });
        }
    });
    (address, seen)
}

/// A certificate authority: its PEM text, and a service's TLS for `name` that it signed.
pub(super) fn authority(name: &str) -> (String, TlsAcceptor) {
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    let ca = parameters.self_signed(&key).unwrap();
    let pem = ca.pem();
    let issuer = rcgen::Issuer::new(parameters, key);

    let own_key = rcgen::KeyPair::generate().unwrap();
    let own = rcgen::CertificateParams::new(vec![name.to_owned()])
        .unwrap()
        .signed_by(&own_key, &issuer)
        .unwrap();
    let private = rustls::pki_types::PrivateKeyDer::try_from(own_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.der().clone()], private)
        .unwrap();
    (pem, TlsAcceptor::from(Arc::new(config)))
}

/// A resolver that gives the answers of a list, one a lookup, the last one for ever.
pub(super) struct Scripted(Mutex<Vec<Vec<SocketAddr>>>);

impl Scripted {
    pub(super) fn new(answers: &[&[&str]]) -> Arc<Self> {
        let address = |text: &&str| SocketAddr::new(text.parse().unwrap(), 0);
        let mut answers: Vec<Vec<SocketAddr>> = answers
            .iter()
            .map(|answer| answer.iter().map(address).collect())
            .collect();
        answers.reverse();
        Arc::new(Self(Mutex::new(answers)))
    }
}

#[async_trait]
impl Resolve for Scripted {
    async fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        let mut answers = self.0.lock().unwrap();
        match answers.len() {
            1 => Ok(answers[0].clone()),
            _ => answers.pop().ok_or_else(|| io::ErrorKind::NotFound.into()),
        }
    }
}

pub(super) fn destination(address: SocketAddr) -> HostPort {
    HostPort::new(&address.ip().to_string(), address.port())
}

/// Sends a request and reads its answer to the end.
pub(super) async fn send(client: &Client, method: &str, url: &str) -> Result<String, NetworkError> {
    let body = match method {
        "GET" => Bytes::new(),
        _ => Bytes::from_static(b"{}"),
    };
    let request = Request::builder()
        .method(method)
        .uri(url)
        .header("authorization", "Bearer token")
        .body(Full::new(body))
        .unwrap();
    let response: Response<Incoming> = client.send(request, Timeouts::default()).await?;
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Ok(String::from_utf8_lossy(&body).into_owned())
}
