//! A client by HTTP: a connection for each call that is in flight, kept alive.

use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, Semaphore};

use crate::process;

/// By which a client names its session.
const SESSION: &str = "mcp-session-id";

/// A server that runs, and connections to it.
pub(crate) struct Web {
    address: String,
    token: String,
    session: Mutex<Option<String>>,
    idle: Mutex<Vec<SendRequest<Full<Bytes>>>>,
    /// No more connections than this are begun.
    places: Semaphore,
    next: AtomicU64,
    child: Child,
}

impl Web {
    /// Starts a server, and reads where it is.
    pub(crate) async fn start(mut command: Command, token: &str, in_flight: usize) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let said = child.stderr.take().context("it says nothing")?;
        let mut lines = BufReader::new(said).lines();
        let address = loop {
            let line = lines.next_line().await?.context("it ended at once")?;
            if let Some((_, rest)) = line.split_once(" is served at ") {
                break rest.split(';').next().unwrap_or_default().to_owned();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self {
            address,
            token: token.to_owned(),
            session: Mutex::default(),
            idle: Mutex::default(),
            places: Semaphore::new(in_flight),
            next: AtomicU64::new(1),
            child,
        })
    }

    pub(crate) fn pid(&self) -> Result<u32> {
        self.child.id().context("it has ended")
    }

    /// Ends the server.
    pub(crate) async fn end(self) -> Result<()> {
        process::end(self.child).await
    }

    /// Asks, and gives the message of the answer.
    pub(crate) async fn ask(&self, method: &str, params: &Value) -> Result<String> {
        // No two of a session's may be in flight by the same id.
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let asked = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.send(&asked).await
    }

    /// Sends a message, and gives what comes.
    pub(crate) async fn send(&self, message: &Value) -> Result<String> {
        let _place = self.places.acquire().await?;
        let idle = self.idle.lock().await.pop();
        let mut sender = match idle {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        let mut request = Request::post("/mcp")
            .header(HOST, &self.address)
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-06-18");
        if let Some(session) = &*self.session.lock().await {
            request = request.header(SESSION, session);
        }
        let request = request.body(Full::new(Bytes::from(message.to_string())))?;
        sender.ready().await?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        if let Some(session) = response.headers().get(SESSION) {
            *self.session.lock().await = Some(session.to_str()?.to_owned());
        }
        let body = response.into_body().collect().await?.to_bytes();
        self.idle.lock().await.push(sender);
        let text = std::str::from_utf8(&body)?;
        ensure!(
            matches!(status, StatusCode::OK | StatusCode::ACCEPTED),
            "{status}: {text}"
        );
        // The last event of a stream, or the whole.
        let data = text
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("data:"));
        Ok(data.unwrap_or(text).trim().to_owned())
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }
}
