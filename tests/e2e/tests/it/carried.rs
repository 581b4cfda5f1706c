//! A connector that puts requests into the body of one that reads: each is held to what it would be held to by itself, and is in the log.

use portcullis::Limits;
use portcullis::policy::Mode;
use portcullis::ports::audit::Event;
use serde_json::{Value, json};

use crate::support::world::Setup;
use crate::support::{World, ended, name};

const CONNECTOR: &str = "beyond-scope";

/// The arguments that send these parts in one request.
fn several(parts: &[(&str, &str)]) -> Value {
    let parts: Vec<Value> = parts
        .iter()
        .map(|(method, url)| json!({ "method": method, "url": url }))
        .collect();
    sending(&json!({ "all": parts }).to_string())
}

fn sending(body: &str) -> Value {
    json!({ "method": "POST", "target": "/several", "body": body })
}

/// Says what the log has of the first request that was refused.
fn denied(world: &World, reply: &portcullis::Reply) -> (String, String) {
    let mut records = world.records(reply).into_iter();
    let denied = records.find_map(|record| match record.event {
        Event::Denied { code, message, .. } => {
            Some((code.into_owned(), message.expose().to_owned()))
        }
        _ => None,
    });
    denied.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_in_a_list_of_reads_is_refused_and_written_down() {
    let world = World::with(&["beyond_scope"]).await;
    for tool in ["write", "destroy"] {
        world.mode(CONNECTOR, tool, Mode::Allow);
    }
    let read = ("GET", "kind/Contact/1");
    for (method, effect) in [("DELETE", "destructive"), ("PATCH", "write")] {
        let hidden = several(&[read, (method, "kind/Contact/1"), read]);
        // A tool that may change or destroy does it by itself, announced, or not at all.
        for tool in ["read", "write", "destroy"] {
            let reply = world.call(CONNECTOR, tool, hidden.clone()).await;
            assert_eq!(ended(&reply), "refused ceiling", "{tool} {method}");
            let expected = format!(
                "the connector's `POST /several` carries requests and is not sent on: part 2 (`{method} /kind/Contact/1`): its effect is `{effect}`, and what carries it is `read`"
            );
            assert_eq!(denied(&world, &reply), ("ceiling".to_owned(), expected));
            let events = world.events(reply.call.unwrap());
            assert_eq!(events, ["opened", "denied", "closed"]);
        }
        // Announced it is none the less a read's part.
        let mut announced = hidden.clone();
        announced["announce"] = json!(["Contact"]);
        let reply = world.call(CONNECTOR, "destroy", announced).await;
        assert_eq!(ended(&reply), "refused ceiling", "{method}");
    }
    let list = |item: &str| {
        sending(&format!(
            r#"{{"all":[{{"method":"GET","url":"about"}},{item}]}}"#
        ))
    };
    for (arguments, end) in [
        (
            list(r#"{"method":"GET","method":"DELETE","url":"kind/Contact/1"}"#),
            "refused parts",
        ),
        (
            list(r#"{"method":"DELETE","Method":"GET","url":"kind/Contact/1"}"#),
            "refused parts",
        ),
        (
            list(r#"{"method":"delete","url":"kind/Contact/1"}"#),
            "refused parts",
        ),
        (
            list(r#"{"method":"GET","url":"about","httpHeaders":{"X-HTTP-Method":"DELETE"}}"#),
            "refused parts",
        ),
        (
            list(r#"{"method":"POST","url":"run","body":{"type":"Contact"}}"#),
            "refused parts",
        ),
        (list(r#"{"method":"POST","url":"run"}"#), "refused ceiling"),
        (
            list(r#"{"method":"POST","url":"several"}"#),
            "refused parts",
        ),
        (
            list(r#"{"method":"GET","url":"https://evil.example/about"}"#),
            "refused parts",
        ),
        (list(r#"{"method":"GET","url":"/about"}"#), "refused parts"),
        (
            list(r#"{"method":"GET","url":"kind/Contact/../../about"}"#),
            "refused path",
        ),
        (
            list(r#"{"method":"GET","url":"kind/Contact%2f1"}"#),
            "refused path",
        ),
        (
            list(r#"{"method":"GET","url":"kind/Contact/1?_method=DELETE"}"#),
            "refused path",
        ),
        (list(r#"{"method":"GET","url":"ABOUT"}"#), "refused route"),
        (
            list(r#"{"method":"DELETE","url":"about"}"#),
            "refused route",
        ),
        (sending(r#"{"all":[]}"#), "refused parts"),
        (sending(r#"{"all":[],"more":[]}"#), "refused parts"),
        (sending("[]"), "refused parts"),
        (several(&[("GET", "about"); 26]), "refused parts"),
        (
            json!({ "method": "POST", "target": "/several?x=1", "body": r#"{"all":[{"method":"GET","url":"about"}]}"# }),
            "refused parts",
        ),
        (
            json!({ "method": "POST", "target": "/several", "body": r#"{"all":[{"method":"GET","url":"about"}]}"#, "content_type": ["text/plain"] }),
            "refused parts",
        ),
        (
            json!({ "method": "POST", "target": "/several" }),
            "refused parts",
        ),
    ] {
        let reply = world.call(CONNECTOR, "destroy", arguments.clone()).await;
        assert_eq!(ended(&reply), end, "{arguments}");
        assert_eq!(denied(&world, &reply).0, end.replace("refused ", ""));
    }
    assert!(world.service.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_names_what_a_request_carries() {
    let world = World::with(&["beyond_scope"]).await;
    let parts = [
        ("GET", "kind/Contact/1"),
        ("HEAD", "kind/Lead/2"),
        ("GET", "query?q=SELECT+Id"),
    ];
    let reply = world.call(CONNECTOR, "read", several(&parts)).await;
    assert_eq!(ended(&reply), "done");
    let intent = world
        .records(&reply)
        .into_iter()
        .find_map(|record| match record.event {
            Event::Intended(intent) => Some(intent),
            _ => None,
        });
    let intent = intent.unwrap();
    assert_eq!(intent.route, "/several");
    let named: Vec<String> = intent
        .parts
        .iter()
        .map(|part| format!("{} {} {}", part.method, part.route, part.path.expose()))
        .collect();
    assert_eq!(
        named,
        [
            "GET /kind/{kind}/{id} /kind/Contact/1",
            "HEAD /kind/{kind}/{id} /kind/Lead/2",
            "GET /query /query?q=SELECT+Id"
        ]
    );
    // What a path says is as little in a `Debug` as that of the whole.
    assert!(!format!("{intent:?}").contains("SELECT"));
    // It is sent as it was written.
    let seen = world.service.seen();
    let [seen] = seen.as_slice() else {
        panic!("{seen:?}");
    };
    let sent: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(sent["all"].as_array().unwrap().len(), parts.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_is_within_the_scope_or_nothing_is_sent() {
    let world = World::with(&["beyond_scope"]).await;
    let scope = |scope: Value| world.scope(CONNECTOR, serde_json::from_value(scope).unwrap());
    scope(json!({ "read": ["Contact"] }));
    let contact = ("GET", "kind/Contact/1");
    let call = async |parts: &[(&str, &str)]| world.call(CONNECTOR, "read", several(parts)).await;
    for hidden in [
        ("GET", "kind/Payroll/1"),
        ("HEAD", "kind/pAYROLL/1"),
        ("GET", "kind/Contact./1"),
        ("GET", "kind/%50ayroll/1"),
        // What is asked for beside a kind, and what is not seen, where nobody trusts the connector.
        ("GET", "kind/Contact/1?expand=Payroll"),
        ("GET", "kind/Contact/1/Payroll"),
        ("GET", "query?q=Payroll"),
        // Its kinds are in a body, and it has none.
        ("POST", "find"),
    ] {
        for parts in [[contact, hidden], [hidden, contact]] {
            let reply = call(&parts).await;
            assert_eq!(ended(&reply), "refused scope", "{hidden:?}");
            let message = reply.outcome.message().unwrap();
            assert!(!message.contains("ayroll"), "{message}");
            assert!(message.contains("` in `POST /several`"), "{message}");
        }
    }
    assert!(world.service.seen().is_empty());
    let reply = call(&[contact, ("GET", "kind/CONTACT/2"), ("GET", "about")]).await;
    assert_eq!(ended(&reply), "done");
    assert!(!world.events(reply.call.unwrap()).contains(&"unseen"));

    world.permissions.trust(name("desk"), name(CONNECTOR));
    let query = ("GET", "query?q=1");
    let reply = call(&[query, contact, query, ("GET", "kind/Contact/1/Parent")]).await;
    assert_eq!(ended(&reply), "done");
    let mut unseen = Vec::new();
    for record in world.records(&reply) {
        if let Event::Unseen { request, route } = record.event {
            unseen.push((request, route));
        }
    }
    let expected = ["/query", "/kind/{kind}/{id}/{parent}"].map(|route| (1, route.to_owned()));
    assert_eq!(unseen, expected);
    // Trust is not for what the host sees.
    let reply = call(&[query, ("GET", "kind/Payroll/1")]).await;
    assert_eq!(ended(&reply), "refused scope");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_part_is_a_request_of_the_call() {
    let setup = Setup {
        limits: Limits {
            requests_max: 3,
            concurrent_calls_max: 16,
            ..Limits::default()
        },
        ..Setup::default()
    };
    let world = World::new(setup, &["beyond_scope"]).await;
    let parts = |count: usize| several(&vec![("GET", "about"); count]);
    for (count, end) in [(2, "done"), (3, "refused too_many_requests")] {
        let reply = world.call(CONNECTOR, "read", parts(count)).await;
        assert_eq!(ended(&reply), end, "{count}");
    }
    // A further request finds what the first has carried.
    for (count, end) in [(1, "done"), (2, "refused too_many_requests")] {
        let arguments =
            json!({ "first": parts(count), "kinds": [], "target": "/about", "says": "done" });
        let reply = world.call(CONNECTOR, "claim", arguments).await;
        assert_eq!(ended(&reply), end, "{count}");
    }
}

/// The attack: requests that are let through together, before any of them is seen to carry others, which then come on top.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_begun_together_are_counted_with_what_they_carry() {
    const MAX: u32 = 64;
    let setup = Setup {
        limits: Limits {
            requests_max: MAX,
            concurrent_calls_max: 16,
            ..Limits::default()
        },
        ..Setup::default()
    };
    let world = World::new(setup, &["beyond_scope"]).await;
    for (parts, others, end) in [(1, 60, "done"), (25, 62, "refused too_many_requests")] {
        let body = several(&vec![("GET", "about"); parts])["body"].clone();
        let arguments = json!({ "carriers": [body, body], "others": others });
        let reply = world.call(CONNECTOR, "crowd", arguments).await;
        assert_eq!(ended(&reply), end, "{parts}: {reply:?}");
        let mut sent = 0;
        for record in world.records(&reply) {
            if let Event::Intended(intent) = record.event {
                sent += 1 + u32::try_from(intent.parts.len()).unwrap();
            }
        }
        assert!(sent <= MAX, "{parts}: {sent} were sent");
        assert_eq!(sent == MAX, end == "done", "{parts}: {sent}");
    }
}
