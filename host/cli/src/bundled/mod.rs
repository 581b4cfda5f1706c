//! The connectors that the program carries. Only here does the host name a service.

pub(crate) mod salesforce;

use anyhow::Result;
use portcullis::BuiltIn;

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
