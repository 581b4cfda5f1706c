//! A Salesforce org to develop and test against: in memory, deterministic, on loopback.
//!
//! It imitates what a client can see: OAuth, describes, SOQL, records, errors and headers, as
//! Salesforce's *REST API Developer Guide* and *SOQL and SOSL Reference* have them. It is no
//! place for real data: its users' passwords are known to whoever started it.
//!
//! Its administrator set it up as many do, so that what a client writes is not always what is
//! stored:
//!
//! - a trigger writes North American telephone numbers of accounts, contacts and leads as
//!   `(415) 555-0100`;
//! - validation rules refuse an opportunity whose amount is negative or whose close date is more than
//!   ten years ahead, and a campaign that ends before it starts;
//! - duplicate rules alert to an account of the same name and website, and to a contact or lead of the
//!   same last name and email address, unless the client says
//!   `Sforce-Duplicate-Rule-Header: allowSave=true`.
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
//!
//! The org can be made to refuse and to fail: [`AppState`] names what can be wrong with an app
//! ([`DevOrg::set_app_state`], [`Options::app_state`], `--app-state`), and [`fault`] what can go
//! wrong on the way ([`DevOrg::add_fault`]). Over HTTP the admin endpoint does the same
//! ([`Options::admin`], `--admin`).

#![cfg_attr(
    not(feature = "program"),
    allow(
        dead_code,
        unused_imports,
        unused_mut,
        unused_variables,
        reason = "the program alone asks what is not saved, and for what others do not need"
    )
)]
#![recursion_limit = "256"] // The describe of a field is one long `json!`.

pub mod access;
mod approvals;
pub mod email;
pub mod error;
pub mod fault;
pub mod id;
pub mod org;
pub mod query;
pub mod schema;
pub mod store;
pub mod value;

mod admin;
mod bulk;
mod clock;
mod control;
mod data;

#[cfg(feature = "program")]
mod likeness;
mod limits;
mod list_views;
mod oauth;
mod objects;
mod org_lock;
mod records;
mod reports;
mod rest;
mod search;
mod seen;
mod serve;
mod server;
mod shared_text;
mod soap;
mod start;
mod state;
#[cfg(feature = "program")]
mod state_file;
mod storage;
mod taken;
#[cfg(feature = "program")]
mod tls;
mod unsaved;
mod wire;

#[cfg(test)]
mod at_size;

pub use limits::Limit;
pub use oauth::{AppState, DevApp, IssuedTokens};
pub use server::{DevOrg, DevUser, Options};
pub use taken::TakenChange;
