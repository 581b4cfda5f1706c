//! The app that asks to be let in, and what it has to show.

use super::OauthError;

/// The one app of the org, as an External Client App's settings have it.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    /// Where codes may be sent, to the letter, beside any loopback address.
    pub(crate) redirect_uris: Vec<String>,
    /// Whether a refresh token is used once and replaced.
    pub(crate) rotate_refresh_tokens: bool,
}

impl App {
    /// Says whether a code may be sent to an address.
    ///
    /// A loopback address needs no registration, at any port (RFC 8252, section 7.3): nobody but
    /// the same machine gets the code.
    pub(crate) fn redirects_to(&self, uri: &str) -> bool {
        if uri.chars().any(|c| c.is_control() || c.is_whitespace()) || uri.contains('#') {
            return false;
        }
        self.redirect_uris.iter().any(|known| known == uri) || is_loopback(uri)
    }

    /// Checks who calls the token endpoint. With a code verifier or a refresh token a public client
    /// needs no secret; a secret that is given must be right all the same.
    pub(super) fn check(
        &self,
        client_id: Option<&str>,
        client_secret: Option<&str>,
        secret_needed: bool,
    ) -> Result<(), OauthError> {
        if client_id != Some(&*self.client_id) {
            return Err(OauthError::new(
                "invalid_client_id",
                "client identifier invalid",
            ));
        }
        match client_secret {
            Some(secret) if secret != self.client_secret => Err(OauthError::new(
                "invalid_client",
                "invalid client credentials",
            )),
            None if secret_needed => Err(OauthError::new(
                "invalid_client",
                "client secret or code verifier missing",
            )),
            _ => Ok(()),
        }
    }
}

/// Says whether an address is `http` at a loopback host, with any port and path.
fn is_loopback(uri: &str) -> bool {
    let Some(rest) = uri.strip_prefix("http://") else {
        return false;
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (authority, ""),
    };
    let known = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    known && port.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_go_to_loopback_and_to_registered_addresses_alone() {
        let app = App {
            client_id: String::new(),
            client_secret: String::new(),
            redirect_uris: vec!["https://host.example/callback".into()],
            rotate_refresh_tokens: false,
        };
        for uri in [
            "http://127.0.0.1:1717/callback?x=1",
            "http://localhost/",
            "http://[::1]:80/cb",
            "http://[::1]",
            "https://host.example/callback",
        ] {
            assert!(app.redirects_to(uri), "{uri}");
        }
        for uri in [
            "",
            "https://host.example/callback/",
            "https://127.0.0.1/",
            "http://127.0.0.1.example/",
            "http://localhost:80@example.com/",
            "http://localhost:x/",
            "http://localhost\\@example.com/",
            "http://127.0.0.1/#f",
            "http://127.0.0.1/\r\nX: y",
        ] {
            assert!(!app.redirects_to(uri), "{uri}");
        }
    }
}
