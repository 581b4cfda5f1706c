//! A form that is posted to an endpoint of the service, by the host's own network, and its whole answer.
//!
//! What matters to who renews a token that is good for one time: whether the service may have acted on the request. Everything
//! that ends an exchange is put on one of the two sides here.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use portcullis::network::{Client, NetworkError, Timeouts};
use serde_json::Value;
use url::form_urlencoded;

/// Bytes of an answer; real ones have about two thousand.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// How long the head of an answer may take: a person waits for it.
const HEAD_WAITS: Duration = Duration::from_secs(30);
/// How long its body may take after that.
const BODY_WAITS: Duration = Duration::from_secs(10);

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// Why it is not known whether the service acted on a request.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unclear {
    /// The connection broke, or no answer came in time.
    #[error(transparent)]
    Network(NetworkError),
    /// The answer broke off.
    #[error("its answer broke off")]
    BrokeOff,
    /// The answer did not end.
    #[error("its answer took longer than {} seconds", BODY_WAITS.as_secs())]
    Slow,
    /// The answer is larger than any.
    #[error("its answer is larger than {ANSWER_BYTES_MAX} bytes")]
    TooLarge,
    /// It failed, or something before it.
    #[error("it answered {0}")]
    Failed(StatusCode),
    /// It has a token, and is not what OAuth makes of it.
    #[error("its answer has a token and cannot be read")]
    Malformed,
    /// It answered something else than was asked for: a page, as proxies and maintenance do.
    #[error("it answered {status} with {what} in place of a token")]
    NotAToken {
        /// The status.
        status: StatusCode,
        /// What it answered.
        what: Body,
    },
}

/// Why the service surely did not act on a request.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unavailable {
    /// It was not reached.
    #[error(transparent)]
    Network(NetworkError),
    /// The operator's settings do not let requests go there.
    #[error("`{0}` is not https, or not where the operator lets requests go")]
    Forbidden(String),
    /// There is no such endpoint, or something before it refused.
    #[error(
        "it answered {status} with {what}: check that the address is right, and that no proxy answers for it"
    )]
    Answer {
        /// The status.
        status: StatusCode,
        /// What it answered.
        what: Body,
    },
}

/// What an answer is, where it is none of OAuth's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    Nothing,
    /// A page.
    Page,
    /// JSON of another kind.
    OtherJson,
    /// Something else.
    Other,
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "nothing",
            Self::Page => "a web page",
            Self::OtherJson => "other data",
            Self::Other => "something else",
        })
    }
}

/// Why an exchange did not come to a whole answer of OAuth's.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Unclear(#[from] Unclear),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<NetworkError> for Failure {
    fn from(error: NetworkError) -> Self {
        match error.may_have_been_sent() {
            true => Unclear::Network(error).into(),
            false => Unavailable::Network(error).into(),
        }
    }
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// Posts forms.
pub(crate) struct Exchange {
    pub(crate) client: Client,
}

impl Exchange {
    /// Posts a form.
    pub(crate) async fn post(&self, url: &str, form: &[(&str, &str)]) -> Result<Answer, Failure> {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let request = Request::builder()
            .method(Method::POST)
            .uri(url)
            .header(ACCEPT, JSON)
            .header(CONTENT_TYPE, FORM)
            .body(Full::new(Bytes::from(form)))
            .map_err(|_| Unavailable::Forbidden(url.to_owned()))?;
        self.send(request).await
    }

    /// Sends a request, and takes its whole answer.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answer, Failure> {
        let timeouts = Timeouts {
            response_header: Some(HEAD_WAITS),
        };
        let response = self.client.send(request, timeouts).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect();
        let body = match tokio::time::timeout(BODY_WAITS, body).await {
            Err(_) => return Err(Unclear::Slow.into()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                return Err(Unclear::TooLarge.into());
            }
            Ok(Err(_)) => return Err(Unclear::BrokeOff.into()),
            Ok(Ok(body)) => body.to_bytes(),
        };
        Ok(Answer { status, body })
    }

    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let answer = self
            .send(request.map(|body| Full::new(body.into())))
            .await?;
        let status = answer.token_status()?;
        let mut response = Response::new(answer.body.to_vec());
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, JSON);
        Ok(response)
    }
}

/// By this the `oauth2` crate sends its requests.
impl<'c> AsyncHttpClient<'c> for Exchange {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Failure>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.call(request))
    }
}

impl Answer {
    /// Says as what the answer is to be read: 200 with a token, 400 with an error of OAuth's.
    ///
    /// # Errors
    ///
    /// [`Failure`]: it is neither.
    pub(crate) fn token_status(&self) -> Result<StatusCode, Failure> {
        let (status, what) = (self.status, self.what());
        let has = |member: &str| {
            let json = serde_json::from_slice::<Value>(&self.body);
            json.is_ok_and(|json| json[member].is_string())
        };
        match status.as_u16() {
            200..=299 if has("access_token") => Ok(StatusCode::OK),
            // Some services answer errors so.
            200..=299 | 400..=499 if has("error") => Ok(StatusCode::BAD_REQUEST),
            400..=499 => Err(Unavailable::Answer { status, what }.into()),
            500.. => Err(Unclear::Failed(status).into()),
            _ => Err(Unclear::NotAToken { status, what }.into()),
        }
    }

    pub(crate) fn what(&self) -> Body {
        let text = self.body.trim_ascii_start();
        match text.first() {
            None => Body::Nothing,
            Some(b'<') => Body::Page,
            Some(_) if serde_json::from_slice::<Value>(text).is_ok() => Body::OtherJson,
            Some(_) => Body::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_on_one_side() {
        let read = |status: u16, body: &'static str| {
            let status = StatusCode::from_u16(status).unwrap_or_default();
            let body = Bytes::from_static(body.as_bytes());
            match (Answer { status, body }).token_status() {
                Ok(StatusCode::OK) => "token",
                Ok(_) => "refused",
                Err(Failure::Unclear(_)) => "unclear",
                Err(Failure::Unavailable(_)) => "unavailable",
            }
        };
        for (status, body, side) in [
            (200, r#"{"access_token": "a"}"#, "token"),
            (400, r#"{"error": "invalid_grant"}"#, "refused"),
            (401, r#"{"error": "invalid_client"}"#, "refused"),
            (200, r#"{"error": "invalid_grant"}"#, "refused"),
            (200, r#"{"error": 1}"#, "unclear"),
            (200, r#"{"access_token": null}"#, "unclear"),
            (200, "", "unclear"),
            (200, "<html>maintenance</html>", "unclear"),
            (302, "", "unclear"),
            (307, r#"{"access_token": "a"}"#, "unclear"),
            (500, r#"{"error": "server_error"}"#, "unclear"),
            (503, "<html>maintenance</html>", "unclear"),
            (404, "<html>not found</html>", "unavailable"),
            (403, r#"[{"errorCode": "X"}]"#, "unavailable"),
            (407, "", "unavailable"),
        ] {
            assert_eq!(read(status, body), side, "{status} {body}");
        }
    }
}
