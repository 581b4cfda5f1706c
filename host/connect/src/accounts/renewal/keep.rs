//! Keeping new tokens. They are nowhere else: what was sent for them is spent.
//!
//! So a store that does not take them is asked again and again, for as long as the process lives. Meanwhile they are used,
//! nothing newer is asked for, and the lease is kept, so that no other process sends what is spent.

use std::sync::Arc;
use std::time::Duration;

use portcullis::ports::credentials::{RefreshError, Token};
use portcullis_store::{Ended, Leased, NewTokens, Rotation, StoreError};
use secrecy::SecretString;
use tokio::time::sleep;

use super::{Shared, removed};

/// How long to wait before new tokens are stored again at first, while who renews waits.
const STORE_AGAIN: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
];

/// How long to wait from then on.
const STORE_LATER: Duration = Duration::from_secs(3);

impl Shared {
    /// Stores new tokens, at once or later, and gives the access token.
    pub(super) async fn keep(
        self: &Arc<Self>,
        leased: Leased,
        new: NewTokens,
        holder: &SecretString,
    ) -> Result<Token, RefreshError> {
        for pause in STORE_AGAIN {
            match self.store_new(&leased, &new).await {
                Ok(stored) => return stored,
                Err(error) => {
                    tracing::warn!(connection = %leased.connection.id, %error, "new tokens are stored again");
                    sleep(pause).await;
                }
            }
        }
        let id = leased.connection.id.clone();
        let token = Token {
            secret: new.access_token.clone(),
            generation: leased.connection.generation + 1,
        };
        self.unstored.put(&id, token.clone());
        let (this, holder) = (self.clone(), holder.clone());
        tokio::spawn(async move {
            let id = &leased.connection.id;
            let storing = async {
                while let Err(error) = this.store_new(&leased, &new).await {
                    tracing::error!(connection = %id, %error, "new tokens are in memory alone");
                    sleep(STORE_LATER).await;
                }
            };
            this.alive(id, &holder, storing).await;
            this.unstored.remove(id);
        });
        Ok(token)
    }

    /// Stores new tokens once. The outer error is the store's, which may take them later.
    async fn store_new(
        &self,
        leased: &Leased,
        new: &NewTokens,
    ) -> Result<Result<Token, RefreshError>, StoreError> {
        let (id, generation) = (&leased.connection.id, leased.connection.generation);
        match self.store.rotate_tokens(id, generation, new.clone()).await {
            Ok(Rotation::Stored(token)) => Ok(Ok(token)),
            Ok(Rotation::Stale(token)) => {
                let now = self.store.stored_connection(id).await?;
                // Somebody has signed in again. Else it is the same account, which the new tokens may be the end of.
                if now.is_some_and(|now| now.created != leased.connection.created) {
                    self.revoke(leased, new).await;
                }
                Ok(Ok(token))
            }
            Err(error @ StoreError::NotFound { .. }) => {
                tracing::info!(connection = %id, %error, "a connection was removed while it was renewed");
                self.revoke(leased, new).await;
                Ok(Err(removed()))
            }
            Err(error) => Err(error),
        }
    }

    /// Revokes new tokens that come to nothing.
    pub(super) async fn revoke(&self, leased: &Leased, new: &NewTokens) {
        let mut ended = Ended::of(&leased.connection, leased.secrets.clone());
        ended.secrets.access_token = new.access_token.clone();
        if new.refresh_token.is_some() {
            ended.secrets.refresh_token = new.refresh_token.clone();
        }
        self.revoker.end_new(ended).await;
    }
}
