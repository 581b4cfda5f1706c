//! Reports: what each asks, and the sums and rows that answer.
//!
//! Follows the *Reports and Dashboards REST API Developer Guide*. The rows of a report are those of
//! a SOQL query that who runs it sends; the report groups them and sums them up.

mod bound;
mod currency;
mod describe;
mod fact;
mod filter;
mod group;
mod logic;
mod metadata;
mod period;
mod sample;
mod types;

use serde_json::{Value as Json, json};

use crate::error::ApiError;
use crate::org::{Org, Session};
use crate::query::{self, Calendar, Options};
use bound::Bound;
use fact::{DETAIL_ROWS_MAX, fact_map};
use group::{grouped, groupings, sides};
use metadata::Metadata;
pub(crate) use metadata::{Format, overlaid};
pub(crate) use sample::{REPORTS, Report};

fn bad_request(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("BAD_REQUEST", message)
}

/// Describes a report to who asks: what it asks, what its parts are called, and what it could ask.
///
/// # Errors
///
/// `BAD_REQUEST`: the metadata is none.
pub(crate) fn describe(session: &Session, metadata: &Json) -> Result<Json, ApiError> {
    let (asked, kind) = Metadata::read(metadata)?;
    let bound = Bound::new(session.schema(), kind, &asked)?;
    Ok(json!({
        "reportExtendedMetadata": describe::extended(&bound),
        "reportMetadata": bound.seen_of(metadata),
        "reportTypeMetadata": describe::report_type(&bound),
    }))
}

/// Runs a report as who asks; with `details`, its rows are shown.
///
/// # Errors
///
/// `BAD_REQUEST`: the metadata asks for what is not to be had.
pub(crate) fn run(
    org: &Org,
    session: &Session,
    metadata: &Json,
    details: bool,
) -> Result<Json, ApiError> {
    let (asked, kind) = Metadata::read(metadata)?;
    let bound = Bound::new(session.schema(), kind, &asked)?;
    let calendar = Calendar::new(org, session);
    let soql = bound.soql(&asked, &calendar)?;
    let options = Options {
        include_deleted: false,
        batch_size: DETAIL_ROWS_MAX,
        columns: false,
        base: String::new(),
    };
    // What is wrong with the query is wrong with the metadata that it was made of.
    let rows = query::run(org, session, &soql, options)
        .map_err(|error| bad_request(error.message))?
        .records;
    let all: Vec<usize> = (0..rows.len()).collect();
    let down = grouped(&rows, &all, &bound.down, &bound.aggregates, &calendar);
    let across = grouped(&rows, &all, &bound.across, &bound.aggregates, &calendar);
    let (below, beside) = (sides(&down, &all), sides(&across, &all));
    Ok(json!({
        "allData": !details || rows.len() <= DETAIL_ROWS_MAX,
        "factMap": fact_map(&bound, &rows, (&below, &beside), details, &calendar),
        "groupingsAcross": {"groupings": groupings(&across, "")},
        "groupingsDown": {"groupings": groupings(&down, "")},
        "hasDetailRows": details,
        "reportExtendedMetadata": describe::extended(&bound),
        "reportMetadata": bound.seen_of(metadata),
    }))
}

#[cfg(test)]
mod tests;
