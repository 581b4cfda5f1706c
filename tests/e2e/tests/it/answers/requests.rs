//! How many HTTP requests a call costs: the table in `README.md` is made here.

use std::collections::BTreeSet;

use portcullis::policy::{Effect, Mode};
use serde_json::{Value, json};

use crate::support::ended;
use crate::support::root;
use crate::writes::desk::{ACCOUNT, Desk, SALE, update};

/// A call of a read needs one, once the org's descriptions are known.
const READ_MAX: usize = 1;

/// A call of a change reads the record before and after.
const CHANGE_MAX: usize = 3;

const CAMPAIGN: &str = "701DO0000000001YAA";
const CASE: &str = "500DO0000000001YAA";
const CONTACT: &str = "003DO0000000001YAA";
const LEAD: &str = "00QDO00000000012AA";

/// Says with which arguments each tool is called, for the first time and for the second.
pub async fn examples(desk: &Desk) -> Vec<(&'static str, [Value; 2])> {
    let id = async |soql: &str| desk.rows(soql).await[0]["Id"].clone();
    let report = id("SELECT Id FROM Report WHERE Name = 'Open Pipeline by Stage'").await;
    let file = id("SELECT Id FROM ContentDocument WHERE Title = 'Account plan'").await;
    let tasks = desk.rows("SELECT Id FROM Task LIMIT 2").await;
    let open = desk
        .rows("SELECT Id FROM Task WHERE IsClosed = false ORDER BY Id LIMIT 2")
        .await;
    // A queue's lead is not converted without an owner.
    let leads: Vec<Value> = desk
        .rows("SELECT Id, OwnerId FROM Lead WHERE IsConverted = false ORDER BY Id LIMIT 20")
        .await
        .iter()
        .filter(|lead| lead["OwnerId"].as_str().unwrap().starts_with("005"))
        .map(|lead| lead["Id"].clone())
        .collect();
    let lead_of = |at: usize| json!({ "object": "Lead", "id": leads[at] });
    let sensor = |key: &str| {
        json!({
            "object": "Measurement__c", "key": "External_Key__c", "value": key,
            "fields": { "Sensor__c": "S-9", "Taken_At__c": "2026-11-23T09:00:00Z", "Value__c": 1.5 },
        })
    };
    let people = |name: &str| json!({ "object": "Contact", "records": [{ "LastName": name }, { "LastName": "Wu" }] });
    let titles = |title: &str| {
        let records =
            json!([{ "Id": leads[0], "Title": title }, { "Id": leads[1], "Title": title }]);
        json!({ "object": "Lead", "records": records })
    };
    let merge = |at: usize| json!({ "object": "Lead", "keep": leads[0], "lose": [leads[at]] });
    let owner = |name: &str| json!({ "object": "Case", "id": CASE, "owner": name });
    let member = |person: &str| json!({ "campaign": CAMPAIGN, "person": person });
    let call = |subject: &str| json!({ "subject": subject, "day": "2024-11-22" });
    let event =
        |subject: &str| json!({ "subject": subject, "start": "2026-11-27", "end": "2026-11-28" });
    let note = |title: &str| json!({ "about": ACCOUNT, "title": title, "text": "x" });
    let comment = |comment: &str| json!({ "case": CASE, "comment": comment });
    let mail =
        |subject: &str| json!({ "to": ["li@mail.example"], "subject": subject, "body": "x" });
    let twice = |arguments: Value| [arguments.clone(), arguments];
    let account = |site: &str| update("Account", ACCOUNT, json!({ "Site": site }));
    let lead =
        |name: &str| json!({ "object": "Lead", "fields": { "LastName": name, "Company": "Acme" } });
    let task = |at: usize| json!({ "object": "Task", "id": tasks[at]["Id"] });
    let upload = |name: &str| json!({ "name": name, "text": "x", "record_id": ACCOUNT });
    vec![
        ("get_identity", twice(json!({}))),
        ("get_org_limits", twice(json!({}))),
        ("find_users", twice(json!({ "text": "dana" }))),
        ("list_objects", twice(json!({ "text": "account" }))),
        ("describe_object", twice(json!({ "object": "Account" }))),
        (
            "get_picklist_values",
            twice(json!({ "object": "Case", "field": "Priority" })),
        ),
        (
            "query",
            twice(json!({ "soql": "SELECT Id, Name, Owner.Name FROM Account LIMIT 5" })),
        ),
        ("query_next", twice(json!({ "cursor": "" }))),
        ("search", twice(json!({ "text": "Northwind*" }))),
        (
            "get_record",
            twice(json!({ "object": "Opportunity", "id": SALE })),
        ),
        (
            "get_related_records",
            twice(json!({ "object": "Account", "id": ACCOUNT, "relationship": "Contacts" })),
        ),
        ("list_recent", twice(json!({}))),
        ("list_views", twice(json!({ "object": "Case" }))),
        (
            "get_list_view",
            twice(json!({ "object": "Case", "view": "AllOpenCases" })),
        ),
        (
            "find_duplicates",
            twice(
                json!({ "object": "Lead", "fields": { "LastName": "Li", "Email": "li@mail.example" } }),
            ),
        ),
        ("get_deleted_records", twice(json!({ "object": "Lead" }))),
        ("get_account_overview", twice(json!({ "account": ACCOUNT }))),
        ("get_pipeline", twice(json!({}))),
        ("list_reports", twice(json!({}))),
        ("describe_report", twice(json!({ "id": report }))),
        ("run_report", twice(json!({ "id": report }))),
        ("list_files", twice(json!({ "record_id": ACCOUNT }))),
        ("read_file", twice(json!({ "id": file }))),
        ("update_record", [account("one"), account("two")]),
        ("create_record", [lead("One"), lead("Two")]),
        ("upsert_record", [sensor("K-9"), sensor("K-10")]),
        ("update_records", [titles("One"), titles("Two")]),
        ("create_records", [people("One"), people("Two")]),
        ("undelete_record", [lead_of(0), lead_of(1)]),
        (
            "create_task",
            [json!({ "subject": "One" }), json!({ "subject": "Two" })],
        ),
        (
            "complete_task",
            [
                json!({ "id": open[0]["Id"] }),
                json!({ "id": open[1]["Id"] }),
            ],
        ),
        ("log_call", [call("One"), call("Two")]),
        ("create_event", [event("One"), event("Two")]),
        ("add_note", [note("One"), note("Two")]),
        (
            "assign_owner",
            [owner("Carmen Delgado"), owner("Inbound Leads")],
        ),
        ("set_campaign_member", [member(LEAD), member(CONTACT)]),
        ("add_case_comment", [comment("One"), comment("Two")]),
        ("upload_file", [upload("One.txt"), upload("Two.txt")]),
        ("delete_record", [task(0), task(1)]),
        (
            "delete_records",
            [
                json!({ "object": "Lead", "ids": [leads[0], leads[1]] }),
                json!({ "object": "Lead", "ids": [leads[2], leads[3]] }),
            ],
        ),
        (
            "convert_lead",
            [json!({ "id": leads[0] }), json!({ "id": leads[1] })],
        ),
        ("merge_records", [merge(1), merge(2)]),
        ("send_email", [mail("One"), mail("Two")]),
    ]
}

