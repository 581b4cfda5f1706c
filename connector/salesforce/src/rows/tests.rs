#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::table::Bounds;

fn rendered(records: &str, soql: Option<&str>) -> String {
    let records = Json::parse(records).unwrap();
    let query = soql.map(|soql| soql::parse_query(soql).unwrap());
    let table = table(records.items(), query.as_ref());
    table
        .render(Bounds {
            cell_chars_max: 100,
            text_bytes_max: 10_000,
        })
        .text
}

#[test]
fn parents_become_columns_even_when_null() {
    let records = r#"[{"attributes":{"type":"Contact"},"Id":"1","Account":null},
        {"attributes":{"type":"Contact"},"Id":"2","Account":{"attributes":{"type":"Account"},"Name":"Acme","Owner":{"attributes":{"type":"User"},"Name":"Ann"}}}]"#;
    insta::assert_snapshot!(rendered(records, Some("SELECT id, account.name, Account.Owner.Name FROM Contact")), @r"
    Id|Account.Name|Account.Owner.Name
    1||
    2|Acme|Ann
    ");
    insta::assert_snapshot!(rendered(records, None), @r"
    Id|Account.Name|Account.Owner.Name
    1||
    2|Acme|Ann
    ");
    let none = r#"[{"attributes":{"type":"Contact"},"Id":"1","Account":null}]"#;
    insta::assert_snapshot!(rendered(none, Some("SELECT Id, c.Account.Name FROM Contact c")), @r"
    Id|Account.Name
    1|
    ");
}

#[test]
fn children_follow_their_parent() {
    let records = r#"[{"attributes":{"type":"Account"},"Name":"A","Contacts":{"totalSize":2,"done":false,"nextRecordsUrl":"/services/data/v68.0/query/01gAA-1","records":[{"attributes":{"type":"Contact"},"Email":"x"}]},"Cases":null},
        {"attributes":{"type":"Account"},"Name":"B","Contacts":null,"Cases":{"totalSize":1,"done":true,"records":[{"attributes":{"type":"Case"},"Subject":"s"}]}}]"#;
    insta::assert_snapshot!(rendered(records, Some("SELECT Name, (SELECT Email FROM Contacts), (SELECT Subject FROM Cases) FROM Account")), @r"
    Name
    +Contacts: Email
    +Cases: Subject
    A
    +Contacts: x
    +… 1 of 2 Contacts; the rest: query_next 01gAA-1
    B
    +Cases: s
    ");
}

#[test]
fn aggregates_keep_the_services_names() {
    let records =
        r#"[{"attributes":{"type":"AggregateResult"},"Name":"Acme","expr0":3,"total":1.50}]"#;
    insta::assert_snapshot!(rendered(records, Some("SELECT Account.Name, COUNT(Id), SUM(Amount) total FROM Opportunity GROUP BY Account.Name")), @r"
    Name|expr0|total
    Acme|3|1.50
    ");
}

#[test]
fn a_polymorphic_parent_says_what_it_is() {
    let records = r#"[{"attributes":{"type":"Task"},"What":{"attributes":{"type":"Account"},"Phone":"1"}},
        {"attributes":{"type":"Task"},"What":{"attributes":{"type":"Case"},"Subject":"s"}}]"#;
    insta::assert_snapshot!(rendered(records, Some("SELECT TYPEOF What WHEN Account THEN Phone WHEN Case THEN Subject END FROM Task")), @r"
    What.type|What.Phone|What.Subject
    Account|1|
    Case||s
    ");
}

#[test]
fn functions_come_back_under_their_fields_name() {
    let records = r#"[{"attributes":{"type":"Case"},"Status":"Neu","Id":"1","d":2.5}]"#;
    insta::assert_snapshot!(rendered(records, Some("SELECT toLabel(Status), Id, FORMAT(Amount) d FROM Case")), @r"
    Status|Id|d
    Neu|1|2.5
    ");
}

#[test]
fn cursors_are_plain() {
    assert_eq!(
        cursor_of("/services/data/v68.0/query/01gxx-200").as_deref(),
        Some("01gxx-200")
    );
    assert_eq!(cursor_of("/x/../a?b"), None);
    assert!(!is_cursor(""));
}

#[test]
fn what_is_shown_is_listed() {
    let record = Json::parse(r#"{"attributes":{"type":"A"},"Id":1,"O":{"attributes":{"type":"U"},"Name":1},"C":{"records":[{"attributes":{"type":"C"},"X":1}]}}"#).unwrap();
    let mut list = Vec::new();
    shown(&record, true, &mut list);
    assert_eq!(list, [("A", "Id"), ("U", "Name"), ("C", "X")]);
}
