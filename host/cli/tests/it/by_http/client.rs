//! A client of MCP by HTTP, down to the bytes: what a well-made library would not send, it sends, too.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// The newest version, which has no sessions.
pub(crate) const STATELESS: &str = "2026-07-28";
pub(crate) const WITH_SESSIONS: [&str; 4] =
    ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    /// As it names the server.
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) token: Option<SecretString>,
    pub(crate) version: &'static str,
    pub(crate) session: Option<String>,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// Gives a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Gives the last message: of a stream, or the only one.
    #[track_caller]
    pub(crate) fn message(&self) -> Value {
        let data = self
            .text
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("data:"));
        let text = data.unwrap_or(&self.text);
        serde_json::from_str(text).unwrap_or_else(|_| panic!("{}: {}", self.status, self.text))
    }
}

impl Client {
    pub(crate) fn new(address: SocketAddr, host: &str, token: &SecretString) -> Self {
        Self {
            address,
            host: host.to_owned(),
            path: "/mcp/helper".to_owned(),
            token: Some(token.clone()),
            version: "2025-06-18",
            session: None,
        }
    }

    pub(crate) fn of_version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    /// Begins a session, where the version has any.
    pub(crate) async fn begun(mut self) -> Self {
        if self.version != STATELESS {
            let answer = self.initialize().await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            self.session = Some(answer.header("mcp-session-id").unwrap().to_owned());
            let answered = self
                .send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
                .await;
            assert_eq!(answered.status, 202, "{}", answered.text);
        }
        self
    }

    pub(crate) async fn initialize(&self) -> Answer {
        let me = json!({"name": "test", "version": "1"});
        let params = json!({"protocolVersion": self.version, "capabilities": {}, "clientInfo": me});
        self.ask("initialize", params).await
    }

    /// Calls a tool, and gives its result.
    #[track_caller]
    pub(crate) fn call(&self, tool: &str, arguments: Value) -> impl Future<Output = Value> {
        let asked = json!({"name": tool, "arguments": arguments});
        async move {
            let answer = self.ask("tools/call", asked).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            let message = answer.message();
            assert!(message["result"].is_object(), "{message}");
            message["result"].clone()
        }
    }

    pub(crate) async fn ask(&self, method: &str, mut params: Value) -> Answer {
        if self.version == STATELESS {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": self.version,
                "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": {},
            });
        }
        self.send(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
            .await
    }

    pub(crate) async fn send(&self, message: &Value) -> Answer {
        let mut headers = Vec::new();
        if self.version == STATELESS {
            headers.push(("mcp-method", message["method"].as_str().unwrap().to_owned()));
            let params = &message["params"];
            if let Some(name) = params["name"].as_str().or(params["uri"].as_str()) {
                headers.push(("mcp-name", name.to_owned()));
            }
        }
        if message["method"] != "initialize" {
            headers.push(("mcp-protocol-version", self.version.to_owned()));
        }
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        self.post(&headers, message.to_string()).await
    }

    pub(crate) async fn post(&self, headers: &[(&str, &str)], body: String) -> Answer {
        self.request("POST", headers, body.into()).await
    }

    pub(crate) async fn request(
        &self,
        method: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(&self.path);
        let has = |wanted: &str| headers.iter().any(|(name, _)| *name == wanted);
        for (name, value) in [
            ("host", self.host.as_str()),
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
        ] {
            if !has(name) {
                request = request.header(name, value);
            }
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {}", token.expose_secret()));
        }
        if let Some(session) = &self.session {
            request = request.header("mcp-session-id", session);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = request.body(Full::new(body)).unwrap();
        let response = sender.send_request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }
}
