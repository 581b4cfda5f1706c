//! Who calls: the person whose token a request has, and the agent that its address names.

use async_trait::async_trait;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use portcullis::policy::{AgentId, PersonId};
use portcullis::ports::PortError;
use secrecy::SecretString;

/// Says who calls.
#[async_trait]
pub trait Callers: Send + Sync {
    /// Says whose token this is; none where it is nobody's, or has ended. A request without a token has none. One that somebody else
    /// gave out is good where that was for one of `audiences`, the names of the address that is asked.
    ///
    /// # Errors
    ///
    /// [`PortError`]: the request is refused.
    async fn person(
        &self,
        token: Option<&SecretString>,
        audiences: &[String],
    ) -> Result<Option<PersonId>, PortError>;

    /// Finds the agent of a name, or, without one, the one that is meant then; none where there is none.
    ///
    /// # Errors
    ///
    /// [`PortError`]: the request is refused.
    async fn agent(&self, named: Option<&str>) -> Result<Option<AgentId>, PortError>;

    /// Gives the URL of the issuer where clients get tokens by themselves; none: nowhere.
    fn issuer(&self) -> Option<&str> {
        None
    }

    /// Gives what clients ask the issuer for.
    fn scopes(&self) -> &[String] {
        &[]
    }
}

/// Reads the bearer token of a request (RFC 6750, section 2.1). What is there twice, or in another form, is none.
pub(super) fn bearer(headers: &HeaderMap) -> Option<SecretString> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| token.into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_token_is_there_once_and_as_a_bearer_has_it() {
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, value.parse().unwrap());
            }
            bearer(&headers).map(|token| token.expose_secret().to_owned())
        };
        assert_eq!(read(&["Bearer pct_x"]).as_deref(), Some("pct_x"));
        assert_eq!(read(&["bearer  pct_x "]).as_deref(), Some("pct_x"));
        for wrong in [
            &[][..],
            &[""],
            &["pct_x"],
            &["Bearer"],
            &["Bearer "],
            &["Basic pct_x"],
            &["Bearer a", "Bearer a"],
        ] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }
}
