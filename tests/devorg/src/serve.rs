//! Connections: taken, encrypted where that is wanted, and served until the org stops.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
#[cfg(feature = "program")]
use tokio_rustls::TlsAcceptor;

use crate::error::StartError;
use crate::state::Shared;
use crate::{admin, wire};

/// How long a client may take to agree on keys.
const HANDSHAKE_TAKES_MAX: Duration = Duration::from_secs(10);
/// How long nothing is taken after the system could not give a connection: it may have no files
/// left for a moment.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Listens at an address, and gives the one that it is.
pub(crate) async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// Gives where to go to: an address of every interface is no place.
pub(crate) fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        return SocketAddr::from(([127, 0, 0, 1], address.port()));
    }
    address
}

/// What a listener serves.
#[derive(Clone)]
pub(crate) enum Site {
    Http,
    #[cfg(feature = "program")]
    Https(TlsAcceptor),
    Admin,
}

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped on demand")]
pub(crate) struct Dropped;

/// Serves a site until `stop` changes or its sender is gone; requests under way are answered.
pub(crate) async fn serve(
    listener: TcpListener,
    site: Site,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    shared.count_connection();
                    let connection = connection(stream, site.clone(), Arc::clone(&shared), stop.clone());
                    connections.spawn(connection);
                }
                Err(_) => sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
            _ = stop.changed() => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection(stream: TcpStream, site: Site, shared: Arc<Shared>, stop: watch::Receiver<()>) {
    // Small answers must not wait for one another's acknowledgement.
    let _ = stream.set_nodelay(true); // Without it answers are slow and right.
    #[cfg(feature = "program")]
    if let Site::Https(acceptor) = &site {
        let handshake = timeout(HANDSHAKE_TAKES_MAX, acceptor.accept(stream)).await;
        if let Ok(Ok(stream)) = handshake {
            exchange(stream, site, shared, stop).await;
        }
        return;
    }
    exchange(stream, site, shared, stop).await;
}

/// Answers the requests of a connection.
async fn exchange<S>(stream: S, site: Site, shared: Arc<Shared>, mut stop: watch::Receiver<()>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: http::Request<Incoming>| {
        let (site, shared) = (site.clone(), Arc::clone(&shared));
        async move { site.answer(&shared, request.map(Body::new)).await }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), service)
    );
    tokio::select! {
        // A client that goes away in the middle is no concern of the org.
        _ = connection.as_mut() => return,
        _ = stop.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

impl Site {
    async fn answer(
        &self,
        shared: &Shared,
        request: http::Request<Body>,
    ) -> Result<Response, Dropped> {
        match self {
            Self::Http => wire::answer(shared, request, false).await,
            #[cfg(feature = "program")]
            Self::Https(_) => wire::answer(shared, request, true).await,
            Self::Admin => Ok(admin::answer(shared, request).await),
        }
    }
}
