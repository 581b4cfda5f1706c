//! Reports add up: groups to their totals, and totals to what SOQL says.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::sync::LazyLock;

use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{describe, run};
use crate::error::ApiError;
use crate::id::Id;
use crate::org::{Org, Session};
use crate::query::{self, Options};

static ORG: LazyLock<Org> = LazyLock::new(|| Org::sample("2026-11-23T12:00:00Z".parse().unwrap()));

fn session() -> Session {
    let zone = TimeZone::get("Asia/Tokyo").unwrap();
    Session::of_org(&ORG, Id::numbered("005", 4), zone)
}

fn soql(text: &str) -> Vec<Json> {
    let options = Options {
        include_deleted: false,
        batch_size: 2_000,
        columns: false,
        base: String::new(),
    };
    query::run(&ORG, &session(), text, options).unwrap().records
}

/// A report on opportunities.
fn sales() -> Json {
    json!({
        "aggregates": ["s!AMOUNT", "RowCount"], "detailColumns": ["OPPORTUNITY_NAME"], "groupingsAcross": [],
        "groupingsDown": [{"name": "STAGE_NAME"}], "reportBooleanFilter": null, "reportFilters": [],
        "reportFormat": "SUMMARY", "reportType": {"type": "Opportunity"}, "scope": "organization", "sortBy": [],
        "standardDateFilter": null, "standardFilters": [],
    })
}

fn with(changes: Json) -> Json {
    let mut metadata = sales();
    let changes = changes.as_object().unwrap().clone();
    metadata.as_object_mut().unwrap().extend(changes);
    metadata
}

fn ask(changes: Json) -> Result<Json, ApiError> {
    run(&ORG, &session(), &with(changes), true)
}

/// Filters, each with what SOQL says for it.
const FILTERS: [(&str, &str, &str, &str); 16] = [
    ("AMOUNT", "greaterThan", "50000", "Amount > 50000"),
    ("AMOUNT", "equals", "", "Amount = NULL"),
    (
        "STAGE_NAME",
        "equals",
        "Prospecting,Closed Won",
        "StageName IN ('Prospecting', 'Closed Won')",
    ),
    (
        "STAGE_NAME",
        "notEqual",
        "Prospecting,Closed Won",
        "StageName NOT IN ('Prospecting', 'Closed Won')",
    ),
    (
        "OPPORTUNITY_NAME",
        "contains",
        "Pilot,Sensor",
        "Name LIKE '%pilot%' OR Name LIKE '%sensor%'",
    ),
    (
        "OPPORTUNITY_NAME",
        "notContain",
        "Pilot",
        "NOT Name LIKE '%Pilot%'",
    ),
    ("ACCOUNT_NAME", "startsWith", "A", "Account.Name LIKE 'A%'"),
    ("CLOSE_DATE", "lessThan", "TODAY", "CloseDate < TODAY"),
    (
        "CLOSE_DATE",
        "greaterOrEqual",
        "2026-10-01",
        "CloseDate >= 2026-10-01",
    ),
    (
        "CREATED_DATE",
        "equals",
        "THIS YEAR",
        "CreatedDate = THIS_YEAR",
    ),
    // A day of Tokyo, in UTC.
    (
        "CREATED_DATE",
        "lessOrEqual",
        "2026-08-31",
        "CreatedDate < 2026-08-31T15:00:00Z",
    ),
    (
        "CREATED_DATE",
        "notEqual",
        "2026-08-31",
        "CreatedDate < 2026-08-30T15:00:00Z OR CreatedDate >= 2026-08-31T15:00:00Z",
    ),
    ("CLOSED", "equals", "True", "IsClosed = true"),
    ("WON", "notEqual", "0", "IsWon = true"),
    (
        "FULL_NAME",
        "equals",
        "Aiko Mori",
        "Owner.Name = 'Aiko Mori'",
    ),
    ("LEAD_SOURCE", "notEqual", "", "LeadSource != NULL"),
];

const GROUPS: [(&str, &str); 10] = [
    ("STAGE_NAME", "None"),
    ("FULL_NAME", "None"),
    ("ACCOUNT_NAME", "None"),
    ("LEAD_SOURCE", "None"),
    ("CLOSED", "None"),
    ("CLOSE_DATE", "Month"),
    ("CLOSE_DATE", "FiscalQuarter"),
    ("CREATED_DATE", "Year"),
    ("CREATED_DATE", "Week"),
    ("PROBABILITY", "None"),
];

/// Gives an aggregate of a place of the fact map.
fn fact(answer: &Json, key: &str, aggregate: usize) -> f64 {
    let value = &answer["factMap"][key]["aggregates"][aggregate]["value"];
    value.as_f64().unwrap_or(f64::NAN)
}

