//! A small blocking HTTP client over `wasi:http`.
//!
//! A request goes to the connection's origin unless [`Request::origin`] names another,
//! which the manifest must name in full. The host's egress gate checks each request and adds the
//! credential; set no `Authorization`, `Host` or `Accept-Encoding` here, for the gate refuses them.
//!
//! ```no_run
//! use portcullis_sdk::Failure;
//! use portcullis_sdk::http::{Request, path};
//!
//! # fn run(version: &str, soql: &str) -> Result<(), Failure> {
//! let response = Request::get(path!("/services/data/{}/query", version))
//!     .query(&[("q", soql)])
//!     .send()?;
//! let rows: serde_json::Value = response.json()?;
//! # Ok(())
//! # }
//! ```

mod encode;
mod error;
mod path;
mod request;
mod response;
mod wire;

pub use path::Path;
pub use request::{Method, Request};
pub use response::Response;

#[doc(inline)]
pub use crate::__path as path;

#[doc(hidden)]
pub use path::placeholders;

/// How large a response may be, in bytes, unless [`Request::response_bytes_max`]
/// says otherwise: more than a page of records ever takes, and well under a
/// call's memory.
pub const RESPONSE_BYTES_MAX: usize = 8 * 1024 * 1024;
