//! Which connectors there are: those that the program carries, and those that an administrator installed, which take the place of
//! the former where they have the same name.

use anyhow::{Context, Result};
use portcullis::policy::{ConnectorName, Manifest};
use portcullis::{ComponentCache, Host};
use portcullis_store::{Store, StoreConnectors, VersionState};

use crate::bundled;
use crate::org;
use crate::problem::Problem;

/// Keeps a host's connectors as they are here.
pub(crate) fn on(store: &Store, host: &Host) -> Result<StoreConnectors> {
    let carried = bundled::carried()?;
    Ok(StoreConnectors::new(store.clone(), host.clone(), carried))
}

/// Gives the names of those that are in use.
pub(crate) async fn names(store: &Store) -> Result<Vec<ConnectorName>> {
    let mut names = bundled::names()?;
    for version in store.versions().await? {
        if version.state == VersionState::Active && !names.contains(&version.connector) {
            names.push(version.connector);
        }
    }
    Ok(names)
}

/// Refuses the name of a connector that is not there.
pub(crate) async fn require(store: &Store, connector: &ConnectorName) -> Result<()> {
    let names = names(store).await?;
    match names.contains(connector) {
        true => Ok(()),
        false => Err(unknown(connector, &names).into()),
    }
}

/// Says that a connector is not there.
pub(crate) fn unknown(connector: &ConnectorName, names: &[ConnectorName]) -> Problem {
    let message = format!("there is no connector `{connector}`");
    let hint = format!("those that there are: {}", listed(names));
    Problem::mistake("unknown_connector", message, hint)
}

/// Names several for a sentence.
pub(crate) fn listed(names: &[ConnectorName]) -> String {
    let names: Vec<&str> = names.iter().map(ConnectorName::as_str).collect();
    names.join(", ")
}

/// Says whether a connector is trusted to check what the host cannot see, where nobody decided that: what the program carries
/// is, and no version that took its place.
pub(crate) async fn is_trusted(store: &Store, connector: &ConnectorName) -> Result<bool> {
    let is_in_use = |one: &portcullis_store::InstalledVersion| {
        one.connector == *connector && one.state == VersionState::Active
    };
    let is_installed = store.versions().await?.iter().any(is_in_use);
    Ok(bundled::names()?.contains(connector) && !is_installed)
}

/// Gives the manifest of the version that is in use.
pub(crate) async fn manifest(
    store: &Store,
    connector: &ConnectorName,
    cache: ComponentCache,
) -> Result<Manifest> {
    require(store, connector).await?;
    let world = org::unconnected(cache)?;
    on(store, &world.host)?.take_over().await?;
    let active = world.host.connector(connector);
    let active = active.with_context(|| {
        format!("the version of `{connector}` that is installed cannot be used: `portcullis connector list` says why")
    })?;
    Ok(active.manifest().clone())
}
