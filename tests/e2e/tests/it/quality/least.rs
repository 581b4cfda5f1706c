//! Agents and accounts that may do less: every tool behaves, and none tells the name of what is hidden.
//!
//! The table has a row for each tool that the connector offers; a tool without one fails the tests.

use std::collections::BTreeSet;

use portcullis::policy::{Effect, Mode};
use portcullis::ports::audit::Event;
use portcullis::{Outcome, Reply};
use serde_json::{Value, json};

use crate::support::ended;
use crate::support::world::paths;
use crate::writes::desk::{ACCOUNT, Desk, SALE, said};

const ALLOWED: [&str; 3] = ["Account", "Contact", "Opportunity"];
const CONTACT: &str = "003DO0000000001YAA";
const CASE: &str = "500DO0000000001YAA";
const USER: &str = "005DO0000000001YAA";
const READING: &str = "a00DO0000000001YAA";
const LEAD: &str = "00QDO00000000022AA";
const CAMPAIGN: &str = "701DO0000000001YAA";
/// Another account.
const OTHER: &str = "001DO0000000001YAA";
/// `Open Pipeline by Stage`.
const REPORT: &str = "00ODO00000000012AA";
/// A file of an account.
const FILE: &str = "069DO0000000001YAA";

const PARTS: [&str; 5] = [
    "fields",
    "relationships",
    "children",
    "record_types",
    "picklists",
];

