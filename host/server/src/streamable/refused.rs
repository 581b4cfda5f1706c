//! What is answered to a request that is not passed on: a sentence, and what of HTTP belongs to it.

use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;

use super::HttpBody;

/// Why a request is not passed on.
#[derive(Debug)]
pub(super) enum Refused {
    /// It names another host.
    OtherHost,
    /// A browser sends it from a page of somebody else's.
    OtherOrigin,
    /// It has no token.
    NoToken,
    /// Its token is nobody's.
    Unknown,
    /// Too many come from there, or from that person.
    TooMany(Duration),
    /// Nothing is there.
    Nothing,
    /// There is no such agent.
    NoAgent(Option<String>),
    /// There is no such session of this caller.
    NoSession,
    /// The caller has as many sessions as one may have.
    OwnSessions,
    /// There are as many sessions as there may be.
    AllSessions,
    /// Its body has more bytes than so many.
    TooLarge(usize),
    /// Its body did not come.
    Broken,
    /// The host could not find out who calls.
    Unavailable,
    /// The server ends.
    Ends,
}

/// After how long it is worth a try again, where that is not known.
const A_WHILE: Duration = Duration::from_secs(10);

impl Refused {
    /// Makes the answer. A client that is to bring a token is told where it finds out where those come from, if it can get one by itself.
    pub(super) fn response(self, metadata: Option<&str>) -> Response<HttpBody> {
        let mut response = Response::new(Full::new(Bytes::from(self.words())).boxed());
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let asks = match self {
            Self::NoToken => Some("Bearer realm=\"portcullis\""),
            Self::Unknown => Some("Bearer realm=\"portcullis\", error=\"invalid_token\""),
            _ => None,
        };
        if let Some(asks) = asks {
            let told = metadata.map(|at| format!("{asks}, resource_metadata=\"{at}\""));
            let told = told.and_then(|told| HeaderValue::from_str(&told).ok());
            headers.insert(
                WWW_AUTHENTICATE,
                told.unwrap_or(HeaderValue::from_static(asks)),
            );
        }
        let wait = match self {
            Self::TooMany(wait) => Some(wait),
            Self::OwnSessions | Self::AllSessions | Self::Unavailable | Self::Ends => Some(A_WHILE),
            _ => None,
        };
        if let Some(wait) = wait {
            headers.insert(RETRY_AFTER, wait.as_secs().max(1).into());
        }
        response
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::OtherHost | Self::OtherOrigin => StatusCode::FORBIDDEN,
            Self::NoToken | Self::Unknown => StatusCode::UNAUTHORIZED,
            Self::TooMany(_) | Self::OwnSessions => StatusCode::TOO_MANY_REQUESTS,
            Self::Nothing | Self::NoAgent(_) | Self::NoSession => StatusCode::NOT_FOUND,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Broken => StatusCode::BAD_REQUEST,
            Self::AllSessions | Self::Unavailable | Self::Ends => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::OtherHost => "This is not the address of this server.".to_owned(),
            Self::OtherOrigin => "Pages of other sites do not call this server.".to_owned(),
            Self::NoToken => {
                "Send a token of yours as `Authorization: Bearer …`: `portcullis person token add NAME` makes one.".to_owned()
            }
            Self::Unknown => {
                "The token is nobody's here, or has ended: `portcullis person token add NAME` makes a new one.".to_owned()
            }
            Self::TooMany(wait) => format!("Too many requests: wait {} seconds.", wait.as_secs().max(1)),
            Self::Nothing => "There is nothing here; MCP is at /mcp.".to_owned(),
            Self::NoAgent(Some(named)) => {
                let named: String = named.chars().filter(|char| !char.is_control()).take(64).collect();
                format!("There is no agent `{named}`: `portcullis agent list` lists those that there are.")
            }
            Self::NoAgent(None) => {
                "No agent is named, and there is not just one: ask at `/mcp/AGENT`, or start the server with `--agent AGENT`.".to_owned()
            }
            Self::NoSession => "There is no such session, or it has ended: begin a new one.".to_owned(),
            Self::OwnSessions => "You have as many sessions with this agent as one may have: end some first.".to_owned(),
            Self::AllSessions => "There are as many sessions as there may be: try again later.".to_owned(),
            Self::TooLarge(max) => format!(
                "The message is too large: one has at most {max} bytes here. Send less in one call, such as fewer records or a smaller file."
            ),
            Self::Broken => "The message did not come to its end.".to_owned(),
            Self::Unavailable => "The server could not find out who calls, and so did nothing.".to_owned(),
            Self::Ends => "The server is about to end.".to_owned(),
        }
    }
}
