//! Tokens become a connection: kept pending, tried, and put in their place, or taken back.

use portcullis::ports::credentials::{Connection, Environment, Identity};
use portcullis::{FailureCode, Outcome, Reply};
use portcullis_policy::{ConnectionId, ErrorPlace, Manifest, PersonId};
use portcullis_store::{ConnectionState, Ended, NewConnection, Owner, Put, StoreError};

use super::{Accounts, ConnectError, Connected, known};
use crate::{Given, Guide, Service, Subject, TokenError, guide_of};

/// Tokens that a service has just given.
pub(super) struct Unsettled {
    /// Who signed in, or had an account sign in.
    pub(super) by: PersonId,
    pub(super) allow_other_organization: bool,
    /// What guides are filled in with.
    pub(super) subject: Subject,
    /// What they are to become; pending.
    pub(super) new: NewConnection,
}

impl Accounts {
    /// Makes a connection of tokens that a service has just given. Where that fails they are revoked, and what was there
    /// before is as it was.
    pub(super) async fn settle(&self, unsettled: Unsettled) -> Result<Connected, ConnectError> {
        let pending = match self.store.put_connection(unsettled.new.clone()).await {
            Ok(put) => put.id,
            Err(error) => {
                self.revoker.end_new(ended(unsettled.new)).await;
                return Err(error.into());
            }
        };
        let tried = match self.try_out(&pending, &unsettled).await {
            Ok(identity) => self.put_in_place(&pending, &unsettled.new, identity).await,
            Err(error) => Err(error),
        };
        match tried {
            Ok((put, identity)) => Ok(self.connected(unsettled.new, put, identity).await),
            Err(error) => {
                self.take_back(&pending).await;
                Err(error)
            }
        }
    }

    /// Asks who is signed in, and says whether that may be.
    async fn try_out(
        &self,
        pending: &ConnectionId,
        unsettled: &Unsettled,
    ) -> Result<Identity, ConnectError> {
        let new = &unsettled.new;
        let connection = Connection {
            id: pending.clone(),
            shared: new.owner.person().is_none(),
            origin: new.origin.clone(),
            scopes: new.scopes.clone(),
            identity: None,
        };
        let manifest = known::manifest(&*self.manifests, &new.connector)?;
        let subject = Subject {
            origin: new.origin.clone(),
            ..unsettled.subject.clone()
        };
        let identity = self
            .host
            .identify(&unsettled.by, &new.connector, connection)
            .await
            .map_err(|reply| unfit(&reply, &manifest, &subject))?;
        let before = match &new.replaces {
            Some(before) if !unsettled.allow_other_organization => {
                self.store.stored_connection(before).await?
            }
            _ => None,
        };
        if let Some(before) = before.and_then(|before| before.identity) {
            require_same(&before, &identity, &new.owner)?;
        }
        Ok(identity)
    }

    async fn put_in_place(
        &self,
        pending: &ConnectionId,
        new: &NewConnection,
        identity: Identity,
    ) -> Result<(Put, Identity), ConnectError> {
        let work = async {
            match self.store.activate(pending, &identity).await {
                Ok(Some(put)) => Ok(put),
                Ok(None) | Err(StoreError::NotFound { .. }) => Err(ConnectError::Gone),
                Err(error) => Err(error.into()),
            }
        };
        let put = self.deciding(pending, new, work).await?;
        Ok((put, identity))
    }

    /// Says what is connected now, and revokes what was before. Nothing of it can fail: it is connected.
    async fn connected(&self, new: NewConnection, put: Put, identity: Identity) -> Connected {
        let before = match put.replaced {
            Some(removed) => Some(self.end(removed).await),
            None => None,
        };
        Connected {
            connection: put.id,
            connector: new.connector,
            origin: new.origin,
            environment: match identity.environment {
                Environment::Unknown => new.environment,
                known => known,
            },
            scopes: new.scopes,
            organization: identity.organization_name.clone(),
            identity,
            before,
        }
    }

    /// Takes back a connection that is not to be, unless it is one after all: a store may do a thing and fail to say so.
    /// Where it does not let go of it, [`Accounts::sweep`] will.
    async fn take_back(&self, pending: &ConnectionId) {
        let stored = self.store.stored_connection(pending).await;
        if let Ok(Some(stored)) = &stored
            && stored.state != ConnectionState::Pending
        {
            return;
        }
        match self.store.remove_connection(pending).await {
            Ok(Some(removed)) => {
                self.end(removed).await;
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(connection = %pending, %error, "a pending connection stays until it is swept");
            }
        }
    }
}

impl Accounts {
    /// Revokes what a service gave that cannot be used, and says why it cannot.
    pub(super) async fn unusable(
        &self,
        error: TokenError,
        ended: impl FnOnce(Given) -> Ended,
    ) -> ConnectError {
        if let TokenError::Unusable { given, .. } = &error {
            self.revoker.end_new(ended(given.clone())).await;
        }
        error.into()
    }
}

/// What tokens are that come to no connection.
pub(super) fn ended(new: NewConnection) -> Ended {
    Ended {
        connection: None,
        connector: new.connector,
        owner: new.owner,
        label: new.label,
        origin: new.origin,
        user: None,
        secrets: new.secrets,
    }
}

/// Says why an account does not work, by what the service answered.
pub(super) fn unfit(reply: &Reply, manifest: &Manifest, subject: &Subject) -> ConnectError {
    let message = reply.outcome.message().unwrap_or("nobody says why");
    if let Outcome::Failed(failure) = &reply.outcome
        && matches!(
            failure.code,
            FailureCode::Unavailable | FailureCode::RateLimited
        )
    {
        return ConnectError::NotNow {
            message: message.to_owned(),
            hint: failure.hint.clone(),
        };
    }
    let (code, hint) = match &reply.outcome {
        Outcome::Failed(failure) => (failure.service_code.as_deref(), failure.hint.clone()),
        Outcome::Refused(refusal) => {
            let allow = refusal.allow.as_ref();
            (None, allow.map(|allow| format!("to allow it: {allow}")))
        }
        Outcome::Done(_) | Outcome::ApprovalRequired(_) | Outcome::ConnectRequired(_) => {
            (None, None)
        }
    };
    let guide = Service::of(manifest).and_then(|service| -> Option<Guide> {
        let code = code.unwrap_or_default();
        guide_of(service.auth, ErrorPlace::Call, code, Some(message), subject)
    });
    ConnectError::Unfit {
        message: message.to_owned(),
        hint,
        guide: guide.map(Box::new),
    }
}

/// Refuses another organization, and for what others use, another user.
fn require_same(before: &Identity, found: &Identity, owner: &Owner) -> Result<(), ConnectError> {
    if before.organization_id != found.organization_id {
        return Err(ConnectError::OtherOrganization {
            before: organization(before),
            found: organization(found),
        });
    }
    if *owner == Owner::Shared && before.user_id != found.user_id {
        return Err(ConnectError::OtherUser {
            before: before.user_name.clone(),
            found: found.user_name.clone(),
        });
    }
    Ok(())
}

/// Names an organization for people.
fn organization(identity: &Identity) -> String {
    let id = identity.organization_id.as_deref();
    match (&identity.organization_name, id) {
        (Some(name), Some(id)) => format!("`{name}` ({id})"),
        (Some(name), None) => format!("`{name}`"),
        (None, Some(id)) => format!("`{id}`"),
        (None, None) => "no organization".to_owned(),
    }
}
