//! A small service behind the connectors, on a real socket: it plays the routes that their manifests declare, and keeps
//! every request as it arrived.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

/// A request, as the service got it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: Method,
    /// Path and query.
    pub target: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Seen {
    /// Gives a header's text, empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;
type Watcher = Box<dyn Fn(&Seen) + Send + Sync>;

/// A running service. It ends when this is dropped.
pub struct Service {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    accepting: AbortHandle,
}

struct Shared {
    seen: Mutex<Vec<Seen>>,
    connections: AtomicUsize,
    /// The token that is good; with another the answer is 401.
    token: Mutex<Option<String>>,
    records: Mutex<BTreeMap<String, Value>>,
    moved_to: Mutex<String>,
    large_bytes: AtomicUsize,
    watcher: Mutex<Option<Watcher>>,
    /// While it is set, changes are done and not answered.
    holds_answers: AtomicBool,
    released: Notify,
    /// While it is set, changes are done and the connection ends instead of an answer.
    drops_answers: AtomicBool,
    /// While it is set, `/schema` does not say when it changed.
    undated: AtomicBool,
    changed: watch::Sender<usize>,
}

impl Service {
    /// Starts on a free port of the loopback address.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let records = ["1", "2", "me"].map(|id| {
            let record = json!({"id": id, "name": format!("Record {id}")});
            (id.to_owned(), record)
        });
        let shared = Arc::new(Shared {
            seen: Mutex::default(),
            connections: AtomicUsize::new(0),
            token: Mutex::default(),
            records: Mutex::new(records.into()),
            moved_to: Mutex::new("https://evil.example/record/1".to_owned()),
            large_bytes: AtomicUsize::new(1 << 20),
            watcher: Mutex::default(),
            holds_answers: AtomicBool::new(false),
            released: Notify::new(),
            drops_answers: AtomicBool::new(false),
            undated: AtomicBool::new(false),
            changed: watch::Sender::new(0),
        });
        let accepting = tokio::spawn(accept(listener, shared.clone())).abort_handle();
        Self {
            address,
            shared,
            accepting,
        }
    }

    /// Gives where it is.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes this token alone from now on.
    pub fn require_token(&self, token: &str) {
        *self.shared.token.lock().unwrap() = Some(token.to_owned());
    }

    /// Gives all requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Gives the requests so far that change something.
    pub fn changes(&self) -> Vec<Seen> {
        let mut seen = self.seen();
        seen.retain(|seen| !matches!(seen.method, Method::GET | Method::POST));
        seen
    }

    /// Gives how many connections were opened.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Gives a record.
    pub fn record(&self, id: &str) -> Option<Value> {
        self.shared.records.lock().unwrap().get(id).cloned()
    }

    /// Puts a record in place, as another writer would.
    pub fn put_record(&self, id: &str, record: Value) {
        let mut records = self.shared.records.lock().unwrap();
        records.insert(id.to_owned(), record);
    }

    /// Says where `/moved` leads.
    pub fn move_to(&self, location: &str) {
        *self.shared.moved_to.lock().unwrap() = location.to_owned();
    }

    /// Says how much `/large` answers.
    pub fn answer_bytes(&self, bytes: usize) {
        self.shared.large_bytes.store(bytes, Ordering::SeqCst);
    }

    /// Looks at every request when it arrives, before anything is answered.
    pub fn watch(&self, watcher: impl Fn(&Seen) + Send + Sync + 'static) {
        *self.shared.watcher.lock().unwrap() = Some(Box::new(watcher));
    }

    /// Does changes and keeps their answers back until [`release`](Self::release).
    pub fn hold_answers(&self) {
        self.shared.holds_answers.store(true, Ordering::SeqCst);
    }

    /// Answers again.
    pub fn release(&self) {
        self.shared.holds_answers.store(false, Ordering::SeqCst);
        self.shared.released.notify_waiters();
    }

    /// Does changes and ends their connections without an answer.
    pub fn drop_answers(&self) {
        self.shared.drops_answers.store(true, Ordering::SeqCst);
    }

    /// Does not say any more when `/schema` changed.
    pub fn leave_dates_out(&self) {
        self.shared.undated.store(true, Ordering::SeqCst);
    }

    /// Waits until so many changes have arrived.
    pub async fn arrived(&self, changes: usize) {
        let mut receiver = self.shared.changed.subscribe();
        receiver.wait_for(|count| *count >= changes).await.unwrap();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let _ = stream.set_nodelay(true);
        let shared = shared.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(shared.clone(), request));
            // A client that goes away in the middle is what some tests are about.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Answer, &'static str> {
    let (parts, body) = request.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return Err("the request broke off"),
    };
    let seen = Seen {
        method: parts.method,
        target: parts.uri.to_string(),
        headers: parts.headers,
        body,
    };
    if let Some(watcher) = &*shared.watcher.lock().unwrap() {
        watcher(&seen);
    }
    shared.seen.lock().unwrap().push(seen.clone());
    let wanted = shared.token.lock().unwrap().clone();
    let is_soap = seen.target.starts_with("/soap/");
    if !is_soap
        && wanted.is_some_and(|token| seen.header("authorization") != format!("Bearer {token}"))
    {
        return Ok(reply(StatusCode::UNAUTHORIZED, json!({"error": "stale"})));
    }
    route(&shared, &seen).await
}