/// Gives the keys of the innermost groups.
fn leaves(groupings: &Json) -> Vec<String> {
    let mut leaves = Vec::new();
    for group in groupings.as_array().unwrap() {
        let inner = self::leaves(&group["groupings"]);
        match inner.is_empty() {
            true => leaves.push(group["key"].as_str().unwrap().to_owned()),
            false => leaves.extend(inner),
        }
    }
    leaves
}

fn groupings(chosen: &[usize]) -> Json {
    let one = |at: &usize| json!({"name": GROUPS[*at].0, "dateGranularity": GROUPS[*at].1, "sortOrder": if at.is_multiple_of(2) { "Asc" } else { "Desc" }});
    chosen.iter().map(one).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn groups_add_up_to_what_soql_says(
        filters in prop::collection::vec(0..FILTERS.len(), 0..3),
        any in any::<bool>(),
        down in prop::collection::vec(0..GROUPS.len(), 1..3),
        across in prop::collection::vec(0..GROUPS.len(), 0..3),
        mine in any::<bool>(),
    ) {
        let asked: Vec<Json> = filters
            .iter()
            .map(|at| json!({"column": FILTERS[*at].0, "operator": FILTERS[*at].1, "value": FILTERS[*at].2}))
            .collect();
        let word = if any { " OR " } else { " AND " };
        let logic: Vec<String> = (1..=asked.len()).map(|number| number.to_string()).collect();
        let answer = ask(json!({
            "reportFilters": asked,
            "reportBooleanFilter": logic.join(word),
            "reportFormat": if across.is_empty() { "SUMMARY" } else { "MATRIX" },
            "groupingsDown": groupings(&down),
            "groupingsAcross": groupings(&across),
            "scope": if mine { "user" } else { "organization" },
        })).unwrap();

        let conditions: Vec<String> = filters.iter().map(|at| format!("({})", FILTERS[*at].3)).collect();
        let scope = if mine { "USING SCOPE mine" } else { "" };
        let filter = if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(word)) };
        let total = &soql(&format!("SELECT SUM(Amount) sum, COUNT(Id) rows FROM Opportunity {scope} {filter}"))[0];
        let (sum, rows) = (total["sum"].as_f64().unwrap_or(0.0), total["rows"].as_f64().unwrap());
        prop_assert_eq!(fact(&answer, "T!T", 1), rows);
        prop_assert!((fact(&answer, "T!T", 0) - sum).abs() < 0.01);

        let down = leaves(&answer["groupingsDown"]["groupings"]);
        let across = leaves(&answer["groupingsAcross"]["groupings"]);
        let beside = if across.is_empty() { vec!["T".to_owned()] } else { across };
        let keys = down.iter().flat_map(|down| beside.iter().map(move |across| format!("{down}!{across}")));
        let (mut sums, mut counts, mut details) = (0.0, 0.0, 0);
        for key in keys {
            sums += fact(&answer, &key, 0);
            counts += fact(&answer, &key, 1);
            details += answer["factMap"][&key]["rows"].as_array().unwrap().len();
        }
        prop_assert_eq!(counts, rows);
        prop_assert_eq!(details as f64, rows);
        prop_assert!((sums - sum).abs() < 0.01, "{} {}", sums, sum);
    }
}

#[test]
fn every_number_of_a_group_is_that_of_soql() {
    let answer = ask(json!({
        "aggregates": ["s!AMOUNT", "a!AMOUNT", "mx!AMOUNT", "m!AMOUNT", "u!FULL_NAME", "RowCount"],
    }))
    .unwrap();
    let rows = soql(
        "SELECT StageName, SUM(Amount), AVG(Amount), MAX(Amount), MIN(Amount), COUNT_DISTINCT(OwnerId), COUNT(Id) \
         FROM Opportunity GROUP BY StageName",
    );
    let groups = answer["groupingsDown"]["groupings"].as_array().unwrap();
    assert_eq!(groups.len(), rows.len());
    // Stages come in the order of the process, not of their names.
    assert_eq!(groups[0]["label"], "Prospecting");
    for group in groups {
        let row = rows
            .iter()
            .find(|row| row["StageName"] == group["value"])
            .unwrap();
        let key = format!("{}!T", group["key"].as_str().unwrap());
        for at in 0..6 {
            let expected = row[format!("expr{at}")].as_f64().unwrap();
            assert!(
                (fact(&answer, &key, at) - expected).abs() < 0.01,
                "{group} {at}"
            );
        }
    }
}

#[test]
fn groups_follow_an_aggregate_where_that_is_asked() {
    let grouping = json!([{"name": "FULL_NAME", "sortOrder": "Desc", "sortAggregate": "s!AMOUNT"}]);
    let answer = ask(json!({"groupingsDown": grouping})).unwrap();
    let groups = answer["groupingsDown"]["groupings"].as_array().unwrap();
    let sums: Vec<f64> = groups
        .iter()
        .map(|group| fact(&answer, &format!("{}!T", group["key"].as_str().unwrap()), 0))
        .collect();
    assert!(
        sums.len() >= 4 && sums.is_sorted_by(|a, b| a >= b),
        "{sums:?}"
    );
    assert!(groups[0]["value"].as_str().unwrap().starts_with("005"));
}

