//! The connectors that the program carries. Only here does the host name a service.

pub(crate) mod salesforce;

/// The Salesforce connector, as a component.
pub(crate) const SALESFORCE: &[u8] = include_bytes!(env!("SALESFORCE_COMPONENT"));

/// A connector with a tool that says it reads, and writes: `demo` shows what becomes of it.
pub(crate) const MISBEHAVING: &[u8] = include_bytes!(env!("MISBEHAVING_COMPONENT"));
