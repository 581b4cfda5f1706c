//! Agents and accounts that may do less: every tool behaves, and none tells the name of what is hidden.
//!
//! The table has a row for each tool that the connector offers; a tool without one fails the tests.

use std::collections::BTreeSet;

use portcullis::policy::{Effect, Method, Mode};
use portcullis::ports::audit::Event;
use portcullis::{Outcome, Reply};
use serde_json::{Value, json};

use crate::support::ended;
use crate::writes::desk::{ACCOUNT, Desk, SALE, said};

const ALLOWED: [&str; 3] = ["Account", "Contact", "Opportunity"];
const CONTACT: &str = "003DO0000000001YAA";
const CASE: &str = "500DO0000000001YAA";
const USER: &str = "005DO0000000001YAA";
const READING: &str = "a00DO0000000001YAA";

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
    Some(match tool {
        "get_identity" => vec![json!({})],
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
        _ => return None,
    })
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
            changes |= intent.method != Method::Get;
            text.push_str(intent.path.expose());
            text.push('\n');
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
        for field in described["parts"][0]["rows"].as_array().unwrap() {
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
    first_cells(&described["parts"][0]["rows"])
}

fn first_cells(rows: &Value) -> BTreeSet<String> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row[0].as_str().unwrap().to_owned())
        .collect()
}
