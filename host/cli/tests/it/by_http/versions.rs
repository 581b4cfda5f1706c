//! Every version of the protocol, at each of its addresses.

use serde_json::json;

use super::client::{Client, STATELESS, WITH_SESSIONS};
use super::{HOST, connect, count};
use crate::program::TOOLS;
use crate::public::Place;

#[tokio::test(flavor = "multi_thread")]
async fn tools_are_listed_and_called_in_each() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let token = place.token("ada").await;
    for version in WITH_SESSIONS.into_iter().chain([STATELESS]) {
        let client = Client::new(place.server.address, HOST, &token).of_version(version);
        if version != STATELESS {
            let answer = client.initialize().await.message();
            assert_eq!(answer["result"]["protocolVersion"], version);
            assert_eq!(answer["result"]["serverInfo"]["name"], "portcullis");
        }
        let client = client.begun().await;
        for path in ["/mcp", "/mcp/helper"] {
            let mut client = client.clone();
            client.path = path.to_owned();
            let listed = client.ask("tools/list", json!({})).await.message();
            let tools = listed["result"]["tools"].as_array().unwrap();
            let names: Vec<&str> = tools
                .iter()
                .map(|tool| tool["name"].as_str().unwrap())
                .collect();
            assert_eq!(
                names,
                [&TOOLS[..], &["check_approval"]].concat(),
                "{version}"
            );
            if version == STATELESS {
                // No proxy hands one person's tools to another.
                assert_eq!(listed["result"]["cacheScope"], "private");
            }
            let answer = client.call("query", count()).await;
            assert_eq!(answer["content"][0]["text"], "count: 60", "{version}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_nobody_knows_is_answered_by_one_that_is_known() {
    let place = Place::new().await;
    let token = place.token("ada").await;
    let client = Client::new(place.server.address, HOST, &token).of_version("2023-01-01");
    let answer = client.initialize().await.message();
    let version = answer["result"]["protocolVersion"].as_str().unwrap();
    assert!(WITH_SESSIONS.contains(&version), "{version}");
    let mut client = client.of_version("2025-06-18").begun().await;
    client.version = "2023-01-01";
    let answer = client.ask("tools/list", json!({})).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_name_the_only_agent_is_meant() {
    let place = Place::new().await;
    let token = place.token("ada").await;
    let mut client = Client::new(place.server.address, HOST, &token);
    client.path = "/mcp".to_owned();
    assert_eq!(client.initialize().await.status, 200);
    place.home.must(&["agent", "add", "other"]);
    let answer = client.initialize().await;
    assert_eq!(answer.status, 404);
    assert!(answer.text.contains("/mcp/AGENT"), "{}", answer.text);
    client.path = "/mcp/nobody".to_owned();
    let answer = client.initialize().await;
    assert_eq!(answer.status, 404);
    assert!(answer.text.contains("no agent `nobody`"), "{}", answer.text);
    client.path = "/mcp/other".to_owned();
    let client = client.begun().await;
    // It was given nothing.
    let listed = client.ask("tools/list", json!({})).await.message();
    assert_eq!(listed["result"]["tools"], json!([]));
}
