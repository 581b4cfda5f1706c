//! What is selected, in which order, how much of it.

use serde_json::json;

use super::*;

#[test]
fn a_record_has_its_attributes_parents_and_children() {
    let org = org();
    let soql = "SELECT Name, Owner.Name, (SELECT LastName FROM Contacts ORDER BY LastName DESC) \
                FROM Account LIMIT 2";
    let answer = ask(&org, soql).unwrap();
    let url = |object: &str, prefix: &str, number| {
        let id = Id::numbered(prefix, number);
        json!({"type": object, "url": format!("{BASE}/sobjects/{object}/{id}")})
    };
    let contact =
        |number, name: &str| json!({"attributes": url("Contact", "003", number), "LastName": name});
    let expected = json!([
        {
            "attributes": url("Account", "001", 1),
            "Name": "Acme",
            "Owner": {"attributes": url("User", "005", 1), "Name": "Ada Admin"},
            "Contacts": {
                "totalSize": 2,
                "done": true,
                "records": [contact(2, "Zed"), contact(1, "Young")],
            },
        },
        {
            "attributes": url("Account", "001", 2),
            "Name": "beta",
            "Owner": {"attributes": url("User", "005", 2), "Name": "Bob Seller"},
            "Contacts": null,
        },
    ]);
    assert_eq!(Json::from(answer.records), expected);
    assert_eq!(answer.total_size, 2);
}

#[test]
fn parents_are_reached_by_path_alias_and_the_objects_own_name() {
    assert_rows(&[
        (
            "SELECT LastName, Account.Name FROM Contact",
            "Acme, Young | Acme, Zed | null, Orphan | null, Left",
        ),
        (
            "SELECT c.LastName, a.Name FROM Contact c, c.Account a WHERE a.Name = 'ACME'",
            "Acme, Young | Acme, Zed",
        ),
        ("SELECT Contact.LastName FROM Contact LIMIT 1", "Young"),
        (
            "SELECT Parent.Owner.Profile.Name FROM Account WHERE ParentId != null",
            "Sales",
        ),
        ("SELECT account.name FROM contact LIMIT 1", "Acme"),
        (
            "SELECT (SELECT Id FROM Account.Contacts), (SELECT Name FROM Opportunities) FROM Account WHERE Name = 'beta'",
            "null, true, [Third; Fourth], 2",
        ),
        (
            "SELECT (SELECT Name FROM a.Opportunities LIMIT 1) FROM Account a LIMIT 1",
            "true, [First], 1",
        ),
    ]);
}

#[test]
fn a_parent_of_several_objects_has_what_they_have_in_common() {
    let org = org();
    let answer = ask(&org, "SELECT What.Name, What.Type FROM Task").unwrap();
    assert_eq!(rows(&answer), "Acme, Account | First, Opportunity | null");
    assert_eq!(answer.records[0]["What"]["attributes"]["type"], "Name");
    let url = answer.records[1]["What"]["attributes"]["url"].as_str();
    assert!(
        url.is_some_and(|url| url.starts_with("/services/data/v68.0/sobjects/Opportunity/006"))
    );
    assert_rows(&[
        (
            "SELECT Owner.Type, Owner.Name FROM Case",
            "Support, Queue | Bob Seller, User",
        ),
        (
            "SELECT CaseNumber FROM Case WHERE Owner.Type = 'Queue'",
            "00001001",
        ),
        ("SELECT Owner.Profile.Name FROM Case", "null | Sales"),
        (
            "SELECT Subject FROM Task WHERE What.Type = 'account'",
            "Call Acme",
        ),
    ]);
}

#[test]
fn typeof_chooses_by_the_parents_object() {
    let org = org();
    let soql = "SELECT TYPEOF What WHEN Account THEN Industry, Name WHEN Opportunity THEN StageName \
                ELSE Name END FROM Task";
    let answer = ask(&org, soql).unwrap();
    assert_eq!(rows(&answer), "Energy, Acme | Prospecting | null");
    assert_eq!(answer.records[0]["What"]["attributes"]["type"], "Account");
}