async fn route(shared: &Arc<Shared>, seen: &Seen) -> Result<Answer, &'static str> {
    let path = seen.target.split('?').next().unwrap_or_default();
    let record = path.strip_prefix("/record/");
    Ok(match (seen.method.as_str(), path, record) {
        ("GET", "/slow", _) => return std::future::pending().await,
        ("GET", "/large", _) | ("GET", _, Some("large")) => {
            let bytes = shared.large_bytes.load(Ordering::SeqCst);
            body(StatusCode::OK, Chunks::of(vec![b'x'; bytes], 64 << 10))
        }
        ("GET", _, Some("drop")) => return Err("as asked"),
        ("GET", _, Some("echo")) => echo(seen),
        ("GET", _, Some("packed")) => {
            let mut answer = reply(StatusCode::OK, json!("not really"));
            let value = http::HeaderValue::from_static("gzip");
            answer.headers_mut().insert("content-encoding", value);
            answer
        }
        ("GET", "/moved", _) | ("GET", _, Some("moved")) => {
            let mut answer = reply(StatusCode::FOUND, Value::Null);
            let location = shared.moved_to.lock().unwrap().parse().unwrap();
            answer.headers_mut().insert("location", location);
            answer
        }
        ("GET", "/schema", _) => schema(shared, seen),
        ("POST", _, _) if path.starts_with("/soap/") => soap(shared, seen),
        ("POST", "/search", _) => reply(
            StatusCode::OK,
            json!({"found": String::from_utf8_lossy(&seen.body)}),
        ),
        ("GET", _, Some(id)) => match shared.records.lock().unwrap().get(id) {
            Some(record) => reply(StatusCode::OK, record.clone()),
            None => reply(StatusCode::NOT_FOUND, json!({"error": "unknown"})),
        },
        (method @ ("PATCH" | "DELETE"), _, Some(id)) => {
            change(shared, method, id, &seen.body);
            shared.changed.send_modify(|count| *count += 1);
            if shared.drops_answers.load(Ordering::SeqCst) {
                return Err("as asked");
            }
            let released = shared.released.notified();
            if shared.holds_answers.load(Ordering::SeqCst) {
                released.await;
            }
            reply(StatusCode::OK, json!({"id": id}))
        }
        (_, path, _)
            if ["/batch", "/records", "/several"].contains(&path) || path.starts_with("/kind/") =>
        {
            reply(StatusCode::OK, json!({"done": true}))
        }
        _ => reply(StatusCode::NOT_FOUND, json!({"error": "no such place"})),
    })
}

