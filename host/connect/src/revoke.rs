//! The end of a connection (RFC 7009).

use oauth2::basic::BasicErrorResponse;
use secrecy::{ExposeSecret, SecretString};

use crate::exchange::{Unavailable, Unclear};
use crate::{TokenClient, TokenError};

/// What became of a token that was to be revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// It is good for nothing any more.
    Now,
    /// It was good for nothing before.
    Before,
    /// The service has no way to revoke it: it lives until it expires, or somebody ends it there.
    NoEndpoint,
}

impl TokenClient<'_> {
    /// Revokes a token; a refresh token takes its access tokens with it.
    ///
    /// # Errors
    ///
    /// [`TokenError`]: the token may still be good.
    pub async fn revoke(&self, token: &SecretString) -> Result<Revoked, TokenError> {
        let Some(url) = self.endpoints.revoke() else {
            return Ok(Revoked::NoEndpoint);
        };
        let mut form = vec![
            ("token", token.expose_secret()),
            ("client_id", &*self.app.client_id),
        ];
        if let Some(secret) = &self.app.client_secret {
            form.push(("client_secret", secret.expose_secret()));
        }
        let answer = self.connect()?.post(&url, &form).await;
        let answer = answer.map_err(|failure| self.failed(failure))?;
        let (status, what) = (answer.status, answer.what());
        match status.as_u16() {
            // The body does not count (section 2.2).
            200..=299 => Ok(Revoked::Now),
            400..=499 => match serde_json::from_slice::<BasicErrorResponse>(&answer.body) {
                // Section 2.2 has 200 for it, which not all services know.
                Ok(error) if error.error().as_ref() == "invalid_token" => Ok(Revoked::Before),
                Ok(error) => Err(self.refused(&error, &self.subject(&[]), &[token])),
                Err(_) => Err(self.failed(Unavailable::Answer { status, what }.into())),
            },
            500.. => Err(self.failed(Unclear::Failed(status).into())),
            _ => Err(self.failed(Unclear::NotAToken { status, what }.into())),
        }
    }
}