/// Calls of a tool: ordinary ones, and ones that try to learn of what is hidden. `None`: the tool has no row.
fn calls_of(tool: &str) -> Option<Vec<Value>> {
    let soql = |queries: &[&str]| queries.iter().map(|soql| json!({ "soql": soql })).collect();
    let object = |objects: &[&str]| -> Vec<Value> {
        let describe = |object: &&str| json!({"object": object, "parts": PARTS, "limit": 1000});
        objects.iter().map(describe).collect()
    };
    let related = |relationship: &str, more: Value| -> Value {
        let mut call = json!({"object": "Account", "id": ACCOUNT, "relationship": relationship});
        let more = more.as_object().unwrap().clone();
        call.as_object_mut().unwrap().extend(more);
        call
    };
    Some(match tool {
        "get_identity" => vec![json!({})],
        "get_org_limits" => vec![
            json!({"text": "storage"}),
            json!({"text": "SingelEmail"}),
            json!({"text": "Measurement__"}),
        ],
        "find_users" => vec![
            json!({"text": "dana"}),
            json!({"text": "support", "queues": true}),
            json!({"text": USER}),
            json!({"text": CASE}),
            json!({"text": "Nobody at all"}),
        ],
        "list_objects" => vec![
            json!({}),
            json!({"technical": true, "limit": 1000}),
            json!({"text": "cas"}),
            json!({"text": "mesurement"}),
        ],
        "describe_object" => object(&[
            "Account",
            "Contact",
            "Opportunity",
            "Acount",
            "Cas",
            "Usr",
            "Measurment",
        ]),
        "query" => soql(&[
            "SELECT Id, Name FROM Account LIMIT 2",
            "SELECT FIELDS(ALL) FROM Account LIMIT 2",
            "SELECT FIELDS(STANDARD) FROM Contact LIMIT 2",
            "SELECT AnualRevenue FROM Account",
            "SELECT Anual_Revenue FROM Account",
            "SELECT Birthdat FROM Contact",
            "SELECT Id FROM Measurment__c",
            "SELECT Id FROM Inspection",
            "SELECT Id FROM Cas",
            "SELECT Id, (SELECT Id FROM Measurements) FROM Account",
            "SELECT Id, (SELECT Id FROM Casess) FROM Account",
            "SELECT Ownr.Name FROM Account",
            "SELECT Campain.Name FROM Opportunity",
            "SELECT * FROM Account",
            "SELECT a.Name, c.Subject FROM Account a JOIN Cas c ON a.Id = c.AccountId",
            "SELECT Name, COUNT(Id) FROM Account",
            "SELECT Id FROM Account WHERE CreatedDate > '2026-01-01'",
        ]),
        "query_next" => vec![json!({"cursor": "01gxx0000000001AAA-200"})],
        "get_record" => vec![
            json!({"object": "Account", "id": ACCOUNT}),
            json!({"object": "Contact", "id": CONTACT}),
            json!({"object": "Account", "id": ACCOUNT, "fields": ["AnualRevenue"]}),
            json!({"object": "Account", "id": ACCOUNT, "fields": ["Anual Revenue"]}),
            json!({"object": "Account", "id": CASE}),
            json!({"object": "Account", "id": READING}),
            json!({"object": "Account", "id": USER}),
            json!({"object": "Account", "id": "Nobody at all"}),
            json!({"object": "Measurment", "id": READING}),
            json!({"object": "Account", "external_id_field": "Nmae", "external_id": "x"}),
        ],
        "get_picklist_values" => vec![
            json!({"object": "Account", "field": "Type"}),
            json!({"object": "Opportunity", "field": "StageName"}),
            json!({"object": "Account", "field": "AnualRevenue"}),
            json!({"object": "Contact", "field": "Birthdat"}),
            json!({"object": "Account", "field": "Type", "record_type": "none"}),
            json!({"object": "Cas", "field": "Priority"}),
            json!({"object": "Measurment__c", "field": "Unit__c"}),
        ],
        "search" => vec![
            json!({"text": "Northwind*"}),
            json!({"text": "pump*", "in": "name", "limit": 2}),
            json!({"text": "acme", "objects": ["Account(Name, AnualRevenue)"]}),
            json!({"text": "acme", "objects": ["Contact(Name ORDER BY Birthdat)"]}),
            json!({"text": "acme", "objects": ["Account(Name WHERE Annual_Revenue > 1)"]}),
            json!({"text": "acme", "objects": ["Contact(Ownr.Name)"]}),
            json!({"text": "acme", "objects": ["Cas"]}),
            json!({"text": "acme", "objects": ["Account", "Measurment"]}),
        ],
        "get_related_records" => vec![
            related("Contacts", json!({"limit": 2})),
            related("opportunity", json!({"limit": 2})),
            related("Casess", json!({})),
            related("Measurments", json!({})),
            related("Contacts", json!({"fields": ["Birthdat"]})),
            related("Contacts", json!({"fields": ["Account.AnualRevenue"]})),
            related("Contacts", json!({"where": "Birthdat != null"})),
            related("Contacts", json!({"order_by": "Account.Annual_Revenue"})),
            related(
                "Contacts",
                json!({"where": "Id IN (SELECT ContactId FROM Cas)"}),
            ),
            json!({"object": "Account", "id": CASE, "relationship": "Contacts"}),
            json!({"object": "Account", "id": READING, "relationship": "Contacts"}),
            json!({"object": "Inspection", "id": READING, "relationship": "Measurments"}),
        ],
        "list_recent" => vec![
            json!({"limit": 200}),
            json!({"object": "Account"}),
            json!({"object": "Cas"}),
            json!({"object": "Measurment__c"}),
        ],
        "list_views" => vec![
            json!({"object": "Account"}),
            json!({"object": "Contact", "text": "cas"}),
            json!({"object": "Cas"}),
            json!({"object": "Inspection"}),
        ],
        "get_list_view" => vec![
            json!({"object": "Account", "view": "AllAccounts", "limit": 3}),
            json!({"object": "Account", "view": "LargeCustomers"}),
            json!({"object": "Opportunity", "view": "AllOpportunities", "limit": 3}),
            json!({"object": "Account", "view": "AllOpenCases"}),
            json!({"object": "Cas", "view": "AllCases"}),
        ],
        "find_duplicates" => vec![
            json!({"object": "Account", "id": ACCOUNT}),
            json!({"object": "Contact", "fields": {"LastName": "Li", "Email": "li@mail.example"}}),
            json!({"object": "Account", "fields": {"AnualRevenue": "1"}}),
            json!({"object": "Contact", "fields": {"LastName": "Li", "Birthdat": "2000-01-01"}}),
            json!({"object": "Account", "id": CASE}),
            json!({"object": "Account", "id": READING}),
            json!({"object": "Measurment", "fields": {"Name": "x"}}),
            json!({"object": "Usr", "fields": {"Name": "x"}}),
            json!({"object": "Contact", "rules": true, "fields": {"LastName": "Li", "Email": "li@mail.example"}}),
            json!({"object": "Account", "rules": true, "id": ACCOUNT}),
            json!({"object": "Lead", "rules": true, "fields": {"LastName": "Li"}}),
            json!({"object": "Contact", "rules": true, "fields": {"Birthdat": "x"}}),
            json!({"object": "My Cases", "rules": true, "fields": {"Name": "x"}}),
        ],
        "get_deleted_records" => vec![
            json!({"object": "Account"}),
            json!({"object": "Contact", "text": "zoe"}),
            json!({"object": "Contact", "since": "Birthdat"}),
            json!({"object": "Contact", "gone": true, "since": "2026-11-20"}),
            json!({"object": "Case", "gone": true, "since": "2026-11-20"}),
            json!({"object": "Cas", "gone": true}),
            json!({"object": "Cas"}),
            json!({"object": "Measurment__c"}),
        ],
        "get_account_overview" => vec![
            json!({"account": ACCOUNT}),
            json!({"account": "Nobody at all"}),
            json!({"account": CONTACT}),
            json!({"account": CASE}),
            json!({"account": READING}),
        ],
        "get_pipeline" => vec![
            json!({}),
            json!({"owner": "me", "detail": true}),
            json!({"owner": "Ben Carter"}),
            json!({"owner": CASE}),
            json!({"close": "CampaignId"}),
        ],
        // When a report ran last differs: these lists leave out the one that is run.
        "list_reports" => vec![
            json!({"text": "lead"}),
            json!({"cursor": "1"}),
            json!({"text": "Mesurement"}),
        ],
        "describe_report" => vec![
            json!({"id": REPORT}),
            json!({"id": REPORT, "text": "revenue"}),
            json!({"id": ACCOUNT}),
            json!({"id": CASE}),
        ],
        "run_report" => vec![
            json!({"id": REPORT}),
            json!({"id": REPORT, "rows": true, "limit": 3}),
            json!({"id": REPORT, "filters": [{"column": "AMOUNT", "operator": "greaterThan", "value": "1"}]}),
            json!({"id": REPORT, "filters": [{"column": "Birthdat", "operator": "equals", "value": "1"}]}),
            json!({"id": CASE}),
            json!({"id": READING}),
        ],
        "list_files" => vec![
            json!({}),
            json!({"record_id": ACCOUNT}),
            json!({"record_id": CASE}),
            json!({"record_id": READING}),
            json!({"text": "plan"}),
        ],
        "read_file" => vec![
            json!({"id": FILE}),
            json!({"id": CASE}),
            json!({"id": READING}),
        ],
        "upsert_record" => vec![
            json!({"object": "Account", "key": "Name", "value": "x", "fields": {"Site": "x"}}),
            json!({"object": "Account", "key": "AnualRevenue", "value": "1", "fields": {"Site": "x"}}),
            json!({"object": "Contact", "key": "Birthdat", "value": "x", "fields": {"LastName": "Li"}}),
            json!({"object": "Measurment__c", "key": "External_Key__c", "value": "K-1", "fields": {"Value__c": 1}}),
            json!({"object": "Inspection", "key": "Kye__c", "value": "K-1", "fields": {}}),
        ],
        "update_records" => vec![
            json!({"object": "Account", "records": [{"Id": ACCOUNT, "Site": "y"}]}),
            json!({"object": "Account", "records": [{"Id": ACCOUNT, "AnualRevenue": 1}]}),
            json!({"object": "Contact", "records": [{"Id": CONTACT, "Birthdat": "2000-01-01"}]}),
            json!({"object": "Account", "records": [{"Id": CASE, "Site": "y"}]}),
            json!({"object": "Account", "records": [{"Id": READING, "Site": "y"}]}),
            json!({"object": "Account", "records": [{"Id": ACCOUNT, "OwnerId": CASE}]}),
            json!({"object": "Cas", "records": [{"Id": CASE, "Subject": "x"}]}),
        ],
        "create_records" => vec![
            json!({"object": "Contact", "records": [{"LastName": "Li"}, {"LastName": "Wu"}]}),
            json!({"object": "Contact", "records": [{"LastName": "Li", "Birthdat": "2000-01-01"}]}),
            json!({"object": "Contact", "records": [{"LastName": "Li", "AccountId": CASE}]}),
            json!({"object": "Account", "records": [{"Name": "x", "AnualRevenue": 1}]}),
            json!({"object": "Measurment", "records": [{"Value__c": 1}]}),
        ],
        "undelete_record" => vec![
            json!({"object": "Account", "id": ACCOUNT}),
            json!({"object": "Account", "id": CASE}),
            json!({"object": "Account", "id": READING}),
            json!({"object": "Cas", "id": CASE}),
        ],
        "create_task" => vec![
            json!({"subject": "x"}),
            json!({"subject": "x", "about": SALE, "person": CONTACT}),
            json!({"subject": "x", "about": READING}),
            json!({"subject": "x", "person": CASE}),
            json!({"subject": "x", "owner": CASE}),
        ],
        "complete_task" => vec![
            json!({"id": CASE}),
            json!({"id": READING}),
            json!({"id": "00TDO0000zzzzzz"}),
            json!({"id": "00TDO0000000001YAA", "status": "Deferred"}),
        ],
        "log_call" => vec![
            json!({"subject": "x", "day": "2024-11-22"}),
            json!({"subject": "x", "day": "2024-11-22", "about": READING}),
            json!({"subject": "x", "day": "2024-11-22", "person": CASE}),
        ],
        "create_event" => vec![
            json!({"subject": "x", "start": "2026-11-27", "end": "2026-11-28"}),
            json!({"subject": "x", "start": "2026-11-27", "end": "2026-11-28", "about": READING}),
            json!({"subject": "x", "start": "2026-11-27", "end": "2026-11-28", "person": CASE}),
        ],
        "add_note" => vec![
            json!({"about": ACCOUNT, "title": "x", "text": "y"}),
            json!({"about": CASE, "title": "x", "text": "y"}),
            json!({"about": READING, "title": "x", "text": "y"}),
        ],
        "assign_owner" => vec![
            json!({"object": "Account", "id": ACCOUNT, "owner": "Carmen Delgado"}),
            json!({"object": "Account", "id": ACCOUNT, "owner": "Carmn Delgado"}),
            json!({"object": "Account", "id": ACCOUNT, "owner": "Suport Tier 1"}),
            json!({"object": "Account", "id": ACCOUNT, "owner": CASE}),
            json!({"object": "Account", "id": ACCOUNT, "owner": "me"}),
            json!({"object": "Account", "id": ACCOUNT, "owner": "Support Tier 1"}),
            json!({"object": "Account", "id": CASE, "owner": USER}),
            json!({"object": "Cas", "id": CASE, "owner": USER}),
        ],
        "set_campaign_member" => vec![
            json!({"campaign": CAMPAIGN, "person": CONTACT}),
            json!({"campaign": CAMPAIGN, "person": CASE}),
            json!({"campaign": READING, "person": CONTACT}),
            json!({"campaign": CAMPAIGN, "person": LEAD, "status": "Respnded"}),
        ],
        "add_case_comment" => vec![
            json!({"case": CASE, "comment": "x"}),
            json!({"case": ACCOUNT, "comment": "x"}),
            json!({"case": READING, "comment": "x"}),
        ],
        "upload_file" => vec![
            json!({"name": "x.txt", "text": "x", "record_id": ACCOUNT}),
            json!({"name": "x.txt", "text": "x", "record_id": CASE}),
            json!({"name": "x.txt", "text": "x", "record_id": READING}),
            json!({"name": "x.txt", "text": "x", "file_id": CASE}),
        ],
        "update_record" => vec![
            json!({"object": "Account", "id": ACCOUNT, "fields": {"Site": "x"}}),
            json!({"object": "Account", "id": ACCOUNT, "fields": {"AnualRevenue": 1}}),
            json!({"object": "Account", "id": ACCOUNT, "fields": {"Annual Revenu": 1}}),
            json!({"object": "Account", "id": CASE, "fields": {"Site": "x"}}),
            json!({"object": "Account", "id": READING, "fields": {"Site": "x"}}),
            json!({"object": "Account", "id": ACCOUNT, "fields": {"OwnerId": "Ben Carter"}}),
            json!({"object": "Account", "id": ACCOUNT, "fields": {"OwnerId": CASE}}),
            json!({"object": "Opportunity", "id": SALE, "fields": {"CampaignId": "Spring"}}),
            json!({"object": "Cas", "id": CASE, "fields": {"Subject": "x"}}),
        ],
        "create_record" => vec![
            json!({"object": "Contact", "fields": {"FirstName": "Ada"}}),
            json!({"object": "Contact", "fields": {"LastName": "Li", "Birthdat": "2000-01-01"}}),
            json!({"object": "Contact", "fields": {"LastName": "Li", "AccountId": CASE}}),
            json!({"object": "Account", "fields": {"Name": "x"}, "record_type": "none"}),
            json!({"object": "Inspection", "fields": {}}),
        ],
        "delete_record" => vec![
            json!({"object": "Account", "id": ACCOUNT}),
            json!({"object": "Account", "id": CASE}),
            json!({"object": "Account", "id": READING}),
            json!({"object": "Contact", "id": "Nobody at all"}),
        ],
        "delete_records" => vec![
            json!({"object": "Contact", "ids": [CONTACT, CASE]}),
            json!({"object": "Account", "ids": [ACCOUNT]}),
            json!({"object": "Account", "ids": [READING]}),
            json!({"object": "Cas", "ids": [CASE]}),
        ],
        "convert_lead" => vec![
            json!({"id": LEAD}),
            json!({"id": LEAD, "account": CASE}),
            json!({"id": LEAD, "account": "Nobody at all"}),
            json!({"id": LEAD, "account": ACCOUNT, "contact": READING}),
            json!({"id": LEAD, "account": "001DO0000zzzzzzAAA", "owner": USER}),
            json!({"id": LEAD, "status": "Closed - Convertd"}),
            json!({"id": CASE}),
            json!({"id": READING}),
        ],
        "merge_records" => vec![
            json!({"object": "Account", "keep": OTHER, "lose": [ACCOUNT]}),
            json!({"object": "Account", "keep": OTHER, "lose": [CASE]}),
            json!({"object": "Account", "keep": READING, "lose": [OTHER]}),
            json!({"object": "Account", "keep": OTHER, "lose": [ACCOUNT], "fields": {"AnualRevenue": 1}}),
            json!({"object": "Contact", "keep": CONTACT, "lose": [CASE], "fields": {"Birthdat": "2000-01-01"}}),
            json!({"object": "Opportunity", "keep": SALE, "lose": ["006DO0000000002YAA"]}),
            json!({"object": "Measurment", "keep": READING, "lose": [CASE]}),
        ],
        "send_email" => vec![
            json!({"to": ["li@mail.example"], "subject": "x", "body": "y"}),
            json!({"to": ["li@mail.example"], "subject": "x", "body": "y", "about": READING}),
            json!({"to": ["li@mail.example"], "subject": "x", "body": "y", "about": CASE}),
        ],
        _ => return None,
    })
}