#[test]
fn fields_gives_every_field_of_a_kind() {
    let org = org();
    let answer = ask(&org, "SELECT FIELDS(ALL) FROM Measurement__c LIMIT 1").unwrap();
    let row = answer.records[0].as_object().unwrap();
    let fields = &org.schema.object("Measurement__c").unwrap().fields;
    assert_eq!(row.len(), fields.len() + 1);
    let standard = ask(&org, "SELECT FIELDS(STANDARD) FROM Measurement__c").unwrap();
    assert_eq!(standard.records.len(), 3);
    assert!(standard.records[0].get("Flags__c").is_none());
    let custom = ask(
        &org,
        "SELECT FIELDS(CUSTOM), Name FROM Measurement__c LIMIT 200",
    )
    .unwrap();
    assert!(custom.records[0].get("Flags__c").is_some());
    assert!(custom.records[0].get("OwnerId").is_none());
}

#[test]
fn labels_formats_and_addresses_are_shown() {
    assert_rows(&[
        ("SELECT toLabel(Unit__c) FROM Measurement__c LIMIT 1", "°C"),
        (
            "SELECT Unit__c, toLabel(Unit__c) label FROM Measurement__c LIMIT 1",
            "degC, °C",
        ),
        (
            "SELECT toLabel(Unit__c) FROM Measurement__c WHERE toLabel(Unit__c) = '°c' LIMIT 1",
            "°C",
        ),
        (
            "SELECT FORMAT(AnnualRevenue) FROM Account LIMIT 1",
            "$1,500,000",
        ),
        (
            "SELECT FORMAT(CreatedDate) made FROM Account LIMIT 1",
            "11/23/2026, 1:00 AM",
        ),
    ]);
    let org = org();
    let answer = ask(&org, "SELECT BillingAddress FROM Account LIMIT 2").unwrap();
    assert_eq!(answer.records[0]["BillingAddress"]["city"], "Lyon");
    assert_eq!(answer.records[1]["BillingAddress"], Json::Null);
}

#[test]
fn rows_are_ordered() {
    assert_rows(&[
        (
            "SELECT Name FROM Account ORDER BY Name",
            "Acme | beta | Émile",
        ),
        (
            "SELECT Name FROM Account ORDER BY Name DESC",
            "Émile | beta | Acme",
        ),
        (
            "SELECT Name FROM Account ORDER BY Industry",
            "beta | Émile | Acme",
        ),
        (
            "SELECT Name FROM Account ORDER BY Industry DESC",
            "beta | Acme | Émile",
        ),
        (
            "SELECT Name FROM Account ORDER BY Industry NULLS LAST",
            "Émile | Acme | beta",
        ),
        (
            "SELECT Name FROM Account ORDER BY Industry DESC NULLS LAST",
            "Acme | Émile | beta",
        ),
        // A picklist has its own order: hot, warm, cold.
        (
            "SELECT Name FROM Account ORDER BY Rating",
            "Acme | Émile | beta",
        ),
        (
            "SELECT Name FROM Account ORDER BY NumberOfEmployees DESC, CreatedDate",
            "Émile | Acme | beta",
        ),
        (
            "SELECT LastName FROM Contact ORDER BY Account.Name NULLS LAST, LastName DESC",
            "Zed | Young | Orphan | Left",
        ),
        (
            "SELECT Name FROM Account ORDER BY Id DESC",
            "Émile | beta | Acme",
        ),
    ]);
}

#[test]
fn rows_are_cut() {
    assert_rows(&[
        ("SELECT Name FROM Account LIMIT 1", "Acme"),
        ("SELECT Name FROM Account LIMIT 0", ""),
        ("SELECT Name FROM Account LIMIT 1 OFFSET 1", "beta"),
        ("SELECT Name FROM Account OFFSET 2000", ""),
        (
            "SELECT Name FROM Account ORDER BY Name DESC LIMIT 2 OFFSET 1",
            "beta | Acme",
        ),
    ]);
}

#[test]
fn rows_are_counted() {
    let org = org();
    for (soql, total) in [
        ("SELECT COUNT() FROM Account", 3),
        ("SELECT count() FROM Account WHERE Name LIKE '%e%'", 3),
        ("SELECT COUNT() FROM Account LIMIT 2", 2),
    ] {
        let answer = ask(&org, soql).unwrap();
        assert_eq!(
            (answer.total_size, answer.records.len()),
            (total, 0),
            "{soql}"
        );
    }
}

