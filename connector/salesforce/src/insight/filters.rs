//! The filters of one run of a report, and what is wrong with them where the service refuses them.

use portcullis_sdk::Failure;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::fence;
use crate::json::Json;
use crate::nearest::{Candidate, listed, nearest};
use crate::writes::Decimal;

/// A filter of one call.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Filter {
    /// Name, from describe_report.
    column: String,
    /// `equals, notEqual, lessThan, greaterThan, lessOrEqual, greaterOrEqual, contains, notContain, startsWith, includes, excludes`
    operator: String,
    /// Several with commas: any of them.
    value: String,
}

/// The operators of filters; which of them a column takes goes by its type.
const OPERATORS: [&str; 11] = [
    "equals",
    "notEqual",
    "lessThan",
    "greaterThan",
    "lessOrEqual",
    "greaterOrEqual",
    "contains",
    "notContain",
    "startsWith",
    "includes",
    "excludes",
];

/// Those that look into a text.
const OF_TEXTS: [&str; 3] = ["contains", "notContain", "startsWith"];

/// Writes what differs from the report as it is saved (*Reports and Dashboards REST API Developer Guide*, "Filter Reports on Demand").
pub(super) fn written(filters: &[Filter]) -> Json {
    let each = filters.iter().map(|filter| {
        Json::object([
            ("column", filter.column.trim().into()),
            ("operator", filter.operator.trim().into()),
            ("value", filter.value.as_str().into()),
        ])
    });
    let metadata = Json::object([
        // It counts the filters that are saved.
        ("reportBooleanFilter", Json::Null),
        ("reportFilters", Json::Array(each.collect())),
    ]);
    Json::object([("reportMetadata", metadata)])
}

/// Finds the first filter whose operator is none: its place, and what there is.
pub(super) fn no_operator(filters: &[Filter]) -> Option<(String, String)> {
    let is_known = |filter: &Filter| OPERATORS.contains(&filter.operator.trim());
    let at = filters.iter().position(|filter| !is_known(filter))?;
    let shown = fence::inline(filters[at].operator.trim(), 40);
    let problem = format!("“{shown}” is none of {}", OPERATORS.join(", "));
    Some((format!("/filters/{at}/operator"), problem))
}

/// Lists the columns of a report's type, by its description: name, label and data type of each.
pub(super) fn columns(description: &Json) -> impl Iterator<Item = (&str, &str, &str)> {
    let kind = description.get("reportTypeMetadata");
    let categories = kind.and_then(|kind| kind.get("categories"));
    let categories = categories.map_or(&[][..], Json::items).iter();
    let columns = categories.filter_map(|category| category.get("columns"));
    columns.flat_map(Json::members).map(|(name, info)| {
        let text = |member| info.str_at(member).unwrap_or_default();
        (&**name, text("label"), text("dataType"))
    })
}

/// Says at its place what of the filters cannot be, as far as the description of the report tells.
pub(super) fn explained(mut failure: Failure, filters: &[Filter], description: &Json) -> Failure {
    for (at, filter) in filters.iter().enumerate() {
        let name = filter.column.trim();
        let known = columns(description).find(|(known, ..)| *known == name);
        let (member, problem) = match known {
            Some((.., kind)) => match misfit(kind, filter) {
                Some(found) => found,
                None => continue,
            },
            None => ("column", no_column(name, description)),
        };
        failure = failure.field(format!("/filters/{at}/{member}"), problem);
    }
    failure
}

fn no_column(name: &str, description: &Json) -> String {
    let candidates = columns(description).map(|(name, label, _)| Candidate { name, label });
    let near = nearest(name, candidates);
    let shown = fence::inline(name, 80);
    match near.is_empty() {
        true => format!(
            "“{shown}” is no column of this type of report: describe_report finds one by part of its label"
        ),
        false => format!(
            "“{shown}” is no column of this type of report; near: {}",
            listed(&near)
        ),
    }
}