#[test]
fn what_no_report_can_ask_is_refused() {
    let filter = |column: &str, operator: &str, value: &str| json!({"reportFilters": [{"column": column, "operator": operator, "value": value}]});
    for changes in [
        json!({"reportFormat": "JOINED"}),
        json!({"reportFormat": "TABULAR"}),
        json!({"reportFormat": "MATRIX"}),
        json!({"groupingsDown": []}),
        json!({"groupingsDown": [{"name": "NOTHING"}]}),
        json!({"groupingsDown": [{"name": "STAGE_NAME", "dateGranularity": "Month"}]}),
        json!({"groupingsDown": [{"name": "STAGE_NAME", "sortAggregate": "a!AMOUNT"}]}),
        json!({"groupingsDown": "STAGE_NAME"}),
        json!({"aggregates": ["s!STAGE_NAME"]}),
        json!({"aggregates": ["x!AMOUNT"]}),
        json!({"aggregates": ["AMOUNT"]}),
        json!({"detailColumns": ["Amount"]}),
        json!({"reportType": {"type": "Nothing"}}),
        json!({"scope": "team"}),
        json!({"sortBy": [{"sortColumn": "NOTHING"}]}),
        json!({"standardFilters": [{"name": "open", "value": "maybe"}]}),
        json!({"standardDateFilter": {"column": "STAGE_NAME", "durationValue": "TODAY"}}),
        json!({"standardDateFilter": {"column": "CLOSE_DATE", "durationValue": "SOON"}}),
        json!({"standardDateFilter": {"column": "CLOSE_DATE", "durationValue": "CUSTOM", "startDate": "tomorrow or so"}}),
        json!({"reportBooleanFilter": "1"}),
        filter("STAGE_NAME", "resembles", "x"),
        filter("AMOUNT", "contains", "5"),
        filter("AMOUNT", "equals", "many"),
        filter("AMOUNT", "equals", "NaN"),
        filter("AMOUNT", "lessThan", ""),
        filter("CLOSED", "equals", "maybe"),
        filter("CLOSE_DATE", "equals", "TODAY OR Id != NULL"),
        filter("STAGE_NAME", "includes", "x"),
    ] {
        let error = ask(changes.clone()).unwrap_err();
        assert_eq!(
            (error.status, &*error.code),
            (400, "BAD_REQUEST"),
            "{changes}: {error}"
        );
    }
    // A value is never more than a value.
    let answer = ask(filter("OPPORTUNITY_NAME", "contains", "' OR Name LIKE '")).unwrap();
    assert_eq!(fact(&answer, "T!T", 1), 0.0);
}

#[test]
fn times_bound_what_a_report_is_about() {
    for (filter, condition) in [
        (
            json!({"durationValue": "THIS_FISCAL_QUARTER"}),
            "CloseDate = THIS_FISCAL_QUARTER",
        ),
        (
            json!({"durationValue": "CUSTOM", "startDate": "2026-09-01", "endDate": "2026-10-31"}),
            "CloseDate >= 2026-09-01 AND CloseDate <= 2026-10-31",
        ),
        (
            json!({"durationValue": "CUSTOM", "endDate": "2026-10-31"}),
            "CloseDate <= 2026-10-31",
        ),
        (json!({"durationValue": "CUSTOM"}), "Id != NULL"),
    ] {
        let mut filter = filter;
        filter["column"] = json!("CLOSE_DATE");
        let answer = ask(json!({"standardDateFilter": filter})).unwrap();
        let rows = soql(&format!("SELECT Id FROM Opportunity WHERE {condition}")).len();
        assert!(rows > 0);
        assert_eq!(fact(&answer, "T!T", 1), rows as f64, "{condition}");
    }
}

#[test]
fn every_column_of_every_type_has_a_field() {
    for kind in &super::types::TYPES {
        let columns: Vec<&str> = kind.columns.iter().map(|column| column.name).collect();
        let metadata = with(
            json!({"reportType": {"type": kind.name}, "detailColumns": columns, "reportFormat": "TABULAR", "groupingsDown": [], "aggregates": ["RowCount"]}),
        );
        let described = describe(&session(), &metadata).unwrap();
        let details = described["reportExtendedMetadata"]["detailColumnInfo"]
            .as_object()
            .unwrap();
        assert_eq!(details.len(), columns.len(), "{}", kind.name);
        let answer = run(&ORG, &session(), &metadata, true).unwrap();
        let cells = answer["factMap"]["T!T"]["rows"][0]["dataCells"]
            .as_array()
            .unwrap();
        assert_eq!(cells.len(), columns.len());
    }
}
