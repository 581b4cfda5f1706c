//! The end of accounts: removed here first, then revoked at the service, as far as it lets.

use std::time::Duration;

use portcullis::ports::credentials::Identity;
use portcullis_policy::{ConnectionId, PersonId};
use portcullis_store::{Removed, StoredConnection};

use super::grant::Of;
use super::revocation::{Fate, Revocation, Spare, revoke};
use super::settle::unfit;
use super::{Accounts, ConnectError, known};
use crate::{Revoked, Subject};

/// After how long nobody finishes a pending connection any more: far more than a sign-in takes.
pub const PENDING_LASTS: Duration = Duration::from_secs(3_600);

/// A connection that has ended here.
#[derive(Clone, Debug)]
pub struct Disconnected {
    /// What it was.
    pub connection: StoredConnection,
    /// What became of its tokens at the service.
    pub revocations: Vec<Revocation>,
}

impl Disconnected {
    /// Says whether the service has ended everything, or never knew it.
    pub fn is_revoked(&self) -> bool {
        let is_ended =
            |one: &Revocation| matches!(one.fate, Fate::Revoked(Revoked::Now | Revoked::Before));
        !self.revocations.is_empty() && self.revocations.iter().all(is_ended)
    }
}

impl Accounts {
    /// Ends a connection: removes it, so that no call gets it any more, and then revokes its tokens. None where there is none.
    ///
    /// # Errors
    ///
    /// When the store cannot be written: nothing has ended.
    pub async fn disconnect(
        &self,
        id: &ConnectionId,
    ) -> Result<Option<Disconnected>, ConnectError> {
        match self.store.remove_connection(id).await? {
            Some(removed) => Ok(Some(self.end_in_full(removed).await)),
            None => Ok(None),
        }
    }

    /// Revokes what was removed from the store with somebody.
    pub async fn disconnect_all(&self, removed: Vec<Removed>) -> Vec<Disconnected> {
        let mut ended = Vec::with_capacity(removed.len());
        for removed in removed {
            ended.push(self.end_in_full(removed).await);
        }
        ended
    }

    /// Ends the sign-ins that somebody left in the middle an hour ago, as a program does that is ended there.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn sweep(&self) -> Result<Vec<Disconnected>, ConnectError> {
        let left = self.store.remove_pending(PENDING_LASTS).await?;
        Ok(self.disconnect_all(left).await)
    }

    /// Asks the service who is signed in by a stored connection, keeps the answer with it, and gives it.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Unfit`] says what does not work.
    pub async fn test(&self, id: &ConnectionId, by: &PersonId) -> Result<Identity, ConnectError> {
        let stored = self.store.stored_connection(id).await?;
        let stored = stored.ok_or(ConnectError::Gone)?;
        let connector = stored.connector.clone();
        let manifest = known::manifest(&*self.manifests, &connector)?;
        let subject = Subject {
            origin: stored.origin.clone(),
            callback: None,
            client_id: None,
            scopes: stored.scopes.clone(),
        };
        let asked = self
            .host
            .identify(by, &connector, stored.into())
            .await
            .map_err(|reply| unfit(&reply, &manifest, &subject));
        let identity = asked?;
        // The tokens may have been renewed meanwhile, which changes nothing about who is signed in.
        let now = self.store.stored_connection(id).await?;
        let generation = now.ok_or(ConnectError::Gone)?.generation;
        self.store.set_identity(id, generation, &identity).await?;
        Ok(identity)
    }

    /// Ends a connection whatever becomes of who asked for it.
    async fn end_in_full(&self, removed: Removed) -> Disconnected {
        let (this, connection) = (self.clone(), removed.connection.clone());
        let task = tokio::spawn(async move { this.end(removed, Spare::nothing()).await });
        task.await.unwrap_or(Disconnected {
            connection,
            revocations: Vec::new(),
        })
    }

    /// Revokes the tokens of what was removed.
    pub(super) async fn end(&self, removed: Removed, spare: Spare<'_>) -> Disconnected {
        let revocations = match &removed.secrets {
            Some(secrets) => {
                let of = Of::stored(&removed.connection, secrets);
                self.revoke(&of, spare).await
            }
            None => vec![Revocation {
                what: "refresh token",
                fate: Fate::Left("it could not be opened".to_owned()),
            }],
        };
        Disconnected {
            connection: removed.connection,
            revocations,
        }
    }

    /// Revokes tokens of an account.
    pub(super) async fn revoke(&self, of: &Of<'_>, spare: Spare<'_>) -> Vec<Revocation> {
        let (store, manifests) = (&self.store, &*self.manifests);
        revoke(store, &self.network, manifests, of, spare).await
    }
}
