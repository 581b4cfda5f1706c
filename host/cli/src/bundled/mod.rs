//! The connectors that the program carries. Only here does the host name a service.

pub(crate) mod salesforce;

use std::sync::Arc;

use anyhow::Result;
use portcullis::policy::{ConnectorName, Manifest};
use portcullis::{BuiltIn, Connector, Host};

/// The names of the connectors that the program carries for agents.
const CONNECTORS: [&str; 1] = ["salesforce"];

/// Gives the names of the connectors that agents can be given, wherever the program runs.
pub(crate) fn names() -> Result<Vec<ConnectorName>> {
    let parsed = CONNECTORS
        .iter()
        .map(|name| Ok(ConnectorName::parse(*name)?));
    parsed.collect()
}

/// Gives these connectors, by name.
pub(crate) fn carried() -> Result<Vec<(ConnectorName, BuiltIn)>> {
    let [name] = CONNECTORS;
    Ok(vec![(ConnectorName::parse(name)?, salesforce()?)])
}

/// Gives the manifest of a connector that the program carries, as it is in the component.
pub(crate) fn manifest(connector: &ConnectorName) -> Result<Option<Manifest>> {
    match CONNECTORS.contains(&connector.as_str()) {
        true => Ok(Some(Manifest::from_json(salesforce::MANIFEST)?)),
        false => Ok(None),
    }
}

/// Installs one in a host.
pub(crate) async fn activate(host: &Host, component: BuiltIn) -> Result<Arc<Connector>> {
    let inspected = host.inspect_built_in(component).await?;
    // What the program carries was read by whoever built it.
    Ok(host.activate_accepted(inspected)?)
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
