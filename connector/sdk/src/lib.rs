//! Write a Portcullis connector in Rust.
//!
//! A connector is a manifest file, a struct and a function for each tool, and
//! one macro. It holds no secret and opens no socket: it asks the host, which
//! checks each request against the manifest and what an administrator allowed,
//! and adds the credential.
//!
//! ```
//! use portcullis_sdk::http::{Request, path};
//! use portcullis_sdk::{Failure, Output, Tool};
//!
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! struct GetNote {
//!     /// The note's id.
//!     id: String,
//! }
//!
//! fn get_note(args: GetNote) -> Result<Output, Failure> {
//!     let response = Request::get(path!("/notes/{}", args.id)).send()?;
//!     match response.status() {
//!         200 => Ok(Output::text(response.text())),
//!         404 => Err(Failure::not_found("there is no such note").field("/id", "unknown")),
//!         status => Err(Failure::unavailable(format!("the service answered {status}"))),
//!     }
//! }
//!
//! portcullis_sdk::connector! {
//!     manifest: r#"{
//!         "name": "notes", "title": "Notes", "version": "0.1.0",
//!         "auth": {"kind": "none"},
//!         "origins": ["https://*.example.com"],
//!         "routes": [{"methods": ["GET"], "path": "/notes/{id}", "effect": "read"}],
//!         "toolsets": {"notes": "Read notes"}
//!     }"#,
//!     tools: [Tool::read("get_note", "Get a note", "notes", "Returns a note's text.", get_note)],
//! }
//! # fn main() {}
//! ```
//!
//! # Build
//!
//! `crate-type = ["cdylib"]`, then `cargo build --target wasm32-wasip2`. Add `"rlib"`
//! and the same crate's tests run on the host: whatever is a function from values
//! to values can be tested there. The functions that ask the host ([`account`],
//! [`http::Request::send`], [`approvals::announce`], …) exist only inside one and panic elsewhere.
//!
//! # A small component
//!
//! What a call runs in is as large as the component, and much of a component makes schemas, which are
//! asked for once. A connector of many tools takes this crate with `default-features = false`, keeps in a file what
//! [`definitions`] writes, has a test compare the two, and gives the file to the macro as `definitions`.
//!
//! # Rules that the host holds you to
//!
//! - A call makes at most one request that is not a read, and announces it: [`approvals::announce`].
//! - The same arguments against the same records give the same request, byte for byte:
//!   no randomness and no hash map's order in a request.
//! - Nothing survives a call: each runs in a fresh instance.
//!
//! # Where things are
//!
//! [`http`] talks to the service, [`credentials`] says for whom, [`permissions`] what the agent
//! may touch, [`approvals`] announces changes, [`audit`] says what was done, [`progress`] how far
//! it is. [`bindings`] is the contract as generated, for what the rest does not wrap.

pub mod approvals;
mod arguments;
pub mod bindings;
mod definition;
mod export;
mod failure;
mod host;
pub mod http;
mod output;
#[cfg(any(feature = "definitions", not(target_family = "wasm")))]
mod schema;
mod tool;

#[cfg(any(feature = "definitions", not(target_family = "wasm")))]
pub use definition::definitions;
pub use export::anonymous;
pub use failure::{Failure, FieldProblem, Reason};
pub use host::{audit, credentials, permissions, progress};
pub use output::{Attachment, Output};
pub use tool::{Effect, NoArguments, Tool};

#[doc(hidden)]
pub use definition::defined;
#[doc(hidden)]
pub use tool::dispatch;

/// Returns the account that this call acts for.
#[must_use]
pub fn account() -> credentials::Account {
    credentials::current()
}
