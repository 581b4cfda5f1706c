//! Who decides that others may use an account, in the log.
//!
//! The attack is an accident: a program is ended while somebody is still at the service, and the log says for ever that they
//! connected an account which is not there. So it is written right before the account is put in its place, when all else is known.

use std::sync::Arc;

use portcullis_policy::ConnectionId;
use portcullis_store::{
    By, DecidedKind, Deciding, NewConnection, Owner, Put, StoreAudit, StoreError,
};

use super::{Accounts, ConnectError};

/// The log, and who decides.
#[derive(Clone, Debug)]
pub(super) struct Decides {
    audit: StoreAudit,
    by: By,
}

impl Accounts {
    /// Has it in the log who decides on the shared accounts that are connected by this. Without it nothing is written of them.
    #[must_use]
    pub fn decided_by(self, by: By, audit: StoreAudit) -> Self {
        Self {
            decides: Some(Arc::new(Decides { audit, by })),
            ..self
        }
    }

    /// Puts an account in its place, and writes down before who decides that, if others are to use it: one's own is one's own.
    pub(super) async fn deciding(
        &self,
        pending: &ConnectionId,
        new: &NewConnection,
        work: impl Future<Output = Result<Put, ConnectError>>,
    ) -> Result<Put, ConnectError> {
        match (self.decides.as_deref(), &new.owner) {
            (Some(Decides { audit, by }), Owner::Shared) => {
                let what = self.what(pending, new).await?;
                audit.deciding(by, [what], work).await
            }
            _ => work.await,
        }
    }

    async fn what(&self, id: &ConnectionId, new: &NewConnection) -> Result<Deciding, StoreError> {
        let called = |label: &str| format!("called {label}");
        let (id, from, to) = match &new.replaces {
            None => (id, None, called(&new.label)),
            Some(before) => {
                let stored = self.store.stored_connection(before).await?;
                let from = stored.map(|stored| called(&stored.label));
                let to = format!("{}, signed in to anew", called(&new.label));
                (before, from, to)
            }
        };
        let subject = format!("{id} of {}, shared", new.connector);
        Ok(Deciding::on(
            DecidedKind::Connection,
            subject,
            from,
            Some(to),
        ))
    }
}
