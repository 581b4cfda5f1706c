//! A browser with its cookies, that a test leads. Where a proxy ends TLS, it is the proxy too.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use salesforce_devorg::DevOrg;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::form_urlencoded;

use super::browser::{Browser, End, hidden};

pub(crate) struct Visitor {
    address: SocketAddr,
    base: String,
    tls: Option<TlsConnector>,
    pub(crate) cookies: BTreeMap<String, String>,
    /// What the proxy says of where it comes from.
    pub(crate) from: Option<&'static str>,
}

/// An answer.
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Seen {
    /// Gives where it leads to.
    pub(crate) fn to(&self) -> &str {
        let to = self.headers.get(LOCATION);
        to.map_or("", |to| to.to_str().unwrap())
    }

    /// Says whether the page has a word.
    #[track_caller]
    pub(crate) fn has(&self, word: &str) {
        assert!(self.text.contains(word), "{word}: {}", self.text);
    }
}

impl Visitor {
    pub(crate) fn at(address: SocketAddr, base: &str) -> Self {
        Self {
            address,
            base: base.to_owned(),
            tls: None,
            cookies: BTreeMap::new(),
            from: None,
        }
    }

    /// Speaks TLS itself, and trusts an authority.
    pub(crate) fn with_tls(self, config: rustls::ClientConfig) -> Self {
        Self {
            tls: Some(TlsConnector::from(Arc::new(config))),
            ..self
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Seen {
        self.send("GET", path, &[], "").await
    }

    /// Sends a form from a page of the site's own.
    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Seen {
        let form = encoded(form);
        let origin = self.base.clone();
        self.send("POST", path, &[(ORIGIN.as_str(), &origin)], &form)
            .await
    }

    /// Sends the form of a page that leads to a path, with what a person adds.
    pub(crate) async fn submit(&mut self, page: &Seen, path: &str, added: &[(&str, &str)]) -> Seen {
        let hidden = form_of(page, path);
        let mut form: Vec<(&str, &str)> = hidden
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        form.extend(added);
        self.post(path, &form).await
    }

    /// Signs in by a token on the page at an address.
    pub(crate) async fn sign_in(&mut self, page: &str, token: &SecretString) -> Seen {
        let page = self.get(page).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let added = [("secret", token.expose_secret())];
        self.submit(&page, "/sign-in", &added).await
    }

    /// Opens a link, goes on, and gives the service's address.
    pub(crate) async fn go_on(&mut self, link: &str) -> String {
        let welcome = self.get(link).await;
        assert_eq!(welcome.status, 200, "{}", welcome.text);
        let onward = self.submit(&welcome, link, &[]).await;
        assert_eq!(onward.status, 200, "{}", onward.text);
        let (_, rest) = onward.text.split_once("<a href=\"").unwrap();
        rest.split('"').next().unwrap().replace("&amp;", "&")
    }

    /// Gives the cookie of the session.
    pub(crate) fn session(&self) -> Option<(&str, &str)> {
        let mut cookies = self.cookies.iter();
        let (name, value) = cookies.find(|(name, _)| name.contains("_session_"))?;
        Some((name, value))
    }

    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Seen {
        let (_, authority) = self.base.split_once("://").unwrap();
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == HOST.as_str()) {
            request = request.header(HOST, authority);
        }
        if method == "POST" {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        if !self.cookies.is_empty() {
            let cookies = self.cookies.iter();
            let cookies: Vec<_> = cookies
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header(COOKIE, cookies.join("; "));
        }
        if let Some(from) = self.from {
            request = request.header("x-forwarded-for", from);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body.to_owned())).unwrap();
        let seen = self.ask(request).await;
        for set in seen.headers.get_all(SET_COOKIE) {
            self.take(set.to_str().unwrap());
        }
        seen
    }

    /// Takes a cookie as a browser does; one that is over goes.
    fn take(&mut self, set: &str) {
        let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
        if name.starts_with("__Host-") {
            assert!(
                set.contains("; Path=/;") && set.ends_with("; Secure"),
                "{set}"
            );
            assert!(!set.contains("Domain"), "{set}");
        }
        match set.contains("Max-Age=0;") {
            true => self.cookies.remove(name),
            false => self.cookies.insert(name.to_owned(), value.to_owned()),
        };
    }

    async fn ask(&self, request: Request<Full<Bytes>>) -> Seen {
        let stream = TcpStream::connect(self.address).await.unwrap();
        match &self.tls {
            None => converse(stream, request).await,
            Some(tls) => {
                let name = ServerName::try_from("localhost").unwrap();
                converse(tls.connect(name, stream).await.unwrap(), request).await
            }
        }
    }
}

async fn converse<S>(stream: S, request: Request<Full<Bytes>>) -> Seen
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let response = sender.send_request(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Seen {
        status: parts.status.as_u16(),
        headers: parts.headers,
        text: String::from_utf8(body.to_vec()).unwrap(),
    }
}

pub(crate) fn encoded(form: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish()
}

/// Reads the hidden values of the form that leads to a path.
pub(crate) fn form_of(page: &Seen, path: &str) -> Vec<(String, String)> {
    let action = format!("<form method=\"post\" action=\"{path}\"");
    let Some((_, form)) = page.text.split_once(&action) else {
        panic!("there is no form to {path}: {}", page.text);
    };
    hidden(&format!("<form{}", form.split("</form>").next().unwrap()))
}

/// Signs in at the service, and gives the path that it leads back to.
pub(crate) async fn come_back(
    org: &DevOrg,
    url: &str,
    user: (&str, &str),
    decision: &str,
) -> String {
    match Browser::of(org.url()).browse(url, user, decision).await {
        End::Callback(query) => format!("/callback?{query}"),
        End::Page(url, text) => panic!("it ends at {url}: {text}"),
    }
}
