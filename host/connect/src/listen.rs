//! Listening on this machine: a few connections at a time, each on its own, each for one request.

use std::convert::Infallible;
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

/// Connections at a time: a browser opens some ahead.
const CONNECTIONS_MAX: usize = 16;
/// How long to wait where the system has no more connections.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);
/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 32 << 10;

/// Gives each connection to `serve`.
pub(crate) async fn accept<F>(listener: TcpListener, serve: impl Fn(TcpStream) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    while let Ok(place) = places.clone().acquire_owned().await {
        // What fails is the other's connection; where the system has no more, it may have later.
        let Ok((stream, _)) = listener.accept().await else {
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