/// The objects that a tool is about by its name and description, which hide nothing of it.
fn own_of(tool: &str) -> &'static [&'static str] {
    match tool {
        "create_task" | "complete_task" | "log_call" => &["Task"],
        "create_event" => &["Event"],
        "add_note" | "upload_file" => &["ContentVersion", "ContentDocument", "ContentDocumentLink"],
        "set_campaign_member" => &["CampaignMember", "Campaign", "Lead"],
        "add_case_comment" => &["CaseComment", "Case"],
        "convert_lead" => &["Lead"],
        _ => &[],
    }
}

/// Lists every tool with its effect and its calls.
fn table(desk: &Desk) -> Vec<(String, Effect, Vec<Value>)> {
    let connectors = desk.world.host.connectors();
    let tools = connectors.iter().flat_map(|connector| connector.tools());
    let rows = tools.map(|tool| {
        let name = tool.name.to_string();
        let calls = calls_of(&name).unwrap_or_else(|| panic!("`{name}` has no row in `calls_of`"));
        (name, tool.effect, calls)
    });
    rows.collect()
}

/// Everything that the caller gets to read of a reply.
fn read(reply: &Reply) -> String {
    match &reply.outcome {
        Outcome::Done(output) => {
            let data = output.structured.as_ref().map(Value::to_string);
            format!("{}\n{}", output.text, data.unwrap_or_default())
        }
        Outcome::Failed(failure) => said(failure),
        other => format!("{other:?}"),
    }
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .collect()
}

