//! Why there is no token, and whether the service may have acted all the same.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

use crate::exchange::{Unavailable, Unclear};
use crate::guidance::Guide;
use crate::signing::SignError;

/// Characters of a service's error that are repeated.
const ERROR_LEN_MAX: usize = 300;

/// What is shorter is part of ordinary words, and no secret that is any good.
const SECRET_BYTES_MIN: usize = 6;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The service said no.
    #[error("the service refused: {0}")]
    Refused(Box<Refused>),
    /// The request was sent and may have been acted upon: no whole answer came back. A refresh token that is good for one
    /// time may be spent.
    #[error("whether `{host}` acted on the request is not known: {cause}")]
    Unclear {
        /// Who was asked.
        host: String,
        /// What happened.
        cause: Unclear,
    },
    /// The request was surely not acted upon: it may be sent again later.
    #[error("`{host}` could not be asked: {cause}")]
    Unavailable {
        /// Who was to be asked.
        host: String,
        /// What happened.
        cause: Unavailable,
    },
    /// The service acted and gave what cannot be used. A refresh token that is good for one time is spent.
    #[error("the service gave a token that cannot be used: {why}")]
    Unusable {
        /// Why not.
        why: Unusable,
        /// What it gave, so that it can be revoked.
        given: Given,
    },
    /// There was nothing to send.
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl TokenError {
    /// Gives what to do, where the manifest says.
    pub fn guide(&self) -> Option<&Guide> {
        match self {
            Self::Refused(refused) => refused.guide.as_ref(),
            Self::Unclear { .. }
            | Self::Unavailable { .. }
            | Self::Unusable { .. }
            | Self::Sign(_) => None,
        }
    }
}

/// Tokens as a service gave them, fit for nothing but to be revoked. Its `Debug` shows none of them.
#[derive(Clone, Debug)]
pub struct Given {
    /// The access token.
    pub access: SecretString,
    /// The refresh token, if there was one.
    pub refresh: Option<SecretString>,
}

/// A service's no. Its words do not hold what was sent to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The error's code (RFC 6749, section 5.2).
    pub code: String,
    /// The error in the service's words.
    pub description: Option<String>,
    /// What to do, where the manifest says.
    pub guide: Option<Guide>,
}

impl Refused {
    /// Takes a service's words, without the secrets that it was sent: some repeat them.
    pub(crate) fn new(
        code: &str,
        description: Option<&str>,
        guide: Option<Guide>,
        sent: &[&SecretString],
    ) -> Self {
        let shown = |text: &str| bounded(&without(text, sent));
        Self {
            code: shown(code),
            description: description.map(shown),
            guide,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)?;
        match &self.description {
            Some(description) => write!(f, " ({description})"),
            None => Ok(()),
        }
    }
}

/// Why what the service gave cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is no bearer token.
    #[error("it is not of the kind that requests carry")]
    Kind,
    /// It has characters that no token has.
    #[error("it has characters that no token has")]
    Token,
    /// The answer does not say where the connection's requests go.
    #[error("the answer does not say at which address the connection is")]
    NoOrigin,
    /// The connection would be where the connector's manifest does not say.
    #[error(
        "the answer says that the connection is at `{0}`, which the connector does not declare"
    )]
    Origin(String),
}

/// Takes secrets out of a text, as they are and as a form has them.
pub(crate) fn without(text: &str, secrets: &[&SecretString]) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        let secret = secret.expose_secret();
        if secret.len() < SECRET_BYTES_MIN {
            continue;
        }
        let in_a_form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        for form in [secret, &in_a_form] {
            text = text.replace(form, "[hidden]");
        }
    }
    text
}

/// What of a service's text is repeated: some of it, on one line, in the order in which it is written.
pub(crate) fn bounded(text: &str) -> String {
    let is_shown = |char: char| {
        !char.is_control()
            && !matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .take(ERROR_LEN_MAX)
        .map(|char| if is_shown(char) { char } else { ' ' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_repeats_what_it_was_sent_is_not_repeated() {
        let (token, code): (SecretString, SecretString) = ("5Aep!/x=".into(), "aPrxQ9".into());
        let (empty, short): (SecretString, SecretString) = ("".into(), "o".into());
        let long = format!("{}5Aep!/x=", "x".repeat(ERROR_LEN_MAX - 3));
        for (said, shown) in [
            (
                "unknown 5Aep!/x=, of aPrxQ9",
                "unknown [hidden], of [hidden]",
            ),
            ("token=5Aep%21%2Fx%3D&x", "token=[hidden]&x"),
            ("nothing of it", "nothing of it"),
        ] {
            assert_eq!(without(said, &[&token, &code, &empty, &short]), shown);
        }
        // What is cut is cut afterwards, so that no half of a secret is left.
        let refused = Refused::new("x", Some(&long), None, &[&token]);
        assert!(refused.to_string().ends_with("x[hi)"), "{refused}");
    }
}
