//! By HTTP: requests whose parameters do not fit, and bodies that are no messages. Each is told what is wrong, as JSON-RPC has it.

use serde_json::{Value, json};

use super::client::{Answer, Client, STATELESS, WITH_SESSIONS};
use super::{HOST, connect, count};
use crate::misread::{UNKNOWN, code_of, shapeless, words_of, wrong};
use crate::public::Place;

/// Holds an answer to be an error of JSON-RPC.
#[track_caller]
fn is_error(answer: &Answer, id: &Value, code: i64, words: &str) {
    let message = answer.message();
    assert_eq!(
        message["error"]["code"], code,
        "{}: {message}",
        answer.status
    );
    assert_eq!(message.get("id"), Some(id), "{message}");
    let said = message["error"]["message"].as_str().unwrap();
    assert!(said.contains(words), "{words}: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_that_do_not_fit_are_told_so_in_each_version() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let token = place.token("ada").await;
    for version in WITH_SESSIONS.into_iter().chain([STATELESS]) {
        let client = Client::new(place.server.address, HOST, &token).of_version(version);
        let client = client.begun().await;
        let one = json!(1);
        for (method, params, words) in wrong() {
            let answer = client.ask(method, params).await;
            is_error(
                &answer,
                &one,
                code_of(method, version),
                words_of(method, version, words),
            );
        }
        for (method, params, words) in shapeless() {
            let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
            let answer = client.send(&message).await;
            let code = code_of(method, version);
            is_error(&answer, &one, code, words_of(method, version, words));
            let expected = if code == -32601 { 404 } else { 400 };
            assert_eq!(answer.status, expected, "{}", answer.text);
        }
        if version == STATELESS {
            let answer = client.ask("subscriptions/listen", json!({"notifications": 7}));
            is_error(&answer.await, &one, -32602, "`params.notifications`");
            // As for one that reads well, and is there no more.
            let answer = client
                .ask("logging/setLevel", json!({"level": "debug"}))
                .await;
            is_error(
                &answer,
                &one,
                -32601,
                "there is no method `logging/setLevel`",
            );
            assert_eq!(answer.status, 404, "{}", answer.text);
        }
        for method in UNKNOWN {
            let answer = client.ask(method, json!({})).await;
            is_error(&answer, &one, -32601, "");
            let is_newest = version == STATELESS;
            assert_eq!(
                answer.status == 404,
                is_newest,
                "{method} {}",
                answer.status
            );
        }
        let called = client.call("query", count()).await;
        assert_eq!(called["content"][0]["text"], "count: 60", "{version}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_begun_wrongly_is_told_what_is_wrong() {
    let place = Place::new().await;
    let token = place.token("ada").await;
    let client = Client::new(place.server.address, HOST, &token);
    for (params, words) in [
        (
            json!({"capabilities": {}}),
            "missing field `protocolVersion` in `initialize`",
        ),
        (
            json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": 7}),
            "`params.clientInfo`",
        ),
        (json!([]), "must be an object, not an array"),
    ] {
        let message =
            json!({"jsonrpc": "2.0", "id": "a", "method": "initialize", "params": params});
        for version in [None, Some("2025-06-18"), Some(STATELESS)] {
            let headers: Vec<_> = version
                .map(|version| ("mcp-protocol-version", version))
                .into_iter()
                .collect();
            let answer = client.post(&headers, message.to_string()).await;
            // The newest revision has no sessions, and no such method.
            let (status, code, words) = match version {
                Some(STATELESS) => (404, -32601, "there is no method `initialize`"),
                _ => (400, -32602, words),
            };
            assert_eq!(answer.status, status, "{}", answer.text);
            is_error(&answer, &json!("a"), code, words);
            assert_eq!(answer.header("mcp-session-id"), None);
        }
    }
    // Another request without a session is refused as ever, and is no error of its parameters.
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}});
    let answer = client.post(&[], message.to_string()).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert!(answer.text.contains("Session"), "{}", answer.text);
    client.begun().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_message_is_an_error_of_json_rpc() {
    let place = Place::new().await;
    let token = place.token("ada").await;
    let begun = Client::new(place.server.address, HOST, &token)
        .begun()
        .await;
    let mut new = begun.clone();
    new.session = None;
    let deep = "[".repeat(200_000);
    for (body, code) in [
        ("{", -32700),
        ("", -32700),
        ("\u{0}", -32700),
        (&deep, -32700),
        ("null", -32600),
        ("[]", -32600),
        ("{}", -32600),
        ("[{}]", -32600),
        (
            "{\"jsonrpc\": \"2.0\", \"id\": {}, \"method\": \"ping\"}",
            -32600,
        ),
        (
            "{\"jsonrpc\": \"2.0\", \"method\": \"x\", \"params\": 7}",
            -32600,
        ),
    ] {
        for client in [&begun, &new] {
            let answer = client.post(&[], body.to_owned()).await;
            assert_eq!(answer.status, 400, "{body:.60}: {}", answer.text);
            assert_eq!(answer.header("content-type"), Some("application/json"));
            is_error(&answer, &Value::Null, code, "");
            // Of another kind it is refused for that, whatever it reads like.
            for kind in ["text/plain", "application/jsonx"] {
                let answer = client
                    .post(&[("content-type", kind)], body.to_owned())
                    .await;
                assert_eq!(answer.status, 415, "{body:.60}: {}", answer.text);
            }
        }
    }
    // What asks by an id is told by it.
    for body in [
        json!({"jsonrpc": "1.0", "id": 1, "method": "ping"}),
        json!({"jsonrpc": "2.0", "id": 1, "method": 7}),
        json!({"jsonrpc": "2.0", "id": 1}),
    ] {
        for client in [&begun, &new] {
            let answer = client.post(&[], body.to_string()).await;
            assert_eq!(answer.status, 400, "{body}: {}", answer.text);
            is_error(&answer, &json!(1), -32600, "");
        }
    }
    let kind = [("content-type", "Application/JSON; charset=utf-8")];
    let answer = begun.post(&kind, "{".to_owned()).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    is_error(&answer, &Value::Null, -32700, "");
    // A stranger is told nothing of what they sent.
    let mut stranger = begun.clone();
    stranger.token = None;
    let answer = stranger.post(&[], "{".to_owned()).await;
    assert_eq!(answer.status, 401, "{}", answer.text);
}
