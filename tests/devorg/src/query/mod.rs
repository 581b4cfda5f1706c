//! The evaluator of SOQL over the org's records: what it is asked and what it answers.

use serde_json::Value as Json;

use crate::error::ApiError;
use crate::org::{Org, Session};

/// How a query is to be answered.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether deleted records are found too, as by `/queryAll`.
    pub include_deleted: bool,
    /// The rows of a page, by which child subqueries are cut as well.
    pub batch_size: usize,
    /// Whether the columns are asked for instead of the rows: `?columns=true`.
    pub columns: bool,
    /// Where urls begin: `/services/data/v68.0`.
    pub base: String,
}

/// The answer to a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// `totalSize`.
    pub total_size: usize,
    /// Every row, with its `attributes`; the pages are made by who asked.
    pub records: Vec<Json>,
    /// `columnMetadata`, when the columns were asked for.
    pub columns: Option<Json>,
}

/// Answers a query.
///
/// # Errors
///
/// `MALFORMED_QUERY` when the text is no query; the evaluator's own errors otherwise.
pub fn run(
    _org: &Org,
    _session: &Session,
    soql: &str,
    _options: Options,
) -> Result<Answer, ApiError> {
    match soql::parse_query(soql) {
        Ok(_) => Err(ApiError::bad_request(
            "MALFORMED_QUERY",
            "queries are not answered by this build of the org",
        )),
        Err(error) => Err(ApiError::bad_request("MALFORMED_QUERY", error.message)),
    }
}
