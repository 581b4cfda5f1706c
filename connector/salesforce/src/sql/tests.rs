#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use proptest::prelude::*;

fn parent(object: &str, field: &str) -> Option<String> {
    match (object, field) {
        ("Contact", "AccountId") => Some("Account".to_owned()),
        ("Measurement__c", "Account__c") => Some("Account__r".to_owned()),
        _ => None,
    }
}

#[test]
fn habits_of_sql_have_their_soql() {
    let mut said = String::new();
    for sql in [
        "SELECT * FROM Account",
        "SELECT a.* FROM Account a LIMIT 5",
        "SELECT COUNT(*) FROM Account",
        "SELECT Industry, COUNT(*) AS n FROM Account GROUP BY Industry",
        "SELECT Name FROM Account WHERE Phone IS NOT NULL AND Fax IS NULL",
        "SELECT Name FROM Account WHERE Name = \"Acme\"",
        "SELECT \"Name\", `Phone` FROM [Account]",
        "SELECT Name FROM Account WHERE Name = \u{2018}Acme\u{2019};",
        "SELECT Name FROM Account WHERE Name = 'O''Brien'",
        "SELECT Name FROM Account WHERE Name == 'x' && NumberOfEmployees > 5",
        "SELECT TOP 10 Name FROM Account ORDER BY Name",
        "SELECT Name FROM Account FETCH FIRST 5 ROWS ONLY",
        "SELECT DISTINCT Industry, Type FROM Account ORDER BY Industry LIMIT 9",
        "SELECT Name FROM Account WHERE NumberOfEmployees BETWEEN 5 AND 10",
        "SELECT Name FROM Account WHERE Name NOT LIKE 'A%'",
        "SELECT Name FROM Account WHERE LOWER(Name) ILIKE 'a%'",
        "SELECT Name AS n, Phone FROM Account AS a",
        "SELECT Name FROM Account WHERE CreatedDate > 2026-01-31 10:00:00",
        "SELECT Name FROM Account WHERE CreatedDate > 2026-01-31T10:00:00",
        "SELECT Name FROM Account WHERE CreatedDate > GETDATE() - 30",
        "SELECT Name FROM Account WHERE CreatedDate > TODAY - 7",
        "SELECT Name, FROM Account",
        "SELECT Name FORM Account",
        "SELCT Name FROM Account",
        "SELECT Name FROM Account WERE Name = 'x' ORDR BY Name LIMT 5",
        "SELECT Name FROM Account WHERE Industry = Banking",
        "SELECT Name FROM Account LIMIT 20, 10",
        "SELECT Name FROM Account WHERE Name CONTAINS 'x'",
        "SELECT c.LastName, a.Name FROM Contact c JOIN Account a ON c.AccountId = a.Id WHERE a.Industry = 'Energy'",
        "SELECT Contact.LastName, Account.Name FROM Account INNER JOIN Contact ON Account.Id = Contact.AccountId",
        "SELECT m.Name, a.Name FROM Measurement__c m LEFT JOIN Account a ON m.Account__c = a.Id LIMIT 3",
    ] {
        let meant = meant(sql, parent).unwrap_or_else(|| "nothing".to_owned());
        said.push_str(&format!("{sql}\n  {meant}\n"));
    }
    insta::assert_snapshot!(said);
}

#[test]
fn what_nobody_can_say_is_not_proposed() {
    for sql in [
        "",
        "tell me about Acme",
        "DELETE FROM Account",
        "UPDATE Account SET Name = 'x'",
        "SELECT Name FROM Account UNION SELECT Name FROM Contact",
        "SELECT Name FROM Account WHERE Name = 'x",
        "SELECT Name FROM Account FOR UPDATE;",
        "SELECT a.Name FROM Account a JOIN Contact b ON a.Id = b.Strange",
        "SELECT a.Name FROM Account a JOIN Contact b ON a.Id = b.AccountId JOIN Lead c ON c.X = b.Id",
    ] {
        assert_eq!(meant(sql, parent), None, "{sql}");
    }
}

#[test]
fn literals_get_the_type_of_their_field() {
    for (soql, field, wanted, meant) in [
        (
            "SELECT Id FROM Opportunity WHERE CloseDate > '2026-01-01'",
            "CloseDate",
            Wanted::Date,
            "CloseDate > 2026-01-01",
        ),
        (
            "SELECT Id FROM Opportunity WHERE CloseDate > '01/31/2026'",
            "CloseDate",
            Wanted::Date,
            "CloseDate > 2026-01-31",
        ),
        (
            "SELECT Id FROM Account WHERE CreatedDate >= 2026-01-01",
            "CreatedDate",
            Wanted::Moment,
            "CreatedDate >= 2026-01-01T00:00:00Z",
        ),
        (
            "SELECT Id FROM Account WHERE Account.NumberOfEmployees = '5'",
            "NumberOfEmployees",
            Wanted::Number,
            "Account.NumberOfEmployees = 5",
        ),
        (
            "SELECT Id FROM Opportunity WHERE IsClosed = 1",
            "IsClosed",
            Wanted::Boolean,
            "IsClosed = TRUE",
        ),
        (
            "SELECT Id FROM Account WHERE Name IN (5, 'x')",
            "Name",
            Wanted::Text,
            "Name IN ('5', 'x')",
        ),
        (
            "SELECT Id FROM X WHERE T__c NOT IN ('9:30 pm')",
            "T__c",
            Wanted::Time,
            "T__c NOT IN (21:30:00Z)",
        ),
    ] {
        let found = retyped(soql, field, wanted).unwrap();
        assert!(found.ends_with(meant), "{found}");
    }
    assert_eq!(
        retyped("SELECT Id FROM A WHERE D = 'soon'", "D", Wanted::Date),
        None
    );
    assert_eq!(
        retyped("SELECT Id FROM A WHERE N = 5", "N", Wanted::Number),
        None
    );
}

proptest! {
    #[test]
    fn nothing_panics_and_what_is_proposed_is_soql(text in "(SELECT|FROM|WHERE|JOIN|ON|TOP|AS|IS|NOT|NULL|LIKE|BETWEEN|AND|LIMIT|DISTINCT|Name|a\\.Id|5|2026-01-01|10:00|[*,()'\"=;.`\\[-]|\\PC| ){0,24}") {
        if let Some(query) = meant(&text, parent) {
            prop_assert!(soql::parse_query(&query).is_ok());
        }
        for wanted in [Wanted::Text, Wanted::Date, Wanted::Moment, Wanted::Boolean] {
            let _ = retyped(&text, "Name", wanted);
        }
    }
}
