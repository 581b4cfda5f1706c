//! A browser that signs in on the pages of the dev org.

use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use url::form_urlencoded;

/// Where a browser ends.
#[derive(Debug)]
pub(crate) enum End {
    /// At the callback, with this query.
    Callback(String),
    /// On a page of the service's own: its address, where it was sent there, and its text.
    Page(String, String),
}

/// A browser at an org.
pub(crate) struct Browser {
    client: Client<HttpConnector, Full<Bytes>>,
    org: String,
}

impl Browser {
    pub(crate) fn of(org: &str) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            org: org.to_owned(),
        }
    }

    /// Goes through the service's pages as a browser does, as far as the callback, with a user name and a password.
    pub(crate) async fn browse(&self, url: &str, user: (&str, &str), decision: &str) -> End {
        let mut page = self.get(url).await;
        let action = format!("{}/services/oauth2/authorize", self.org);
        if page.text.contains("type=\"password\"") {
            let added = [("username", user.0), ("password", user.1)];
            page = self.submit(&action, &page.text, &added).await;
        }
        if page.text.contains("Allow Access?") {
            page = self
                .submit(&action, &page.text, &[("decision", decision)])
                .await;
        }
        match page.location {
            None => End::Page(String::new(), page.text),
            Some(to) if to.starts_with('/') => {
                let url = format!("{}{to}", self.org);
                let text = self.get(&url).await.text;
                End::Page(url, text)
            }
            Some(to) => End::Callback(to.split_once('?').unwrap().1.to_owned()),
        }
    }

    async fn get(&self, url: &str) -> Page {
        self.send(Request::get(url).body(Full::default()).unwrap())
            .await
    }

    /// Sends a page's form with what a person adds.
    async fn submit(&self, action: &str, page: &str, added: &[(&str, &str)]) -> Page {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(hidden(page))
            .extend_pairs(added)
            .finish();
        let request = Request::post(action)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::from(form));
        self.send(request.unwrap()).await
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Page {
        let response = self.client.request(request).await.unwrap();
        let location = response.headers().get(LOCATION);
        let location = location.map(|to| to.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Page {
            status,
            location,
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// Calls the API, and gives the status and the body.
    pub(crate) async fn call(&self, path: &str, access_token: &str) -> (u16, String) {
        let request = Request::get(format!("{}{path}", self.org))
            .header(AUTHORIZATION, format!("Bearer {access_token}"))
            .body(Full::default());
        let page = self.send(request.unwrap()).await;
        (page.status, page.text)
    }
}

struct Page {
    status: u16,
    location: Option<String>,
    text: String,
}

/// Reads a form's hidden values.
pub(crate) fn hidden(page: &str) -> Vec<(String, String)> {
    let form = page.split("<form").nth(1).unwrap();
    let unescaped = |text: &str| text.replace("&quot;", "\"").replace("&amp;", "&");
    form.split("<input type=\"hidden\" name=\"")
        .skip(1)
        .map(|input| {
            let (name, rest) = input.split_once("\" value=\"").unwrap();
            (name.to_owned(), unescaped(rest.split('"').next().unwrap()))
        })
        .collect()
}
