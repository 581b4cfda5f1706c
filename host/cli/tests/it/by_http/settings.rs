//! What is served of an agent's tools, and what a client's settings are.

use serde_json::{Value, json};

use super::local::Local;
use super::{count, site};
use crate::program::{Home, run};

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

#[test]
fn a_server_without_a_way_says_which_there_are() {
    let home = Home::new();
    for (asked, words) in [
        (
            &["serve"][..],
            &["`--stdio`", "`--listen ADDRESS:PORT`"][..],
        ),
        (
            &["serve", "--agent", "helper", "--read-only"],
            &["`--stdio`", "`--listen ADDRESS:PORT`"],
        ),
        (
            &["serve", "--stdio", "--listen", "127.0.0.1:0"],
            &["`--stdio`", "`--listen`", "not both"],
        ),
        // Its reason, and what to do instead.
        (
            &["serve", "--listen", "127.0.0.1:0", "--dev-org"],
            &["no people", "`--stdio`", "`portcullis connect`"],
        ),
        (
            &[
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--dev-org",
                "--print-config",
                "claude",
            ],
            &["no people"],
        ),
    ] {
        let said = home.run(asked);
        assert_eq!(said.code, 2, "{asked:?}: {}", said.stderr);
        for word in words {
            assert!(
                said.stderr.contains(word),
                "{asked:?} {word}: {}",
                said.stderr
            );
        }
    }
}

#[test]
fn settings_name_the_store_that_a_variable_names() {
    let home = Home::new();
    let printed = |more: &[&str], variables: &[(&str, &str)]| {
        let mut command = home.command(
            "ada",
            &[&["serve", "--print-config", "claude"], more].concat(),
        );
        command.envs(variables.iter().copied());
        let said = command.output().unwrap();
        assert!(said.status.success(), "{said:?}");
        let settings: Value = serde_json::from_slice(&said.stdout).unwrap();
        let args = settings["mcpServers"]["portcullis"]["args"].clone();
        serde_json::from_value::<Vec<String>>(args).unwrap()
    };
    let data = home.data().display().to_string();
    assert_eq!(printed(&[], &[]), ["serve", "--stdio", "--data-dir", &data]);
    // One that is relative is where it is now.
    let relative = printed(&[], &[("PORTCULLIS_DATA_DIR", "here")]);
    let here = std::path::Path::new(relative.last().unwrap());
    assert!(here.is_absolute() && here.ends_with("here"), "{relative:?}");
    let url = "sqlite:///srv/portcullis.db";
    assert_eq!(
        printed(&[], &[("PORTCULLIS_STORE", url)]),
        ["serve", "--stdio", "--store", url]
    );
    // What is said stays as it is said, and an org without a store has none.
    assert_eq!(
        printed(&["--data-dir", "/srv/x"], &[]),
        ["serve", "--data-dir", "/srv/x", "--stdio"]
    );
    assert_eq!(
        printed(&["--dev-org"], &[]),
        ["serve", "--dev-org", "--stdio"]
    );
}
