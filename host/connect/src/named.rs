//! Whether a request is meant for this host.
//!
//! The attack: a page of somebody else's whose name is pointed at this address (DNS rebinding), so that its requests come here with
//! that name, and it may read the answers. So a request counts only where it names this host, once, and nothing else.

use http::Request;
use http::header::HOST;

use crate::RedirectUri;

/// The name of a host, as a request has it.
#[derive(Clone, Debug)]
pub(crate) struct Named(String);

impl Named {
    /// Takes the name of the host that a callback URL leads to.
    pub(crate) fn of(redirect: &RedirectUri) -> Self {
        Self(redirect.authority().to_owned())
    }

    /// Says whether a request names this host.
    pub(crate) fn is<B>(&self, request: &Request<B>) -> bool {
        let mut hosts = request.headers().get_all(HOST).iter();
        let is_ours = hosts
            .next()
            .is_some_and(|host| host.as_bytes() == self.0.as_bytes());
        // A proxy's form of a request has an address of its own.
        is_ours && hosts.next().is_none() && request.uri().authority().is_none()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_this_host_once_and_no_other() {
        let redirect = RedirectUri::parse("https://host.example/callback").unwrap();
        let named = Named::of(&redirect);
        let says = |uri: &str, hosts: &[&str]| {
            let request = Request::get(uri);
            let request = hosts
                .iter()
                .fold(request, |request, host| request.header(HOST, *host));
            named.is(&request.body(()).unwrap())
        };
        assert!(says("/connect/x", &["host.example"]));
        for hosts in [
            &[][..],
            &["evil.example"],
            &["host.example:443"],
            &["HOST.example"],
            &["host.example."],
            &["host.example", "host.example"],
            &["host.example", "evil.example"],
        ] {
            assert!(!says("/", hosts), "{hosts:?}");
        }
        assert!(!says("https://host.example/", &["host.example"]));
    }
}
