//! Who is beyond a bound loses their connection, and nobody else theirs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Response;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use portcullis_connect::Peer;
use portcullis_server::{Bounds, PublicRequest, PublicServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

const SHORT: Duration = Duration::from_millis(200);
/// What takes longer does not come.
const LONG: Duration = Duration::from_secs(20);

/// A server that says what it was sent and from where; `/slow` waits until it may.
struct Serving {
    address: SocketAddr,
    /// How many of the slow ones may answer.
    gate: Arc<Semaphore>,
    /// How many of them have begun.
    begun: Arc<Semaphore>,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<bool>,
}

async fn serving(bounds: Bounds) -> Serving {
    let address = "127.0.0.1:0".parse().unwrap();
    let server = PublicServer::bind(address, None, bounds).await.unwrap();
    let address = server.address().unwrap();
    let (stop, stopped) = oneshot::channel();
    let (gate, begun) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (opened, begins) = (gate.clone(), begun.clone());
    let answer = move |request: PublicRequest| {
        let (opened, begins) = (opened.clone(), begins.clone());
        async move {
            if request.uri().path() == "/slow" {
                begins.add_permits(1);
                opened.acquire().await.unwrap().forget();
            }
            let from = request.extensions().get::<Peer>().unwrap().0;
            let text = match request.into_body().collect().await {
                Ok(body) => format!("{from} sent {} bytes", body.to_bytes().len()),
                Err(_) => "too much".to_owned(),
            };
            Response::new(Full::new(Bytes::from(text)))
        }
    };
    let ended = tokio::spawn(async move {
        let stop = async {
            let _ = stopped.await;
        };
        server.serve(answer, stop).await
    });
    Serving {
        address,
        gate,
        begun,
        stop,
        ended,
    }
}

async fn send(address: SocketAddr, text: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text).await.unwrap();
    stream
}

/// Reads until the server closes. A connection that is reset is closed too.
async fn all_of(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(LONG, stream.read_to_end(&mut bytes));
    let _ = read.await.expect("the server keeps the connection");
    String::from_utf8(bytes).unwrap()
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").into_bytes()
}

async fn ask(address: SocketAddr, path: &str) -> String {
    all_of(send(address, &get(path)).await).await
}

#[tokio::test]
async fn a_request_comes_with_where_it_comes_from() {
    let server = serving(Bounds::default()).await;
    let answer = ask(server.address, "/").await;
    assert!(answer.ends_with("127.0.0.1 sent 0 bytes"), "{answer}");
    let by_proxy =
        b"POST / HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 203.0.113.7\r\ncontent-length: 3\r\n\
                     connection: close\r\n\r\nabc";
    let answer = all_of(send(server.address, by_proxy).await).await;
    assert!(answer.ends_with("203.0.113.7 sent 3 bytes"), "{answer}");
}

