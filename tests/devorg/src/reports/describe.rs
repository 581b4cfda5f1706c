//! What a report's parts are called and can be: `reportExtendedMetadata`, `reportTypeMetadata`.

use serde_json::{Map, Value as Json, json};

use super::bound::{Bound, Shown};
use crate::schema::FieldType;

/// The operators of each type of column.
const TEXT: &[(&str, &str)] = &[
    ("equals", "equals"),
    ("notEqual", "not equal to"),
    ("lessThan", "less than"),
    ("greaterThan", "greater than"),
    ("lessOrEqual", "less or equal"),
    ("greaterOrEqual", "greater or equal"),
    ("contains", "contains"),
    ("notContain", "does not contain"),
    ("startsWith", "starts with"),
];
const MULTIPICKLIST: &[(&str, &str)] = &[
    ("equals", "equals"),
    ("notEqual", "not equal to"),
    ("includes", "includes"),
    ("excludes", "excludes"),
];

/// The times that a report can be about, besides two days of one's own.
const DURATIONS: [(&str, &[(&str, &str)]); 4] = [
    (
        "Calendar Year",
        &[
            ("THIS_YEAR", "Current CY"),
            ("LAST_YEAR", "Previous CY"),
            ("NEXT_YEAR", "Next CY"),
        ],
    ),
    (
        "Calendar Quarter",
        &[
            ("THIS_QUARTER", "Current CQ"),
            ("LAST_QUARTER", "Previous CQ"),
            ("NEXT_QUARTER", "Next CQ"),
        ],
    ),
    (
        "Calendar Month",
        &[
            ("THIS_MONTH", "This Month"),
            ("LAST_MONTH", "Last Month"),
            ("NEXT_MONTH", "Next Month"),
        ],
    ),
    (
        "Day",
        &[
            ("YESTERDAY", "Yesterday"),
            ("TODAY", "Today"),
            ("TOMORROW", "Tomorrow"),
            ("LAST_N_DAYS:7", "Last 7 Days"),
            ("LAST_N_DAYS:30", "Last 30 Days"),
            ("LAST_N_DAYS:90", "Last 90 Days"),
        ],
    ),
];

/// Gives `reportExtendedMetadata`: labels and types of what the report has.
pub(super) fn extended(bound: &Bound<'_>) -> Json {
    let aggregates: Map<String, Json> = bound
        .aggregates
        .iter()
        .map(|aggregate| {
            let info = json!({
                "acrossGroupingContext": null,
                "dataType": aggregate.kind().word(),
                "downGroupingContext": null,
                "label": aggregate.label(),
            });
            (aggregate.name.clone(), info)
        })
        .collect();
    let details: Map<String, Json> = bound
        .details
        .iter()
        .map(|shown| {
            let info = json!({
                "dataType": shown.kind.word(),
                "entityColumnName": shown.column.path,
                "label": shown.column.label,
            });
            (shown.column.name.to_owned(), info)
        })
        .collect();
    let mut groupings = Map::new();
    for side in [&bound.down, &bound.across] {
        for (level, key) in side.iter().enumerate() {
            let info = json!({
                "dataType": key.shown.kind.word(),
                "groupingLevel": level,
                "label": key.shown.column.label,
            });
            groupings.insert(key.shown.column.name.to_owned(), info);
        }
    }
    json!({
        "aggregateColumnInfo": aggregates,
        "detailColumnInfo": details,
        "groupingColumnInfo": groupings,
    })
}

/// Gives `reportTypeMetadata`: what the report could have.
pub(super) fn report_type(bound: &Bound<'_>) -> Json {
    let shown: Vec<Shown<'_>> = bound
        .kind
        .columns
        .iter()
        .filter_map(|column| bound.shown(column))
        .collect();
    let columns: Map<String, Json> = shown
        .iter()
        .map(|shown| (shown.column.name.to_owned(), column(shown)))
        .collect();
    let dates: Map<String, Json> = shown
        .iter()
        .filter(|shown| shown.is_date())
        .map(|shown| (shown.column.name.to_owned(), column(shown)))
        .collect();
    let standard: Map<String, Json> = bound
        .kind
        .standard_filters
        .iter()
        .map(|filter| {
            let values: Vec<Json> = filter
                .choices
                .iter()
                .map(|(name, label, _)| json!({"label": label, "name": name}))
                .collect();
            let info = json!({"filterValues": values, "label": filter.label, "type": "PICKLIST"});
            (filter.name.to_owned(), info)
        })
        .collect();
    let durations = DURATIONS.map(|(label, literals)| {
        let literals: Vec<Json> = literals
            .iter()
            .map(|(value, label)| json!({"label": label, "value": value, "startDate": null, "endDate": null}))
            .collect();
        json!({"label": label, "standardDateFilterDurations": literals})
    });
    let scopes: Vec<Json> = [("organization", "All"), ("user", "My")]
        .iter()
        .map(|(value, word)| {
            let label = format!("{word} {}", bound.object.label_plural.to_lowercase());
            json!({"allowsDivision": false, "label": label, "value": value})
        })
        .collect();
    json!({
        "categories": [{"columns": columns, "label": bound.kind.category}],
        "dataTypeFilterOperatorMap": operators(&shown),
        "displayCurrencies": null,
        "divisionInfo": null,
        "scopeInfo": {"defaultValue": "organization", "values": scopes},
        "standardDateFilterDurationGroups": durations,
        "standardDateFilterInfos": dates,
        "standardFilterInfos": standard,
    })
}

fn column(shown: &Shown<'_>) -> Json {
    let values: Vec<Json> = match shown.kind {
        FieldType::Boolean => ["True", "False"]
            .iter()
            .map(|value| json!({"label": value, "name": value}))
            .collect(),
        _ => shown
            .field
            .picklist_values
            .iter()
            .map(|known| json!({"label": known.label, "name": known.value}))
            .collect(),
    };
    json!({
        "allowedInCustomDetailFormula": true,
        "dataType": shown.kind.word(),
        "filterValues": values,
        "filterable": shown.field.filterable,
        "inactiveFilterValues": [],
        "isLookup": !shown.column.id.is_empty() && shown.column.id != "Id",
        "label": shown.column.label,
        "uniqueCountable": true,
    })
}

/// Gives the operators of every type that a column has.
fn operators(shown: &[Shown<'_>]) -> Json {
    let mut operators = Map::new();
    for shown in shown {
        let of_type = match shown.kind {
            FieldType::Boolean => &TEXT[..2],
            FieldType::Multipicklist => MULTIPICKLIST,
            kind if kind.is_text() => TEXT,
            _ => &TEXT[..6],
        };
        let of_type: Vec<Json> = of_type
            .iter()
            .map(|(name, label)| json!({"label": label, "name": name}))
            .collect();
        operators.insert(shown.kind.word().to_owned(), of_type.into());
    }
    Json::Object(operators)
}
