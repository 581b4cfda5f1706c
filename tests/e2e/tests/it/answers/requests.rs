//! How many HTTP requests a call costs: the table in `README.md` is made here.

use std::collections::BTreeSet;

use portcullis::policy::{Effect, Mode};
use serde_json::{Value, json};

use crate::support::ended;
use crate::support::root;
use crate::writes::desk::{ACCOUNT, Desk, SALE, update};

/// A call of a read needs one once the org's descriptions are known; what needs more, and why.
const READS_OF_MORE: [(&str, usize, &str); 2] = [
    (
        "get_identity",
        2,
        "the user and the organization are asked for apart",
    ),
    ("read_file", 2, "what the file is, and what is in it"),
];

/// A call of a change reads the record before and after.
const CHANGE_MAX: usize = 3;

/// Says with which arguments each tool is called, for the first time and for the second.
async fn examples(desk: &Desk) -> Vec<(&'static str, [Value; 2])> {
    let id = async |soql: &str| desk.rows(soql).await[0]["Id"].clone();
    let report = id("SELECT Id FROM Report WHERE Name = 'Open Pipeline by Stage'").await;
    let file = id("SELECT Id FROM ContentDocument WHERE Title = 'Account plan'").await;
    let tasks = desk.rows("SELECT Id FROM Task LIMIT 2").await;
    let twice = |arguments: Value| [arguments.clone(), arguments];
    let account = |site: &str| update("Account", ACCOUNT, json!({ "Site": site }));
    let lead =
        |name: &str| json!({ "object": "Lead", "fields": { "LastName": name, "Company": "Acme" } });
    let task = |at: usize| json!({ "object": "Task", "id": tasks[at]["Id"] });
    let upload = |name: &str| json!({ "name": name, "text": "x", "record_id": ACCOUNT });
    vec![
        ("get_identity", twice(json!({}))),
        ("list_objects", twice(json!({ "text": "account" }))),
        ("describe_object", twice(json!({ "object": "Account" }))),
        (
            "query",
            twice(json!({ "soql": "SELECT Id, Name, Owner.Name FROM Account LIMIT 5" })),
        ),
        ("query_next", twice(json!({ "cursor": "" }))),
        (
            "get_record",
            twice(json!({ "object": "Opportunity", "id": SALE })),
        ),
        ("get_account_overview", twice(json!({ "account": ACCOUNT }))),
        ("get_pipeline", twice(json!({}))),
        ("list_reports", twice(json!({}))),
        ("describe_report", twice(json!({ "id": report }))),
        ("run_report", twice(json!({ "id": report }))),
        ("list_files", twice(json!({ "record_id": ACCOUNT }))),
        ("read_file", twice(json!({ "id": file }))),
        ("update_record", [account("one"), account("two")]),
        ("create_record", [lead("One"), lead("Two")]),
        ("upload_file", [upload("One.txt"), upload("Two.txt")]),
        ("delete_record", [task(0), task(1)]),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_costs_few_requests() {
    let desk = Desk::new(Mode::Allow).await;
    let tools: Vec<(String, Effect)> = desk
        .world
        .host
        .connectors()
        .iter()
        .flat_map(|connector| connector.tools())
        .map(|tool| (tool.name.to_string(), tool.effect))
        .collect();
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
            let mut arguments = arguments.clone();
            if tool == "query_next" {
                let first = json!({ "soql": "SELECT Id FROM Measurement__c", "batch_size": 200 });
                let first = desk.call("query", first).await;
                arguments["cursor"] = match &first.outcome {
                    portcullis::Outcome::Done(output) => {
                        output.structured.clone().unwrap()["cursor"].clone()
                    }
                    other => panic!("{other:?}"),
                };
            }
            let reply = desk.call(tool, arguments).await;
            assert_eq!(ended(&reply), "done", "{tool}: {:?}", reply.outcome);
            counts.push(desk.requests(&reply).len());
        }
        rows.push((tool.clone(), *effect, counts[0], counts[1]));
    }
    for (tool, effect, _, warm) in &rows {
        let more = READS_OF_MORE.iter().find(|(known, ..)| known == tool);
        let max = match effect {
            Effect::Read => more.map_or(1, |(_, most, _)| *most),
            Effect::Write | Effect::Destructive => CHANGE_MAX,
        };
        // A description that is remembered is asked about, once a call.
        assert!(
            *warm <= max + 1,
            "{tool} takes {warm} requests, and may take {max}"
        );
    }
    hold(&rows);
}

/// Holds the table of `README.md` to what was counted; `INSTA_UPDATE=always` writes it there, as it does snapshots.
fn hold(rows: &[(String, Effect, usize, usize)]) {
    const BEGIN: &str = "<!-- requests: made by a test -->\n";
    const END: &str = "<!-- end of requests -->";
    let mut table =
        "| tool | first call | further calls | |\n| --- | --- | --- | --- |\n".to_owned();
    for (tool, _, cold, warm) in rows {
        let why = READS_OF_MORE
            .iter()
            .find(|(known, ..)| known == tool)
            .map_or("", |(.., why)| why);
        table.push_str(&format!("| `{tool}` | {cold} | {warm} | {why} |\n"));
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
