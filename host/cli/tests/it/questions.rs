//! `portcullis call` and `portcullis tools`.

use serde_json::Value;

use crate::program::{TOOLS, only_reads, run};

fn json(arguments: &[&str]) -> (i32, Value) {
    let said = run(arguments);
    (
        said.code,
        serde_json::from_str(&said.stdout).unwrap_or(Value::Null),
    )
}

#[test]
fn an_answer_is_text_for_people_and_an_object_for_programs() {
    let soql = r#"{"soql": "SELECT COUNT() FROM Account"}"#;
    let said = run(&["call", "query", "--dev-org", "--json", soql]);
    assert_eq!(
        (said.code, said.stdout.trim(), said.stderr.as_str()),
        (0, "count: 60", "")
    );

    let (code, answer) = json(&[
        "call",
        "query",
        "--dev-org",
        "--json",
        soql,
        "--output",
        "json",
        "--audit",
    ]);
    assert_eq!(code, 0);
    assert_eq!(answer["outcome"], "done");
    assert_eq!(answer["structured"]["total_size"], 60);
    let events: Vec<&str> = answer["audit"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        events,
        ["opened", "step", "intended", "answered", "cited", "closed"]
    );
}

#[test]
fn the_sandbox_knows_who_is_signed_in() {
    let (code, answer) = json(&["call", "get_identity", "--dev-org", "--output", "json"]);
    assert_eq!(code, 0);
    assert_eq!(
        answer["structured"]["organization_name"],
        "Portcullis Dev Org"
    );
}

#[test]
fn the_tools_are_listed_with_their_schemas() {
    let (code, tools) = json(&["tools", "--json"]);
    assert_eq!(code, 0);
    let names: Vec<&str> = tools
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, TOOLS);
    for tool in tools.as_array().unwrap() {
        let effect = if only_reads(tool["name"].as_str().unwrap()) {
            "read"
        } else {
            "write"
        };
        assert_eq!(tool["effect"], effect);
        assert_eq!(tool["input_schema"]["type"], "object");
    }
    let said = run(&["tools"]);
    assert!(
        said.stdout.contains("describe_object (salesforce, read)"),
        "{}",
        said.stdout
    );
}
