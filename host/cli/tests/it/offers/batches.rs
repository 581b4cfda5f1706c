//! A batch whose requests take their time: what is told meanwhile, and what is given up.

use serde_json::{Value, json};

use super::Client;
use super::fixture::place;

fn call(id: &str, tool: &str) -> Value {
    let params = json!({"name": tool, "arguments": {}, "_meta": {"progressToken": id}});
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
}

fn ping(id: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "ping"})
}

#[test]
fn a_batch_waits_for_all_but_what_is_given_up() {
    let home = place();
    let mut client = Client::begin(&home, "ada", "2025-03-26", &[]);
    let endless = || call("endless", "until_cancelled");
    client.send(&json!([
        endless(),
        call("short", "static_text"),
        endless(),
        ping("p")
    ]));
    // What is under way is told of by the way, and by itself.
    for _ in 0..2 {
        let told = client.hears("notifications/progress");
        assert_eq!(told["params"]["progressToken"], "endless");
    }
    // Others are answered meanwhile; an id of the batch is taken, also where its answer is there already.
    client.result("ping", json!({}));
    for id in ["endless", "p"] {
        client.send(&ping(id));
        let refused = loop {
            let message = client.next();
            if message.get("method").is_none() {
                break message;
            }
        };
        assert_eq!(refused["error"]["code"], -32600, "{refused}");
        assert_eq!(refused.get("id"), Some(&Value::Null), "{refused}");
    }
    client.send(&json!([
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "endless"}},
    ]));
    let answers = loop {
        let message = client.next();
        if message.is_array() {
            break message;
        }
        assert!(message.get("method").is_some(), "{message}");
    };
    let mut ids: Vec<&str> = answers
        .as_array()
        .unwrap()
        .iter()
        .map(|answer| answer["id"].as_str().unwrap_or("none"))
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, ["none", "p", "short"], "{answers}");
    // They are free again.
    client.send(&json!([ping("p"), call("short", "static_text")]));
    let answers = loop {
        let message = client.next();
        if message.is_array() {
            break message;
        }
    };
    assert_eq!(answers.as_array().unwrap().len(), 2, "{answers}");
    assert!(
        answers
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["result"].is_object())
    );
    client.end();
}
