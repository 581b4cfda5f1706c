//! What a service refuses inside of an answer whose status says success, as whoever looks at the log reads it.

use serde_json::{Value, json};

use crate::approvals::{Desk, blocking};

/// Calls a tool and gives the call as the log has it.
fn logged(desk: &Desk, tool: &str, arguments: &Value) -> (Value, String) {
    let arguments = arguments.to_string();
    let call = [
        "call",
        tool,
        "--json",
        &arguments,
        "--output",
        "json",
        "--allow-origin",
        &desk.address,
    ];
    let _ = desk.home.run(&call);
    let calls = desk.home.json(&["activity", "--tool", tool]);
    let last = calls.as_array().unwrap().last().unwrap();
    let id = last["id"].as_str().unwrap();
    let mut shown = desk.home.json(&["activity", "show", id]);
    shown["changes_counted"] = last["changes"].clone();
    (shown, desk.home.must(&["activity", "show", id]))
}

fn became(call: &Value) -> Vec<&Value> {
    let steps = call["steps"].as_array().unwrap().iter();
    let changes = steps.flat_map(|step| step["changes"].as_array().unwrap());
    changes.map(|change| &change["became"]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_answer_refuses_reads_as_refused() {
    let desk = Desk::new().await;
    let at = desk.clone();
    blocking(move || {
        at.home
            .must(&["allow", "helper", "update_records", "always"]);
        let amounts = |first: i64, second: i64| {
            let record = |id: &str, amount: i64| json!({"Id": id, "Amount": amount});
            let records = [
                record("006DO0000000001YAA", first),
                record("006DO0000000002YAA", second),
            ];
            json!({"object": "Opportunity", "records": records})
        };
        let (call, text) = logged(&at, "update_records", &amounts(-1, 10));
        assert_eq!(became(&call), [&json!("refused"), &json!("made")], "{text}");
        assert_eq!(call["changes_counted"], 1);
        assert_eq!(text.matches("  changed ").count(), 1, "{text}");
        assert!(
            text.contains("200, and the answer refuses 1 of 2 changes"),
            "{text}"
        );
        let (call, text) = logged(&at, "update_records", &amounts(-1, -2));
        assert_eq!(
            became(&call),
            [&json!("refused"), &json!("refused")],
            "{text}"
        );
        assert_eq!(call["changes_counted"], 0);
        assert!(!text.contains("  changed "), "{text}");
        assert!(
            text.contains("200, and the answer refuses the change"),
            "{text}"
        );
        let export = [
            "audit",
            "export",
            "--tool",
            "update_records",
            "--format",
            "ocsf",
        ];
        let events = at.home.must(&export);
        let access: Vec<Value> = events
            .lines()
            .flat_map(|line| {
                let event: Value = serde_json::from_str(line).unwrap();
                let resources = event["resources"].as_array().unwrap().clone();
                resources
                    .into_iter()
                    .filter(|one| one["data"]["asked"] == "update")
            })
            .map(|one| one["data"]["access"].clone())
            .collect();
        assert_eq!(access, ["none", "update", "none", "none"]);
    })
    .await;
    drop(desk);
}
