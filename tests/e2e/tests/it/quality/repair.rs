//! Mistakes that models make, and whether the error alone tells the call that is right.
//!
//! Each case is a call that fails. What [`mended`](super::mended::mended) makes of it knows the error and the arguments alone; the call that
//! comes of it succeeds.

use portcullis::Outcome;
use portcullis::policy::Mode;
use serde_json::{Value, json};

use super::mended::mended;
use crate::writes::desk::{ACCOUNT, Desk, SALE, said};

const CONTACT: &str = "003DO0000000001YAA";
const READING: &str = "a00DO0000000001YAA";
const INSPECTION: &str = "a01DO0000000001YAA";

/// Kinds of mistakes that are among the cases, whatever else is.
const KINDS: [&str; 14] = [
    "misspelt field",
    "label for a field",
    "misspelt object",
    "plural for an object",
    "child in the singular",
    "label for a picklist's value",
    "lookup by name",
    "day as people write it",
    "SELECT *",
    "JOIN of a parent",
    "double quotes",
    "IS NOT NULL",
    "missing required fields",
    "id of another object",
];

/// A mistake, the tool, and its arguments.
type Case = (&'static str, &'static str, Value);

fn query(mistake: &'static str, soql: &str) -> Case {
    (mistake, "query", json!({ "soql": soql }))
}

fn update(mistake: &'static str, object: &str, id: &str, fields: Value) -> Case {
    let arguments = json!({"object": object, "id": id, "fields": fields});
    (mistake, "update_record", arguments)
}

fn names() -> Vec<Case> {
    vec![
        query("misspelt field", "SELECT Nmae FROM Account LIMIT 1"),
        query(
            "misspelt custom field",
            "SELECT Sensr__c FROM Measurement__c LIMIT 1",
        ),
        query("label for a field", "SELECT Employees FROM Account LIMIT 1"),
        query(
            "field without its suffix",
            "SELECT Sensor FROM Measurement__c LIMIT 1",
        ),
        query(
            "field in snake case",
            "SELECT annual_revenue FROM Account LIMIT 1",
        ),
        query(
            "misspelt field in WHERE",
            "SELECT Id FROM Account WHERE Industri = 'Energy' LIMIT 1",
        ),
        query(
            "misspelt field in ORDER BY",
            "SELECT Id FROM Account ORDER BY AnualRevenue LIMIT 1",
        ),
        query(
            "misspelt field of a parent",
            "SELECT Account.Nmae FROM Contact LIMIT 1",
        ),
        query("misspelt object", "SELECT Id FROM Acount LIMIT 1"),
        query("plural for an object", "SELECT Id FROM Accounts LIMIT 1"),
        query(
            "object without its suffix",
            "SELECT Id FROM Measurement LIMIT 1",
        ),
        query(
            "label of several for an object",
            "SELECT Id FROM Inspections LIMIT 1",
        ),
        query(
            "child in the singular",
            "SELECT Id, (SELECT Id FROM Contact) FROM Account LIMIT 1",
        ),
        query(
            "custom child without its suffix",
            "SELECT Id, (SELECT Id FROM Measurements) FROM Account LIMIT 1",
        ),
        query("misspelt parent", "SELECT Ownr.Name FROM Account LIMIT 1"),
        query(
            "field for its relationship",
            "SELECT OwnerId.Name FROM Account LIMIT 1",
        ),
        query(
            "custom field for its relationship",
            "SELECT Account__c.Name FROM Measurement__c LIMIT 1",
        ),
    ]
}

