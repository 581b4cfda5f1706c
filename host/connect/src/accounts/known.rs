//! What the store keeps of an account, in the types of the protocol.

use portcullis_policy::{ConnectorName, Manifest};
use portcullis_store as store;
use portcullis_store::{ConnectionSecrets, NewTokens};

use super::{ConnectError, Manifests};
use crate::{App, Endpoints, Service, Tokens};

/// Finds a connector's manifest.
pub(super) fn manifest(
    manifests: &dyn Manifests,
    connector: &ConnectorName,
) -> Result<Manifest, ConnectError> {
    manifests
        .manifest(connector)
        .ok_or_else(|| ConnectError::NoConnector(connector.clone()))
}

/// Reads how accounts of a manifest sign in.
pub(crate) fn service(manifest: &Manifest) -> Result<Service<'_>, ConnectError> {
    Service::of(manifest).ok_or_else(|| ConnectError::NoSignIn(manifest.name.clone()))
}

/// Reads endpoints that were kept.
pub(super) fn endpoints(kept: &store::Endpoints) -> Result<Endpoints, ConnectError> {
    Endpoints::from_urls(&kept.authorize, &kept.token, kept.revoke.as_deref())
        .ok_or(ConnectError::Addresses)
}

/// Writes endpoints to be kept.
pub(super) fn kept(endpoints: &Endpoints) -> store::Endpoints {
    store::Endpoints {
        authorize: endpoints.authorize(),
        token: endpoints.token(),
        revoke: endpoints.revoke(),
    }
}

/// Gives the app that signed in.
pub(super) fn app(secrets: &ConnectionSecrets) -> App {
    App {
        client_id: secrets.client_id.clone(),
        client_secret: secrets.client_secret.clone(),
    }
}

/// Gives what takes the place of older tokens.
pub(super) fn next(tokens: Tokens) -> NewTokens {
    NewTokens {
        access_token: tokens.access,
        refresh_token: tokens.refresh,
        scopes: Some(tokens.scopes),
        origin: Some(tokens.origin),
    }
}
