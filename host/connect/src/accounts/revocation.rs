//! Revoking tokens at their service, as far as it lets.

use portcullis::Network;
use portcullis_policy::ConnectorName;
use portcullis_store::{ConnectionSecrets, Store};
use secrecy::{ExposeSecret, SecretString};

use super::grant::{Of, is_in_use};
use super::{ConnectError, Manifests, known};
use crate::{Revoked, TokenClient, TokenError};

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
    /// It may still be good: why, and so what somebody may want to end at the service.
    Left(String),
}

/// Tokens that are still of use and must not be revoked: some services give the same one again.
pub(super) struct Spare<'a>(Option<&'a ConnectionSecrets>);

impl Revocation {
    /// Tokens that are left alone, for others would end with them.
    pub(super) fn left_for_others() -> Vec<Self> {
        let why = "to revoke it would end another connection of the same account here";
        vec![Self {
            what: "refresh token",
            fate: Fate::Left(why.to_owned()),
        }]
    }
}

impl<'a> Spare<'a> {
    pub(super) fn nothing() -> Self {
        Self(None)
    }

    pub(super) fn those_of(secrets: &'a ConnectionSecrets) -> Self {
        Self(Some(secrets))
    }

    fn has(&self, token: &SecretString) -> bool {
        let is = |other: &SecretString| other.expose_secret() == token.expose_secret();
        self.0.is_some_and(|secrets| {
            is(&secrets.access_token) || secrets.refresh_token.as_ref().is_some_and(is)
        })
    }
}

/// Revokes tokens where it was settled at sign-in that they are revoked: the refresh token first, which takes its
/// access tokens along. Nothing is revoked with which another connection here would end.
pub(super) async fn revoke(
    store: &Store,
    network: &Network,
    manifests: &dyn Manifests,
    of: &Of<'_>,
    spare: Spare<'_>,
) -> Vec<Revocation> {
    let (connector, secrets) = (of.connector, of.secrets);
    if is_in_use(store, manifests, of).await {
        tracing::info!(%connector, "older tokens are left alone, for others would end with them");
        return Revocation::left_for_others();
    }
    let refresh = secrets.refresh_token.iter().map(|it| ("refresh token", it));
    let tokens = refresh.chain([("access token", &secrets.access_token)]);
    let mut revocations = Vec::new();
    for (what, token) in tokens.filter(|(_, token)| !spare.has(token)) {
        let fate = match revoke_one(network, manifests, connector, secrets, token).await {
            Ok(revoked) => Fate::Revoked(revoked),
            Err(problem) => {
                tracing::warn!(%connector, what, problem, "a token was not revoked");
                Fate::Left(problem)
            }
        };
        revocations.push(Revocation { what, fate });
    }
    revocations
}

async fn revoke_one(
    network: &Network,
    manifests: &dyn Manifests,
    connector: &ConnectorName,
    secrets: &ConnectionSecrets,
    token: &SecretString,
) -> Result<Revoked, String> {
    let said = |error: ConnectError| error.to_string();
    let manifest = known::manifest(manifests, connector).map_err(said)?;
    let service = known::service(&manifest).map_err(said)?;
    let (app, endpoints) = (known::app(secrets), known::endpoints(&secrets.endpoints));
    let endpoints = endpoints.map_err(said)?;
    let client = TokenClient::new(service, &app, &endpoints, network);
    let revoked = client.revoke(token).await;
    revoked.map_err(|error: TokenError| error.to_string())
}