/// Makes what a call rests on, and gives its arguments.
pub async fn ready(desk: &Desk, tool: &str, arguments: &Value) -> Value {
    let mut arguments = arguments.clone();
    if tool == "query_next" {
        let first = json!({ "soql": "SELECT Id FROM Measurement__c", "batch_size": 200 });
        arguments["cursor"] = desk.data("query", first).await["cursor"].clone();
    }
    if tool == "undelete_record" {
        // Past the host, which knows nothing of the object yet.
        let id = arguments["id"].as_str().unwrap();
        let (status, body) = desk
            .direct("DELETE", &format!("sobjects/Lead/{id}"), None)
            .await;
        assert_eq!(status, 204, "{body}");
    }
    arguments
}

/// Gives the tools and their effects.
pub fn tools(desk: &Desk) -> Vec<(String, Effect)> {
    let connectors = desk.world.host.connectors();
    let tools = connectors.iter().flat_map(|connector| connector.tools());
    tools
        .map(|tool| (tool.name.to_string(), tool.effect))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_costs_few_requests() {
    let desk = Desk::new(Mode::Allow).await;
    let tools = tools(&desk);
    let examples = examples(&desk).await;
    let known: BTreeSet<&str> = examples.iter().map(|(tool, _)| *tool).collect();
    let missing: Vec<&String> = tools
        .iter()
        .map(|(tool, _)| tool)
        .filter(|tool| !known.contains(tool.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "give an example of each tool: {missing:?}"
    );

    let mut rows = Vec::new();
    for (tool, effect) in &tools {
        let (_, arguments) = examples.iter().find(|(known, _)| known == tool).unwrap();
        // An org and a host that know nothing of each other yet.
        let desk = Desk::new(Mode::Allow).await;
        let mut counts = Vec::new();
        for arguments in arguments {
            let arguments = ready(&desk, tool, arguments).await;
            let reply = desk.call(tool, arguments).await;
            assert_eq!(ended(&reply), "done", "{tool}: {:?}", reply.outcome);
            counts.push(desk.requests(&reply).len());
        }
        rows.push((tool.clone(), *effect, counts[0], counts[1]));
    }
    for (tool, effect, _, warm) in &rows {
        let max = match effect {
            Effect::Read => READ_MAX,
            Effect::Write | Effect::Destructive => CHANGE_MAX,
        };
        // A description is used for a minute without a question.
        assert!(
            *warm <= max,
            "{tool} takes {warm} requests, and may take {max}"
        );
    }
    hold(&rows);
}

/// What `README.md` says below its table: a file that holds no text is looked at again, for what it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_without_text_takes_one_request_more() {
    let desk = Desk::new(Mode::Allow).await;
    let image = "SELECT Id FROM ContentDocument WHERE Title = 'Site plan'";
    let image = desk.rows(image).await[0]["Id"].clone();
    let unknown = json!("069DO0000zzzzzzYAA");
    for (id, end) in [(image, "done"), (unknown, "failed not_found")] {
        let reply = desk.call("read_file", json!({ "id": id })).await;
        assert_eq!(ended(&reply), end);
        assert_eq!(desk.requests(&reply).len(), READ_MAX + 1);
    }
}

/// Holds the table of `README.md` to what was counted; `INSTA_UPDATE=always` writes it there, as it does snapshots.
fn hold(rows: &[(String, Effect, usize, usize)]) {
    const BEGIN: &str = "<!-- requests: made by a test -->\n";
    const END: &str = "<!-- end of requests -->";
    let mut table = "| tool | first call | further calls |\n| --- | --- | --- |\n".to_owned();
    for (tool, _, cold, warm) in rows {
        table.push_str(&format!("| `{tool}` | {cold} | {warm} |\n"));
    }
    let path = root().join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{BEGIN}{table}{END}{after}");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&path, &expected).unwrap();
        return;
    }
    assert!(
        readme == expected,
        "README.md has another table: `just snapshots` writes this one\n{table}"
    );
}
