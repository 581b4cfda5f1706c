//! The addresses of a service's OAuth endpoints, settled once for each connection.
//!
//! The attack: a manifest, a setting or an answer that changes later and has a refresh token sent elsewhere. So the addresses
//! are resolved when the sign-in begins, kept with the connection, and nothing else is used for as long as it lives.

use portcullis::Network;
use portcullis::network::{HostPort, Reach};
use portcullis_policy::{OAuth2, Origin, RequestPath};
use serde::{Deserialize, Serialize};

use crate::service::destination;

/// The endpoints of one connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoints {
    origin: Origin,
    authorize: String,
    token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoke: Option<String>,
}

impl Endpoints {
    /// Resolves the endpoints of a login.
    pub fn at(auth: &OAuth2, origin: &Origin) -> Self {
        Self {
            origin: origin.clone(),
            authorize: auth.authorize.clone(),
            token: auth.token.clone(),
            revoke: auth.revoke.clone(),
        }
    }

    /// Takes endpoints that were kept as addresses in full; none where they are not of one origin, as they all were.
    pub fn from_urls(authorize: &str, token: &str, revoke: Option<&str>) -> Option<Self> {
        let (origin, authorize) = split(authorize)?;
        let path_there = |url: &str| {
            let (there, path) = split(url)?;
            (there == origin).then_some(path)
        };
        let (token, revoke) = (path_there(token)?, revoke.map(path_there));
        Some(Self {
            authorize,
            token,
            revoke: match revoke {
                Some(revoke) => Some(revoke?),
                None => None,
            },
            origin,
        })
    }

    /// Gives the origin of all of them: the login's.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Gives the address of the authorization endpoint.
    pub fn authorize(&self) -> String {
        self.url(&self.authorize)
    }

    /// Gives the address of the token endpoint.
    pub fn token(&self) -> String {
        self.url(&self.token)
    }

    /// Gives the address of the revocation endpoint, where there is one.
    pub fn revoke(&self) -> Option<String> {
        self.revoke.as_deref().map(|path| self.url(path))
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Decides how far requests to the endpoints reach: by https to a public address, or to where the operator allowed
    /// it by host and port; none: nowhere.
    pub(crate) fn reach(&self, network: &Network) -> Option<Reach> {
        let paths = [&self.authorize, &self.token]
            .into_iter()
            .chain(&self.revoke);
        let destination: HostPort = destination(&self.origin);
        match network.allows_private(&destination) {
            // What was kept is read again as strictly as it was written.
            _ if paths
                .into_iter()
                .any(|path| RequestPath::parse(path).is_err()) =>
            {
                None
            }
            true => Some(Reach::Loopback(destination)),
            false => self.origin.is_https().then_some(Reach::Public),
        }
    }
}

/// Takes an address apart into its origin and path.
fn split(url: &str) -> Option<(Origin, String)> {
    let host = url.find("://")? + 3;
    let path = host + url.get(host..)?.find('/')?;
    let (origin, path) = url.split_at_checked(path)?;
    RequestPath::parse(path).ok()?;
    Some((Origin::parse(origin).ok()?, path.to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use portcullis::network::NetworkOptions;

    use super::*;

    fn endpoints(origin: &str, token: &str) -> Endpoints {
        let text = format!(r#"{{"origin": "{origin}", "authorize": "/a", "token": "{token}"}}"#);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn plain_http_goes_where_the_operator_allowed_it_and_nowhere_else() {
        let network = Network::new(NetworkOptions {
            allow_private: vec!["127.0.0.1:8080".parse().unwrap()],
            ..NetworkOptions::default()
        })
        .unwrap();
        let reach = |origin| endpoints(origin, "/token").reach(&network);
        assert_eq!(reach("https://login.example.com"), Some(Reach::Public));
        assert!(matches!(
            reach("http://127.0.0.1:8080"),
            Some(Reach::Loopback(_))
        ));
        assert_eq!(reach("http://127.0.0.1:8081"), None);
        assert_eq!(reach("http://login.example.com"), None);
    }

    #[test]
    fn what_was_kept_is_read_strictly() {
        let network = Network::new(NetworkOptions::default()).unwrap();
        for token in [".evil.example/token", "@evil.example/", "/a/../b", "//x"] {
            let reach = endpoints("https://login.example.com", token).reach(&network);
            assert_eq!(reach, None, "{token}");
        }
        let kept = endpoints("https://login.example.com", "/token");
        let again = serde_json::from_str(&serde_json::to_string(&kept).unwrap());
        assert_eq!(again.ok(), Some(kept.clone()));
        assert_eq!(kept.token(), "https://login.example.com/token");
        assert_eq!(kept.revoke(), None);
    }

    #[test]
    fn what_was_kept_in_full_is_of_one_origin() {
        let at = |token, revoke| {
            Endpoints::from_urls("https://login.example.com/a", token, revoke)
                .map(|endpoints| (endpoints.token(), endpoints.revoke()))
        };
        let (token, revoke) = ("https://login.example.com/t", "https://login.example.com/r");
        assert_eq!(at(token, None), Some((token.to_owned(), None)));
        let both = (token.to_owned(), Some(revoke.to_owned()));
        assert_eq!(at(token, Some(revoke)), Some(both));
        for elsewhere in [
            "https://evil.example/t",
            "http://login.example.com/t",
            "https://login.example.com:8443/t",
            "https://login.example.com@evil.example/t",
            "https://login.example.com",
            "/t",
            "",
        ] {
            assert_eq!(at(elsewhere, None), None, "{elsewhere}");
            assert_eq!(at(token, Some(elsewhere)), None, "{elsewhere}");
        }
    }
}
