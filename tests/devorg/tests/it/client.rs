//! A client of an org of its own.

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use salesforce_devorg::{DevOrg, Options};
use serde_json::Value as Json;

/// The newest version's path.
pub(crate) const V: &str = "/services/data/v68.0";

/// An org and who asks it.
pub(crate) struct Api {
    pub(crate) org: DevOrg,
    /// What is sent as `Authorization: Bearer`; the administrator's at first.
    pub(crate) token: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body; what is no UTF-8 of it has `U+FFFD` in its place.
    pub(crate) text: String,
    /// The body as it came.
    pub(crate) bytes: Bytes,
}

impl Answer {
    /// Reads the body as JSON.
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap_or_else(|error| unreachable!("{error}: {self:?}"))
    }

    /// Gives a header's text, empty when it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Checks that this is an error of the REST API, and gives its message.
    pub(crate) fn assert_error(&self, status: u16, code: &str) -> String {
        assert_eq!(self.status, status, "{self:?}");
        let json = self.json();
        assert_eq!(json[0]["errorCode"], code, "{self:?}");
        json[0]["message"].as_str().unwrap().to_owned()
    }
}

impl Api {
    /// Starts an org on a day that does not change.
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    /// Starts an org with options; its day does not change.
    pub(crate) async fn with(options: Options) -> Self {
        let today = options
            .today
            .or_else(|| Some("2026-11-23".parse().unwrap()));
        let org = DevOrg::start(Options { today, ..options }).await.unwrap();
        let token = org.users()[0].access_token.clone();
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { org, token, client }
    }

    /// Sends a request; a path that begins with `/` is one of the org.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let method: Method = method.parse().unwrap();
        let url = format!("{}{path}", self.org.url());
        let mut request = Request::builder().method(method).uri(url);
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        let response = self.client.request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8_lossy(&body).into_owned(),
            bytes: body,
        }
    }

    /// Gets a path.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    /// Gets a path with a header.
    pub(crate) async fn get_with(&self, path: &str, name: &str, value: &str) -> Answer {
        self.send("GET", path, &[(name, value)], "").await
    }

    /// Sends JSON.
    pub(crate) async fn send_json(&self, method: &str, path: &str, body: &Json) -> Answer {
        let headers = [("content-type", "application/json")];
        self.send(method, path, &headers, body.to_string()).await
    }

    /// Posts a form.
    pub(crate) async fn post_form(&self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send("POST", path, &headers, query(pairs)).await
    }

    /// Gives the rows of a query that is answered.
    pub(crate) async fn rows(&self, soql: &str) -> Vec<Json> {
        let answer = self.query(soql).await;
        assert_eq!(answer.status, 200, "{soql}: {answer:?}");
        answer.json()["records"].as_array().unwrap().clone()
    }

    /// Asks a query.
    pub(crate) async fn query(&self, soql: &str) -> Answer {
        self.get(&format!("{V}/query?{}", query(&[("q", soql)])))
            .await
    }
}

/// Writes parameters as a query string.
pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    let encoded = |text: &str| -> String {
        let byte = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        };
        text.bytes().map(byte).collect()
    };
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    pairs.join("&")
}
