//! One connection, from its handshake to its end.

use std::convert::Infallible;
use std::net::SocketAddr;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{Either, Full, Limited};
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
) -> Response<Either<B, Full<Bytes>>>
where
    A: Fn(PublicRequest) -> F,
    F: Future<Output = Response<B>>,
{
    let bytes = u64::try_from(bounds.body_bytes).unwrap_or(u64::MAX);
    if request.body().size_hint().lower() > bytes {
        let words = format!(
            "The request is too large: its body may have {bytes} bytes here. Send less in one, such as fewer records or a smaller file."
        );
        return said(StatusCode::PAYLOAD_TOO_LARGE, words);
    }
    let request = request.map(|body| Limited::new(body, bounds.body_bytes));
    match timeout(bounds.answer_takes, answer(request)).await {
        Ok(response) => response.map(Either::Left),
        Err(_) => {
            let seconds = bounds.answer_takes.as_secs();
            let words = format!(
                "There was no answer within {seconds} seconds. Look what came of it before it is asked for again."
            );
            said(StatusCode::GATEWAY_TIMEOUT, words)
        }
    }
}

fn said<B>(status: StatusCode, words: String) -> Response<Either<B, Full<Bytes>>> {
    let mut response = Response::new(Either::Right(Full::new(Bytes::from(words))));
    *response.status_mut() = status;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
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