fn change(shared: &Shared, method: &str, id: &str, body: &[u8]) {
    let mut records = shared.records.lock().unwrap();
    if method == "DELETE" {
        records.remove(id);
    } else if let (Some(record), Ok(Value::Object(change))) =
        (records.get_mut(id), serde_json::from_slice(body))
    {
        for (name, value) in change {
            record[name] = value;
        }
    }
}

/// Sends back every header that it got: in the body, in frames of three bytes, and in headers.
fn echo(seen: &Seen) -> Answer {
    let headers: BTreeMap<&str, String> = seen
        .headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.as_str(), value.into_owned())
        })
        .collect();
    let text = json!(headers).to_string().into_bytes();
    let mut answer = body(StatusCode::OK, Chunks::of(text, 3));
    if let Some(authorization) = seen.headers.get("authorization") {
        for name in ["x-echo", "set-cookie"] {
            answer.headers_mut().insert(name, authorization.clone());
        }
    }
    answer
}

/// Answers a message, in frames of three bytes, with the message itself, the token in it as it is and as XML can write it besides;
/// with a fault where the token is another.
fn soap(shared: &Shared, seen: &Seen) -> Answer {
    let text = String::from_utf8_lossy(&seen.body).into_owned();
    let wanted = shared.token.lock().unwrap().clone();
    let escaped = |token: &str| {
        let mut text = token.replace('&', "&amp;");
        for (from, to) in [
            ('<', "&lt;"),
            ('>', "&gt;"),
            ('"', "&quot;"),
            ('\'', "&apos;"),
        ] {
            text = text.replace(from, to);
        }
        text
    };
    let is_it = |token: &String| text.contains(&format!("<id>{}</id>", escaped(token)));
    if wanted.as_ref().is_some_and(|token| !is_it(token)) {
        let fault = "<e:Envelope xmlns:e=\"urn:e\"><e:Body><e:Fault><faultcode>STALE</faultcode><faultstring>the token is stale</faultstring></e:Fault></e:Body></e:Envelope>";
        let fault = Chunks::of(fault.into(), 1 << 20);
        return body(StatusCode::INTERNAL_SERVER_ERROR, fault);
    }
    let both = format!("{text} {}", wanted.unwrap_or_default());
    body(StatusCode::OK, Chunks::of(both.into_bytes(), 3))
}

const MODIFIED: &str = "Mon, 23 Nov 2026 10:00:00 GMT";

fn schema(shared: &Shared, seen: &Seen) -> Answer {
    let mut answer = match seen.header("if-modified-since") {
        MODIFIED => body(StatusCode::NOT_MODIFIED, Chunks::of(Vec::new(), 1)),
        _ => reply(StatusCode::OK, json!({"fields": ["id", "name"]})),
    };
    if !shared.undated.load(Ordering::SeqCst) {
        let value = http::HeaderValue::from_static(MODIFIED);
        answer.headers_mut().insert("last-modified", value);
    }
    answer
}

fn reply(status: StatusCode, value: Value) -> Answer {
    let mut answer = body(status, Chunks::of(value.to_string().into_bytes(), 1 << 20));
    let json = http::HeaderValue::from_static("application/json");
    answer.headers_mut().insert("content-type", json);
    answer
}

fn body(status: StatusCode, chunks: Chunks) -> Answer {
    let mut answer = Response::new(chunks.boxed_unsync());
    *answer.status_mut() = status;
    answer
}

/// A body in frames of a size.
struct Chunks {
    rest: Bytes,
    size: usize,
}

impl Chunks {
    fn of(bytes: Vec<u8>, size: usize) -> Self {
        let rest = bytes.into();
        Self { rest, size }
    }
}

impl Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let size = self.size.min(self.rest.len());
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(size)))))
    }
}
