//! A browser with its cookies, at the pages behind a link.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE};
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use url::form_urlencoded;

use super::browser::{End, hidden};
use super::office::Site;

/// A browser with its cookies.
pub struct Visitor {
    client: Client<HttpConnector, Full<Bytes>>,
    cookies: BTreeMap<String, String>,
}

/// A page, and the headers that it came with.
pub struct Seen {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Visitor {
    pub fn new() -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            cookies: BTreeMap::new(),
        }
    }

    pub async fn get(&mut self, url: &str) -> Seen {
        self.send(Method::GET, url, &[], "").await
    }

    /// Sends the form of a page, with what a person adds.
    pub async fn submit(&mut self, url: &str, page: &str, added: &[(&str, &str)]) -> Seen {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(hidden(page))
            .extend_pairs(added)
            .finish();
        let origin = url.split("/connect/").next().unwrap().to_owned();
        self.send(Method::POST, url, &[(ORIGIN.as_str(), &origin)], &form)
            .await
    }

    pub async fn send(
        &mut self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Seen {
        let cookies = self.cookies.iter();
        let cookies: Vec<_> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut request = Request::builder()
            .method(method)
            .uri(url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body.to_owned())).unwrap();
        let response = self.client.request(request).await.unwrap();
        for set in response.headers().get_all(SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Seen {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// Opens a link, goes on, and gives the service's address.
    pub async fn go_on(&mut self, link: &str, added: &[(&str, &str)]) -> String {
        let welcome = self.get(link).await;
        assert_eq!(welcome.status, 200, "{}", welcome.text);
        let onward = self.submit(link, &welcome.text, added).await;
        assert_eq!(onward.status, 200, "{}", onward.text);
        let (_, rest) = onward.text.split_once("<a href=\"").unwrap();
        rest.split('"').next().unwrap().replace("&amp;", "&")
    }

    /// Connects by a link, and gives the page at the end.
    pub async fn connect(
        &mut self,
        site: &Site,
        link: &str,
        user: &str,
        added: &[(&str, &str)],
    ) -> Seen {
        let url = self.go_on(link, added).await;
        self.get(&come_back(site, link, &url, user, "allow").await)
            .await
    }
}

/// Signs in at the service, and gives the address that it leads back to.
pub async fn come_back(site: &Site, link: &str, url: &str, user: &str, decision: &str) -> String {
    let user = site.user(user);
    let user = (&*user.username, &*user.password);
    let End::Callback(query) = site.office.browser.browse(url, user, decision).await else {
        panic!("{url} does not lead back");
    };
    let base = link.split("/connect/").next().unwrap();
    format!("{base}/callback?{query}")
}
