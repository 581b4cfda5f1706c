//! Revoking tokens at their service, as far as it lets.
//!
//! The accident is twofold: a token that nobody knows any more lives on, and what is revoked takes something with it that is
//! in use. So secrets are kept by the store until they are revoked, and before each revocation it is looked which connections
//! live by the same token, or, where the service may keep one grant for a user, by the same grant.

use std::sync::Arc;

use portcullis::Network;
use portcullis_policy::{ConnectorName, Grants};
use portcullis_store::{
    ConnectionSecrets, ConnectionState, Ended, Ending, Owner, Store, StoredConnection, User,
};
use secrecy::{ExposeSecret, SecretString};

use super::{ConnectError, Manifests, known};
use crate::{Revoked, Service, TokenClient, TokenError};

/// What became of a token.
#[derive(Clone, Debug)]
pub struct Revocation {
    /// Which: `refresh token` or `access token`.
    pub what: &'static str,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a token that was to be revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The service has answered.
    Revoked(Revoked),
    /// Another connection may live by the same grant, and to revoke this would end that: it is tried again when that one
    /// is gone.
    Shared,
    /// It may still be good: why, and so what somebody may want to end at the service. It is tried again later.
    Left(String),
}

/// Revokes what has ended.
#[derive(Clone)]
pub(super) struct Revoker {
    pub(super) store: Store,
    pub(super) network: Network,
    pub(super) manifests: Arc<dyn Manifests>,
}

/// The connections of a connector that work or may yet.
type InUse = Vec<(StoredConnection, ConnectionSecrets)>;

impl Revoker {
    /// Revokes tokens that never came to be a connection's. They are kept until that is done.
    pub(super) async fn end_new(&self, ended: Ended) -> Vec<Revocation> {
        let revocations = match self.store.keep_ending(ended.clone()).await {
            Ok(ending) => self.end(&ending).await,
            Err(error) => {
                tracing::warn!(connector = %ended.connector, %error, "tokens are revoked once, or not at all");
                self.revoke(&ended).await
            }
        };
        log_left(&ended.connector, &revocations);
        revocations
    }

    /// Revokes what the store keeps until it is revoked, and has it forget what is good for nothing any more.
    pub(super) async fn end(&self, ending: &Ending) -> Vec<Revocation> {
        let revocations = self.revoke(&ending.ended).await;
        let is_over = |one: &Revocation| matches!(one.fate, Fate::Revoked(_));
        if revocations.iter().all(is_over)
            && let Err(error) = self.store.forget_ending(&ending.id).await
        {
            tracing::warn!(%error, "what was revoked is revoked again later");
        }
        revocations
    }

    /// Revokes tokens where it was settled at sign-in that they are revoked: the refresh token first, which takes its
    /// access tokens along.
    async fn revoke(&self, ended: &Ended) -> Vec<Revocation> {
        let secrets = &ended.secrets;
        let in_use = self.in_use(&ended.connector).await;
        let refresh = secrets.refresh_token.iter().map(|it| ("refresh token", it));
        let tokens = refresh.chain([("access token", &secrets.access_token)]);
        let mut revocations = Vec::new();
        for (what, token) in tokens {
            let fate = match &in_use {
                // Some services give the same one again.
                Ok(in_use) if has(in_use, token) => continue,
                Ok(in_use) => self.revoke_one(ended, token, in_use).await,
                Err(problem) => Err(problem.clone()),
            };
            let fate = fate.unwrap_or_else(Fate::Left);
            revocations.push(Revocation { what, fate });
        }
        revocations
    }

    async fn in_use(&self, connector: &ConnectorName) -> Result<InUse, String> {
        let all = self.store.with_secrets(connector).await;
        let mut all = all.map_err(|error| error.to_string())?;
        all.retain(|(connection, _)| match connection.state {
            ConnectionState::Active | ConnectionState::Pending => true,
            ConnectionState::Reconnect { .. } => false,
        });
        Ok(all)
    }

    async fn revoke_one(
        &self,
        ended: &Ended,
        token: &SecretString,
        in_use: &InUse,
    ) -> Result<Fate, String> {
        let said = |error: ConnectError| error.to_string();
        let manifest = known::manifest(&*self.manifests, &ended.connector).map_err(said)?;
        let service: Service<'_> = known::service(&manifest).map_err(said)?;
        let is_alone = match service.auth.grants {
            Grants::Separate => true,
            Grants::Shared => !in_use.iter().any(|one| may_share_a_grant(ended, one)),
        };
        if !is_alone {
            return Ok(Fate::Shared);
        }
        let secrets = &ended.secrets;
        let (app, endpoints) = (known::app(secrets), known::endpoints(&secrets.endpoints));
        let endpoints = endpoints.map_err(said)?;
        let client = TokenClient::new(service, &app, &endpoints, &self.network);
        let revoked = client.revoke(token).await;
        let revoked = revoked.map_err(|error: TokenError| error.to_string())?;
        Ok(Fate::Revoked(revoked))
    }
}

/// Logs what may still be good, where nobody is told.
pub(super) fn log_left(connector: &ConnectorName, revocations: &[Revocation]) {
    for Revocation { what, fate } in revocations {
        if let Fate::Left(problem) = fate {
            tracing::warn!(%connector, what, problem, "a token was not revoked");
        }
    }
}

/// Says whether a token is in use.
fn has(in_use: &InUse, token: &SecretString) -> bool {
    let is = |other: &SecretString| other.expose_secret() == token.expose_secret();
    in_use.iter().any(|(_, secrets)| {
        is(&secrets.access_token) || secrets.refresh_token.as_ref().is_some_and(is)
    })
}

/// Says whether a connection is of the same user with the same app, as far as is known. Where a user is not known, those
/// who may be the same person are taken for it: who signs in at a service twice is signed in there already.
fn may_share_a_grant(ended: &Ended, other: &(StoredConnection, ConnectionSecrets)) -> bool {
    let (connection, secrets) = other;
    let is_same_app = secrets.client_id == ended.secrets.client_id
        && secrets.endpoints.token == ended.secrets.endpoints.token;
    let user = connection.identity.as_ref().map(User::from);
    is_same_app
        && match (&ended.user, &user) {
            (Some(ended), Some(other)) => ended == other,
            _ => {
                let is_shared = |owner: &Owner| *owner == Owner::Shared;
                ended.owner == connection.owner
                    || is_shared(&ended.owner)
                    || is_shared(&connection.owner)
            }
        }
}
