//! What this server is to those who give out tokens: a protected resource of OAuth (RFC 9728), and where its tokens come from.
//!
//! The attack: a token that was given out for one server, or one agent, is sent to another. So each address is a resource of its
//! own, which a token must name as its audience (RFC 8707); one that names the server as a whole is good for all of its agents.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use portcullis::policy::{AgentId, Origin};
use serde_json::json;

use super::{HttpBody, agent_in};

/// Where the metadata of a resource is, before the path of that.
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// An address of this server's, as tokens name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resource<'a> {
    origin: &'a Origin,
    /// The path; empty: the server as a whole.
    path: &'a str,
}

impl<'a> Resource<'a> {
    /// Takes the address that a request asks for.
    pub(super) fn asked(origin: &'a Origin, path: &'a str) -> Self {
        Self { origin, path }
    }

    /// Reads whose metadata a path is; none where it is none's.
    pub(super) fn described_at(origin: &'a Origin, path: &'a str) -> Option<Self> {
        let path = path.strip_prefix(WELL_KNOWN)?;
        let is_ours = path.is_empty() || agent_in(path).is_some_and(is_name);
        is_ours.then_some(Self { origin, path })
    }

    /// Gives what a token for it may have as its audience.
    pub(super) fn audiences(&self) -> [String; 3] {
        let whole = self.origin.to_string();
        [format!("{whole}{}", self.path), format!("{whole}/"), whole]
    }

    /// Gives where its metadata is. What names no agent that there can be has that of the server.
    pub(super) fn metadata(&self) -> String {
        let path = match agent_in(self.path) {
            Some(agent) if is_name(agent) => self.path,
            _ => "",
        };
        format!("{}{WELL_KNOWN}{path}", self.origin)
    }

    /// Describes it.
    pub(super) fn describe(&self, issuer: &str, scopes: &[String]) -> Response<HttpBody> {
        let mut described = json!({
            "resource": format!("{}{}", self.origin, self.path),
            "resource_name": "Portcullis",
            "authorization_servers": [issuer],
            "bearer_methods_supported": ["header"],
        });
        // Without any, a client asks for what the issuer gives by itself.
        if !scopes.is_empty() {
            described["scopes_supported"] = json!(scopes);
        }
        let mut response = Response::new(Full::new(Bytes::from(described.to_string())).boxed());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// Says whether what a path names can be an agent, and stands in a header between quotes as it is. An agent of another name has the
/// metadata of the server.
fn is_name(agent: Option<&str>) -> bool {
    agent.is_none_or(|agent| AgentId::parse(agent).is_ok() && !agent.contains(['"', '\\']))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn each_address_is_a_resource_of_its_own() {
        let origin = Origin::parse("https://host.example").unwrap();
        let at =
            |path: &str| Resource::described_at(&origin, path).map(|found| found.path.to_owned());
        for (path, of) in [("", ""), ("/mcp", "/mcp"), ("/mcp/helper", "/mcp/helper")] {
            let path = format!("{WELL_KNOWN}{path}");
            let found = Resource::described_at(&origin, &path).unwrap();
            assert_eq!(found.path, of);
            assert_eq!(found.metadata(), format!("https://host.example{path}"));
        }
        for other in ["/x", "/", "/mcp/", "/mcp/a/b", "/mcp/a\"b", "x"] {
            assert_eq!(at(&format!("{WELL_KNOWN}{other}")), None, "{other}");
        }
        assert_eq!(at("/mcp"), None);
        let helper = Resource::asked(&origin, "/mcp/helper").audiences();
        assert!(helper.contains(&"https://host.example/mcp/helper".to_owned()));
        assert!(!helper.contains(&"https://host.example/mcp".to_owned()));
        let odd = Resource::asked(&origin, "/mcp/a\"b").metadata();
        assert_eq!(odd, format!("https://host.example{WELL_KNOWN}"));
    }
}
