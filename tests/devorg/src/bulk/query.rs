//! Jobs that read: what Bulk API 2.0 refuses of SOQL, and rows as CSV.

use std::sync::Arc;

use csv::StringRecord;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use soql::{Argument, SelectItem};

use super::Format;
use super::format::Quotes;
use super::saved;
use crate::error::ApiError;
use crate::org::{Org, Session};
use crate::query::{self, Options};

/// What a job that reads does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum QueryOperation {
    Query,
    QueryAll,
}

impl QueryOperation {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::QueryAll => "queryAll",
        }
    }
}

/// A job's query, and what it found.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Query {
    pub(crate) operation: QueryOperation,
    pub(crate) soql: String,
    /// The columns, in order.
    pub(crate) columns: Vec<Column>,
    /// What was found, once the job is complete.
    #[serde(with = "saved::shared_rows")]
    pub(crate) rows: Option<Arc<Vec<StringRecord>>>,
}

#[cfg(feature = "program")]
impl Query {
    /// Gives the same query before it was asked.
    pub(super) fn without_rows(&self) -> Self {
        Self {
            operation: self.operation,
            soql: self.soql.clone(),
            columns: self.columns.clone(),
            rows: None,
        }
    }
}

/// A column of the results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Column {
    /// The members that lead to the value: `Account`, `Name`.
    path: Vec<String>,
    /// Whether its values are moments, which CSV writes with a `Z`.
    moments: bool,
}

/// Checks a query as it is sent, and gives its object and its columns.
///
/// # Errors
///
/// `API_ERROR` for what only the REST API answers; whatever the query is refused for otherwise.
pub(crate) fn check(
    org: &Org,
    session: &Session,
    soql: &str,
) -> Result<(String, Vec<Column>), ApiError> {
    let options = Options {
        columns: true,
        ..options(QueryOperation::Query)
    };
    let described = query::run(org, session, soql, options)?.columns;
    let described = described.unwrap_or_default();
    check_supported(soql)?;
    let object = described["entityName"].as_str().unwrap_or_default();
    let mut columns = Vec::new();
    flatten(&described["columnMetadata"], &[], &mut columns)?;
    Ok((object.to_owned(), columns))
}

fn unsupported(what: &str) -> ApiError {
    ApiError::bad_request("API_ERROR", what)
}

/// Refuses the clauses that Bulk API 2.0 does not have ("Query Jobs", "SOQL Considerations").
fn check_supported(soql: &str) -> Result<(), ApiError> {
    let Ok(query) = soql::parse_query(soql) else {
        return Ok(()); // It was refused before.
    };
    if query.group_by.is_some() || query.having.is_some() {
        return Err(unsupported("GROUP BY not supported in Bulk V2 Query"));
    }
    if query.offset.is_some() {
        return Err(unsupported("OFFSET not supported in Bulk V2 Query"));
    }
    for item in &query.select {
        match item {
            SelectItem::Function { call, .. } if is_aggregate(&call.name.name, &call.args) => {
                return Err(unsupported(
                    "Aggregate functions not supported in Bulk V2 Query",
                ));
            }
            SelectItem::TypeOf(_) => {
                return Err(unsupported("TYPEOF not supported in Bulk V2 Query"));
            }
            SelectItem::Subquery(_) => {
                return Err(unsupported(
                    "Aggregate Relationships not supported in Bulk V2 Query with CSV content type",
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_aggregate(name: &str, args: &[Argument]) -> bool {
    let known = ["COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"];
    args.is_empty() || known.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Adds the columns of `columnMetadata`, those of parents under their names.
fn flatten(
    described: &Json,
    parents: &[String],
    columns: &mut Vec<Column>,
) -> Result<(), ApiError> {
    for column in described.as_array().into_iter().flatten() {
        let name = column["columnName"].as_str().unwrap_or_default().to_owned();
        let path = parents.iter().cloned().chain([name]).collect::<Vec<_>>();
        let kind = column["apexType"].as_str().unwrap_or_default();
        let inner = &column["joinColumns"];
        match kind {
            "Address" => {
                return Err(unsupported(
                    "Selecting compound data not supported in Bulk Query",
                ));
            }
            "Blob" => {
                return Err(unsupported(
                    "Blob field not supported in Bulk V2 Query with CSV content type",
                ));
            }
            _ if inner.as_array().is_some_and(|inner| !inner.is_empty()) => {
                flatten(inner, &path, columns)?;
            }
            _ => columns.push(Column {
                path,
                moments: kind == "Datetime",
            }),
        }
    }
    Ok(())
}

fn options(operation: QueryOperation) -> Options {
    Options {
        include_deleted: operation == QueryOperation::QueryAll,
        batch_size: usize::MAX,
        columns: false,
        base: String::new(), // Addresses of records are no columns.
    }
}

/// Finds the rows of a job.
pub(super) fn run(
    org: &Org,
    session: &Session,
    operation: QueryOperation,
    soql: &str,
    columns: &[Column],
) -> Result<Vec<StringRecord>, ApiError> {
    let answer = query::run(org, session, soql, options(operation))?;
    let row = |record: &Json| columns.iter().map(|column| cell(record, column)).collect();
    Ok(answer.records.iter().map(row).collect())
}

/// Finds the rows of a batch, as the older API has them: moments are milliseconds.
pub(super) fn rows(
    org: &Org,
    session: &Session,
    operation: QueryOperation,
    soql: &str,
    base: &str,
    columns: &[Column],
) -> Result<Vec<Json>, ApiError> {
    let options = Options {
        base: base.to_owned(),
        ..options(operation)
    };
    let mut records = query::run(org, session, soql, options)?.records;
    for record in &mut records {
        for column in columns.iter().filter(|column| column.moments) {
            let mut names = column.path.iter();
            let value = names.try_fold(&mut *record, |value, name| value.get_mut(name));
            if let Some(value) = value
                && let Some(moment) = value
                    .as_str()
                    .and_then(|text| text.parse::<Timestamp>().ok())
            {
                *value = Json::from(moment.as_millisecond());
            }
        }
    }
    Ok(records)
}

fn cell(record: &Json, column: &Column) -> String {
    let value = column.path.iter().fold(record, |value, name| &value[name]);
    match value {
        Json::Null => String::new(),
        Json::String(text) if column.moments => match text.strip_suffix("+0000") {
            Some(text) => format!("{text}Z"),
            None => text.clone(),
        },
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl Query {
    /// Writes rows under their header.
    pub(crate) fn page(&self, format: Format, rows: &[StringRecord]) -> Vec<u8> {
        let names = self.columns.iter().map(|column| column.path.join("."));
        let header: StringRecord = names.collect();
        format.write(std::iter::once(&header).chain(rows), Quotes::All)
    }
}
