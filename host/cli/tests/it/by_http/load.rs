//! Many sessions at once, each of which goes on calling: no call fails, and memory stays as it is.
//!
//! `just soak` runs it with a thousand of them, for a minute.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::{HOST, client, connect, count};
use crate::public::{BASE, Place, Server};

/// Sessions, where the variable says nothing else.
const SESSIONS: usize = 50;
/// Seconds, likewise. The middle is after the log was first taken over into its index, once a second, which warms up the most.
const SECONDS: u64 = 8;
/// How often each calls.
const EACH: Duration = Duration::from_millis(500);
/// How much more memory there may be at the end than in the middle, in KiB: what the allocator keeps, and no more a call.
const GROWTH_KIB_MAX: u64 = 8 << 10;

fn variable<T: std::str::FromStr>(name: &str, otherwise: T) -> T {
    let value = std::env::var(name).ok().and_then(|text| text.parse().ok());
    value.unwrap_or(otherwise)
}

/// One client's session, over one connection.
struct Session {
    sender: SendRequest<Full<Bytes>>,
    token: String,
    session: String,
}

impl Session {
    async fn call(&mut self) {
        let params = json!({"name": "query", "arguments": count()});
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let request = Request::post("/mcp/helper")
            .header("host", HOST)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-session-id", &self.session)
            .header("mcp-protocol-version", "2025-06-18")
            .body(Full::new(Bytes::from(body.to_string())))
            .unwrap();
        self.sender.ready().await.unwrap();
        let response = self.sender.send_request(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&body);
        let data = text
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("data:"));
        let message: Value = serde_json::from_str(data.unwrap_or(&text)).unwrap_or_default();
        assert_eq!(
            message["result"]["content"][0]["text"], "count: 60",
            "{status}: {text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[allow(
    clippy::print_stdout,
    reason = "what was measured is shown to who asks for it"
)]
async fn many_sessions_call_again_and_again() {
    let sessions: usize = variable("PORTCULLIS_SESSIONS", SESSIONS);
    let lasts = Duration::from_secs(variable("PORTCULLIS_SECONDS", SECONDS));
    let mut place = Place::new().await;
    // All are one person's, of whom a server takes 60,000 requests a minute at most unless it is told otherwise.
    let more = ["--requests-per-minute", "1000000"];
    place.server = Server::start(&place.home, &place.org, BASE, &more);
    connect(&place, "ada").await;
    let mut open = Vec::new();
    for _ in 0..sessions {
        let ada = client(&place, "ada").await;
        let stream = TcpStream::connect(place.server.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        open.push(Session {
            sender,
            token: ada.token.unwrap().expose_secret().to_owned(),
            session: ada.session.unwrap(),
        });
    }
    let calls = Arc::new(AtomicUsize::new(0));
    let until = Instant::now() + lasts;
    let mut calling = JoinSet::new();
    for mut session in open {
        let calls = calls.clone();
        calling.spawn(async move {
            let mut each = interval(EACH);
            each.set_missed_tick_behavior(MissedTickBehavior::Burst);
            while Instant::now() < until {
                each.tick().await;
                session.call().await;
                calls.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    // Half of it warms everything up.
    let half = until - lasts / 2;
    tokio::time::sleep_until(half.into()).await;
    let warm = place.server.resident_kib();
    while let Some(ended) = calling.join_next().await {
        ended.unwrap();
    }
    let (calls, end) = (calls.load(Ordering::SeqCst), place.server.resident_kib());
    println!(
        "{calls} calls of {sessions} sessions; {warm} KiB resident in the middle, {end} at the end"
    );
    let expected = sessions * usize::try_from(lasts.as_secs()).unwrap();
    assert!(
        calls >= expected,
        "{calls} calls, of {expected} at the least"
    );
    assert!(end <= warm + GROWTH_KIB_MAX, "{warm} KiB grew to {end}");
    let verified = place.home.json(&["audit", "verify"]);
    assert_eq!(verified["whole"], true, "{verified}");
}
