//! The Salesforce connector: what is in an org, as tools for an agent.
//!
//! One file a toolset ([`org`], [`schema`], [`records`], [`insight`], [`files`], [`writes`]); beneath them [`client`] talks to the REST API, [`soap`] to the other where that is needed,
//! [`known`] asks for fields that a tool knows by itself,
//! [`touched`] says which objects and fields a query touches, so that the host can refuse before anything is
//! sent, [`sight`] shows of a describe what the agent may see, [`rows`] and [`table`] make small answers, and [`service_error`] and [`repair`] turn the service's
//! refusals into ones that say what would have been right. A call changes one
//! record at most, by one request that was announced and is never repeated.
//!
//! It holds no secret and no state: each call runs in a fresh instance, and the host adds the credential.

pub mod batch;
pub mod client;
pub mod columns;
pub mod currency;
pub mod describe;
pub mod fence;
pub mod files;
pub mod follow;
pub mod host;
pub mod identify;
pub mod insight;
pub mod json;
pub mod keyed;
pub mod known;
pub mod like;
pub mod lookup;
pub mod meant;
pub mod names;
pub mod narrow;
pub mod nearest;
pub mod order;
pub mod org;
pub mod page;
pub mod records;
pub mod repair;
pub mod rows;
pub mod schema;
pub mod service_error;
pub mod sight;
pub mod soap;
pub mod sql;
pub mod table;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tokens;
mod tools;
pub mod touched;
pub mod writes;
pub mod xml;
pub mod zone;

pub use tools::all as tools;

/// The manifest, packed by the build script: how accounts sign in, and which origins and routes the tools may reach.
const MANIFEST: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/manifest.deflate"));

/// What the tools are, packed likewise.
const DEFINITIONS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/tools.deflate"));

/// Unpacks the manifest. Only whoever installs the connector asks for it.
#[must_use]
pub fn manifest() -> String {
    unpacked(MANIFEST)
}

/// Unpacks what the tools are: their words, and the schemas of their structs. A test makes `tools.json` of [`tools`].
#[must_use]
pub fn definitions() -> String {
    unpacked(DEFINITIONS)
}

fn unpacked(packed: &[u8]) -> String {
    let text = miniz_oxide::inflate::decompress_to_vec(packed).unwrap_or_default();
    String::from_utf8(text).unwrap_or_default()
}

portcullis_sdk::connector! {
    manifest: manifest(),
    identify: || identify::identify(&host::Live::default()),
    tools: tools::all(),
    definitions: definitions(),
}
