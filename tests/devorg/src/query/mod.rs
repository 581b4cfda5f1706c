//! The evaluator of SOQL over the org's records: what it is asked and what it answers.
//!
//! A query is parsed, bound to the schema, where everything wrong with it is refused in
//! Salesforce's words, and then evaluated. Follows the *SOQL and SOSL Reference*; SOSL is
//! `search`'s, which asks a `Selection` about the records that it finds.

mod aggregate;
mod bind;
mod candidates;
mod columns;
mod compare;
mod date_part;
mod date_range;
mod distance;
mod evaluate;
mod explain;
mod filter;
mod format;
mod group;
mod order;
mod plan;
mod project;
mod refusal;
mod selection;
mod view;

use std::cell::OnceCell;

use serde_json::Value as Json;

use crate::error::ApiError;
use crate::org::{Org, Session};
use crate::seen::Glance;
use bind::Binder;
pub(crate) use date_range::Calendar;
pub(crate) use explain::explain;
pub(crate) use refusal::Source;
pub(crate) use selection::Selection;
use view::View;

// Reports group and show values as queries do.
pub(crate) use compare::SortKey;
pub(crate) use date_part::DatePart;
pub(crate) use date_range::next_day;
pub(crate) use format::formatted;

/// How a query is to be answered.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether deleted records are found too, as by `/queryAll`.
    pub include_deleted: bool,
    /// The rows of a page. Answers are whole all the same: pages are made by who asks, and the
    /// records of a child subquery all come with their parent.
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
    /// `columnMetadata` and what is said beside it, when the columns were asked for; there are no
    /// rows then.
    pub columns: Option<Json>,
    /// How the query says that its rows are come across.
    pub(crate) glance: Option<Glance>,
}

/// Answers a query.
///
/// # Errors
///
/// `MALFORMED_QUERY` when the text is no query; `INVALID_TYPE`, `INVALID_FIELD` and their kin, with
/// an excerpt and the row and column, when it does not fit the schema; `EXCEEDED_ID_LIMIT` when a
/// grouped query has more groups than a page has rows.
pub fn run(org: &Org, session: &Session, soql: &str, options: Options) -> Result<Answer, ApiError> {
    let calendar = Calendar::new(org, session);
    let plan = plan(session, &calendar, soql)?;
    if options.columns {
        return Ok(Answer {
            total_size: 0,
            records: Vec::new(),
            columns: Some(columns::columns(&plan)),
            glance: None,
        });
    }
    let recent = OnceCell::new();
    let view = View {
        org,
        session,
        calendar: &calendar,
        include_deleted: options.include_deleted,
        base: &options.base,
        recent: &recent,
    };
    let found = evaluate::run(&view, &plan)?;
    Ok(Answer {
        total_size: found.total,
        records: found.records,
        columns: None,
        glance: plan.glance,
    })
}

/// Reads a query and binds it to the schema that who asks sees.
fn plan<'a>(
    session: &'a Session,
    calendar: &Calendar,
    soql: &str,
) -> Result<plan::Plan<'a>, ApiError> {
    let source = Source(soql);
    let query = soql::parse_query(soql).map_err(|error| source.unparsed(&error))?;
    Binder::new(session, calendar, source).statement(&query)
}

#[cfg(test)]
mod tests;
