//! One connection, from its handshake to its end.

use std::convert::Infallible;
use std::net::SocketAddr;

use http::{Request, Response, StatusCode};
use http_body_util::{Either, Empty, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use portcullis_connect::Peer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::forwarded::forwarded_for;
use super::{Bounds, PublicRequest, Tls};

/// Serves a connection until it ends by itself, has lived long enough, or the server ends.
pub(super) async fn serve<A, F, B>(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<Tls>,
    answer: A,
    bounds: Bounds,
    ends: watch::Receiver<bool>,
) where
    A: Fn(PublicRequest) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let is_proxied = tls.is_none();
    let answer = move |request: Request<Incoming>| {
        let answer = answer.clone();
        async move {
            let request = located(request, peer, is_proxied);
            Ok::<_, Infallible>(answered(request, answer, bounds).await)
        }
    };
    match tls {
        None => converse(stream, answer, bounds, ends).await,
        Some(tls) => {
            let handshake = timeout(bounds.head_takes, tls.accept(stream)).await;
            if let Ok(Ok(stream)) = handshake {
                converse(stream, answer, bounds, ends).await;
            }
        }
    }
}

/// Writes down from where a request comes.
fn located(
    mut request: Request<Incoming>,
    peer: SocketAddr,
    is_proxied: bool,
) -> Request<Incoming> {
    let said = match is_proxied {
        true => forwarded_for(request.headers()),
        false => None,
    };
    let from = Peer(said.unwrap_or_else(|| peer.ip().to_canonical()));
    request.extensions_mut().insert(from);
    request
}

/// Answers within the bounds of size and time.
async fn answered<A, F, B>(
    request: Request<Incoming>,
    answer: A,
    bounds: Bounds,
) -> Response<Either<B, Empty<Bytes>>>
where
    A: Fn(PublicRequest) -> F,
    F: Future<Output = Response<B>>,
{
    let bytes = u64::try_from(bounds.body_bytes).unwrap_or(u64::MAX);
    if request.body().size_hint().lower() > bytes {
        return nothing(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let request = request.map(|body| Limited::new(body, bounds.body_bytes));
    match timeout(bounds.answer_takes, answer(request)).await {
        Ok(response) => response.map(Either::Left),
        Err(_) => nothing(StatusCode::GATEWAY_TIMEOUT),
    }
}

fn nothing<B>(status: StatusCode) -> Response<Either<B, Empty<Bytes>>> {
    let mut response = Response::new(Either::Right(Empty::new()));
    *response.status_mut() = status;
    response
}

async fn converse<S, A, F, B>(stream: S, answer: A, bounds: Bounds, mut ends: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Fn(Request<Incoming>) -> F,
    F: Future<Output = Result<Response<B>, Infallible>>,
    B: Body<Data = Bytes> + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head_takes)
        .max_buf_size(bounds.head_bytes)
        .serve_connection(TokioIo::new(stream), service_fn(answer));
    tokio::pin!(connection);
    let until = Instant::now() + bounds.connection_lives;
    tokio::select! {
        _ = connection.as_mut() => return,
        () = sleep_until(until) => {}
        // The server is gone where nobody can say so any more.
        _ = ends.wait_for(|ends| *ends) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(bounds.answer_takes, connection).await; // The other's loss.
}
