//! Where the browser comes back to.
//!
//! The attack: a code that is sent where others read it. So it goes by https, or to this machine itself (RFC 8252,
//! section 7.3).

use std::fmt;

use portcullis_policy::{Origin, RequestPath};

/// The host's callback URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUri(String);

/// A text that is no callback URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is no callback URL: {problem}")]
pub struct RedirectError {
    shown: String,
    problem: String,
}

impl RedirectUri {
    /// Takes a callback URL: `https://host/path`, or `http://` at a loopback address.
    ///
    /// # Errors
    ///
    /// [`RedirectError`]: it is another kind of address, or has a query or a fragment.
    pub fn parse(text: &str) -> Result<Self, RedirectError> {
        let refuse = |problem: String| RedirectError {
            shown: text
                .chars()
                .take(200)
                .flat_map(char::escape_debug)
                .collect(),
            problem,
        };
        let authority = text.find("://").map_or(0, |at| at + 3);
        let path = text[authority..]
            .find('/')
            .map(|at| authority + at)
            .ok_or_else(|| {
                refuse("it must have a path, as in `https://host/callback`".to_owned())
            })?;
        let origin =
            Origin::parse(&text[..path]).map_err(|error| refuse(error.problem().to_owned()))?;
        let parsed =
            RequestPath::parse(&text[path..]).map_err(|error| refuse(error.to_string()))?;
        if parsed.query().is_some() {
            return Err(refuse("it must not have a query".to_owned()));
        }
        if !origin.is_https() && !origin.is_loopback() {
            return Err(refuse(
                "without https the code could be read on its way; only this machine itself needs none"
                    .to_owned(),
            ));
        }
        Ok(Self(format!("{origin}{}", parsed.as_str())))
    }

    /// Gives the host, and the port where it is not the scheme's, as a request to there has it.
    pub(crate) fn authority(&self) -> &str {
        let (_, rest) = self.0.split_once("://").unwrap_or_default();
        rest.split('/').next().unwrap_or_default()
    }

    /// Gives the path.
    pub(crate) fn path(&self) -> &str {
        let (_, rest) = self.0.split_once("://").unwrap_or_default();
        rest.find('/').map_or("/", |at| &rest[at..])
    }

    /// Gives the address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_goes_by_https_or_stays_on_this_machine() {
        for text in [
            "https://host.example/callback",
            "https://host.example:8443/oauth/callback",
            "http://127.0.0.1:1717/callback",
            "http://localhost:1717/callback",
            "http://[::1]:1717/callback",
        ] {
            let uri = RedirectUri::parse(text);
            assert_eq!(uri.as_ref().map(RedirectUri::as_str), Ok(text));
        }
        for text in [
            "",
            "https://host.example",
            "http://host.example/callback",
            "http://127.0.0.1.evil.example/callback",
            "http://127.0.0.1@evil.example/callback",
            "https://user:secret@host.example/callback",
            "https://host.example/callback?x=1",
            "https://host.example/callback#x",
            "https://host.example/a/../b",
            "https://host.example\\@evil.example/callback",
            "javascript:alert(1)/",
            "/callback",
        ] {
            assert!(RedirectUri::parse(text).is_err(), "{text}");
        }
    }
}
