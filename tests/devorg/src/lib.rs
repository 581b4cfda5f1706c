//! A Salesforce org to develop and test against: in memory, deterministic, on loopback.
//!
//! It imitates what a client can see: OAuth, describes, SOQL, records, errors and headers, as
//! Salesforce's *REST API Developer Guide* and *SOQL and SOSL Reference* have them. It is no
//! place for real data: its users' passwords are known to whoever started it.

#![recursion_limit = "256"] // The describe of a field is one long `json!`.

pub mod error;
pub mod id;
pub mod org;
pub mod query;
pub mod schema;
pub mod store;
pub mod value;

mod data;
mod objects;
mod records;