#[test]
fn deleted_rows_are_found_when_asked_for() {
    let org = org();
    let deleted = "SELECT Name FROM Account WHERE IsDeleted = true";
    assert_eq!(rows(&ask(&org, deleted).unwrap()), "");
    let everything = Options {
        include_deleted: true,
        ..options()
    };
    let ask_all = |soql| run(&org, &session(&org, "UTC"), soql, everything.clone()).unwrap();
    assert_eq!(rows(&ask_all(deleted)), "Gone");
    let parent = "SELECT Account.Name FROM Contact WHERE LastName = 'Left'";
    assert_eq!(rows(&ask(&org, parent).unwrap()), "null");
    assert_eq!(rows(&ask_all(parent)), "Gone");
    assert_eq!(ask_all("SELECT COUNT() FROM Account").total_size, 4);
}

#[test]
fn a_scope_leaves_the_users_own_rows() {
    assert_rows(&[
        ("SELECT Name FROM Account USING SCOPE mine", "Acme | Émile"),
        (
            "SELECT Name FROM Account USING SCOPE Everything",
            "Acme | beta | Émile",
        ),
        ("SELECT Subject FROM Task USING SCOPE delegated", ""),
    ]);
}

#[test]
fn clauses_with_an_effect_in_the_org_are_accepted() {
    for clause in [
        "FOR VIEW",
        "FOR REFERENCE",
        "FOR UPDATE",
        "FOR VIEW FOR REFERENCE",
    ] {
        let soql = format!("SELECT Name FROM Account LIMIT 1 {clause}");
        assert_eq!(rows(&ask(&org(), &soql).unwrap()), "Acme");
    }
    assert_rows(&[
        (
            "SELECT Name FROM Account WITH SECURITY_ENFORCED LIMIT 1",
            "Acme",
        ),
        ("SELECT Name FROM Account WITH USER_MODE LIMIT 1", "Acme"),
    ]);
}

#[test]
fn columns_tell_what_an_answer_has() {
    let org = org();
    let options = Options {
        columns: true,
        ..options()
    };
    let soql = "SELECT Id, Owner.Name, (SELECT LastName FROM Contacts) FROM Account";
    let answer = run(&org, &session(&org, "UTC"), soql, options.clone()).unwrap();
    assert!(answer.records.is_empty());
    let columns = answer.columns.unwrap();
    assert_eq!(columns["entityName"], "Account");
    assert_eq!(columns["keyPrefix"], "001");
    assert_eq!(columns["idSelected"], true);
    let metadata = &columns["columnMetadata"];
    assert_eq!(metadata[0]["columnName"], "Id");
    assert_eq!(metadata[0]["apexType"], "Id");
    assert_eq!(metadata[1]["columnName"], "Owner");
    assert_eq!(metadata[1]["foreignKeyName"], "OwnerId");
    assert_eq!(metadata[1]["joinColumns"][0]["columnName"], "Name");
    assert_eq!(metadata[1]["aggregate"], false);
    assert_eq!(metadata[2]["columnName"], "Contacts");
    assert_eq!(metadata[2]["aggregate"], true);
    assert_eq!(metadata[2]["joinColumns"][0]["columnName"], "LastName");

    let soql = "SELECT Industry, COUNT(Id) n, MAX(AnnualRevenue) FROM Account GROUP BY Industry";
    let columns = run(&org, &session(&org, "UTC"), soql, options.clone())
        .unwrap()
        .columns
        .unwrap();
    assert_eq!(columns["groupBy"], true);
    let metadata = &columns["columnMetadata"];
    let told = |at: usize| {
        short(&json!([
            metadata[at]["columnName"],
            metadata[at]["displayName"],
            metadata[at]["aggregate"]
        ]))
    };
    assert_eq!(told(0), "[Industry; Industry; false]");
    assert_eq!(told(1), "[n; count(Id); true]");
    assert_eq!(told(2), "[expr0; max(AnnualRevenue); true]");

    let count = run(
        &org,
        &session(&org, "UTC"),
        "SELECT COUNT() FROM Account",
        options,
    )
    .unwrap();
    assert_eq!(
        count.columns.unwrap()["columnMetadata"][0]["aggregate"],
        true
    );
}