/// Says which member of a filter does not fit a column of a type, and what would.
fn misfit(kind: &str, filter: &Filter) -> Option<(&'static str, String)> {
    let is_of_texts = OF_TEXTS.contains(&filter.operator.trim());
    let is_date: fn(&str) -> bool = |text| {
        let literal = text.replace(' ', "_").to_ascii_uppercase();
        let soql = format!("SELECT Id FROM A WHERE F > {literal}");
        !literal.starts_with(['\'', '(']) && soql::parse_query(&soql).is_ok()
    };
    let (takes, fits): (&str, fn(&str) -> bool) = match kind {
        "int" | "double" | "currency" | "percent" => ("a number such as 5000", |text| {
            Decimal::parse(text).is_some()
        }),
        "date" | "datetime" => (
            "a day such as 2026-11-23, or a span such as THIS_MONTH",
            is_date,
        ),
        "boolean" => ("true or false", |text| {
            matches!(text, "0" | "1")
                || ["true", "false"]
                    .iter()
                    .any(|word| text.eq_ignore_ascii_case(word))
        }),
        _ => return None,
    };
    if is_of_texts {
        let six = OPERATORS[..6].join(", ");
        return Some((
            "operator",
            format!("looks into texts, and the column is a {kind}: it takes {six}"),
        ));
    }
    let wrong = filter
        .value
        .split(',')
        .map(str::trim)
        .find(|value| !value.is_empty() && !fits(value))?;
    let shown = fence::inline(wrong, 40);
    Some((
        "value",
        format!("the column is a {kind} and takes {takes}, not “{shown}”"),
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn filter(column: &str, operator: &str, value: &str) -> Filter {
        Filter {
            column: column.to_owned(),
            operator: operator.to_owned(),
            value: value.to_owned(),
        }
    }

    #[test]
    fn an_operator_that_is_none_is_answered_with_those_there_are() {
        let known = OPERATORS.map(|operator| filter("AMOUNT", operator, "1"));
        assert_eq!(no_operator(&known), None);
        let two = [filter("A", "equals", "1"), filter("A", "bigger", "1")];
        let (pointer, problem) = no_operator(&two).unwrap();
        assert_eq!(pointer, "/filters/1/operator");
        assert!(
            problem.starts_with("“bigger” is none of equals, notEqual, "),
            "{problem}"
        );
        // The schema says the same.
        let tools = crate::tools();
        let tools = tools.iter().map(|tool| tool.describe());
        let run = tools.into_iter().find(|tool| tool.name == "run_report");
        let all = OPERATORS.join(", ");
        assert!(run.unwrap().input_schema.contains(&all), "{all}");
    }

    #[test]
    fn what_is_wrong_with_a_filter_is_told_at_its_place() {
        let description = Json::parse(
            r#"{"reportTypeMetadata":{"categories":[{"columns":{
                "AMOUNT":{"label":"Amount","dataType":"currency"},"CLOSE_DATE":{"label":"Close Date","dataType":"date"},
                "WON":{"label":"Won","dataType":"boolean"},"STAGE_NAME":{"label":"Stage","dataType":"picklist"}}}]}}"#,
        )
        .unwrap();
        for (column, operator, value, said) in [
            (
                "Amount",
                "equals",
                "1",
                "/column: “Amount” is no column of this type of report; near: `AMOUNT` (Amount)",
            ),
            (
                "Zzz",
                "equals",
                "1",
                "/column: “Zzz” is no column of this type of report: describe_report finds one by part of its label",
            ),
            (
                "AMOUNT",
                "lessThan",
                "1, much",
                "/value: the column is a currency and takes a number such as 5000, not “much”",
            ),
            (
                "AMOUNT",
                "contains",
                "1",
                "/operator: looks into texts, and the column is a currency: it takes equals, notEqual, lessThan, greaterThan, lessOrEqual, greaterOrEqual",
            ),
            (
                "CLOSE_DATE",
                "equals",
                "someday",
                "/value: the column is a date and takes a day such as 2026-11-23, or a span such as THIS_MONTH, not “someday”",
            ),
            (
                "CLOSE_DATE",
                "equals",
                "'x'",
                "/value: the column is a date and takes a day such as 2026-11-23, or a span such as THIS_MONTH, not “'x'”",
            ),
            (
                "WON",
                "equals",
                "yes",
                "/value: the column is a boolean and takes true or false, not “yes”",
            ),
            // What the service alone knows.
            ("CLOSE_DATE", "equals", "this month", ""),
            ("CLOSE_DATE", "lessThan", "2026-11-23", ""),
            ("WON", "equals", "TRUE", ""),
            ("AMOUNT", "greaterThan", "-1.5", ""),
            ("STAGE_NAME", "contains", "x", ""),
            ("AMOUNT", "equals", "", ""),
        ] {
            let filters = [
                filter("WON", "equals", "1"),
                filter(column, operator, value),
            ];
            let failure = explained(Failure::invalid("m"), &filters, &description);
            let told = failure.fields.iter();
            let told: Vec<String> = told
                .map(|field| format!("{}: {}", field.pointer, field.problem))
                .collect();
            let expected = (!said.is_empty()).then(|| format!("/filters/1{said}"));
            assert_eq!(
                told,
                expected.into_iter().collect::<Vec<_>>(),
                "{column} {value}"
            );
        }
    }
}
