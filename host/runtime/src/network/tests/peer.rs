//! The other end of a connection, and what the tests say to it with.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::network::{
    Client, HostPort, Network, NetworkError, NetworkOptions, Reach, Resolve, SystemResolver,
    Timeouts,
};

/// The answer of a peer that has nothing else to say.
pub(super) const HELLO: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

/// A proxy's word that its tunnel stands.
pub(super) const ESTABLISHED: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

/// One request as it came over the wire.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) line: String,
    pub(super) body: String,
    headers: Vec<(String, String)>,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// A listener on a port of the system's choice, a thread a connection.
pub(super) struct Peer {
    address: SocketAddr,
    opened: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<Seen>>>,
    stopping: Arc<AtomicBool>,
}

impl Peer {
    /// Plays `script` on every connection. An error of the script is the client going away.
    pub(super) fn new(
        script: impl Fn(&mut Wire) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let peer = Self {
            address: listener.local_addr().unwrap(),
            opened: Arc::default(),
            seen: Arc::default(),
            stopping: Arc::default(),
        };
        let (opened, seen) = (peer.opened.clone(), peer.seen.clone());
        let (stopping, script) = (peer.stopping.clone(), Arc::new(script));
        thread::spawn(move || {
            for tcp in listener.incoming().flatten() {
                if stopping.load(Ordering::SeqCst) {
                    return;
                }
                let number = opened.fetch_add(1, Ordering::SeqCst) + 1;
                let (seen, script) = (seen.clone(), script.clone());
                thread::spawn(move || {
                    if let Ok(mut wire) = Wire::new(tcp, number, seen) {
                        let _gone = script(&mut wire);
                    }
                });
            }
        });
        peer
    }

    /// A service that answers every request and keeps its connections.
    pub(super) fn hello() -> Self {
        Self::new(|wire| wire.answer_all(HELLO))
    }

    /// A proxy that opens every tunnel, and is the service at its end too.
    pub(super) fn tunnel(tls: Arc<ServerConfig>) -> Self {
        Self::new(move |wire| {
            wire.request()?;
            wire.say(ESTABLISHED)?;
            wire.start_tls(&tls)?;
            wire.answer_all(HELLO)
        })
    }

    /// A peer whose word to every connection's first request is `answer`, before it hangs up.
    pub(super) fn saying(answer: &'static str) -> Self {
        Self::new(move |wire| {
            wire.request()?;
            wire.say(answer)
        })
    }

    pub(super) fn host_port(&self) -> HostPort {
        HostPort::new("127.0.0.1", self.address.port())
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many connections were accepted.
    pub(super) fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    /// The requests so far. Each is here before it is answered.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Options under which this peer, and nothing else, may be on loopback.
    pub(super) fn allowed(&self) -> NetworkOptions {
        NetworkOptions {
            allow_private: vec![self.host_port()],
            ..NetworkOptions::default()
        }
    }

    /// A client that reaches this peer directly.
    pub(super) fn client(&self) -> Client {
        self.client_with(self.allowed())
    }

    pub(super) fn client_with(&self, options: NetworkOptions) -> Client {
        let network = Network::new(options).unwrap();
        network.client(Reach::Loopback(self.host_port()))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Wakes the accepting thread, which then ends.
        let _woken = TcpStream::connect(self.address);
    }
}

trait Io: Read + Write + Send {}
impl<T: Read + Write + Send> Io for T {}

/// The peer's end of one connection.
pub(super) struct Wire {
    /// Which connection of its peer it is, from 1.
    pub(super) number: usize,
    tcp: TcpStream,
    io: Box<dyn Io>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Wire {
    fn new(tcp: TcpStream, number: usize, seen: Arc<Mutex<Vec<Seen>>>) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        let io = Box::new(tcp.try_clone()?);
        Ok(Self {
            number,
            tcp,
            io,
            seen,
        })
    }

    pub(super) fn start_tls(&mut self, tls: &Arc<ServerConfig>) -> io::Result<()> {
        let session = ServerConnection::new(tls.clone()).map_err(io::Error::other)?;
        self.io = Box::new(StreamOwned::new(session, self.tcp.try_clone()?));
        Ok(())
    }

