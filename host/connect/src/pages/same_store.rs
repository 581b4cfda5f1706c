//! Pages that another program serves at a port of this machine, on the same store: links lead there as well as to pages of one's
//! own, and two programs cannot listen on one port, which the app's callback URL names.
//!
//! The attack: another user's program listens there, and is handed links. So each address that the port has must prove that it has the
//! store, for a challenge that was never asked before (`Store::prove`).

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use portcullis_policy::Origin;
use portcullis_store::Store;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::html::Page;
use super::{Pages, is_secret};
use crate::LoopbackHost;
use crate::listen::is_without_v6;
use crate::random::unguessable;

/// Where a challenge is answered.
const HERE: &str = "/here/";
/// How long an answer may take; it comes from this machine.
const ANSWER_TAKES: Duration = Duration::from_secs(3);
/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 4 << 10;

impl Pages {
    /// Answers a challenge; none where a request is another.
    pub(super) async fn here<B>(&self, request: &Request<B>) -> Option<Response<Full<Bytes>>> {
        let challenge = request.uri().path().strip_prefix(HERE)?;
        let is_one = is_secret(challenge) && request.method() == Method::GET;
        if !is_one || !self.named.is(request) {
            return None;
        }
        let proof = match self.accounts.store().prove(challenge).await {
            Ok(proof) => proof,
            Err(error) => {
                tracing::warn!(%error, "who has the same store was not answered");
                let words = "The store does not answer.";
                let page = Page::words(StatusCode::INTERNAL_SERVER_ERROR, words);
                return Some(page.response(false));
            }
        };
        let mut response = Response::new(Full::new(Bytes::from(proof)));
        let text = HeaderValue::from_static("text/plain");
        response.headers_mut().insert(CONTENT_TYPE, text);
        Some(response)
    }
}

/// Finds the pages that another program with this store serves at a port of this machine, and has it go on for as long as a
/// link that is made now lives.
pub async fn pages_here(store: &Store, host: LoopbackHost, port: u16) -> Option<Origin> {
    let name = format!("{}:{port}", host.as_str());
    if !proves(store, (Ipv4Addr::LOCALHOST, port).into(), &name)
        .await
        .ok()?
    {
        return None;
    }
    if host == LoopbackHost::Localhost {
        match proves(store, (Ipv6Addr::LOCALHOST, port).into(), &name).await {
            Ok(true) => {}
            Err(error) if is_without_v6(&error) => {}
            Ok(false) | Err(_) => return None,
        }
    }
    Origin::parse(&format!("http://{name}")).ok()
}

/// Says whether who listens at an address has the store.
async fn proves(store: &Store, address: SocketAddr, name: &str) -> io::Result<bool> {
    let challenge = unguessable().map_err(io::Error::other)?;
    let asked = timeout(ANSWER_TAKES, ask(address, name, &challenge));
    let proof = asked.await.map_err(io::Error::other)??;
    Ok(store.is_proof(challenge.expose_secret(), &proof).await)
}

async fn ask(address: SocketAddr, name: &str, challenge: &SecretString) -> io::Result<String> {
    let stream = TcpStream::connect(address).await?;
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(io::Error::other)?;
    let connection = tokio::spawn(connection);
    let request = Request::get(format!("{HERE}{}", challenge.expose_secret()))
        .header(HOST, name)
        .body(Empty::<Bytes>::new())
        .map_err(io::Error::other)?;
    let response = sender.send_request(request).await;
    let body = Limited::new(
        response.map_err(io::Error::other)?.into_body(),
        ANSWER_BYTES_MAX,
    );
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    connection.abort();
    String::from_utf8(body.to_vec()).map_err(io::Error::other)
}