#[tokio::test]
async fn who_sends_no_request_or_too_much_loses_the_connection() {
    let bounds = Bounds {
        head_takes: SHORT,
        head_bytes: 8 << 10,
        body_bytes: 1_000,
        answer_takes: SHORT,
        ..Bounds::default()
    };
    let server = serving(bounds).await;
    let head = |what: &str| format!("POST / HTTP/1.1\r\nhost: x\r\n{what}\r\n\r\n");
    let endless = format!("GET / HTTP/1.1\r\nx: {}", "y".repeat(9 << 10));
    for (sent, expected) in [
        // Nothing, and a head that never ends.
        (String::new(), ""),
        ("GET / HTTP/1.1\r\nhost: x\r\n".to_owned(), ""),
        (endless, "HTTP/1.1 431"),
        (head("content-length: 1001"), "HTTP/1.1 413"),
        // A body that never ends.
        (head("content-length: 5"), "HTTP/1.1 504"),
        (
            format!(
                "{}3e9\r\n{}\r\n",
                head("transfer-encoding: chunked"),
                "x".repeat(1_001)
            ),
            "HTTP/1.1 200",
        ),
        // Idle after an answer.
        (
            "GET / HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
            "HTTP/1.1 200",
        ),
    ] {
        let answer = all_of(send(server.address, sent.as_bytes()).await).await;
        assert!(answer.starts_with(expected), "{sent:.60}: {answer}");
        assert_eq!(
            answer.is_empty(),
            expected.is_empty(),
            "{sent:.60}: {answer}"
        );
        if sent.contains("chunked") {
            assert!(answer.ends_with("too much"), "{answer}");
        }
    }
    // What nobody answers ends, too.
    let answer = ask(server.address, "/slow").await;
    assert!(answer.starts_with("HTTP/1.1 504"), "{answer}");
    let answer = ask(server.address, "/").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_slow_client() {
    // It sends a byte at a time, as often as it may, and never comes to an end: of its head, or of its body.
    let bounds = Bounds {
        head_takes: SHORT,
        answer_takes: SHORT,
        ..Bounds::default()
    };
    let server = serving(bounds).await;
    for (began, answered) in [
        ("GET / HTTP/1.1\r\nhost: x\r\nslow: ", ""),
        (
            "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n",
            "HTTP/1.1 504",
        ),
    ] {
        let stream = send(server.address, began.as_bytes()).await;
        let (mut reads, mut writes) = stream.into_split();
        let slow = tokio::spawn(async move {
            let mut each = tokio::time::interval(SHORT / 10);
            while writes.write_all(b"x").await.is_ok() {
                each.tick().await;
            }
        });
        // Who is quick is served meanwhile.
        assert!(ask(server.address, "/").await.starts_with("HTTP/1.1 200"));
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(LONG, reads.read_to_end(&mut bytes));
        let _ = read.await.expect("the server keeps the connection");
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with(answered), "{began:?}: {text}");
        assert_eq!(text.is_empty(), answered.is_empty(), "{text}");
        drop(reads);
        tokio::time::timeout(LONG, slow).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_connection_does_not_live_forever() {
    let bounds = Bounds {
        connection_lives: SHORT,
        answer_takes: SHORT,
        ..Bounds::default()
    };
    let server = serving(bounds).await;
    // Nobody reads the answers.
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let flood = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(10_000);
    let sent = async { while stream.write_all(&flood).await.is_ok() {} };
    tokio::time::timeout(LONG, sent).await.unwrap();
}

#[tokio::test]
async fn only_so_many_connections_are_open() {
    let bounds = Bounds {
        connections: 2,
        ..Bounds::default()
    };
    let server = serving(bounds).await;
    let (first, second) = (
        send(server.address, &get("/slow")).await,
        send(server.address, &get("/slow")).await,
    );
    server.begun.acquire_many(2).await.unwrap().forget();
    // A third waits for a place, which the end of another gives.
    let third = send(server.address, &get("/slow")).await;
    let begun = tokio::time::timeout(SHORT, server.begun.acquire());
    assert!(begun.await.is_err(), "it has begun");
    server.gate.add_permits(1);
    server.begun.acquire().await.unwrap().forget();
    server.gate.add_permits(2);
    for stream in [first, second, third] {
        assert!(all_of(stream).await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn what_is_under_way_is_finished_at_the_end() {
    let server = serving(Bounds::default()).await;
    let slow = send(server.address, &get("/slow")).await;
    let idle = TcpStream::connect(server.address).await.unwrap();
    server.begun.acquire().await.unwrap().forget();
    server.stop.send(()).unwrap();
    // Who is idle is let go, and nobody else comes in.
    assert_eq!(all_of(idle).await, "");
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!server.ended.is_finished());
    server.gate.add_permits(1);
    let answer = all_of(slow).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(server.ended.await.unwrap(), "all of it was finished");
}

#[tokio::test]
async fn the_end_waits_only_so_long() {
    let bounds = Bounds {
        ends_within: SHORT,
        ..Bounds::default()
    };
    let server = serving(bounds).await;
    let _slow = send(server.address, &get("/slow")).await;
    server.begun.acquire().await.unwrap().forget();
    server.stop.send(()).unwrap();
    assert!(!server.ended.await.unwrap());
}
