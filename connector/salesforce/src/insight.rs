//! The `insight` toolset: what a person would look up on several pages, in one call.
//!
//! An overview and a pipeline are one query each, of fields that every org has; reports are the org's own, and run by the
//! analytics API.

mod account;
mod close;
mod describe;
mod filters;
mod pipeline;
mod report;
mod run;
mod section;
mod sum;

pub use account::{GetAccountOverview, Overview, get_account_overview};
pub use describe::{DescribeReport, ReportDescribed, describe_report};
pub use pipeline::{GetPipeline, Pipeline, get_pipeline};
pub use report::{ListReports, Reports, list_reports};
pub use run::{ReportRun, RunReport, run_report};

use serde::Serialize;

use crate::json::Json;
use crate::table::{Bounds, Table};

/// How much of an answer's tables goes into text.
const BOUNDS: Bounds = Bounds {
    cell_chars_max: 500,
    text_bytes_max: 100_000,
};

/// A table as data.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Rows {
    /// Names of the columns.
    columns: Vec<String>,
    /// Values as the service sent them.
    rows: Vec<Vec<serde_json::Value>>,
}

/// Writes a table as [`Rows`].
fn rows_of(table: &Table) -> Json {
    let (columns, rows) = table.structured();
    Json::object([("columns", columns), ("rows", rows)])
}

#[cfg(test)]
#[path = "insight/tests.rs"]
mod tests;
