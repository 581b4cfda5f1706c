//! A report's answer: its groups with their sums, or its rows.
//!
//! `factMap` has the sums and rows of each place of the groups below and beside, by keys such as `0_1!T`, where `T` is the total
//! of a side (*Reports and Dashboards REST API Developer Guide*, "Decode the Fact Map").

use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BOUNDS;
use super::filters::Filter;
use super::report::{KIND, Metadata, Wanted, read, report_id};
use crate::client::Client;
use crate::fence;
use crate::host::Host;
use crate::json::Json;
use crate::known;
use crate::names;
use crate::page;
use crate::table::{Row, Table};
use crate::writes::Decimal;

const LIMIT_DEFAULT: usize = 100;

/// What stands for all groups of a level.
const ALL: &str = "(all)";

/// What `run_report` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct RunReport {
    /// From list_reports.
    id: String,
    /// Its rows instead of its sums by group. Default: where it has no groups.
    rows: Option<bool>,
    /// In place of its own; all must hold.
    filters: Option<Vec<Filter>>,
    /// Lines (default 100).
    #[schemars(range(min = 1, max = 2000))]
    limit: Option<u32>,
    /// From the last answer.
    cursor: Option<String>,
}

/// What `run_report` answers as data.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReportRun {
    id: String,
    url: String,
    name: String,
    columns: Vec<String>,
    /// Groups with their sums, `(all)` where it is of all groups of a level; or rows.
    rows: Vec<Vec<serde_json::Value>>,
    /// Lines of all pages together.
    total: usize,
    /// Whether the org gave all rows: it gives 2,000 at most.
    all_data: bool,
    cursor: Option<String>,
}

/// Runs a report.
///
/// # Errors
/// There is no such report, or too many were run this hour; the agent is limited in what it reads.
pub fn run_report(host: &dyn Host, args: &RunReport) -> Result<Output, Failure> {
    let client = Client::new(host);
    let id = report_id(&client, &args.id)?;
    let from = page::offset(args.cursor.as_deref(), usize::MAX)?;
    host.step("Ran a report", Some(id));
    let details = args.rows != Some(false);
    let filters = args.filters.as_deref();
    let reply = read(&client, id, &Wanted::Answer { details, filters })?;
    let report = Metadata::of(&reply);
    report.cite(&client, id);
    let run = Run::new(&reply, report);
    let by_rows = args.rows.unwrap_or(!run.has_groups());
    let mut table = if by_rows { run.rows() } else { run.groups() };
    let total = table.rows.len();
    let limit = args.limit.map_or(LIMIT_DEFAULT, |limit| {
        usize::try_from(limit).unwrap_or(LIMIT_DEFAULT).max(1)
    });
    table.rows = table.rows.into_iter().skip(from).take(limit).collect();
    let mut output = run.answer(&client, id, &table, by_rows, (from, total));
    if let Some(filters) = filters {
        let said = match filters.len() {
            0 => "no filters, in place of those that are saved".to_owned(),
            1 => "filtered by the one of this call, in place of those that are saved".to_owned(),
            count => {
                format!("filtered by the {count} of this call, in place of those that are saved")
            }
        };
        output.text.push('\n');
        output.text.push_str(&said);
    }
    Ok(output)
}

/// A report that was run.
struct Run<'a> {
    reply: &'a Json,
    report: Metadata<'a>,
}

/// A group of a side, or the total of it.
struct Node<'a> {
    key: String,
    /// What each level is called, from the outermost; shorter for the total of a group.
    labels: Vec<&'a str>,
    is_leaf: bool,
}

impl<'a> Run<'a> {
    fn new(reply: &'a Json, report: Metadata<'a>) -> Self {
        Self { reply, report }
    }

    fn has_groups(&self) -> bool {
        !self.report.get("groupingsDown").items().is_empty()
            || !self.report.get("groupingsAcross").items().is_empty()
    }

