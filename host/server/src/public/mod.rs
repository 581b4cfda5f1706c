//! A server of HTTP at an address of the network: what it serves, it is given.
//!
//! The attack: connections that are opened and kept, heads and bodies that never end or never stop growing, requests that are sent and
//! whose answers nobody reads. So everything here has a bound ([`Bounds`]): who is beyond it loses the connection, and
//! nobody else theirs. Who the caller is, and whether a request names this host, is for what is served.

mod connection;
mod forwarded;
mod tls;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::Limited;
use hyper::body::{Body, Bytes, Incoming};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

pub use tls::{Tls, TlsError};

/// How long to wait where the system has no more connections.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// What the server takes.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections at a time; who comes later waits.
    pub connections: u32,
    /// How long a TLS handshake may take, and a request's head, and how long a connection may be idle.
    pub head_takes: Duration,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// How long a request may take until its answer begins: a service may be asked first.
    pub answer_takes: Duration,
    /// How long a connection lives. What it is in the middle of then has as long again as an answer may take.
    pub connection_lives: Duration,
    /// How long what is under way has when the server ends.
    pub ends_within: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 256,
            head_takes: Duration::from_secs(10),
            head_bytes: 32 << 10,
            body_bytes: 1 << 20,
            answer_takes: Duration::from_secs(120),
            connection_lives: Duration::from_secs(600),
            ends_within: Duration::from_secs(30),
        }
    }
}

/// A request as it is given to what is served. Its extensions hold a [`Peer`](portcullis_connect::Peer): the other end of the
/// connection, or, where a proxy ends TLS, what that says of its own.
pub type PublicRequest = Request<Limited<Incoming>>;

/// A server that listens.
pub struct PublicServer {
    listener: TcpListener,
    tls: Option<Tls>,
    bounds: Bounds,
}

impl PublicServer {
    /// Listens at an address. Without TLS a proxy must end it: what is served here can be read on its way.
    ///
    /// # Errors
    ///
    /// Where the address is taken or is none of this machine.
    pub async fn bind(address: SocketAddr, tls: Option<Tls>, bounds: Bounds) -> io::Result<Self> {
        Ok(Self {
            listener: TcpListener::bind(address).await?,
            tls,
            bounds,
        })
    }

    /// Gives the address, with the port that the system chose where it was 0.
    ///
    /// # Errors
    ///
    /// Where the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is over; what is under way then is finished, as far as there is time for it. Says whether all of it was.
    pub async fn serve<A, F, B>(self, answer: A, stop: impl Future<Output = ()>) -> bool
    where
        A: Fn(PublicRequest) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let Self {
            listener,
            tls,
            bounds,
        } = self;
        let places = Arc::new(Semaphore::new(bounds.connections as usize));
        let (ending, ends) = watch::channel(false);
        let serve = |stream: TcpStream, peer: SocketAddr| {
            let (tls, answer, ends) = (tls.clone(), answer.clone(), ends.clone());
            connection::serve(stream, peer, tls, answer, bounds, ends)
        };
        tokio::select! {
            () = accept(&listener, &places, serve) => {}
            () = stop => {}
        }
        drop(listener);
        ending.send_replace(true);
        let all = places.acquire_many(bounds.connections);
        timeout(bounds.ends_within, all).await.is_ok()
    }
}

impl fmt::Debug for PublicServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicServer")
            .field("listener", &self.listener)
            .field("has_tls", &self.tls.is_some())
            .field("bounds", &self.bounds)
            .finish()
    }
}

/// Gives each connection to `serve`, where it has a place.
async fn accept<F>(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    serve: impl Fn(TcpStream, SocketAddr) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    while let Ok(place) = places.clone().acquire_owned().await {
        // What fails is the other's connection; where the system has no more, it may have later.
        let Ok((stream, peer)) = listener.accept().await else {
            sleep(ACCEPT_AGAIN).await;
            continue;
        };
        // Without it, an answer in small parts waits for the other's acknowledgement: 40 ms a call.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "small parts of answers wait");
        }
        let serving = serve(stream, peer);
        tokio::spawn(async move {
            serving.await;
            drop(place);
        });
    }
}
