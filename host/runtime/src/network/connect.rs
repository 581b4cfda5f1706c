//! Opens a connection: lookup, address check, TCP, the proxy's tunnel, TLS; all before a deadline.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tower_service::Service;

use super::error::{NetworkError, Phase};
use super::proxy::{ProxyUrl, open_tunnel};
use super::resolve::{addresses, check_unresolved};
use super::target::HostPort;
use super::{Reach, Shared};

/// The way to a destination.
pub(super) enum Way<'a> {
    /// Straight there; `private_allowed` is the operator's word for this exact destination.
    Direct { private_allowed: bool },
    /// By a proxy, which looks the name up.
    Proxy(&'a ProxyUrl),
}

/// Decides the way. What the operator allowed to be private is never asked of a proxy, which
/// would look for it on its own machine.
pub(super) fn way<'a>(shared: &'a Shared, reach: &Reach, uri: &Uri, target: &HostPort) -> Way<'a> {
    // Both have to agree: the client was made for this destination, and the operator allowed it.
    let private_allowed = match reach {
        Reach::Public => false,
        Reach::Loopback(allowed) => {
            allowed == target && shared.options.allow_private.contains(target)
        }
    };
    match shared.proxies.for_uri(uri) {
        Some(proxy) if !private_allowed => Way::Proxy(proxy),
        _ => Way::Direct { private_allowed },
    }
}

/// Makes the connections of one client's pool.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) shared: Arc<Shared>,
    pub(super) reach: Arc<Reach>,
}

type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, NetworkError>> + Send>>;

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<Wire>;
    type Error = NetworkError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NetworkError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { this.connect(uri).await })
    }
}

impl Connector {
    async fn connect(self, uri: Uri) -> Result<MaybeHttpsStream<Wire>, NetworkError> {
        let (target, https) = HostPort::of(&uri)?;
        // Before the deadline is set: reading the system's certificates, once, is not the service's delay.
        let tls = match https {
            true if ServerName::try_from(target.host()).is_err() => {
                let problem =
                    "no certificate can be for its host; write a name, or an address in full";
                return Err(NetworkError::Address { problem });
            }
            true => Some(self.shared.tls.config().await?),
            false => None,
        };
        let deadline = Instant::now() + self.shared.options.connect_timeout;
        let dialer = Dialer {
            connector: self.clone(),
            deadline,
        };
        let Some(tls) = tls else {
            return dialer.dial(uri).await.map(MaybeHttpsStream::Http);
        };
        let handshake = HttpsConnector::from((dialer, tls)).call(uri);
        match timeout_at(deadline, handshake).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(handshake_error(&target, error)),
            // The dialer stops at the same deadline by itself, so that here only TLS is left.
            Err(_) => Err(self.timed_out(&target, Phase::Tls)),
        }
    }

    fn timed_out(&self, target: &HostPort, phase: Phase) -> NetworkError {
        NetworkError::Timeout {
            host: target.host().to_owned(),
            phase,
            after: self.shared.options.connect_timeout,
        }
    }
}

fn handshake_error(
    target: &HostPort,
    error: Box<dyn std::error::Error + Send + Sync>,
) -> NetworkError {
    let host = target.host().to_owned();
    let error = match error.downcast::<NetworkError>() {
        Ok(ours) => return *ours,
        Err(error) => error,
    };
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&*error);
    while let Some(current) = cause {
        // An `io::Error` does not count what it wraps as its source, but as itself.
        let inner = current
            .downcast_ref::<io::Error>()
            .and_then(|io| io.get_ref())
            .map(|inner| inner as &(dyn std::error::Error + 'static));
        if let Some(tls) = current.downcast_ref::<rustls::Error>() {
            let source = Arc::new(tls.clone());
            return NetworkError::Tls { host, source };
        }
        cause = inner.or_else(|| current.source());
    }
    NetworkError::TlsBroken {
        host,
        source: Arc::new(io::Error::other(error)),
    }
}

/// Opens the TCP connection, and the tunnel through it where the way leads by a proxy.
#[derive(Clone)]
struct Dialer {
    connector: Connector,
    deadline: Instant,
}

impl Service<Uri> for Dialer {
    type Response = Wire;
    type Error = NetworkError;
    type Future = Connecting<Wire>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NetworkError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { this.dial(uri).await })
    }
}

