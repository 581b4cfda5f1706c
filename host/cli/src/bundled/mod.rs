//! The connectors that the program carries. Only here does the host name a service.

pub(crate) mod salesforce;

use std::sync::Arc;

use anyhow::Result;
use portcullis::policy::{ConnectorName, Manifest};
use portcullis::{BuiltIn, Connector, Host};

use crate::problem::Problem;

/// The names of the connectors that agents can be given.
const CONNECTORS: [&str; 1] = ["salesforce"];

/// Refuses the name of a connector that is not there.
pub(crate) fn require(connector: &ConnectorName) -> Result<()> {
    if CONNECTORS.contains(&connector.as_str()) {
        return Ok(());
    }
    let message = format!("there is no connector `{connector}`");
    let hint = format!("those that there are: {}", names());
    Err(Problem::mistake("unknown_connector", message, hint).into())
}

/// Gives the manifest of a connector, as it is in the component.
pub(crate) fn manifest(connector: &ConnectorName) -> Result<Manifest> {
    require(connector)?;
    Ok(Manifest::from_json(salesforce::MANIFEST)?)
}

/// Says whether a connector is trusted to check what the host cannot see, where nobody decided that: what the program
/// carries is.
pub(crate) fn is_trusted(connector: &ConnectorName) -> bool {
    CONNECTORS.contains(&connector.as_str())
}

/// Gives the connectors that are trusted so.
pub(crate) fn trusted() -> Result<Vec<ConnectorName>> {
    let parsed = CONNECTORS
        .iter()
        .map(|name| Ok(ConnectorName::parse(*name)?));
    parsed.collect()
}

/// Gives the names of the connectors that there are, for a sentence.
pub(crate) fn names() -> String {
    CONNECTORS.join(", ")
}

/// Installs one in a host.
pub(crate) async fn activate(host: &Host, component: BuiltIn) -> Result<Arc<Connector>> {
    let inspected = host.inspect_built_in(component).await?;
    // What the program carries was read by whoever built it.
    let posts = inspected.connector().manifest().posts_declared_read();
    let accepted: Vec<String> = posts.into_iter().map(|route| route.path.clone()).collect();
    let accepted: Vec<&str> = accepted.iter().map(String::as_str).collect();
    Ok(host.activate(inspected, &accepted)?)
}

/// Gives the Salesforce connector.
pub(crate) fn salesforce() -> Result<BuiltIn> {
    Ok(BuiltIn {
        bytes: include_bytes!(env!("SALESFORCE_COMPONENT")),
        digest: env!("SALESFORCE_DIGEST").parse()?,
    })
}

/// Gives a connector with a tool that says it reads, and writes: `demo` shows what becomes of it.
pub(crate) fn misbehaving() -> Result<BuiltIn> {
    Ok(BuiltIn {
        bytes: include_bytes!(env!("MISBEHAVING_COMPONENT")),
        digest: env!("MISBEHAVING_DIGEST").parse()?,
    })
}