/// Gives the targets and bodies of the requests that a call sent, and whether any of them changes something.
fn sent(desk: &Desk, reply: &Reply) -> (String, bool) {
    let mut text = String::new();
    let mut changes = false;
    for record in desk.world.records(reply) {
        if let Event::Intended(intent) = record.event {
            changes |= intent.effect > Effect::Read;
            for path in paths(&intent) {
                text.push_str(&path);
                text.push('\n');
            }
        }
    }
    (text, changes)
}

/// Checks that a call ends in order and tells none of `hidden` that it did not ask about.
async fn check(desk: &Desk, tool: &str, arguments: &Value, hidden: &BTreeSet<String>) -> String {
    let reply = desk.call(tool, arguments.clone()).await;
    let end = ended(&reply);
    let ends = [
        "done",
        "failed not_permitted",
        "failed invalid_arguments",
        "failed not_found",
        "failed conflict",
    ];
    assert!(
        ends.contains(&end.as_str()),
        "{tool} {arguments}: {end} {:?}",
        reply.outcome
    );
    let asked = arguments.to_string();
    let (requests, _) = sent(desk, &reply);
    // A value of an opportunity's own picklist.
    let text = read(&reply).replace("Best Case", "");
    for (what, said) in [("tells", &text), ("asks for", &requests)] {
        let said = words(said);
        let told: Vec<&&str> = said
            .iter()
            .filter(|word| hidden.contains(**word) && !words(&asked).contains(**word))
            .filter(|word| !own_of(tool).contains(*word))
            .collect();
        assert!(
            told.is_empty(),
            "{tool} {arguments} {what} {told:?}: {text}"
        );
    }
    end
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_only_reads_changes_nothing_and_reads_all() {
    let desk = Desk::new(Mode::Allow).await;
    let table = table(&desk);
    // What is run and looked at stands first in lists of it from then on.
    for (tool, _, calls) in table.iter().filter(|(tool, ..)| tool.ends_with("_report")) {
        for arguments in calls {
            drop(desk.call(tool, arguments.clone()).await);
        }
    }
    let mut answers = Vec::new();
    for (tool, effect, calls) in &table {
        for arguments in calls.iter().filter(|_| *effect == Effect::Read) {
            answers.push(read(&desk.call(tool, arguments.clone()).await));
        }
    }
    desk.limit(json!({"read_only": true}));
    let mut answers = answers.into_iter();
    for (tool, effect, calls) in &table {
        for arguments in calls {
            let reply = desk.call(tool, arguments.clone()).await;
            match effect {
                Effect::Read => {
                    // How many requests the org has counted differs.
                    let plain = |text: &str| text.split("API requests").next().map(str::to_owned);
                    let before = answers.next().unwrap();
                    assert_eq!(plain(&read(&reply)), plain(&before), "{tool} {arguments}");
                }
                _ => {
                    let end = ended(&reply);
                    assert!(
                        [
                            "failed not_permitted",
                            "refused read_only",
                            "failed invalid_arguments"
                        ]
                        .contains(&end.as_str())
                            || end.starts_with("refused"),
                        "{tool} {arguments}: {end}"
                    );
                    assert!(!sent(&desk, &reply).1, "{tool} {arguments}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_limited_to_three_objects_is_told_of_no_other() {
    let desk = Desk::new(Mode::Allow).await;
    let everything = desk
        .data("list_objects", json!({"technical": true, "limit": 1000}))
        .await;
    let mut hidden: BTreeSet<String> = first_cells(&everything["rows"]);
    for kind in ALLOWED {
        hidden.remove(kind);
        // The words of its own fields are not hidden, even where one is an object's name too.
        let described = desk
            .data("describe_object", json!({"object": kind, "limit": 1000}))
            .await;
        for field in described["parts"]["fields"]["rows"].as_array().unwrap() {
            for word in words(&format!("{} {}", field[0], field[1])) {
                hidden.remove(word);
            }
        }
    }
    for name in ["Case", "User", "Measurement__c", "Inspection__c"] {
        assert!(hidden.contains(name), "{name}");
    }
    let table = table(&desk);
    desk.limit(json!({ "read": ALLOWED }));
    let mut done = BTreeSet::new();
    for (tool, _, calls) in &table {
        for arguments in calls {
            let end = check(&desk, tool, arguments, &hidden).await;
            if end == "done" {
                done.insert(tool.clone());
            }
        }
    }
    // It is no test where nothing works: reads and an update do.
    for tool in [
        "list_objects",
        "describe_object",
        "query",
        "get_record",
        "update_record",
    ] {
        assert!(done.contains(tool), "{tool}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_with_field_level_security_is_told_of_no_hidden_field() {
    let all = Desk::new(Mode::Allow).await;
    // Sales: some fields are hidden, and whole objects.
    let desk = Desk::of("aiko", Mode::Allow).await;
    let mut hidden = objects(&all).await;
    for object in objects(&desk).await {
        hidden.remove(&object);
    }
    for object in ALLOWED {
        let own = fields(&desk, object).await;
        hidden.extend(
            fields(&all, object)
                .await
                .into_iter()
                .filter(|field| !own.contains(field)),
        );
    }
    for name in [
        "AnnualRevenue",
        "Birthdate",
        "Measurement__c",
        "Inspection__c",
    ] {
        assert!(hidden.contains(name), "{name}: {hidden:?}");
    }
    for (tool, _, calls) in &table(&desk) {
        for arguments in calls {
            check(&desk, tool, arguments, &hidden).await;
        }
    }
}

async fn objects(desk: &Desk) -> BTreeSet<String> {
    let listed = desk
        .data("list_objects", json!({"technical": true, "limit": 1000}))
        .await;
    first_cells(&listed["rows"])
}

async fn fields(desk: &Desk, object: &str) -> BTreeSet<String> {
    let described = desk
        .data("describe_object", json!({"object": object, "limit": 1000}))
        .await;
    first_cells(&described["parts"]["fields"]["rows"])
}

fn first_cells(rows: &Value) -> BTreeSet<String> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row[0].as_str().unwrap().to_owned())
        .collect()
}
