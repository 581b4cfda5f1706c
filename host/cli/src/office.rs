//! Where accounts are connected, tried and ended: the store, a host that asks services who is signed in, and the network.

use anyhow::{Context, Result};
use portcullis::policy::{ConnectorName, Manifest, PersonId};
use portcullis::{ComponentCache, Host};
use portcullis_connect::{Accounts, ConnectError, Disconnected, Manifests};
use portcullis_store::Removed;

use crate::args::NetworkArgs;
use crate::clients::Clients;
use crate::desk;
use crate::environment;
use crate::home::Session;
use crate::problem::Problem;

/// A place to work on accounts, for one person.
pub(crate) struct Office {
    pub(crate) me: PersonId,
    pub(crate) is_administrator: bool,
    pub(crate) accounts: Accounts,
    pub(crate) clients: Clients,
    host: Host,
}

impl Office {
    /// Makes a host on the store.
    pub(crate) async fn open(
        session: &Session,
        network: &NetworkArgs,
        cache: ComponentCache,
    ) -> Result<Self> {
        let options = environment::network(network)?;
        let is_administrator = session.is_administrator();
        let built = desk::host(session.store.clone(), options, cache, None).await?;
        Ok(Self {
            is_administrator,
            me: session.me.id.clone(),
            accounts: built.accounts,
            clients: built.clients,
            host: built.host,
        })
    }

    /// Gives a connector's manifest.
    pub(crate) fn manifest(&self, connector: &ConnectorName) -> Result<Manifest> {
        let manifest = Manifests::manifest(&self.host, connector);
        manifest.with_context(|| format!("the connector `{connector}` is not active"))
    }
}

/// Makes what accounts are revoked by, where somebody who is to be removed has any: so what is asked wrongly is told
/// before anything is removed.
pub(crate) async fn to_revoke(
    session: &Session,
    leaving: &[PersonId],
    network: &NetworkArgs,
    cache: ComponentCache,
) -> Result<Option<Accounts>> {
    let connections = session.store.connections().await?;
    let goes = |person: &PersonId| leaving.contains(person);
    if !connections
        .iter()
        .any(|one| one.owner.person().is_some_and(goes))
    {
        return Ok(None);
    }
    let options = environment::network(network)?;
    let built = desk::host(session.store.clone(), options, cache, None).await?;
    Ok(Some(built.accounts))
}

/// Revokes at their services what was removed from the store. Where there is nothing to do it by, since an account was connected
/// at the last moment, it is revoked when it is tidied up.
pub(crate) async fn revoke(accounts: Option<Accounts>, removed: Vec<Removed>) -> Vec<Disconnected> {
    match accounts {
        Some(accounts) => accounts.disconnect_all(removed).await,
        None => Vec::new(),
    }
}

/// Says why an account was not connected, with what to do about it.
pub(crate) fn problem(error: &ConnectError) -> Problem {
    let message = error.to_string();
    match error {
        ConnectError::Scope(_)
        | ConnectError::NotAdministrator(_)
        | ConnectError::NoConnector(_)
        | ConnectError::NoSignIn(_)
        | ConnectError::Key(_) => Problem::mistake("connect", message, "nothing was connected"),
        ConnectError::OtherOrganization { .. } | ConnectError::OtherUser { .. } => {
            let hint = "nothing was changed; `--other-account` lets it be another".to_owned();
            Problem::failure("connect", message, Some(hint))
        }
        error => Problem::failure("connect", message, error.hint()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn who_cannot_use_an_account_is_told_what_the_connector_advises() {
        let unfit = ConnectError::Unfit {
            message: "the user has no licence".to_owned(),
            hint: Some("ask for a licence".to_owned()),
            guide: None,
        };
        let problem = problem(&unfit);
        assert_eq!(problem.hint.as_deref(), Some("ask for a licence"));
        assert!(problem.message.contains("the user has no licence"));
    }
}
