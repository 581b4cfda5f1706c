//! How the tokens of the store's connections are replaced.

use async_trait::async_trait;
use portcullis::policy::ConnectionId;
use portcullis::ports::credentials::{RefreshError, Token};
use portcullis_store::Renew;

/// Replaces no token: a person connects the account again.
pub(crate) struct ConnectAgain;

#[async_trait]
impl Renew for ConnectAgain {
    async fn renew(&self, _: &ConnectionId, _: &Token) -> Result<Token, RefreshError> {
        Err(RefreshError::Reconnect {
            reason: "the access token has expired or was revoked: connect the account again"
                .to_owned(),
            link: None,
        })
    }
}
