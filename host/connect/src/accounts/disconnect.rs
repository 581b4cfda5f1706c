//! The end of accounts: removed here first, then revoked at the service, as far as it lets.

use std::time::Duration;

use portcullis::ports::credentials::Identity;
use portcullis_policy::{ConnectionId, ConnectorName, Origin, PersonId};
use portcullis_store::{Ending, Removed, StoredConnection};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::revocation::{Fate, Revocation, log_left};
use super::settle::unfit;
use super::{Accounts, ConnectError, known};
use crate::{Revoked, SetupLink, Subject};

/// After how long nobody finishes a pending connection any more: far more than a sign-in takes.
pub const PENDING_LASTS: Duration = Duration::from_secs(3_600);

/// For how long it is tried to revoke what could not be revoked: then the app or its service is gone.
const ENDING_LASTS: Duration = Duration::from_secs(30 * 24 * 3_600);

/// How long it may take to try again to revoke what could not be revoked. People wait for it.
const SWEEP_TAKES: Duration = Duration::from_secs(20);

/// A connection that has ended here.
#[derive(Clone, Debug)]
pub struct Disconnected {
    /// The connection, if it came to one.
    pub connection: Option<ConnectionId>,
    /// What people called it.
    pub label: String,
    /// Where its requests went.
    pub origin: Origin,
    /// The page there where an administrator ends by hand what could not be revoked, where the manifest names one.
    pub page: Option<SetupLink>,
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

    /// Ends the sign-ins that somebody left in the middle an hour ago, as a program does that is ended there, and tries again to
    /// revoke what could not be revoked before.
    ///
    /// # Errors
    ///
    /// When the store cannot be read or written.
    pub async fn sweep(&self) -> Result<Vec<Disconnected>, ConnectError> {
        self.store.remove_pending(PENDING_LASTS).await?;
        let forgotten = self.store.forget_endings(ENDING_LASTS).await?;
        if forgotten > 0 {
            tracing::warn!(
                forgotten,
                "what could not be revoked for a month may still be good"
            );
        }
        let mut revoking = JoinSet::new();
        for ending in self.store.endings().await? {
            let this = self.clone();
            revoking.spawn(async move {
                let connector = ending.ended.connector.clone();
                let ended = this.end_kept(ending).await;
                log_left(&connector, &ended.revocations);
                ended
            });
        }
        let mut ended = Vec::with_capacity(revoking.len());
        let until = Instant::now() + SWEEP_TAKES;
        while let Ok(Some(one)) = timeout_at(until, revoking.join_next()).await {
            ended.extend(one);
        }
        Ok(ended)
    }

    /// Asks the service who is signed in by a stored connection, keeps the answer with it, and gives it.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Unfit`] says what does not work.
    pub async fn test(&self, id: &ConnectionId, by: &PersonId) -> Result<Identity, ConnectError> {
        let stored = self.store.stored_connection(id).await?;
        let stored = stored.ok_or(ConnectError::Gone)?;
        let (connector, signed_in) = (stored.connector.clone(), stored.created);
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
        match self.store.set_identity(id, signed_in, &identity).await? {
            true => Ok(identity),
            false => Err(ConnectError::Gone),
        }
    }

    /// Ends a connection whatever becomes of who asked for it, and is told what may still be good.
    async fn end_in_full(&self, removed: Removed) -> Disconnected {
        let cut_short = self.ended(&removed.connection, Vec::new());
        let this = self.clone();
        let task = tokio::spawn(async move { this.end_removed(removed).await });
        task.await.unwrap_or(cut_short)
    }

    /// Revokes the tokens of what was removed, and logs what may still be good.
    pub(super) async fn end(&self, removed: Removed) -> Disconnected {
        let connector = removed.connection.connector.clone();
        let ended = self.end_removed(removed).await;
        log_left(&connector, &ended.revocations);
        ended
    }

    /// Revokes the tokens of what was removed.
    async fn end_removed(&self, removed: Removed) -> Disconnected {
        match removed.ending {
            Some(ending) => self.end_kept(ending).await,
            None => {
                let left = Revocation {
                    what: "refresh token",
                    fate: Fate::Left("it could not be opened".to_owned()),
                };
                self.ended(&removed.connection, vec![left])
            }
        }
    }

    fn ended(&self, connection: &StoredConnection, revocations: Vec<Revocation>) -> Disconnected {
        Disconnected {
            connection: Some(connection.id.clone()),
            label: connection.label.clone(),
            page: self.grants_page(&connection.connector, &connection.origin),
            origin: connection.origin.clone(),
            revocations,
        }
    }

    fn grants_page(&self, connector: &ConnectorName, origin: &Origin) -> Option<SetupLink> {
        let manifest = known::manifest(&*self.manifests, connector).ok()?;
        let page = known::service(&manifest).ok()?.auth.grants_page.as_ref()?;
        Some(SetupLink {
            title: page.title.clone(),
            url: format!("{origin}{}", page.path),
        })
    }

    /// Revokes what is kept until it is revoked.
    async fn end_kept(&self, ending: Ending) -> Disconnected {
        let revocations = self.revoker.end(&ending).await;
        Disconnected {
            connection: ending.ended.connection,
            label: ending.ended.label,
            page: self.grants_page(&ending.ended.connector, &ending.ended.origin),
            origin: ending.ended.origin,
            revocations,
        }
    }
}