fn sql() -> Vec<Case> {
    vec![
        query("SELECT *", "SELECT * FROM Account LIMIT 1"),
        query("COUNT(*)", "SELECT COUNT(*) FROM Account"),
        query(
            "COUNT(*) of groups",
            "SELECT Industry, COUNT(*) AS n FROM Account GROUP BY Industry",
        ),
        query(
            "double quotes",
            "SELECT Id FROM Account WHERE Industry = \"Energy\"",
        ),
        query(
            "typographic quotes",
            "SELECT Id FROM Account WHERE Industry = \u{2018}Energy\u{2019}",
        ),
        query("names in backticks", "SELECT `Name` FROM `Account` LIMIT 1"),
        query("a semicolon", "SELECT Id FROM Account LIMIT 1;"),
        query(
            "IS NULL",
            "SELECT Id FROM Account WHERE Fax IS NULL LIMIT 1",
        ),
        query(
            "IS NOT NULL",
            "SELECT Id FROM Account WHERE Phone IS NOT NULL LIMIT 1",
        ),
        query(
            "JOIN of a parent",
            "SELECT c.LastName, a.Name FROM Contact c JOIN Account a ON c.AccountId = a.Id LIMIT 1",
        ),
        query(
            "JOIN of children",
            "SELECT a.Name, m.Value__c FROM Account a LEFT JOIN Measurement__c m ON a.Id = m.Account__c LIMIT 1",
        ),
        query("TOP", "SELECT TOP 3 Name FROM Account ORDER BY Name"),
        query(
            "a label in its words",
            "SELECT Account Name, Annual Revenue FROM Account LIMIT 1",
        ),
        query(
            "a parent and its field without a dot",
            "SELECT Account Name FROM Contact LIMIT 1",
        ),
        query("DISTINCT", "SELECT DISTINCT Industry FROM Account"),
        query(
            "BETWEEN",
            "SELECT Id FROM Account WHERE NumberOfEmployees BETWEEN 5 AND 500 LIMIT 1",
        ),
        query(
            "NOT LIKE",
            "SELECT Id FROM Account WHERE Name NOT LIKE 'A%' LIMIT 1",
        ),
        query("AS", "SELECT Name AS account_name FROM Account LIMIT 1"),
        query(
            "a name for a field",
            "SELECT Name account_name FROM Account LIMIT 1",
        ),
        query(
            "LOWER",
            "SELECT Id FROM Account WHERE LOWER(Name) LIKE 'a%' LIMIT 1",
        ),
        query(
            "GETDATE",
            "SELECT Id FROM Opportunity WHERE CloseDate > GETDATE() LIMIT 1",
        ),
        query(
            "days ago",
            "SELECT Id FROM Opportunity WHERE CloseDate > TODAY - 30 LIMIT 1",
        ),
        query(
            "== and &&",
            "SELECT Id FROM Account WHERE Industry == 'Energy' && Rating == 'Hot'",
        ),
        query(
            "a doubled quote",
            "SELECT Id FROM Contact WHERE LastName = 'O''Brien'",
        ),
        query(
            "a text without quotes",
            "SELECT Id FROM Account WHERE Industry = Energy",
        ),
        query("a comma too many", "SELECT Id, Name, FROM Account LIMIT 1"),
        query("a slip in a keyword", "SELECT Id FORM Account LIMIT 1"),
        query(
            "LIMIT of two numbers",
            "SELECT Id FROM Account ORDER BY Id LIMIT 5, 2",
        ),
        query(
            "FIELDS(ALL) without a LIMIT",
            "SELECT FIELDS(ALL) FROM Account",
        ),
        query("no GROUP BY", "SELECT Industry, COUNT(Id) FROM Account"),
        query(
            "a date in quotes",
            "SELECT Id FROM Opportunity WHERE CloseDate > '2026-01-01' LIMIT 1",
        ),
        query(
            "a date as people write it",
            "SELECT Id FROM Opportunity WHERE CloseDate > '12/31/2025' LIMIT 1",
        ),
        query(
            "a day for a moment",
            "SELECT Id FROM Account WHERE CreatedDate > 2026-01-01 LIMIT 1",
        ),
        query(
            "a moment without its offset",
            "SELECT Id FROM Account WHERE CreatedDate > 2026-01-01T00:00:00 LIMIT 1",
        ),
        query(
            "a number in quotes",
            "SELECT Id FROM Account WHERE NumberOfEmployees > '5' LIMIT 1",
        ),
        query(
            "1 for true",
            "SELECT Id FROM Opportunity WHERE IsClosed = 1 LIMIT 1",
        ),
        query(
            "a number for a text",
            "SELECT Id FROM Account WHERE AccountNumber = 5 LIMIT 1",
        ),
    ]
}

fn reads() -> Vec<Case> {
    let get = |object: &str, id: &str| json!({"object": object, "id": id});
    vec![
        (
            "plural for an object",
            "get_record",
            get("Accounts", ACCOUNT),
        ),
        (
            "label with a space for an object",
            "describe_object",
            json!({"object": "Opportunity Contact Role"}),
        ),
        (
            "label for an object",
            "describe_object",
            json!({"object": "Inspection"}),
        ),
        (
            "misspelt object",
            "describe_object",
            json!({"object": "Oportunity"}),
        ),
        (
            "id of another object",
            "get_record",
            get("Account", CONTACT),
        ),
        (
            "id of a custom object",
            "get_record",
            get("Account", READING),
        ),
        (
            "name for an id",
            "get_record",
            get("Account", "Alder & Finch Instruments"),
        ),
        (
            "misspelt field",
            "get_record",
            json!({"object": "Account", "id": ACCOUNT, "fields": ["Nmae"]}),
        ),
        (
            "label for a field",
            "get_record",
            json!({"object": "Account", "id": ACCOUNT, "fields": ["Annual Revenue"]}),
        ),
        (
            "no external id",
            "get_record",
            json!({"object": "Measurement__c", "external_id_field": "Nmae", "external_id": "M-00001"}),
        ),
    ]
}

