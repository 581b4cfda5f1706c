//! The Salesforce connector: what is in an org, as tools for an agent.
//!
//! One file a toolset ([`org`], [`schema`], [`records`], [`insight`], [`files`], [`writes`]); beneath them [`client`] talks to the REST API,
//! [`known`] asks for fields that a tool knows by itself,
//! [`touched`] says which objects and fields a query touches, so that the host can refuse before anything is
//! sent, [`sight`] shows of a describe what the agent may see, [`rows`] and [`table`] make small answers, and [`service_error`] and [`repair`] turn the service's
//! refusals into ones that say what would have been right. A call changes one
//! record at most, by one request that was announced and is never repeated.
//!
//! It holds no secret and no state: each call runs in a fresh instance, and the host adds the credential.

pub mod client;
pub mod describe;
pub mod fence;
pub mod files;
pub mod follow;
pub mod host;
pub mod identify;
pub mod insight;
pub mod json;
pub mod known;
pub mod names;
pub mod narrow;
pub mod nearest;
pub mod org;
pub mod page;
pub mod records;
pub mod repair;
pub mod rows;
pub mod schema;
pub mod service_error;
pub mod sight;
pub mod table;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tokens;
mod tools;
pub mod touched;
pub mod writes;

pub use tools::all as tools;

/// The manifest: how accounts sign in, and which origins and routes the tools may reach.
pub const MANIFEST: &str = include_str!("../manifest.json");

portcullis_sdk::connector! {
    manifest: MANIFEST,
    identify: || identify::identify(&host::Live::default()),
    tools: tools::all(),
}
