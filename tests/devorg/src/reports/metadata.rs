//! What a report asks, as clients read and change it: `reportMetadata`.
//!
//! Keys are those of the *Reports and Dashboards REST API Developer Guide*, "Report Metadata". A
//! client that runs a report may change any of them for that one run.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::bad_request;
use super::types::ReportType;
use crate::error::ApiError;

/// The parts of `reportMetadata` on which the rows and sums depend.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    pub(crate) aggregates: Vec<String>,
    pub(crate) detail_columns: Vec<String>,
    pub(crate) groupings_down: Vec<Grouping>,
    pub(crate) groupings_across: Vec<Grouping>,
    pub(crate) report_boolean_filter: Option<String>,
    pub(crate) report_filters: Vec<Filter>,
    pub(crate) report_format: Format,
    pub(crate) report_type: TypeName,
    pub(crate) scope: String,
    pub(crate) sort_by: Vec<SortBy>,
    pub(crate) standard_date_filter: Option<DateFilter>,
    pub(crate) standard_filters: Option<Vec<StandardChoice>>,
}

/// How a report is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Format {
    /// A list.
    Tabular,
    /// Groups below one another.
    Summary,
    /// Groups below and beside one another.
    Matrix,
}

/// `reportType`
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct TypeName {
    #[serde(rename = "type")]
    pub(crate) name: String,
}

/// A column by whose values rows are grouped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Grouping {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) date_granularity: Granularity,
    #[serde(default)]
    pub(crate) sort_order: SortOrder,
    /// The aggregate by which the groups are ordered instead of their values.
    #[serde(default)]
    pub(crate) sort_aggregate: Option<String>,
}

/// The spans of time into which dates are grouped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Granularity {
    /// Days, for dates; values as they are for everything else.
    #[default]
    None,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    FiscalQuarter,
    FiscalYear,
    MonthInYear,
    DayInMonth,
}

/// The direction of an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SortOrder {
    #[default]
    Asc,
    Desc,
}

/// A condition that rows must meet.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Filter {
    pub(crate) column: String,
    pub(crate) operator: String,
    #[serde(default)]
    pub(crate) value: String,
}

/// The column by which rows are ordered.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SortBy {
    pub(crate) sort_column: String,
    #[serde(default)]
    pub(crate) sort_order: SortOrder,
}

/// `standardDateFilter`: the time that a report is about.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DateFilter {
    pub(crate) column: String,
    /// A date literal of SOQL, or `CUSTOM`.
    pub(crate) duration_value: String,
    #[serde(default)]
    pub(crate) start_date: Option<String>,
    #[serde(default)]
    pub(crate) end_date: Option<String>,
}

/// What is chosen of a filter that the report type has.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct StandardChoice {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Metadata {
    /// Reads `reportMetadata`, checks what depends on nothing else, and finds the report type.
    ///
    /// # Errors
    ///
    /// `BAD_REQUEST`: a part is missing or not what it should be.
    pub(crate) fn read(json: &Json) -> Result<(Self, &'static ReportType), ApiError> {
        let metadata: Self = serde_json::from_value(json.clone())
            .map_err(|error| bad_request(format!("The report metadata is invalid: {error}")))?;
        let name = &metadata.report_type.name;
        let kind = ReportType::named(name)
            .ok_or_else(|| bad_request(format!("The report type {name} is invalid.")))?;
        let (down, across) = (
            metadata.groupings_down.len(),
            metadata.groupings_across.len(),
        );
        let fits = match metadata.report_format {
            Format::Tabular => down == 0 && across == 0,
            Format::Summary => (1..=3).contains(&down) && across == 0,
            Format::Matrix => (1..=2).contains(&down) && (1..=2).contains(&across),
        };
        if fits {
            return Ok((metadata, kind));
        }
        let rule = match metadata.report_format {
            Format::Tabular => "A tabular report can't have groupings.",
            Format::Summary => "A summary report must have one to three row groupings.",
            Format::Matrix => {
                "A matrix report must have one or two row groupings and one or two column groupings."
            }
        };
        Err(bad_request(rule))
    }
}

/// Puts the keys that a client gives in the place of the report's own.
///
/// # Errors
///
/// `BAD_REQUEST`: the body is no object, or its `reportMetadata` is none.
pub(crate) fn overlaid(mut own: Json, body: &[u8]) -> Result<Json, ApiError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(own);
    }
    let body: Json = serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let message = format!("the body is no JSON at [line:{line}, column:{column}]");
        ApiError::bad_request("JSON_PARSER_ERROR", message)
    })?;
    match (&mut own, body.get("reportMetadata"), body.is_object()) {
        (_, None | Some(Json::Null), true) => Ok(own),
        (Json::Object(members), Some(Json::Object(given)), _) => {
            members.extend(given.clone());
            Ok(own)
        }
        _ => Err(bad_request("The report metadata must be an object.")),
    }
}

/// Gives a filter's entry.
pub(super) fn filter_json(column: &str, operator: &str, value: &str) -> Json {
    json!({
        "column": column,
        "filterType": "fieldValue",
        "isRunPageEditable": true,
        "operator": operator,
        "value": value,
    })
}