    /// Reads one request, never a byte more, and writes it down.
    pub(super) fn request(&mut self) -> io::Result<Seen> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.io.read_exact(&mut byte)?;
            head.extend_from_slice(&byte);
        }
        let head = String::from_utf8(head).map_err(io::Error::other)?;
        let mut lines = head.trim_end().split("\r\n");
        let line = lines.next().unwrap_or_default().to_owned();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let mut seen = Seen {
            line,
            body: String::new(),
            headers: headers.map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
        };
        let length = seen.header("content-length").map_or(Ok(0), str::parse);
        let mut body = vec![0; length.map_err(io::Error::other)?];
        self.io.read_exact(&mut body)?;
        seen.body = String::from_utf8(body).map_err(io::Error::other)?;
        self.seen.lock().unwrap().push(seen.clone());
        Ok(seen)
    }

    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        self.io.write_all(text.as_bytes())?;
        self.io.flush()
    }

    /// Answers until the client hangs up.
    pub(super) fn answer_all(&mut self, answer: &str) -> io::Result<()> {
        loop {
            self.request()?;
            self.say(answer)?;
        }
    }

    /// Says nothing until the client hangs up.
    pub(super) fn hold(&mut self) -> io::Result<()> {
        io::copy(&mut self.io, &mut io::sink()).map(|_| ())
    }

    /// Closes the connection, as a service that found it idle for too long does.
    pub(super) fn close(&mut self) -> io::Result<()> {
        self.tcp.shutdown(std::net::Shutdown::Both)
    }
}

/// A certificate authority that no system knows.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(super) pem: String,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self { issuer, pem }
    }

    /// What a service named `name` shows, signed by this authority.
    pub(super) fn service(&self, name: &str) -> Arc<ServerConfig> {
        self.service_with(CertificateParams::new([name.to_owned()]).unwrap())
    }

    pub(super) fn service_with(&self, params: CertificateParams) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        Arc::new(config)
    }

    /// Default options that trust this authority too.
    pub(super) fn trusted(&self) -> NetworkOptions {
        let options = NetworkOptions::default();
        options.with_ca_pem(self.pem.as_bytes()).unwrap()
    }
}

/// A resolver that gives one answer after the other, the last one for ever, to whatever name.
pub(super) struct Names {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    pub(super) fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |answer: &&[&str]| answer.iter().map(|ip| ip.parse().unwrap()).collect();
        Arc::new(Self {
            answers: Mutex::new(answers.iter().map(parse).collect()),
            asked: Mutex::default(),
        })
    }

    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        self.asked.lock().unwrap().push(host.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let answer = match answers.len() {
            0 | 1 => answers.front().cloned(),
            _ => answers.pop_front(),
        };
        let addresses = answer.unwrap_or_default().into_iter();
        Ok(addresses.map(|ip| SocketAddr::new(ip, port)).collect())
    }
}

/// A client for the public internet.
pub(super) fn public(options: NetworkOptions) -> Client {
    public_with(options, Arc::new(SystemResolver))
}

pub(super) fn public_with(options: NetworkOptions, resolver: Arc<dyn Resolve>) -> Client {
    let network = Network::with_resolver(options, resolver).unwrap();
    network.client(Reach::Public)
}

/// Says whether anybody connected to `listener`, which nobody else accepts from.
pub(super) fn was_dialled(listener: &TcpListener) -> bool {
    listener.set_nonblocking(true).unwrap();
    listener.accept().is_ok()
}

pub(super) fn request(method: Method, url: &str, body: &str) -> Request<Full<Bytes>> {
    let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
    let builder = Request::builder().method(method).uri(url);
    builder.body(body).unwrap()
}

/// Sends a GET and reads its answer's body.
pub(super) async fn get(client: &Client, url: &str) -> Result<String, NetworkError> {
    ask(client, request(Method::GET, url, "")).await
}

/// Sends a POST and reads its answer's body.
pub(super) async fn post(client: &Client, url: &str, body: &str) -> Result<String, NetworkError> {
    ask(client, request(Method::POST, url, body)).await
}

async fn ask(client: &Client, request: Request<Full<Bytes>>) -> Result<String, NetworkError> {
    let response = client.send(request, Timeouts::default()).await?;
    Ok(text(response).await)
}

pub(super) async fn text(response: Response<Incoming>) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}