/// An object by what people call it, and other slips, in each tool that reads one.
fn named_objects() -> Vec<Case> {
    let role = "Opportunity Contact Role";
    vec![
        (
            "label with a space",
            "get_picklist_values",
            json!({"object": role, "field": "Role"}),
        ),
        (
            "label for a field",
            "get_picklist_values",
            json!({"object": "Case", "field": "Case Origin"}),
        ),
        (
            "slip in a record type",
            "get_picklist_values",
            json!({"object": "Account", "field": "Type", "record_type": "Partner_Acount"}),
        ),
        (
            "label for a column",
            "run_report",
            json!({"id": "00ODO00000000012AA", "filters": [{"column": "Amount", "operator": "greaterThan", "value": "1"}]}),
        ),
        ("plural", "list_views", json!({"object": "Accounts"})),
        (
            "plural",
            "get_list_view",
            json!({"object": "Cases", "view": "AllOpenCases"}),
        ),
        (
            "slip in a view",
            "get_list_view",
            json!({"object": "Case", "view": "All Opn Cases"}),
        ),
        (
            "label with a space",
            "list_recent",
            json!({"object": "Campaign Member"}),
        ),
        (
            "plural",
            "get_related_records",
            json!({"object": "Accounts", "id": ACCOUNT, "relationship": "Contacts"}),
        ),
        (
            "child in the singular",
            "get_related_records",
            json!({"object": "Account", "id": ACCOUNT, "relationship": "Contact_s"}),
        ),
        (
            "name for an id",
            "get_related_records",
            json!({"object": "Account", "id": "Alder & Finch Instruments", "relationship": "Contacts"}),
        ),
        (
            "label with a space",
            "get_deleted_records",
            json!({"object": "Campaign Members"}),
        ),
        (
            "plural",
            "find_duplicates",
            json!({"object": "Leads", "fields": {"LastName": "Li"}}),
        ),
        (
            "label for a field",
            "find_duplicates",
            json!({"object": "Lead", "fields": {"Last Name": "Li"}}),
        ),
        (
            "name for an id",
            "find_duplicates",
            json!({"object": "Account", "id": "Alder & Finch Instruments"}),
        ),
        (
            "plural",
            "search",
            json!({"text": "pump*", "objects": ["Accounts"]}),
        ),
        (
            "label with a space",
            "search",
            json!({"text": "pump*", "objects": ["Inspection Report"]}),
        ),
        (
            "name for an id",
            "assign_owner",
            json!({"object": "Account", "id": "Alder & Finch Instruments", "owner": "Ben Carter"}),
        ),
        (
            "label with a space",
            "upsert_record",
            json!({"object": "Site Measurement", "key": "External_Key__c", "value": "K-1", "fields": {"Sensor__c": "S-9", "Taken_At__c": "2026-11-23T09:00:00Z", "Value__c": 1}}),
        ),
    ]
}

