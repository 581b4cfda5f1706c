//! Whether tokens may be revoked without an end of others.
//!
//! The attack is an accident: a person signs in again, the host revokes the older tokens, and the service ends with them all that
//! this person has allowed the app: the new tokens, too. Where a manifest does not say that its service ends the tokens of one
//! sign-in alone, nothing is revoked that a connection here still stands on.

use portcullis::ports::credentials::Identity;
use portcullis_policy::{ConnectorName, RevokeEnds};
use portcullis_store::{ConnectionSecrets, Owner, Store, StoredConnection};

use super::{Manifests, known};

/// Whose tokens are to be revoked.
pub(super) struct Of<'a> {
    pub(super) connector: &'a ConnectorName,
    pub(super) owner: &'a Owner,
    /// None: nobody has found out who was signed in.
    pub(super) identity: Option<&'a Identity>,
    pub(super) secrets: &'a ConnectionSecrets,
}

impl<'a> Of<'a> {
    pub(super) fn stored(connection: &'a StoredConnection, secrets: &'a ConnectionSecrets) -> Self {
        Self {
            connector: &connection.connector,
            owner: &connection.owner,
            identity: connection.identity.as_ref(),
            secrets,
        }
    }
}

/// Says whether a stored connection may end with tokens, which themselves are not stored any more.
pub(super) async fn is_in_use(store: &Store, manifests: &dyn Manifests, of: &Of<'_>) -> bool {
    let ends = known::manifest(manifests, of.connector)
        .and_then(|manifest| Ok(known::service(&manifest)?.auth.revoke_ends));
    if !matches!(ends, Ok(RevokeEnds::Grant)) {
        return false;
    }
    // Where the store does not say, one may.
    let Ok(connections) = store.connections().await else {
        return true;
    };
    for connection in connections.iter().filter(|other| is_account(of, other)) {
        let secrets = store.secrets(&connection.id).await;
        if secrets.is_ok_and(|(secrets, _)| is_app(of.secrets, &secrets)) {
            return true;
        }
    }
    false
}

/// Says whether a connection is, or may be, of the same account.
fn is_account(of: &Of<'_>, other: &StoredConnection) -> bool {
    *of.connector == other.connector
        && match (of.identity, &other.identity) {
            (Some(one), Some(other)) => {
                one.user_id == other.user_id && one.organization_id == other.organization_id
            }
            // Who signs in again signs in to their own.
            _ => *of.owner == other.owner,
        }
}

fn is_app(one: &ConnectionSecrets, other: &ConnectionSecrets) -> bool {
    one.client_id == other.client_id && one.endpoints.token == other.endpoints.token
}
