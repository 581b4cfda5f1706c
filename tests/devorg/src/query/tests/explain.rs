//! How queries would be run.

use serde_json::json;

use super::*;
use crate::query::explain;

/// Each query, and its ways: the operation, the fields, the records that the operation finds, the cost.
#[rustfmt::skip] // A line a query.
const WAYS: &[(&str, &str)] = &[
    ("SELECT Id FROM Account", "TableScan [] 3 of 3 at 3.333"),
    ("SELECT Id FROM Account WHERE Name = 'acme'", "Index [Name] 1 of 3 at 1.111 | TableScan [] 1 of 3 at 3.333"),
    ("SELECT Id FROM Account WHERE Name LIKE 'nobody%' AND Industry = 'Energy'", "Index [Name] 0 of 3 at 0.0 | TableScan [] 0 of 3 at 3.333"),
    ("SELECT Id FROM Account WHERE (OwnerId != null AND ParentId IN ('001DO0000000001')) AND CreatedDate > 2026-01-01T00:00:00Z", "Index [ParentId] 1 of 3 at 1.111 | Index [CreatedDate] 2 of 3 at 2.222 | TableScan [] 1 of 3 at 3.333"),
    ("SELECT Id FROM Account WHERE Name LIKE '%me' OR Name = 'beta'", "TableScan [] 2 of 3 at 3.333"),
    ("SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact)", "Index [Id] 1 of 3 at 1.111 | TableScan [] 1 of 3 at 3.333"),
    ("SELECT Industry, COUNT(Id) FROM Account WHERE Parent.Name = 'Acme' GROUP BY Industry", "TableScan [] 1 of 3 at 3.333"),
    ("SELECT COUNT() FROM Event", "TableScan [] 0 of 0 at 0.0"),
];

#[test]
fn a_querys_ways_have_the_numbers_of_its_records() {
    let org = org();
    for (soql, expected) in WAYS {
        let told = explain(&org, &session(&org, "UTC"), soql).unwrap();
        let plans = told["plans"].as_array().unwrap().iter();
        let ways: Vec<String> = plans
            .map(|plan| {
                let fields = short(&plan["fields"]);
                let (operation, cost) =
                    (short(&plan["leadingOperationType"]), &plan["relativeCost"]);
                format!(
                    "{operation} {fields} {} of {} at {cost}",
                    plan["cardinality"], plan["sobjectCardinality"]
                )
            })
            .collect();
        assert_eq!(ways.join(" | "), *expected, "{soql}");
    }
    let told = explain(
        &org,
        &session(&org, "UTC"),
        "SELECT Id FROM Account WHERE Industry = 'x' AND Name != 'y'",
    )
    .unwrap();
    let plan = &told["plans"][0];
    assert_eq!(plan["sobjectType"], "Account");
    let note = |why: &str, field: &str| json!({"description": format!("Not considering filter for optimization because {why}"), "fields": [field], "tableEnumOrId": "Account"});
    assert_eq!(
        plan["notes"],
        json!([
            note("unindexed", "IsDeleted"),
            note("unindexed", "Industry"),
            note("of its operator", "Name")
        ])
    );
    let refused = explain(&org, &session(&org, "UTC"), "SELECT Nme FROM Account").unwrap_err();
    assert_eq!(refused.code, "INVALID_FIELD");
}