fn writes() -> Vec<Case> {
    vec![
        update(
            "misspelt field",
            "Account",
            ACCOUNT,
            json!({"Websit": "https://a.example"}),
        ),
        update(
            "label for a field",
            "Account",
            ACCOUNT,
            json!({"Annual Revenue": 5}),
        ),
        update(
            "plural for an object",
            "Contacts",
            CONTACT,
            json!({"Title": "CFO"}),
        ),
        update(
            "id of another object",
            "Account",
            CONTACT,
            json!({"Title": "CEO"}),
        ),
        update(
            "name for an id",
            "Account",
            "Alder & Finch Instruments",
            json!({"Site": "North"}),
        ),
        update(
            "label for a picklist's value",
            "Inspection__c",
            INSPECTION,
            json!({"Result__c": "Passed with Conditions"}),
        ),
        update(
            "case of a picklist's value",
            "Account",
            ACCOUNT,
            json!({"Industry": "banking"}),
        ),
        update(
            "slip in one of several values",
            "Inspection__c",
            INSPECTION,
            json!({"Areas__c": ["Roof", "Watr"]}),
        ),
        update(
            "lookup by name",
            "Account",
            ACCOUNT,
            json!({"ParentId": "Alder & Finch Instruments"}),
        ),
        update(
            "owner by name",
            "Opportunity",
            SALE,
            json!({"OwnerId": "Ben Carter"}),
        ),
        update(
            "record type by name",
            "Account",
            ACCOUNT,
            json!({"RecordTypeId": "Partner Account"}),
        ),
        update(
            "day as people write it",
            "Opportunity",
            SALE,
            json!({"CloseDate": "23.12.2026"}),
        ),
        update(
            "day in American order",
            "Opportunity",
            SALE,
            json!({"CloseDate": "12/24/2026"}),
        ),
        update(
            "day in words",
            "Opportunity",
            SALE,
            json!({"CloseDate": "December 25, 2026"}),
        ),
        update(
            "moment for a day",
            "Opportunity",
            SALE,
            json!({"CloseDate": "2026-12-26T10:00:00Z"}),
        ),
        update(
            "moment without its offset",
            "Inspection__c",
            INSPECTION,
            json!({"Started_At__c": "2026-11-23T09:00:00"}),
        ),
        update(
            "time as people write it",
            "Inspection__c",
            INSPECTION,
            json!({"Gate_Opens__c": "9:30 PM"}),
        ),
        update(
            "number with separators",
            "Opportunity",
            SALE,
            json!({"Amount": "1,500,000"}),
        ),
        update(
            "number with a currency",
            "Opportunity",
            SALE,
            json!({"Amount": "$1,234.50"}),
        ),
        update(
            "number with a sign",
            "Inspection__c",
            INSPECTION,
            json!({"Progress__c": "75%"}),
        ),
        update(
            "yes for a check box",
            "Inspection__c",
            INSPECTION,
            json!({"Follow_Up__c": "yes"}),
        ),
        update(
            "number for a text",
            "Account",
            ACCOUNT,
            json!({"Phone": 5_551_234}),
        ),
        update(
            "text that is too long",
            "Account",
            ACCOUNT,
            json!({"Site": "s".repeat(90)}),
        ),
        update(
            "address as a whole",
            "Account",
            ACCOUNT,
            json!({"BillingAddress": "1 Main Street"}),
        ),
        update(
            "formula beside a field",
            "Inspection__c",
            INSPECTION,
            json!({"Total__c": 5, "Summary__c": "Seen"}),
        ),
        (
            "missing required fields",
            "create_record",
            json!({"object": "Opportunity", "fields": {"Name": "Refit"}}),
        ),
        (
            "missing required name",
            "create_record",
            json!({"object": "Contact", "fields": {"FirstName": "Ada"}}),
        ),
        (
            "slip in a record type",
            "create_record",
            json!({"object": "Account", "fields": {"Name": "New"}, "record_type": "Partner_Acount"}),
        ),
        (
            "id of another object",
            "delete_record",
            json!({"object": "Account", "id": INSPECTION}),
        ),
        (
            "name for an id",
            "delete_record",
            json!({"object": "Case", "id": "00001001"}),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_error_alone_tells_the_call_that_is_right() {
    let desk = Desk::new(Mode::Allow).await;
    let cases: Vec<Case> = [names(), sql(), reads(), named_objects(), writes()]
        .into_iter()
        .flatten()
        .collect();
    assert!(cases.len() >= 60, "{}", cases.len());
    for kind in KINDS {
        let is_known = cases.iter().any(|(mistake, ..)| mistake == &kind);
        assert!(is_known, "no mistake is of the kind “{kind}”");
    }
    // What other languages write so is SOQL, too, and no mistake.
    let soql = "SELECT Id FROM Account WHERE Fax != NULL LIMIT 1";
    desk.data("query", json!({ "soql": soql })).await;
    let mut told = String::new();
    let mut unmended = Vec::new();
    for (mistake, tool, arguments) in &cases {
        let reply = desk.call(tool, arguments.clone()).await;
        let failure = match &reply.outcome {
            Outcome::Failed(failure) => failure,
            other => panic!("{mistake}: {tool} {arguments} does not fail: {other:?}"),
        };
        let error = desk.plain(&said(failure));
        let Some(second) = mended(arguments, failure) else {
            unmended.push(format!(
                "{mistake}: {tool} {arguments}\n{error}\nnothing to do"
            ));
            continue;
        };
        told.push_str(&format!(
            "## {mistake}\n{tool} {arguments}\n{error}\n-> {second}\n\n"
        ));
        let reply = desk.call(tool, second.clone()).await;
        if !matches!(reply.outcome, Outcome::Done(_)) {
            let then = &reply.outcome;
            unmended.push(format!(
                "{mistake}: {tool} {arguments}\n{error}\n-> {second}\n{then:?}"
            ));
        }
    }
    assert!(
        unmended.is_empty(),
        "{} of {}:\n{}",
        unmended.len(),
        cases.len(),
        unmended.join("\n\n")
    );
    insta::assert_snapshot!("told", told);
}
