//! `portcullis serve --stdio`, asked by a client that others wrote.

use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::service::{Peer, RoleClient, RunningService};
use rmcp::transport::TokioChildProcess;
use serde_json::{Value, json};

use crate::program::{PROGRAM, TOOLS, cache, only_reads};

async fn client() -> RunningService<RoleClient, ()> {
    let mut command = tokio::process::Command::new(PROGRAM);
    command
        .args(["serve", "--stdio", "--dev-org"])
        .env("XDG_CACHE_HOME", cache());
    ().serve(TokioChildProcess::new(command).unwrap())
        .await
        .unwrap()
}

async fn call(client: &Peer<RoleClient>, tool: &'static str, arguments: Value) -> Value {
    let mut request = CallToolRequestParams::new(tool);
    request.arguments = arguments.as_object().cloned();
    let result = client.call_tool(request).await.unwrap();
    serde_json::to_value(result).unwrap()
}

#[tokio::test]
async fn a_client_lists_the_tools_and_calls_them() {
    let client = client().await;
    let server = serde_json::to_value(client.peer_info()).unwrap();
    assert_eq!(server["serverInfo"]["name"], "portcullis");

    let tools = client.list_all_tools().await.unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    assert_eq!(names, TOOLS);
    for tool in &tools {
        let tool = serde_json::to_value(tool).unwrap();
        let name = tool["name"].as_str().unwrap();
        let writes = !only_reads(name);
        assert_eq!(tool["annotations"]["readOnlyHint"], !writes);
        assert_eq!(tool["annotations"]["destructiveHint"], false);
        // A second record is one too many.
        let makes = ["create_", "log_", "add_", "upload_"];
        let makes_more = makes.iter().any(|start| name.starts_with(start));
        assert_eq!(tool["annotations"]["idempotentHint"], !makes_more);
        assert_eq!(tool["annotations"]["openWorldHint"], true);
        assert_eq!(tool["inputSchema"]["type"], "object");
        // Where a person is asked, the agent may say why; that is for the person, and no argument of the tool.
        let reason = &tool["inputSchema"]["properties"]["approval_reason"];
        assert_eq!(reason.is_object(), writes);
    }
    let change = json!({
        "object": "Account", "id": "001DO0000000002YAA", "fields": {"Site": "Munich"},
        "approval_reason": "the customer has moved",
    });
    let answer = call(&client, "update_record", change).await;
    assert_eq!(answer["isError"], true);
    let words = answer["content"][0]["text"].as_str().unwrap();
    assert!(
        words.starts_with("A person must approve this first") && words.contains("Update Account"),
        "{words}"
    );

    let soql = "SELECT COUNT() FROM Contact";
    let answer = call(&client, "query", json!({"soql": soql, "batch_size": null})).await;
    assert_eq!(answer["content"][0]["text"], "count: 200");
    assert_eq!(answer["structuredContent"]["total_size"], 200);

    let answer = call(
        &client,
        "query",
        json!({"soql": "SELECT Nmae FROM Account LIMIT 1"}),
    )
    .await;
    assert_eq!(answer["isError"], true);
    assert_eq!(
        answer["_meta"]["portcullis/problem"]["code"],
        "invalid_arguments"
    );
    let words = answer["content"][0]["text"].as_str().unwrap();
    assert!(words.contains("`Name`"), "{words}");
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn what_is_no_tool_is_an_error_that_names_those_that_are() {
    let client = client().await;
    let error = client
        .call_tool(CallToolRequestParams::new("drop_everything"))
        .await
        .unwrap_err();
    let words = error.to_string();
    assert!(
        words.contains("drop_everything") && words.contains("get_record"),
        "{words}"
    );
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn a_hundred_calls_at_once_are_all_answered() {
    let client = client().await;
    let mut calls = tokio::task::JoinSet::new();
    for limit in 1..=100 {
        let peer = client.peer().clone();
        calls.spawn(async move {
            let soql = format!("SELECT Name FROM Contact ORDER BY Name LIMIT {limit}");
            let answer = call(&peer, "query", json!({"soql": soql})).await;
            (
                limit,
                answer["structuredContent"]["rows"].as_array().map(Vec::len),
            )
        });
    }
    for (limit, rows) in calls.join_all().await {
        assert_eq!(rows, Some(limit));
    }
    client.cancel().await.unwrap();
}
