//! A person is asked by way of the client: to sign in, and, where an administrator trusts its clients, to approve. A client that is not, or that
//! changes what it was given, settles nothing.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc;

use serde_json::{Value, json};

use super::client::{Client, STATELESS};
use super::{ACCOUNT, HOST, connect, count, site};
use crate::public::{BASE, Place};

/// A client over standard input and output that asks its person what the server has it ask.
struct Chatting {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// What was asked.
    asked: Vec<Value>,
}

impl Chatting {
    fn new(place: &Place, person: &str, can: Value) -> Self {
        let reach = place.org.address().to_string();
        let serve = [
            "serve",
            "--stdio",
            "--agent",
            "helper",
            "--as",
            person,
            "--public-url",
            BASE,
            "--allow-origin",
            &reach,
        ];
        let mut child = place
            .home
            .command("ada", &serve)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut client = Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
            asked: Vec::new(),
        };
        let me = json!({"name": "test", "version": "1"});
        let params =
            json!({"protocolVersion": "2025-11-25", "capabilities": can, "clientInfo": me});
        client.ask("initialize", params, &mut |_| unreachable!());
        client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        client
    }

    /// Calls a tool; `answers` says what the person says to what they are asked.
    fn call(
        &mut self,
        tool: &str,
        arguments: Value,
        answers: &mut dyn FnMut(&Value) -> Value,
    ) -> Value {
        self.ask(
            "tools/call",
            json!({"name": tool, "arguments": arguments}),
            answers,
        )
    }

    fn ask(
        &mut self,
        method: &str,
        params: Value,
        answers: &mut dyn FnMut(&Value) -> Value,
    ) -> Value {
        self.send(&json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}));
        loop {
            let mut line = String::new();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "it ended");
            let message: Value = serde_json::from_str(&line).unwrap();
            if message["method"] == "elicitation/create" {
                let result = answers(&message["params"]);
                self.asked.push(message["params"].clone());
                self.send(&json!({"jsonrpc": "2.0", "id": message["id"], "result": result}));
            } else if message["id"] == 7 && message.get("method").is_none() {
                assert!(message["result"].is_object(), "{message}");
                return message["result"].clone();
            }
        }
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.input, "{message}").unwrap();
    }
}

