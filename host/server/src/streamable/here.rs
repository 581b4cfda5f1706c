//! Whether a request is meant for this server, and comes from no page of somebody else's.
//!
//! The attack: a page that the person has open sends requests to loopback, or, by a name that it points there (DNS rebinding),
//! reads the answers. So a request counts only where it names this server, once, and no browser says that it comes from elsewhere.

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderName, Request};
use portcullis::policy::Origin;

/// The names of a server.
#[derive(Clone, Debug)]
pub struct Here(Vec<Origin>);

impl Here {
    /// Takes the address by which others reach it.
    pub fn at(base: Origin) -> Self {
        Self(vec![base])
    }

    /// Takes a port of this machine, which has three names.
    pub fn on_this_machine(port: u16) -> Self {
        let names = ["127.0.0.1", "localhost", "[::1]"];
        let origins = names
            .iter()
            .filter_map(|name| Origin::parse(&format!("http://{name}:{port}")).ok());
        Self(origins.collect())
    }

    /// Says whether a request names this server, once, and nothing else.
    pub fn is_named_by<B>(&self, request: &Request<B>) -> bool {
        self.named_by(request).is_some()
    }

    /// Gives the name that a request has for this server.
    pub(super) fn named_by<B>(&self, request: &Request<B>) -> Option<&Origin> {
        // A proxy's form of a request has an address of its own.
        if request.uri().authority().is_some() {
            return None;
        }
        let host = once(request.headers(), HOST)?;
        let mut names = self.0.iter();
        names.find(|origin| authority(origin).as_bytes() == host)
    }

    /// Says whether a browser sends it from a page of another origin. What is no browser says nothing of that.
    pub(super) fn is_elsewhere<B>(&self, request: &Request<B>) -> bool {
        let headers = request.headers();
        headers.contains_key(ORIGIN)
            && !once(headers, ORIGIN).is_some_and(|origin| {
                self.0
                    .iter()
                    .any(|here| here.to_string().as_bytes() == origin)
            })
    }
}

/// Gives a header that is there once.
fn once(headers: &HeaderMap, name: HeaderName) -> Option<&[u8]> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.as_bytes())
}

/// Gives an origin's host and port, as a request's `Host` has them.
fn authority(origin: &Origin) -> String {
    let text = origin.to_string();
    text.split_once("://")
        .map_or(text.clone(), |(_, authority)| authority.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn request(uri: &str, headers: &[(HeaderName, &str)]) -> Request<()> {
        let request = headers
            .iter()
            .fold(Request::post(uri), |request, (name, value)| {
                request.header(name, *value)
            });
        request.body(()).unwrap()
    }

    #[test]
    fn a_request_names_this_server_once() {
        let public = Here::at(Origin::parse("https://host.example").unwrap());
        let local = Here::on_this_machine(8080);
        assert!(public.is_named_by(&request("/mcp", &[(HOST, "host.example")])));
        for host in ["127.0.0.1:8080", "localhost:8080", "[::1]:8080"] {
            assert!(
                local.is_named_by(&request("/mcp", &[(HOST, host)])),
                "{host}"
            );
            assert!(
                !public.is_named_by(&request("/mcp", &[(HOST, host)])),
                "{host}"
            );
        }
        for host in [
            "evil.example",
            "localhost",
            "localhost:8081",
            "localhost.:8080",
            "127.0.0.1",
            "127.0.0.2:8080",
            "0.0.0.0:8080",
            "localhost:8080.evil.example",
            "LOCALHOST:8080",
            "",
        ] {
            assert!(
                !local.is_named_by(&request("/mcp", &[(HOST, host)])),
                "{host}"
            );
        }
        assert!(!local.is_named_by(&request("/mcp", &[])));
        let twice = [(HOST, "localhost:8080"), (HOST, "localhost:8080")];
        assert!(!local.is_named_by(&request("/mcp", &twice)));
        assert!(!local.is_named_by(&request(
            "http://localhost:8080/mcp",
            &[(HOST, "localhost:8080")]
        )));
    }

    #[test]
    fn a_page_of_another_origin_is_told() {
        let local = Here::on_this_machine(8080);
        assert!(!local.is_elsewhere(&request("/mcp", &[])));
        assert!(!local.is_elsewhere(&request("/mcp", &[(ORIGIN, "http://localhost:8080")])));
        for origin in [
            "null",
            "http://localhost:8081",
            "https://localhost:8080",
            "http://evil.example",
            "",
            "http://localhost",
        ] {
            assert!(
                local.is_elsewhere(&request("/mcp", &[(ORIGIN, origin)])),
                "{origin}"
            );
        }
        let twice = [
            (ORIGIN, "http://localhost:8080"),
            (ORIGIN, "http://localhost:8080"),
        ];
        assert!(local.is_elsewhere(&request("/mcp", &twice)));
    }
}