impl Dialer {
    async fn dial(&self, uri: Uri) -> Result<Wire, NetworkError> {
        let (target, https) = HostPort::of(&uri)?;
        let shared = &self.connector.shared;
        match way(shared, &self.connector.reach, &uri, &target) {
            Way::Direct { private_allowed } => {
                let tcp = self.reach(&target, private_allowed).await?;
                Ok(Wire::new(tcp, false))
            }
            Way::Proxy(proxy) => {
                check_unresolved(&target)?;
                let tcp = self.reach(proxy.address(), true).await;
                let tcp = tcp.map_err(|error| at_proxy(proxy, error))?;
                if https {
                    let tunnel = open_tunnel(&tcp, proxy, &target);
                    timeout_at(self.deadline, tunnel)
                        .await
                        .map_err(|_| self.connector.timed_out(&target, Phase::Tunnel))??;
                }
                Ok(Wire::new(tcp, !https))
            }
        }
    }

    /// Looks `target` up and connects to the first of its addresses that answers.
    ///
    /// What is dialled are the very addresses that were checked.
    async fn reach(
        &self,
        target: &HostPort,
        private_allowed: bool,
    ) -> Result<TcpStream, NetworkError> {
        let shared = &self.connector.shared;
        let lookup = addresses(&*shared.resolver, target, private_allowed);
        let found = timeout_at(self.deadline, lookup)
            .await
            .map_err(|_| self.connector.timed_out(target, Phase::Resolve))??;
        let mut last = None;
        for (index, address) in found.iter().enumerate() {
            // An address that swallows packets gets its share of the time and not all of it.
            let share = share_of(self.deadline, found.len() - index);
            match timeout_at(share, connect_tcp(*address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = Some(error),
                Err(_) => {}
            }
        }
        Err(match last {
            Some(error) => NetworkError::Connect {
                host: target.host().to_owned(),
                port: target.port(),
                source: Arc::new(error),
            },
            None => self.connector.timed_out(target, Phase::Connect),
        })
    }
}

fn share_of(deadline: Instant, addresses_left: usize) -> Instant {
    let now = Instant::now();
    let left = deadline.saturating_duration_since(now);
    let parts = u32::try_from(addresses_left).unwrap_or(u32::MAX).max(1);
    now + left.checked_div(parts).unwrap_or(Duration::ZERO)
}

async fn connect_tcp(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // A request is small and written at once; waiting to fill a segment only delays it.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Words a failure to reach the proxy as the proxy's, and not as the service's.
fn at_proxy(proxy: &ProxyUrl, error: NetworkError) -> NetworkError {
    match error {
        NetworkError::Connect { source, .. } | NetworkError::Resolve { source, .. } => {
            NetworkError::ProxyConnect {
                proxy: proxy.address().to_string(),
                source,
            }
        }
        other => other,
    }
}

/// A TCP connection and whether a forwarding proxy is at its other end.
pub(super) struct Wire {
    tcp: TokioIo<TcpStream>,
    forwarded: bool,
}

impl Wire {
    fn new(tcp: TcpStream, forwarded: bool) -> Self {
        let tcp = TokioIo::new(tcp);
        Self { tcp, forwarded }
    }
}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        // Tells the client to write the whole address into the request line (RFC 9112, 3.2.2).
        Connected::new().proxy(self.forwarded)
    }
}

impl Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buffer)
    }
}

impl Write for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, parts)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::network::{Network, NetworkOptions};

    #[tokio::test]
    async fn a_connection_does_not_wait_to_fill_a_segment() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let target = HostPort::new("127.0.0.1", address.port());
        let options = NetworkOptions {
            allow_private: vec![target.clone()],
            http_proxy: Some(address.to_string().parse().unwrap()),
            ..NetworkOptions::default()
        };
        let shared = Network::new(options).unwrap().shared;
        // Straight there, and to the proxy.
        for (reach, host) in [
            (Reach::Loopback(target.clone()), target.to_string()),
            (Reach::Public, "service.example".to_owned()),
        ] {
            let connector = Connector {
                shared: shared.clone(),
                reach: Arc::new(reach),
            };
            let uri = format!("http://{host}/").parse().unwrap();
            let stream = connector.connect(uri).await.unwrap();
            let MaybeHttpsStream::Http(wire) = stream else {
                unreachable!("asked for plain http");
            };
            assert!(wire.tcp.inner().nodelay().unwrap());
        }
    }
}
