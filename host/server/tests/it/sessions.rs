//! There are so many sessions of one caller, and of all; one that ends makes room, and what needs none is answered all the same.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use portcullis::network::{Network, NetworkOptions};
use portcullis::policy::{AgentId, PersonId};
use portcullis::ports::{
    MemoryApprovals, MemoryAudit, MemoryCredentials, MemoryPermissions, PortError,
};
use portcullis::{ComponentCache, Host, Limits, Ports};
use portcullis_server::{Beside, Callers, Here, Http, HttpBody, HttpBounds, Served};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

/// Everybody's token is their name.
struct ByName;

#[async_trait]
impl Callers for ByName {
    async fn person(
        &self,
        token: Option<&SecretString>,
        _: &[String],
    ) -> Result<Option<PersonId>, PortError> {
        Ok(token.and_then(|token| token.expose_secret().parse().ok()))
    }

    async fn agent(&self, _: Option<&str>) -> Result<Option<AgentId>, PortError> {
        Ok("helper".parse().ok())
    }
}

fn http(bounds: HttpBounds) -> Http {
    let ports = Ports {
        credentials: Arc::new(MemoryCredentials::new()),
        permissions: Arc::new(MemoryPermissions::new()),
        approvals: Arc::new(MemoryApprovals::new().unwrap()),
        audit: Arc::new(MemoryAudit::new()),
    };
    let network = Network::new(NetworkOptions::default()).unwrap();
    let host = Host::new(Limits::default(), network, ComponentCache::none(), ports).unwrap();
    let here = Here::on_this_machine(8080);
    Http::new(
        host,
        Served::default(),
        Beside::default(),
        Arc::new(ByName),
        here,
        bounds,
    )
}

fn request(
    person: &str,
    method: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri("/mcp");
    for (name, value) in [
        ("host", "localhost:8080"),
        ("authorization", &format!("Bearer {person}")),
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
    ] {
        request = request.header(name, value);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::from(body.to_string())).unwrap()
}

/// Begins a session, and gives its id, or the status of the refusal.
async fn begin(http: &Http, person: &str) -> Result<String, u16> {
    let me = json!({"name": "test", "version": "1"});
    let params = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": me});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
    let response: Response<HttpBody> = http.answer(request(person, "POST", &[], &body)).await;
    let (parts, body) = response.into_parts();
    let _ = body.collect().await.unwrap();
    match parts.headers.get("mcp-session-id") {
        Some(id) => Ok(id.to_str().unwrap().to_owned()),
        None => {
            assert!(parts.headers.contains_key("retry-after"));
            Err(parts.status.as_u16())
        }
    }
}

async fn end(http: &Http, person: &str, session: &str) {
    let headers = [("mcp-session-id", session)];
    let response = http
        .answer(request(person, "DELETE", &headers, &Value::Null))
        .await;
    assert_eq!(response.status().as_u16(), 204);
}

#[tokio::test]
async fn one_caller_and_all_have_so_many() {
    let http = http(HttpBounds {
        sessions_of_one: 2,
        sessions: 3,
        ..HttpBounds::default()
    });
    let first = begin(&http, "ada").await.unwrap();
    let second = begin(&http, "ada").await.unwrap();
    assert_ne!(first, second);
    assert_eq!(begin(&http, "ada").await, Err(429));
    let bobs = begin(&http, "bob").await.unwrap();
    assert_eq!(begin(&http, "bob").await, Err(503));
    assert_eq!(begin(&http, "eve").await, Err(503));
    // What needs no session is answered all the same.
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let list =
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}});
    let headers = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/list"),
    ];
    let response = http.answer(request("eve", "POST", &headers, &list)).await;
    assert_eq!(response.status().as_u16(), 200);
    // Nobody ends another's: for its sender it was none, and there is no more room than before.
    end(&http, "bob", &first).await;
    assert_eq!(begin(&http, "eve").await, Err(503));
    end(&http, "ada", &first).await;
    begin(&http, "eve").await.unwrap();
    end(&http, "bob", &bobs).await;
    begin(&http, "ada").await.unwrap();
}

#[tokio::test]
async fn a_session_that_is_silent_for_long_makes_room() {
    let http = http(HttpBounds {
        sessions_of_one: 1,
        session_idle: Duration::from_millis(100),
        ..HttpBounds::default()
    });
    begin(&http, "ada").await.unwrap();
    let again = async {
        while begin(&http, "ada").await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), again)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_end_refuses_what_comes_and_ends_the_streams() {
    let http = http(HttpBounds::default());
    let session = begin(&http, "ada").await.unwrap();
    let headers = [
        ("mcp-session-id", session.as_str()),
        ("accept", "text/event-stream"),
    ];
    let stream = http
        .answer(request("ada", "GET", &headers, &Value::Null))
        .await;
    assert_eq!(stream.status().as_u16(), 200);
    http.end().await;
    assert!(http.ends());
    // It is over, and whoever comes is told.
    let ended = tokio::time::timeout(Duration::from_secs(20), stream.into_body().collect());
    ended.await.unwrap().unwrap();
    assert_eq!(begin(&http, "ada").await, Err(503));
}
