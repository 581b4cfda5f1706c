//! What is served of an agent's tools, and what a client's settings are.

use serde_json::{Value, json};

use super::local::Local;
use super::{count, site};
use crate::program::run;

#[tokio::test(flavor = "multi_thread")]
async fn only_what_reads() {
    let local = Local::new(&["--read-only"]).await;
    local
        .home
        .must(&["allow", "helper", "update_record", "always"]);
    let ada = local.client("ada").await;
    let listed = ada.ask("tools/list", json!({})).await.message();
    for tool in listed["result"]["tools"].as_array().unwrap() {
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
    }
    assert_eq!(
        ada.call("query", count()).await["content"][0]["text"],
        "count: 60"
    );
    let before = local.org.requests();
    // It is not there, whoever asks for it by its name.
    let refused = ada
        .ask(
            "tools/call",
            json!({"name": "update_record", "arguments": site("Munich")}),
        )
        .await
        .message();
    assert_eq!(refused["error"]["code"], Value::from(-32602), "{refused}");
    assert_eq!(local.org.requests(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_some_toolsets() {
    let tools = serde_json::from_str::<Value>(&run(&["tools", "--json"]).stdout).unwrap();
    let tools = tools.as_array().unwrap();
    let toolset = |name: &str| {
        tools.iter().find(|tool| tool["name"] == name).unwrap()["toolset"]
            .as_str()
            .unwrap()
    };
    let wanted = toolset("query");
    let expected: Vec<&str> = tools
        .iter()
        .filter(|tool| tool["toolset"] == wanted)
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert!(!expected.is_empty() && expected.len() < tools.len());
    let local = Local::new(&["--toolsets", wanted]).await;
    let ada = local.client("ada").await;
    let listed = ada.ask("tools/list", json!({})).await.message();
    let names: Vec<&str> = listed["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, expected);
    let other = tools.iter().find(|tool| tool["toolset"] != wanted).unwrap();
    let refused = ada
        .ask(
            "tools/call",
            json!({"name": other["name"], "arguments": {}}),
        )
        .await
        .message();
    assert_eq!(refused["error"]["code"], Value::from(-32602), "{refused}");
}

#[test]
fn settings_are_printed_for_each_client() {
    for client in ["claude", "cursor", "vscode", "codex", "gemini"] {
        let said = run(&[
            "serve",
            "--print-config",
            client,
            "--agent",
            "helper",
            "--read-only",
        ]);
        assert_eq!(said.code, 0, "{}", said.stderr);
        assert!(
            said.stdout.contains("--stdio") && said.stdout.contains("--read-only"),
            "{}",
            said.stdout
        );
        assert!(!said.stdout.contains("print-config"), "{}", said.stdout);
        assert!(said.stderr.contains("this goes into"), "{}", said.stderr);
        let listen = [
            "serve",
            "--print-config",
            client,
            "--listen",
            "127.0.0.1:8080",
            "--agent",
            "helper",
        ];
        let said = run(&listen);
        assert!(
            said.stdout.contains("http://127.0.0.1:8080/mcp/helper"),
            "{}",
            said.stdout
        );
        let public = [&listen[..], &["--public-url", "https://host.example"]].concat();
        let said = run(&public);
        assert!(
            said.stdout.contains("https://host.example/mcp/helper"),
            "{}",
            said.stdout
        );
    }
    assert_eq!(run(&["serve", "--print-config", "nobody"]).code, 2);
}