    /// Lists the groups of a side, each after those within it; the total of the side is the last.
    fn side(&self, side: &str) -> Vec<Node<'a>> {
        fn walk<'a>(groups: &'a [Json], above: &[&'a str], nodes: &mut Vec<Node<'a>>) {
            for group in groups {
                let mut labels = above.to_vec();
                labels.push(group.str_at("label").unwrap_or_default());
                let inner = group.get("groupings").map_or(&[][..], Json::items);
                walk(inner, &labels, nodes);
                nodes.push(Node {
                    key: group.str_at("key").unwrap_or_default().to_owned(),
                    labels,
                    is_leaf: inner.is_empty(),
                });
            }
        }
        let groups = self
            .reply
            .get(side)
            .and_then(|side| side.get("groupings"))
            .map_or(&[][..], Json::items);
        let mut nodes = Vec::new();
        walk(groups, &[], &mut nodes);
        nodes.push(Node {
            key: "T".to_owned(),
            labels: Vec::new(),
            is_leaf: groups.is_empty(),
        });
        nodes
    }

    fn fact(&self, below: &Node<'_>, beside: &Node<'_>) -> Option<&'a Json> {
        let key = format!("{}!{}", below.key, beside.key);
        self.reply.get("factMap")?.get(&key)
    }

    /// Gives the labels of the groups by which it is grouped.
    fn group_columns(&self) -> Vec<String> {
        let sides = ["groupingsDown", "groupingsAcross"];
        let names = sides.iter().flat_map(|side| self.report.names(side));
        names
            .map(|name| self.report.info("groupingColumnInfo", name).0.to_owned())
            .collect()
    }

    /// Gives what the groups of a place are called, level by level.
    fn group_cells(&self, below: &Node<'_>, beside: &Node<'_>) -> Vec<Json> {
        let side = |name: &str, node: &Node<'_>| {
            let levels = self.report.get(name).items().len();
            let labels = node.labels.iter().map(|label| Json::from(*label));
            labels
                .chain(std::iter::repeat(ALL.into()))
                .take(levels)
                .collect::<Vec<_>>()
        };
        [
            side("groupingsDown", below),
            side("groupingsAcross", beside),
        ]
        .concat()
    }

    /// Gives what a sum is called, with its currency where the org has several.
    fn sum_label(&self, name: &'a str) -> String {
        let (label, kind) = self.report.info("aggregateColumnInfo", name);
        match self.report.get("currency").as_str() {
            Some(code) if kind == "currency" => format!("{label} ({code})"),
            _ => label.to_owned(),
        }
    }

    /// Makes a table of the groups with their sums.
    fn groups(&self) -> Table {
        let sums = self.report.names("aggregates");
        let mut table = Table {
            columns: self.group_columns(),
            ..Table::default()
        };
        table
            .columns
            .extend(sums.iter().map(|name| self.sum_label(name)));
        for below in self.side("groupingsDown") {
            for beside in self.side("groupingsAcross") {
                let Some(fact) = self.fact(&below, &beside) else {
                    continue;
                };
                let values = fact.get("aggregates").map_or(&[][..], Json::items);
                let values: Vec<Json> = values.iter().map(sum).collect();
                let is_empty = |value: &Json| match value {
                    Json::Number(digits) => &**digits == "0",
                    other => other.is_null(),
                };
                // Most places of a matrix hold nothing.
                if below.key != "T" && beside.key != "T" && values.iter().all(is_empty) {
                    continue;
                }
                let mut cells = self.group_cells(&below, &beside);
                cells.extend(values);
                table.rows.push(plain(cells));
            }
        }
        table
    }

    /// Makes a table of the rows, each with its groups.
    fn rows(&self) -> Table {
        let names = self.report.names("detailColumns");
        let infos: Vec<_> = names
            .iter()
            .map(|name| self.report.info("detailColumnInfo", name))
            .collect();
        let mut rows: Vec<(Vec<Json>, &[Json])> = Vec::new();
        for below in self
            .side("groupingsDown")
            .iter()
            .filter(|node| node.is_leaf)
        {
            for beside in self
                .side("groupingsAcross")
                .iter()
                .filter(|node| node.is_leaf)
            {
                let facts = self.fact(below, beside).and_then(|fact| fact.get("rows"));
                for row in facts.map_or(&[][..], Json::items) {
                    let cells = row.get("dataCells").map_or(&[][..], Json::items);
                    rows.push((self.group_cells(below, beside), cells));
                }
            }
        }
        // The id of the first record that a row names, for whoever wants to read it.
        let named = rows
            .first()
            .and_then(|(_, cells)| cells.iter().position(|cell| id_of(cell).is_some()));
        let mut columns = self.group_columns();
        for (index, (label, _)) in infos.iter().enumerate() {
            columns.extend((named == Some(index)).then(|| "Id".to_owned()));
            columns.push((*label).to_owned());
        }
        let rows = rows.into_iter().map(|(mut shown, cells)| {
            for (index, cell) in cells.iter().enumerate() {
                shown.extend((named == Some(index)).then(|| id_of(cell).into()));
                let kind = infos.get(index).map_or("", |(_, kind)| *kind);
                shown.push(value(cell, kind));
            }
            plain(shown)
        });
        Table {
            columns,
            rows: rows.collect(),
            children: Vec::new(),
        }
    }

    fn answer(
        &self,
        client: &Client<'_>,
        id: &str,
        table: &Table,
        by_rows: bool,
        (from, total): (usize, usize),
    ) -> Output {
        let what = match (by_rows, total) {
            (true, 1) => "row",
            (true, _) => "rows",
            (false, 1) => "line",
            (false, _) => "lines",
        };
        let rendered = table.render(BOUNDS);
        let to = from + rendered.rows_shown;
        let cursor = (to < total).then(|| to.to_string());
        let url = names::record_url(client.origin(), KIND, id);
        let span = match &cursor {
            None if from == 0 => format!("{total} {what}"),
            None => format!("{what} {}-{to} of {total}", from + 1),
            Some(cursor) => format!(
                "{what} {}-{to} of {total}; more: \"cursor\": \"{cursor}\"",
                from + 1
            ),
        };
        let inside = format!(
            "{}\n{}",
            fence::inline(self.report.text("name"), 80),
            rendered.text
        );
        let mut text = vec![format!("Report {url}; {span}"), client.fenced(&inside)];
        text.extend(self.about(client, by_rows));
        if rendered.cells_cut > 0 {
            text.push(format!(
                "{} long values are cut where marked",
                rendered.cells_cut
            ));
        }
        let all_data = self.all_data();
        let mut shown = table.clone();
        shown.rows.truncate(rendered.rows_shown);
        let (columns, rows) = shown.structured();
        let data = Json::object([
            ("id", names::long_id(id).into()),
            ("url", url.into()),
            ("name", self.report.text("name").into()),
            ("columns", columns),
            ("rows", rows),
            ("total", (total as u64).into()),
            ("all_data", Json::Bool(all_data)),
            ("cursor", cursor.clone().into()),
        ]);
        data.answer(text.join("\n")).cursor(cursor)
    }

    fn all_data(&self) -> bool {
        self.reply.is_true_at("allData")
    }

    /// Says what else there is to know of what is shown.
    fn about(&self, client: &Client<'_>, by_rows: bool) -> Vec<String> {
        if !by_rows {
            return vec!["\"rows\": true shows what is behind the sums".to_owned()];
        }
        let mut notes: Vec<String> = self.totals().into_iter().collect();
        if !self.all_data() {
            notes.push("the org gives 2000 rows of a report at most: query asks for all by objects and fields".to_owned());
        }
        let names = self.report.names("detailColumns").into_iter();
        let mut kinds = names.map(|name| self.report.info("detailColumnInfo", name).1);
        if kinds.any(|kind| kind == "datetime") {
            notes.push(known::about_moments(client));
        }
        notes
    }

    /// Says the sums of all rows.
    fn totals(&self) -> Option<String> {
        let fact = self.reply.get("factMap")?.get("T!T")?;
        let values = fact.get("aggregates").map_or(&[][..], Json::items);
        let names = self.report.names("aggregates").into_iter();
        let said: Vec<String> = names
            .zip(values)
            .map(|(name, value)| {
                let label = self.sum_label(name);
                let value = match sum(value) {
                    Json::Null => "none".to_owned(),
                    Json::String(text) => fence::inline(&text, 80),
                    other => other.text(),
                };
                format!("{} {value}", fence::inline(&label, 80))
            })
            .collect();
        (!said.is_empty()).then(|| format!("of all rows: {}", said.join(", ")))
    }
}

