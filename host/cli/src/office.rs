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
        session: Session,
        network: &NetworkArgs,
        cache: ComponentCache,
    ) -> Result<Self> {
        let options = environment::network(network)?;
        let is_administrator = session.is_administrator();
        let built = desk::host(session.store, options, cache, None).await?;
        Ok(Self {
            is_administrator,
            me: session.me.id,
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

/// Revokes at their services what was removed from the store. Where nothing was, nothing is made.
pub(crate) async fn revoke(
    session: Session,
    removed: Vec<Removed>,
    network: &NetworkArgs,
    cache: ComponentCache,
) -> Result<Vec<Disconnected>> {
    if removed.is_empty() {
        return Ok(Vec::new());
    }
    let office = Office::open(session, network, cache).await?;
    Ok(office.accounts.disconnect_all(removed).await)
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