impl Drop for Chatting {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn can() -> Value {
    json!({"elicitation": {"form": {}, "url": {}}})
}

fn yes(_: &Value) -> Value {
    json!({"action": "accept", "content": {"approve": true}})
}

fn site_now(client: &mut Chatting) -> Value {
    let soql = format!("SELECT Site FROM Account WHERE Id = '{ACCOUNT}'");
    let result = client.call("query", json!({ "soql": soql }), &mut |_| unreachable!());
    result["structuredContent"]["rows"][0][0].clone()
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_in_a_trusted_client_makes_the_change_once() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    place.home.must(&["agent", "trust-client", "helper"]);
    blocking(move || {
        let mut client = Chatting::new(&place, "ada", can());
        let done = client.call("update_record", site("Munich"), &mut yes);
        assert_ne!(done["isError"], true, "{done}");
        let asked = client.asked.pop().unwrap();
        let words = asked["message"].as_str().unwrap();
        for word in [
            "Update Account",
            "Munich",
            "the customer has moved",
            "PATCH",
        ] {
            assert!(words.contains(word), "{word}: {words}");
        }
        assert_eq!(asked["requestedSchema"]["required"], json!(["approve"]));
        assert_eq!(site_now(&mut client), "Munich");
        // The next one is another question, also where it is the same call as one before.
        for to in ["Vienna", "Munich"] {
            let done = client.call("update_record", site(to), &mut yes);
            assert_ne!(done["isError"], true, "{done}");
            assert_eq!(site_now(&mut client), to);
            assert_eq!(client.asked.drain(..).count(), 1);
        }
        // What the person says nothing of is still there to decide; and what they do not want stays as it is.
        for (answer, code) in [
            (json!({"action": "cancel"}), "approval_required"),
            (json!({"action": "accept"}), "approval_required"),
            (
                json!({"action": "accept", "content": {"approve": "true"}}),
                "approval_required",
            ),
            (json!({"action": "decline"}), "approval_denied"),
            (
                json!({"action": "accept", "content": {"approve": false}}),
                "approval_denied",
            ),
        ] {
            let to = answer.to_string();
            let result = client.call("update_record", site(&to), &mut |_| answer.clone());
            let problem = &result["_meta"]["portcullis/problem"];
            assert!(
                problem["code"] == code || problem["outcome"] == code,
                "{answer}: {result}"
            );
            assert_eq!(site_now(&mut client), "Munich");
        }
        // Trust that is taken away counts from the next word on.
        client.asked.clear();
        let home = &place.home;
        let result = client.call("update_record", site("Berlin"), &mut |asked| {
            home.must(&["agent", "trust-client", "helper", "--no"]);
            yes(asked)
        });
        assert_eq!(result["isError"], true);
        assert_eq!(site_now(&mut client), "Munich");
        let listed = place.home.json(&["agent", "list"]);
        assert_eq!(listed[0]["client_trusted"], false);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_to_what_would_not_run_leaves_the_question_and_says_where_it_is() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let home = &place.home;
    home.must(&["agent", "trust-client", "helper"]);
    tokio::task::block_in_place(|| {
        let mut client = Chatting::new(&place, "ada", can());
        let result = client.call("update_record", site("Munich"), &mut |asked| {
            home.must(&["allow", "helper", "update_record", "disabled"]);
            yes(asked)
        });
        let problem = &result["_meta"]["portcullis/problem"];
        assert_eq!(problem["code"], "tool_disabled", "{result}");
        let words = result["content"][0]["text"].as_str().unwrap();
        let (id, link) = (&problem["approval"]["id"], &problem["approval"]["link"]);
        let (id, link) = (id.as_str().unwrap(), link.as_str().unwrap());
        for word in ["still waits", id, link, "check_approval"] {
            assert!(words.contains(word), "{word}: {words}");
        }
        // Its person is asked the same once more.
        home.must(&["allow", "helper", "update_record", "ask"]);
        let none = &mut |_: &Value| json!({"action": "cancel"});
        let held = client.call("update_record", site("Munich"), none);
        let waits = &held["_meta"]["portcullis/problem"]["approval"]["id"];
        assert_eq!(waits, id, "{held}");
        let done = client.call("update_record", site("Munich"), &mut yes);
        assert_ne!(done["isError"], true, "{done}");
        assert_eq!(site_now(&mut client), "Munich");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_to_be_asked_so_is_not() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    blocking(move || {
        // A client that nobody trusts.
        let mut client = Chatting::new(&place, "ada", can());
        let never = &mut |asked: &Value| panic!("{asked}");
        let held = client.call("update_record", site("Munich"), never);
        assert!(held.to_string().contains("/approve/"), "{held}");
        place.home.must(&["agent", "trust-client", "helper"]);
        // What destroys.
        place
            .home
            .must(&["allow", "helper", "delete_record", "ask"]);
        let contact = client.call(
            "query",
            json!({"soql": "SELECT Id FROM Task LIMIT 1"}),
            never,
        );
        let task = contact["structuredContent"]["rows"][0][0].clone();
        let held = client.call(
            "delete_record",
            json!({"object": "Task", "id": task}),
            never,
        );
        assert_eq!(
            held["_meta"]["portcullis/problem"]["outcome"], "approval_required",
            "{held}"
        );
        // One that cannot ask.
        for can in [json!({}), json!({"elicitation": {"url": {}}})] {
            let mut client = Chatting::new(&place, "ada", can);
            let held = client.call("update_record", site("Vienna"), never);
            assert_eq!(
                held["_meta"]["portcullis/problem"]["outcome"], "approval_required",
                "{held}"
            );
        }
        // Where a passphrase stands before it.
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let passphrase = "correct horse battery".into();
            let store = place.store().await;
            store
                .set_passphrase(&crate::public::id("ada"), Some(&passphrase))
                .await
                .unwrap();
        });
        let held = client.call("update_record", site("Berlin"), never);
        assert_eq!(held["isError"], true);
        assert!(client.asked.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_goes_on_by_itself_after_the_sign_in() {
    let place = std::sync::Arc::new(Place::new().await);
    let at = place.clone();
    let (asked, link) = mpsc::channel();
    let calling = tokio::task::spawn_blocking(move || {
        let mut client = Chatting::new(&at, "bob", can());
        let answer = client.call("get_identity", json!({}), &mut |question| {
            assert_eq!(question["mode"], "url");
            asked
                .send(question["url"].as_str().unwrap().to_owned())
                .unwrap();
            json!({"action": "accept"})
        });
        (answer, client.asked.len())
    });
    let link = tokio::task::spawn_blocking(move || link.recv().unwrap())
        .await
        .unwrap();
    let link = link.strip_prefix(BASE).unwrap();
    // The page knows its person all the same.
    assert_eq!(place.signed_in("ada").await.get(link).await.status, 403);
    let mut bob = place.signed_in("bob").await;
    let url = bob.go_on(link).await;
    bob.get(&place.come_back(&url, "aiko", "allow").await)
        .await
        .has("You are connected");
    let (answer, times) = calling.await.unwrap();
    assert!(answer.to_string().contains("aiko"), "{answer}");
    assert_eq!(times, 1);
}

/// Asks by the newest version, whose calls go to the client and back.
async fn round(client: &Client, arguments: &Value, more: Value) -> Value {
    let mut params = json!({"name": "update_record", "arguments": arguments, "_meta": {
        "io.modelcontextprotocol/protocolVersion": STATELESS,
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": can(),
    }});
    for (name, value) in more.as_object().unwrap() {
        params[name] = value.clone();
    }
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    client.send(&message).await.message()["result"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_comes_back_for_this_caller_and_this_call_alone() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    connect(&place, "bob").await;
    place.home.must(&["agent", "trust-client", "helper"]);
    let of = async |person: &str| {
        let token = place.token(person).await;
        Client::new(place.server.address, HOST, &token).of_version(STATELESS)
    };
    let (ada, bob) = (of("ada").await, of("bob").await);
    let now = async || {
        let soql = format!("SELECT Site FROM Account WHERE Id = '{ACCOUNT}'");
        ada.call("query", json!({ "soql": soql })).await["structuredContent"]["rows"][0][0].clone()
    };
    assert_eq!(
        ada.call("query", count()).await["content"][0]["text"],
        "count: 60"
    );
    let before = now().await;
    let asked = round(&ada, &site("Munich"), json!({})).await;
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let question = &asked["inputRequests"]["person"]["params"];
    assert!(
        question["message"].as_str().unwrap().contains("Munich"),
        "{asked}"
    );
    let state = asked["requestState"].as_str().unwrap().to_owned();
    let answer = |state: &str| json!({"requestState": state, "inputResponses": {"person": yes(&Value::Null)}});
    let other = round(&ada, &site("Vienna"), json!({})).await;
    let other = other["requestState"].as_str().unwrap().to_owned();
    let (start, end) = state.split_at(state.len() / 2);
    let flipped = format!(
        "{start}{}{}",
        if end.starts_with('A') { 'B' } else { 'A' },
        &end[1..]
    );
    for (client, arguments, state) in [
        // Changed, cut, another call's, another person's, or with other arguments.
        (&ada, site("Munich"), flipped),
        (&ada, site("Munich"), start.to_owned()),
        (&ada, site("Munich"), String::new()),
        (&ada, site("Munich"), other),
        (&bob, site("Munich"), state.clone()),
        (&ada, site("Berlin"), state.clone()),
    ] {
        let result = round(client, &arguments, answer(&state)).await;
        assert_eq!(result["isError"], true, "{result}");
        assert_eq!(now().await, before);
    }
    let done = round(&ada, &site("Munich"), answer(&state)).await;
    assert_ne!(done["isError"], true, "{done}");
    assert_eq!(now().await, "Munich");
    // A second time it settles nothing more.
    place
        .home
        .must(&["allow", "helper", "update_record", "always"]);
    let theirs = ada.call("update_record", site("Vienna")).await;
    assert_ne!(theirs["isError"], true, "{theirs}");
    place
        .home
        .must(&["allow", "helper", "update_record", "ask"]);
    let again = round(&ada, &site("Munich"), answer(&state)).await;
    assert_eq!(again["isError"], true, "{again}");
    assert_eq!(now().await, "Vienna");
}
