//! Listening on this machine: a few connections at a time, each on its own, each for one request.
//!
//! The attack: browsers look for `localhost` at `::1` before `127.0.0.1`, and another user of the machine who listens on that port of
//! the one address gets the secrets that were meant for who listens on the other. So whoever is named `localhost` has both
//! addresses or none.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::LoopbackHost;

/// Connections at a time: a browser opens some ahead.
const CONNECTIONS_MAX: usize = 16;
/// How long to wait where the system has no more connections.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);
/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 32 << 10;

/// How often a free port is looked for that is free at both addresses.
const FREE_PORT_TRIES: usize = 16;
/// What systems without IPv6 say, beside that the address is not there: `EAFNOSUPPORT`, for which the library has no name.
const NO_SUCH_FAMILY: i32 = if cfg!(windows) {
    10_047
} else if cfg!(target_os = "linux") {
    97
} else {
    47
};

/// A port of this machine, at each address that its name stands for.
#[derive(Debug)]
pub(crate) struct Here {
    v4: TcpListener,
    v6: Option<TcpListener>,
}

impl Here {
    /// Listens; on port 0, on a free one.
    pub(crate) async fn bind(host: LoopbackHost, port: u16) -> io::Result<Self> {
        let mut tries = FREE_PORT_TRIES;
        loop {
            let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
            if host == LoopbackHost::Address {
                return Ok(Self { v4, v6: None });
            }
            let same = v4.local_addr()?.port();
            match TcpListener::bind((Ipv6Addr::LOCALHOST, same)).await {
                Ok(v6) => return Ok(Self { v4, v6: Some(v6) }),
                // Where there is no such address, nobody else has it either.
                Err(error) if is_without_v6(&error) => return Ok(Self { v4, v6: None }),
                Err(error)
                    if error.kind() == io::ErrorKind::AddrInUse && port == 0 && tries > 0 =>
                {
                    tries -= 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives the port.
    pub(crate) fn port(&self) -> io::Result<u16> {
        Ok(self.v4.local_addr()?.port())
    }

    async fn accept(&self) -> io::Result<TcpStream> {
        let (stream, _) = match &self.v6 {
            None => self.v4.accept().await?,
            Some(v6) => tokio::select! {
                accepted = self.v4.accept() => accepted?,
                accepted = v6.accept() => accepted?,
            },
        };
        Ok(stream)
    }
}

/// Says whether an error is that this machine has no IPv6.
pub(crate) fn is_without_v6(error: &io::Error) -> bool {
    let is_no_address = matches!(
        error.kind(),
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::NetworkUnreachable
    );
    is_no_address || error.raw_os_error() == Some(NO_SUCH_FAMILY)
}

/// Gives each connection to `serve`.
pub(crate) async fn accept<F>(here: Here, serve: impl Fn(TcpStream) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    while let Ok(place) = places.clone().acquire_owned().await {
        // What fails is the other's connection; where the system has no more, it may have later.
        let Ok(stream) = here.accept().await else {
            sleep(ACCEPT_AGAIN).await;
            continue;
        };
        let serving = serve(stream);
        // On its own, so that a page still arrives when the waiting is over.
        tokio::spawn(async move {
            serving.await;
            drop(place);
        });
    }
}

/// Answers the request of a connection, whose head may take so long.
pub(crate) async fn answer<S>(stream: TcpStream, head_takes: Duration, service: S)
where
    S: Service<Request<Incoming>, Response = Response<Full<Bytes>>, Error = Infallible>,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_takes)
        .keep_alive(false)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let _ = connection.await; // The other's loss.
}
