//! Aggregates, `GROUP BY`, subtotals, `HAVING`.

use serde_json::json;

use super::*;

#[test]
fn aggregates_are_of_every_row_without_group_by() {
    let org = org();
    let soql = "SELECT COUNT(Id), COUNT(Industry) i, COUNT_DISTINCT(NumberOfEmployees), \
                SUM(NumberOfEmployees), AVG(NumberOfEmployees), MIN(Name), MAX(CreatedDate), \
                SUM(AnnualRevenue) FROM Account";
    let answer = ask(&org, soql).unwrap();
    assert_eq!(answer.total_size, 1);
    let expected = json!({
        "attributes": {"type": "AggregateResult"},
        "expr0": 3,
        "i": 2,
        "expr1": 2,
        "expr2": 110,
        "expr3": 110.0 / 3.0,
        "expr4": "Acme",
        "expr5": "2026-11-23T01:00:00.000+0000",
        "expr6": 2_000_000.0,
    });
    assert_eq!(answer.records[0], expected);
}

#[test]
fn of_no_rows_there_are_counts_and_nothing_else() {
    assert_rows(&[
        (
            "SELECT COUNT(Id), SUM(Amount), AVG(Amount), MIN(Name) FROM Opportunity WHERE Name = 'x'",
            "0, null, null, null",
        ),
        (
            "SELECT COUNT(Id) FROM Opportunity WHERE Name = 'x' GROUP BY StageName",
            "",
        ),
    ]);
}

#[test]
fn sums_have_no_rounding_errors() {
    assert_rows(&[(
        "SELECT SUM(Amount) FROM Opportunity WHERE Amount < 1",
        "0.3",
    )]);
}

#[test]
fn rows_are_grouped() {
    assert_rows(&[
        (
            "SELECT Industry, COUNT(Id) FROM Account GROUP BY Industry",
            "null, 1 | Banking, 1 | Energy, 1",
        ),
        (
            "SELECT NumberOfEmployees n, COUNT(Id) c FROM Account GROUP BY NumberOfEmployees",
            "1, 10 | 2, 50",
        ),
        (
            "SELECT Account.Name, SUM(Amount) total FROM Opportunity GROUP BY Account.Name",
            "Acme, 0.3 | beta, 5.0",
        ),
        (
            "SELECT Name FROM Account GROUP BY Name",
            "Acme | beta | Émile",
        ),
        (
            "SELECT COUNT(Id) FROM Contact GROUP BY AccountId",
            "1 | 2 | 1",
        ),
        (
            "SELECT CALENDAR_YEAR(CreatedDate), COUNT(Id) FROM Account GROUP BY CALENDAR_YEAR(CreatedDate)",
            "2025, 1 | 2026, 2",
        ),
        (
            "SELECT StageName, COUNT(Id) FROM Opportunity GROUP BY StageName HAVING COUNT(Id) > 1",
            "Prospecting, 2",
        ),
        (
            "SELECT StageName FROM Opportunity GROUP BY StageName HAVING COUNT(Id) = 1 AND StageName != null",
            "Closed Won",
        ),
        (
            "SELECT FORMAT(MAX(AnnualRevenue)) FROM Account GROUP BY IsPartner",
            "$500,000 | $1,500,000",
        ),
    ]);
}

#[test]
fn any_number_of_keys_is_grouped_by() {
    let org = org();
    let groupable = |field: &&crate::schema::Field| field.groupable;
    let account = org.schema.object("Account").unwrap();
    let names: Vec<&str> = account
        .fields
        .iter()
        .filter(groupable)
        .map(|field| &*field.name)
        .collect();
    assert!(names.len() > 32);
    let soql = format!(
        "SELECT COUNT(Id) FROM Account GROUP BY {}",
        names.join(", ")
    );
    assert_eq!(rows(&ask(&org, &soql).unwrap()), "1 | 1 | 1");
}

#[test]
fn groups_are_ordered_and_cut() {
    assert_rows(&[
        (
            "SELECT Name, COUNT(Id) c FROM Account GROUP BY Name ORDER BY Name DESC LIMIT 2",
            "Émile, 1 | beta, 1",
        ),
        (
            "SELECT NumberOfEmployees, COUNT(Id) c FROM Account GROUP BY NumberOfEmployees ORDER BY COUNT(Id) DESC",
            "50, 2 | 10, 1",
        ),
        (
            "SELECT Rating FROM Account GROUP BY Rating ORDER BY Rating",
            "Hot | Warm | Cold",
        ),
        (
            "SELECT StageName FROM Opportunity GROUP BY StageName ORDER BY MAX(Amount) DESC NULLS LAST LIMIT 1",
            "Prospecting",
        ),
        (
            "SELECT Name FROM Account GROUP BY Name LIMIT 1 OFFSET 1",
            "beta",
        ),
    ]);
}

#[test]
fn subtotals_are_added() {
    assert_rows(&[
        (
            "SELECT NumberOfEmployees e, Rating r, COUNT(Id) t FROM Account GROUP BY ROLLUP(NumberOfEmployees, Rating)",
            "10, Cold, 1 | 10, null, 1 | 50, Hot, 1 | 50, Warm, 1 | 50, null, 2 | null, null, 3",
        ),
        (
            "SELECT GROUPING(Rating) g, Rating r, COUNT(Id) t FROM Account GROUP BY CUBE(Rating)",
            "0, Cold, 1 | 0, Hot, 1 | 0, Warm, 1 | 1, null, 3",
        ),
        (
            "SELECT COUNT(Id) t FROM Account GROUP BY CUBE(IsPartner, NumberOfEmployees) ORDER BY GROUPING(IsPartner), GROUPING(NumberOfEmployees)",
            "1 | 1 | 1 | 2 | 1 | 1 | 2 | 3",
        ),
        (
            "SELECT Rating FROM Account GROUP BY ROLLUP(Rating) HAVING GROUPING(Rating) = 1",
            "null",
        ),
    ]);
}

#[test]
fn an_answer_of_groups_has_no_second_page() {
    let mut org = Maker(org());
    for number in 10..2_011 {
        org.add("Account", number, &[("Name", format!("n{number}").into())]);
    }
    let error = ask(&org.0, "SELECT Name FROM Account GROUP BY Name").unwrap_err();
    assert_eq!(error.code, "EXCEEDED_ID_LIMIT");
    let answer = ask(&org.0, "SELECT Name FROM Account GROUP BY Name LIMIT 2000").unwrap();
    assert_eq!(answer.records.len(), 2_000);
}