fn plain(cells: Vec<Json>) -> Row {
    Row {
        cells,
        children: Vec::new(),
    }
}

/// Gives a sum as the service calculated it: a number, or what it shows instead.
fn sum(aggregate: &Json) -> Json {
    match aggregate.get("value") {
        Some(Json::Number(digits)) => rounded(digits),
        Some(amount @ Json::Object(_)) => match amount.get("amount") {
            Some(Json::Number(digits)) => rounded(digits),
            _ => Json::Null,
        },
        Some(Json::Null) | None => Json::Null,
        _ => aggregate.get("label").cloned().unwrap_or(Json::Null),
    }
}

/// Rounds an average to four digits behind the point: what follows is the binary fraction's. Sums have fewer.
fn rounded(digits: &str) -> Json {
    const PLACES: usize = 4;
    match Decimal::parse(digits) {
        Some(number) => Json::Number(number.rounded(PLACES).to_string().into()),
        None => Json::Number(digits.into()),
    }
}

/// Gives the value of a cell: a name for an id, numbers, days and moments as they are, an amount with its currency where
/// the org has several.
fn value(cell: &Json, kind: &str) -> Json {
    let label = || cell.get("label").cloned().unwrap_or(Json::Null);
    match cell.get("value") {
        None | Some(Json::Null) => Json::Null,
        Some(amount @ Json::Object(_)) => match (amount.get("amount"), amount.str_at("currency")) {
            (Some(Json::Number(digits)), Some(code)) => format!("{} {code}", &**digits).into(),
            (Some(number), _) => number.clone(),
            (None, _) => label(),
        },
        Some(plain @ (Json::Number(_) | Json::Bool(_))) => plain.clone(),
        Some(plain) if matches!(kind, "date" | "datetime" | "time") => plain.clone(),
        Some(_) => label(),
    }
}

/// Gives the id of the record that a cell names.
fn id_of(cell: &Json) -> Option<&str> {
    let id = cell.str_at("recordId").or_else(|| cell.str_at("value"))?;
    let is_name = cell.str_at("label") != Some(id);
    // A word of fifteen letters is no id.
    let is_id = names::record_id(id).is_ok() && id.bytes().any(|byte| byte.is_ascii_digit());
    (is_name && is_id).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_average_has_four_digits_behind_the_point() {
        for (digits, shown) in [
            ("166954.54545454544", "166954.5455"),
            ("-0.0", "0"),
            ("1836500.0", "1836500"),
            ("12345678901234567.89", "12345678901234567.89"),
            ("0.00001", "0"),
        ] {
            assert_eq!(rounded(digits).to_string(), shown);
        }
    }
}
