//! Which connectors there are: those that the program carries, and those that an administrator installed, which take the place of
//! the former where they have the same name.

use anyhow::{Context, Result};
use portcullis::policy::{ConnectorName, Digest, Manifest};
use portcullis::{ComponentCache, Host};
use portcullis_store::{Component, Store, StoreConnectors, VersionState};

use crate::bundled;
use crate::org;
use crate::problem::Problem;
use crate::show::table::shown;

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
    if names.contains(connector) {
        return Ok(());
    }
    let versions = store.versions().await?;
    let waits = versions
        .iter()
        .find(|one| one.connector == *connector && one.state == VersionState::Waiting);
    Err(match waits {
        Some(waits) => {
            let version = shown(&waits.version);
            let message = format!(
                "the connector `{connector}` is not in use yet: its version {version} waits to be accepted"
            );
            let hint = format!("`portcullis connector accept {connector}` asks, and has it in use");
            Problem::mistake("unknown_connector", message, hint)
        }
        None => unknown(connector, &names),
    }
    .into())
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

/// Gives the component of a connector that is in use, as trust is about it.
pub(crate) async fn in_use(store: &Store, connector: &ConnectorName) -> Result<Component> {
    let versions = store.versions().await?;
    let active = versions
        .iter()
        .find(|one| one.connector == *connector && one.state == VersionState::Active);
    let digest = active.map(|one| one.digest).or(carried(connector)?);
    let digest = digest.with_context(|| format!("there is no version of `{connector}`"))?;
    by_digest(connector, digest)
}

/// Gives a component of a connector by its digest, as trust is about it.
pub(crate) fn by_digest(connector: &ConnectorName, digest: Digest) -> Result<Component> {
    Ok(Component {
        digest,
        is_carried: carried(connector)? == Some(digest),
    })
}

/// Gives the digest of the one that the program carries.
fn carried(connector: &ConnectorName) -> Result<Option<Digest>> {
    let carried = bundled::carried()?;
    let of_name = carried.iter().find(|(name, _)| name == connector);
    Ok(of_name.map(|(_, component)| component.digest))
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
