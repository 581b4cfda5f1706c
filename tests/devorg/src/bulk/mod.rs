//! Bulk API 2.0: jobs that write or read many records, as CSV, behind the client's back.
//!
//! *Bulk API 2.0 and Bulk API Developer Guide*. A job is a record of its own in [`Jobs`]; a worker of
//! the org takes those that are complete, one after the other.

mod cells;
pub(crate) mod classic;
mod format;
mod ingest;
mod job;
mod progress;
mod query;
mod saved;
mod worker;

pub(crate) use format::{ColumnDelimiter, Format, LineEnding};
pub(crate) use ingest::{
    Ingest, NO_HARD_DELETE, Operation, key_field, may_hard_delete, not_supported,
};
pub(crate) use job::{Job, Jobs, State, Work, invalid_state};
#[cfg(feature = "program")]
pub(crate) use progress::{Chunk, Ended};
pub(crate) use query::{Query, QueryOperation, check as check_query};
pub(crate) use worker::{Queue, queue, serve};
