//! What a report asks for: its columns, groups, sums and filters.

use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::filters::columns;
use super::report::{KIND, Metadata, Wanted, read, report_id};
use super::{BOUNDS, Rows, rows_of};
use crate::client::Client;
use crate::fence;
use crate::host::Host;
use crate::json::Json;
use crate::names;
use crate::table::Table;

/// Columns of the type that an answer lists.
const COLUMNS_SHOWN: usize = 100;

/// What `describe_report` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct DescribeReport {
    /// From list_reports.
    id: String,
    /// Lists columns that the report could have, by part of name or label, instead of its own.
    text: Option<String>,
}

/// What `describe_report` answers as data.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReportDescribed {
    id: String,
    url: String,
    name: String,
    /// `TABULAR`, `SUMMARY` or `MATRIX`.
    format: String,
    report_type: String,
    /// Groups, sums, dates and filters, each in a line.
    asks: Vec<String>,
    /// Its own columns, or those that were asked for.
    columns: Rows,
}

/// Describes a report.
///
/// # Errors
/// There is no such report, or the agent is limited in what it reads.
pub fn describe_report(host: &dyn Host, args: &DescribeReport) -> Result<Output, Failure> {
    let client = Client::new(host);
    let id = report_id(&client, &args.id)?;
    host.step("Described a report", Some(id));
    let reply = read(&client, id, &Wanted::Description)?;
    let report = Metadata::of(&reply);
    report.cite(&client, id);
    let text = args
        .text
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty());
    let mut columns = match text {
        None => own_columns(&report),
        Some(text) => possible_columns(&reply, text),
    };
    let total = columns.rows.len();
    columns.rows.truncate(COLUMNS_SHOWN);
    let asks = asks(&report);
    let (kind, label) = report.report_type();
    let url = names::record_url(client.origin(), KIND, id);
    let mut inside = vec![format!(
        "{}: {} of {} ({kind})",
        fence::inline(report.text("name"), 80),
        report.text("reportFormat").to_lowercase(),
        fence::inline(label, 80),
    )];
    let description = fence::inline(report.text("description"), 300);
    inside.extend((!description.is_empty()).then_some(description));
    inside.extend(asks.iter().cloned());
    let rendered = columns.render(BOUNDS);
    inside.push(rendered.text.trim_end().to_owned());
    let mut said = vec![format!("Report {url}"), client.fenced(&inside.join("\n"))];
    if columns.rows.len() < total {
        said.push(format!(
            "{} more columns: give more of a name in `text`",
            total - columns.rows.len()
        ));
    }
    if total == 0 {
        said.push("no column of this type of report has that in its name or label".to_owned());
    }
    let data = Json::object([
        ("id", names::long_id(id).into()),
        ("url", url.into()),
        ("name", report.text("name").into()),
        ("format", report.text("reportFormat").into()),
        ("report_type", kind.into()),
        (
            "asks",
            Json::Array(asks.iter().map(|line| line.as_str().into()).collect()),
        ),
        ("columns", rows_of(&columns)),
    ]);
    Ok(data.answer(said.join("\n")))
}

fn own_columns(report: &Metadata<'_>) -> Table {
    let columns = report.names("detailColumns").into_iter().map(|name| {
        let (label, kind) = report.info("detailColumnInfo", name);
        [name, label, kind].map(Json::from).to_vec()
    });
    Table::plain(["column", "label", "type"], columns)
}

/// Lists the columns of the type of report that have a text in their names.
fn possible_columns(reply: &Json, text: &str) -> Table {
    let wanted = text.to_lowercase();
    let found = columns(reply).filter_map(|(name, label, kind)| {
        let mut texts = [name, label].into_iter();
        let fits = texts.any(|text| text.to_lowercase().contains(&wanted));
        fits.then(|| [name, label, kind].map(Json::from).to_vec())
    });
    Table::plain(["column", "label", "type"], found)
}

/// Says what the report asks for besides its columns.
fn asks(report: &Metadata<'_>) -> Vec<String> {
    let inline = |text: &str| fence::inline(text, 200);
    let mut lines = Vec::new();
    for (word, list) in [
        ("grouped by", "groupingsDown"),
        ("and across by", "groupingsAcross"),
    ] {
        let groups = report.get(list).items().iter().map(|group| {
            let name = group.str_at("name").unwrap_or_default();
            match group.str_at("dateGranularity") {
                None | Some("None") => inline(name),
                Some(span) => format!("{} ({})", inline(name), inline(span)),
            }
        });
        let groups: Vec<String> = groups.collect();
        lines.extend((!groups.is_empty()).then(|| format!("{word}: {}", groups.join(", "))));
    }
    let sums = report.names("aggregates").into_iter();
    let sums: Vec<String> = sums
        .map(|name| inline(report.info("aggregateColumnInfo", name).0))
        .collect();
    lines.extend((!sums.is_empty()).then(|| format!("sums: {}", sums.join(", "))));
    lines.extend(dates(report.get("standardDateFilter")));
    let standard = report.get("standardFilters").items().iter();
    let mut filters: Vec<String> = standard
        .map(|filter| {
            let text = |name| inline(filter.str_at(name).unwrap_or_default());
            format!("{} is {}", text("name"), text("value"))
        })
        .collect();
    for (index, filter) in report.get("reportFilters").items().iter().enumerate() {
        let text = |name| inline(filter.str_at(name).unwrap_or_default());
        filters.push(format!(
            "{}. {} {} \"{}\"",
            index + 1,
            text("column"),
            text("operator"),
            text("value")
        ));
    }
    lines.extend((!filters.is_empty()).then(|| format!("filters: {}", filters.join("; "))));
    let logic = inline(report.text("reportBooleanFilter"));
    lines.extend((!logic.is_empty()).then(|| format!("filter logic: {logic}")));
    let crossed = report.get("crossFilters").items().len();
    lines.extend((crossed > 0).then(|| format!("cross filters: {crossed}")));
    let scope = inline(report.text("scope"));
    lines.extend((!scope.is_empty()).then(|| format!("scope: {scope}")));
    lines
}

fn dates(filter: &Json) -> Option<String> {
    let text = |name| filter.str_at(name).map(|text| fence::inline(text, 80));
    let column = text("column")?;
    let (from, to) = (text("startDate"), text("endDate"));
    match (text("durationValue")?.as_str(), from, to) {
        ("CUSTOM", None, None) => None,
        ("CUSTOM", from, to) => Some(format!(
            "dates: {column} from {} to {}",
            from.unwrap_or_else(|| "ever".to_owned()),
            to.unwrap_or_else(|| "ever".to_owned())
        )),
        (duration, ..) => Some(format!("dates: {column} {duration}")),
    }
}
