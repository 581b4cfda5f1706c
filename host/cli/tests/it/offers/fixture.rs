//! The connector `contents`, which has something of everything, in a client that takes all of it.

use serde_json::{Value, json};

use super::Client;
use crate::connector::example;
use crate::program::Home;

const VERSION: &str = "2025-11-25";

/// A store whose agent has the connector.
pub(super) fn place() -> Home {
    let home = Home::new();
    home.write("contents.wasm", &example("portcullis-sdk", "contents"));
    for arguments in [
        &["connector", "install", "contents.wasm"][..],
        &["connector", "accept", "test", "--yes"],
        &["agent", "add", "helper"],
        &["agent", "give", "helper", "test"],
    ] {
        home.must(arguments);
    }
    home
}

fn files(result: &Value) -> Vec<&Value> {
    let content = result["content"].as_array().unwrap();
    let is_file = |part: &&Value| part["type"] != "text";
    content.iter().filter(is_file).collect()
}

#[test]
fn what_is_read_is_what_the_tool_answers() {
    let home = place();
    let mut client = Client::begin(&home, "ada", VERSION, &[]);
    let fixed = client.names("resources/list", "resources");
    assert_eq!(fixed, ["static-text", "static-binary"]);
    let templates = client.names("resources/templates/list", "resourceTemplates");
    assert_eq!(templates, ["data", "file"]);

    let read = client.result("resources/read", json!({"uri": "test://static-text"}));
    let text = "This is the content of the static text resource.";
    assert_eq!(
        read["contents"],
        json!([{"uri": "test://static-text", "mimeType": "text/plain", "text": text}])
    );
    let read = client.result("resources/read", json!({"uri": "test://static-binary"}));
    assert_eq!(read["contents"][0]["mimeType"], "image/png");
    assert!(
        read["contents"][0]["blob"]
            .as_str()
            .unwrap()
            .starts_with("iVBOR")
    );
    let uri = "test://template/a%20b/data";
    let read = client.result("resources/read", json!({ "uri": uri }));
    let data: Value = serde_json::from_str(read["contents"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(data["id"], "a b");
    assert_eq!(read["contents"][0]["mimeType"], "application/json");

    // What does not fit is an error that says why, and what is not there is said to be missing.
    let error = client.error("resources/read", json!({"uri": "test://files/many"}));
    assert_eq!(error["code"], -32602);
    assert!(
        error["message"].as_str().unwrap().contains("no number"),
        "{error}"
    );
    assert!(error["data"]["call"].is_string(), "{error}");
    for uri in [
        "test://nothing",
        "test://static-text?x=1",
        "other://static-text",
        "",
    ] {
        let error = client.error("resources/read", json!({ "uri": uri }));
        assert_eq!(
            (&error["code"], &error["data"]["uri"]),
            (&json!(-32002), &json!(uri))
        );
    }
}

#[test]
fn a_file_is_in_the_answer_or_behind_a_link() {
    let home = place();
    let mut client = Client::begin(&home, "ada", VERSION, &[]);
    let small = client.call("file_of", json!({"kilobytes": "2"}));
    assert_eq!(files(&small)[0]["resource"]["uri"], "test://files/2");
    let large = client.call("file_of", json!({"kilobytes": "300"}));
    let link = files(&large)[0];
    assert_eq!(link["type"], "resource_link");
    assert_eq!(
        (&link["name"], &link["size"]),
        (&json!("file.bin"), &json!(300 << 10))
    );
    let read = client.result("resources/read", json!({"uri": link["uri"]}));
    let blob = read["contents"][0]["blob"].as_str().unwrap();
    assert_eq!(blob.len(), (300_usize << 10).div_ceil(3) * 4);
    // A client of a revision without links gets the file.
    let mut client = Client::begin(&home, "ada", "2025-03-26", &[]);
    let large = client.call("file_of", json!({"kilobytes": "300"}));
    assert_eq!(files(&large)[0]["type"], "resource");
}

#[test]
fn a_prompt_has_what_the_person_says() {
    let home = place();
    let mut client = Client::begin(&home, "ada", VERSION, &[]);
    let prompts = client.names("prompts/list", "prompts");
    assert_eq!(
        prompts,
        ["test_simple_prompt", "test_prompt_with_arguments"]
    );
    let name = "test_prompt_with_arguments";
    let said = json!({"name": name, "arguments": {"arg1": "{arg2}", "arg2": "b"}});
    let prompt = client.result("prompts/get", said);
    assert_eq!(prompt["messages"][0]["role"], "user");
    assert_eq!(
        prompt["messages"][0]["content"]["text"],
        "Prompt with arguments: arg1='{arg2}', arg2='b'"
    );
    for (asked, words) in [
        (json!({"name": name}), "`arg1` is missing: First"),
        (
            json!({"name": name, "arguments": {"arg1": "a", "arg2": 1}}),
            "`arg2` is no text",
        ),
        (
            json!({"name": name, "arguments": {"arg1": "a", "arg2": "b", "x": "c"}}),
            "no argument `x`",
        ),
        (json!({"name": "nothing"}), "there is no prompt `nothing`"),
    ] {
        let error = client.error("prompts/get", asked);
        assert_eq!(error["code"], -32602);
        assert!(
            error["message"].as_str().unwrap().contains(words),
            "{error}"
        );
    }
}

#[test]
fn what_completes_is_bounded() {
    let home = place();
    let mut client = Client::begin(&home, "ada", VERSION, &[]);
    let asked = json!({
        "ref": {"type": "ref/prompt", "name": "test_prompt_with_arguments"},
        "argument": {"name": "arg1", "value": "pa"},
    });
    let completion = client.result("completion/complete", asked)["completion"].clone();
    let values = completion["values"].as_array().unwrap();
    assert_eq!(
        (values.len(), &values[7], &completion["hasMore"]),
        (100, &json!("pa7"), &json!(true))
    );
    let template = "test://template/{id}/data";
    assert_eq!(client.complete(template, ["id", "x"], json!({}))[0], "x0");
    // What has nothing to complete it, and what is not there.
    assert!(
        client
            .complete("test://files/{kilobytes}", ["kilobytes", "1"], json!({}))
            .is_empty()
    );
    for (reference, name) in [
        (json!({"type": "ref/resource", "uri": template}), "other"),
        (
            json!({"type": "ref/resource", "uri": "test://nothing/{id}"}),
            "id",
        ),
        (json!({"type": "ref/prompt", "name": "nothing"}), "arg1"),
    ] {
        let asked = json!({"ref": reference, "argument": {"name": name, "value": ""}});
        assert_eq!(client.error("completion/complete", asked)["code"], -32602);
    }
}

#[test]
fn a_client_is_told_of_steps_once_it_asks_and_never_of_details() {
    let home = place();
    let mut client = Client::begin(&home, "ada", VERSION, &[]);
    client.call("test_tool_with_logging", json!({}));
    assert!(client.told.is_empty(), "{:?}", client.told);
    client.result("logging/setLevel", json!({"level": "warning"}));
    client.call("test_tool_with_logging", json!({}));
    assert!(client.told.is_empty(), "{:?}", client.told);
    client.result("logging/setLevel", json!({"level": "debug"}));
    client.call("test_tool_with_logging", json!({}));
    let told: Vec<Value> = client
        .told
        .drain(..)
        .map(|told| told["params"].clone())
        .collect();
    let step = |title: &str| json!({"level": "info", "logger": "test", "data": title});
    assert_eq!(
        told,
        [
            step("Tool execution started"),
            step("Tool processing data"),
            step("Tool execution completed")
        ]
    );
    // To an agent whose rows are limited nothing is said that is not held to them.
    home.must(&["scope", "helper", "--connector", "test", "--rows", "5"]);
    let answer = client.call("test_tool_with_logging", json!({}));
    assert_eq!(answer["content"][0]["text"], "It is done.", "{answer}");
    assert!(client.told.is_empty(), "{:?}", client.told);
}

#[test]
fn a_call_that_is_cancelled_says_how_far_it_is_until_it_ends() {
    let home = place();
    let mut client = Client::begin(&home, "ada", VERSION, &[]);
    let asked =
        json!({"name": "until_cancelled", "arguments": {}, "_meta": {"progressToken": "p"}});
    let id = client.request("tools/call", asked);
    for done in 1..4 {
        let told = client.hears("notifications/progress");
        assert_eq!(told["params"]["progressToken"], "p");
        assert!(told["params"]["progress"].as_f64().unwrap() >= f64::from(done));
    }
    let given_up = json!({"requestId": id, "reason": "no patience"});
    client
        .send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": given_up}));
    // The connector has seen it, and has ended by itself.
    let ended = loop {
        let call = home.json(&["activity"])[0].clone();
        if call["outcome"] != "running" {
            break call;
        }
    };
    assert_eq!(
        (&ended["outcome"], &ended["code"]),
        (&json!("failed"), &json!("unavailable"))
    );
    assert_eq!(
        client.call("static_text", json!({}))["content"][0]["type"],
        "text"
    );
}

#[test]
fn a_client_is_told_which_lists_are_others() {
    let home = place();
    let mut client = Client::begin(&home, "ada", VERSION, &[]);
    let lists =
        ["tools", "resources", "prompts"].map(|list| format!("notifications/{list}/list_changed"));
    client.names("resources/list", "resources");
    home.must(&["allow", "helper", "static_text", "off"]);
    for list in &lists[..2] {
        client.hears(list);
    }
    let names = client.names("resources/list", "resources");
    assert_eq!(names, ["static-binary"]);
    home.must(&["agent", "take", "helper", "test"]);
    for list in &lists {
        client.hears(list);
    }
    assert!(client.names("prompts/list", "prompts").is_empty());
}
