//! The `changes` and `destructive` toolsets: one record a call, by one request.
//!
//! A change is checked against the describe, the record is read, what will change is announced with before and after, the
//! request is sent once, and the record is read again: what is not stored as asked is said. Nothing here repeats a change.

mod asked;
mod create;
mod decimal;
mod delete;
pub(crate) mod moment;
mod record;
mod refused;
mod said;
mod targets;
mod update;
mod value;

pub use create::{CreateRecord, create_record};
pub use delete::{DeleteRecord, delete_record};
pub use said::Written;
pub use update::{UpdateRecord, update_record};

/// What no announcement can foresee.
const UNFORESEEN: &str =
    "The org's triggers, flows and rules run, and may change more than this or refuse it.";

/// Days for which the recycle bin keeps a record (*Salesforce Help*, "Restore Deleted Records").
const BIN_DAYS: u32 = 15;

#[cfg(test)]
#[path = "writes/tests.rs"]
mod tests;
