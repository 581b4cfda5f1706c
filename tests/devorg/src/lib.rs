//! A Salesforce org to develop and test against: in memory, deterministic, on loopback.
//!
//! It imitates what a client can see: OAuth, describes, SOQL, records, errors and headers, as
//! Salesforce's *REST API Developer Guide* and *SOQL and SOSL Reference* have them. It is no
//! place for real data: its users' passwords are known to whoever started it.
//!
//! ```no_run
//! # async fn example() -> Result<(), salesforce_devorg::error::StartError> {
//! use salesforce_devorg::{DevOrg, Options};
//!
//! let org = DevOrg::start(Options::default()).await?;
//! let administrator = &org.users()[0];
//! // Ask `org.url()` with `Authorization: Bearer` and `administrator.access_token`.
//! org.expire_session(&administrator.access_token);
//! org.stop().await;
//! # Ok(())
//! # }
//! ```

#![recursion_limit = "256"] // The describe of a field is one long `json!`.

mod approvals;
pub mod email;
pub mod error;
pub mod id;
pub mod org;
pub mod query;
pub mod schema;
pub mod store;
pub mod value;

mod data;
mod list_views;

mod oauth;
mod objects;
mod records;
mod reports;
mod rest;
mod seen;
mod server;
mod state;
mod wire;

pub use server::{DevOrg, DevUser, Options};
