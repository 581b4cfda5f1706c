//! A connector that asks for nothing, under a scope: what the gate sees in paths and bodies, and what is counted.

use std::sync::Arc;

use portcullis::policy::{Mode, Scope};
use portcullis::ports::audit::Event;
use serde_json::{Value, json};

use crate::support::{World, ended, name};

const CONNECTOR: &str = "beyond-scope";

async fn world(scope: Value) -> World {
    let world = World::with(&["beyond_scope"]).await;
    world.scope(CONNECTOR, parsed(scope));
    for tool in ["write", "destroy", "write_and_claim"] {
        world.mode(CONNECTOR, tool, Mode::Allow);
    }
    world
}

fn parsed(scope: Value) -> Scope {
    serde_json::from_value(scope).unwrap()
}

/// Sends a request with a tool, and says how that ended.
async fn sends(world: &World, tool: &str, arguments: Value) -> String {
    ended(&world.call(CONNECTOR, tool, arguments).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kind_in_a_path_is_the_scopes_however_it_is_spelled() {
    let world = world(json!({ "read": ["Contact"] })).await;
    let mut arrived = 0;
    for (kind, end) in [
        ("Contact", "done"),
        ("CONTACT", "done"),
        // The same name encoded is the same name.
        ("%43ontact", "done"),
        ("Payroll", "refused scope"),
        ("contacts", "refused scope"),
        ("Contact.", "refused scope"),
        ("Contact%2e", "refused scope"),
        (".Contact", "refused scope"),
        ("Contact%20", "refused scope"),
        ("%20Contact", "refused scope"),
        ("Contact%09", "refused path"),
        ("Contact%00", "refused path"),
        ("Contact%00Payroll", "refused path"),
        ("%50ayroll", "refused scope"),
        ("%2550ayroll", "refused path"),
        ("..", "refused path"),
        ("%2e%2e", "refused path"),
        ("Contact%2f..%2fPayroll", "refused path"),
        ("Contact%5c..%5cPayroll", "refused path"),
        ("Contact;a=b", "refused path"),
        ("C%c0%afntact", "refused path"),
        ("%c1%83ontact", "refused path"),
        ("%f0%82%81%83ontact", "refused path"),
        ("Con%e2%80%8btact", "refused scope"),
        ("%d0%a1ontact", "refused scope"),
        ("Contac%ef%bd%94", "refused scope"),
        ("Contact/", "refused path"),
        ("Contact//", "refused path"),
        ("Contact%26x", "refused scope"),
        ("*", "refused scope"),
        ("Contact,Payroll", "refused scope"),
    ] {
        let target = format!("/kind/{kind}/1");
        let reply = world
            .call(
                CONNECTOR,
                "read",
                json!({ "method": "GET", "target": target }),
            )
            .await;
        assert_eq!(ended(&reply), end, "{kind}: {:?}", reply.outcome.message());
        arrived += usize::from(end == "done");
        assert_eq!(world.service.seen().len(), arrived, "{kind}");
        if end == "refused scope" {
            // What it was about is the operator's to know.
            let message = reply.outcome.message().unwrap();
            assert!(!message.contains("ayroll"), "{message}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_string_can_ask_for_what_the_path_does_not_say() {
    let world = world(json!({ "read": ["Contact"] })).await;
    let get = |target: &str| json!({ "method": "GET", "target": target });
    for target in [
        "/kind/Contact/1?expand=Payroll",
        "/kind/Contact/1?",
        "/kind/Contact/1/Payroll",
    ] {
        assert_eq!(sends(&world, "read", get(target)).await, "refused scope");
    }
    assert!(world.service.seen().is_empty());
    // What touches no records touches none with a query string, either.
    assert_eq!(sends(&world, "read", get("/about?x=1")).await, "done");
    world.permissions.trust(name("desk"), name(CONNECTOR));
    let expand = get("/kind/Contact/1?expand=Account");
    assert_eq!(sends(&world, "read", expand).await, "done");
    // Trust is not for what the host sees.
    let payroll = get("/kind/Payroll/1?expand=Contact");
    assert_eq!(sends(&world, "read", payroll).await, "refused scope");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kind_in_a_body_is_the_scopes_or_the_request_is_not_sent() {
    let world = world(json!({ "read": ["Contact"] })).await;
    let find = |body: &str| json!({ "method": "POST", "target": "/find", "body": body });
    for body in [
        r#"{"type":"Payroll"}"#,
        r#"{"type":"Pa\u0079roll"}"#,
        r#"{"type":"Contact","type":"Payroll"}"#,
        r#"{"type":"Payroll","type":"Contact"}"#,
        r#"{"type":"Contact","Type":"Payroll"}"#,
        r#"{"type":"Contact","typ\u0065":"Payroll"}"#,
        r#"{"type":["Contact","Payroll"]}"#,
        r#"{"type":{"name":"Contact"}}"#,
        r#"{"type":"Contact "}"#,
        r#"{"type":"Contact\u0000"}"#,
        r#"{"type":"Contact,Payroll"}"#,
        r#"{"type":null}"#,
        r#"{}"#,
        r#"[]"#,
        r#"type=Payroll"#,
        r#""#,
        r#"{"type":"Contact"}{"type":"Payroll"}"#,
    ] {
        assert_eq!(
            sends(&world, "read", find(body)).await,
            "refused scope",
            "{body}"
        );
    }
    for types in [
        &[][..],
        &["text/xml"],
        &["application/json; charset=utf-16"],
        &["application/json", "text/xml"],
        &["application/x-www-form-urlencoded"],
    ] {
        let mut arguments = find(r#"{"type":"Contact"}"#);
        arguments["content_type"] = json!(types);
        assert_eq!(
            sends(&world, "read", arguments).await,
            "refused scope",
            "{types:?}"
        );
    }
    // One that lists several: each counts, and so does one that is not there.
    let batch = |records: Value| {
        let body = json!({ "records": records }).to_string();
        json!({ "method": "POST", "target": "/batch", "body": body, "announce": ["Contact", "Contact"] })
    };
    let contact = || json!({ "type": "Contact", "name": "x" });
    for records in [
        json!([contact(), { "type": "Payroll" }]),
        json!([contact(), { "name": "x" }]),
        json!([contact(), "Payroll"]),
        json!([]),
        json!({ "type": "Contact" }),
    ] {
        assert_eq!(
            sends(&world, "write", batch(records.clone())).await,
            "refused scope",
            "{records}"
        );
    }
    assert!(world.service.seen().is_empty());
    assert_eq!(
        sends(&world, "read", find(r#"{"type":"cONTACT"}"#)).await,
        "done"
    );
    assert_eq!(
        sends(&world, "write", batch(json!([contact(), contact()]))).await,
        "done"
    );
    assert_eq!(world.service.seen().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_held_to_its_fields_and_to_what_is_announced() {
    let world = world(json!({ "change": ["Contact.phone", "Contact.type", "Lead"] })).await;
    let patch = |body: &str, announced: &str, field: &str| {
        json!({
            "method": "PATCH", "target": "/kind/Contact/1", "body": body,
            "announce": [announced], "field": field,
        })
    };
    for (body, announced, field, end) in [
        (r#"{"phone":"1"}"#, "Contact", "phone", "done"),
        (r#"{"PHONE":"1"}"#, "Contact", "Phone", "done"),
        (
            r#"{"phone":"1","salary":2}"#,
            "Contact",
            "phone",
            "refused scope",
        ),
        (
            r#"{"phone":"1","phone ":2}"#,
            "Contact",
            "phone",
            "refused scope",
        ),
        (r#"{"sal\u0061ry":2}"#, "Contact", "phone", "refused scope"),
        (
            r#"{"phone":"1","phone":"2"}"#,
            "Contact",
            "phone",
            "refused scope",
        ),
        (r#"[{"phone":"1"}]"#, "Contact", "phone", "refused scope"),
        // The connector says itself that it changes something else.
        (r#"{"phone":"1"}"#, "User", "phone", "refused scope"),
        (r#"{"phone":"1"}"#, "Contact", "salary", "refused scope"),
        (r#"{"phone":"1"}"#, "Payroll", "phone", "refused scope"),
    ] {
        let end_of = sends(&world, "write", patch(body, announced, field)).await;
        assert_eq!(end_of, end, "{body} {announced} {field}");
    }
    assert_eq!(world.service.changes().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_gives_power_is_changed_by_its_full_name_alone() {
    let world = world(json!({})).await;
    world.permissions.trust(name("desk"), name(CONNECTOR));
    let patch = |kind: &str| json!({ "method": "PATCH", "target": format!("/kind/{kind}/1"), "body": "{}", "announce": [kind] });
    let guarded = [
        "User",
        "uSER",
        "PermissionSet",
        "permX",
        "AccountShare",
        "User.",
        "%55ser",
        "User%20",
    ];
    for scope in [
        json!({}),
        json!({ "change": ["*"] }),
        json!({ "change": ["User*", "*Share", "Perm*"] }),
    ] {
        world.scope(CONNECTOR, parsed(scope.clone()));
        for kind in guarded {
            assert_eq!(
                sends(&world, "write", patch(kind)).await,
                "refused scope",
                "{kind} {scope}"
            );
        }
        let announced =
            json!({ "method": "POST", "target": "/run", "body": "{}", "announce": ["User"] });
        assert_eq!(sends(&world, "write", announced).await, "refused scope");
        let created = json!({ "method": "POST", "target": "/create", "body": r#"{"type":"USER","fields":{}}"#, "announce": ["Contact"] });
        assert_eq!(sends(&world, "write", created).await, "refused scope");
        let deleted =
            json!({ "method": "DELETE", "target": "/kind/User/1", "announce": ["Contact"] });
        assert_eq!(sends(&world, "destroy", deleted).await, "refused scope");
    }
    assert!(world.service.seen().is_empty());
    // It is no secret, though.
    let read = json!({ "method": "GET", "target": "/kind/User/1" });
    assert_eq!(sends(&world, "read", read).await, "done");
    world.scope(CONNECTOR, parsed(json!({ "change": ["*", "user"] })));
    assert_eq!(sends(&world, "write", patch("User")).await, "done");
    assert_eq!(
        sends(&world, "write", patch("PermissionSet")).await,
        "refused scope"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_agent_writes_by_no_route_and_no_tool() {
    let world = world(json!({ "read_only": true })).await;
    world.permissions.trust(name("desk"), name(CONNECTOR));
    for tool in ["read", "write", "destroy"] {
        for method in ["POST", "PUT", "PATCH", "DELETE", "patch", "PATCH "] {
            for target in [
                "/kind/Contact/1",
                "/create",
                "/batch",
                "/run",
                "/query",
                "/about",
                "/kind/Contact/1?_HttpMethod=PATCH",
            ] {
                for announce in [json!(null), json!(["Contact"])] {
                    let arguments = json!({
                        "method": method, "target": target, "announce": announce,
                        "body": r#"{"type":"Contact","fields":{},"records":[{"type":"Contact"}]}"#,
                    });
                    let end = sends(&world, tool, arguments).await;
                    assert!(
                        end.starts_with("refused") || end == "failed not_permitted",
                        "{tool} {method} {target}: {end}"
                    );
                }
            }
        }
    }
    assert!(world.service.seen().is_empty());
    let (agent, person) = (name("desk"), name("ada"));
    let tools = world.host.tools(&agent, &person).await.unwrap();
    let names: Vec<String> = tools
        .iter()
        .map(|tool| tool.tool().name.to_string())
        .collect();
    assert_eq!(names, ["read", "ask", "claim", "crowd", "cite", "rows"]);
    let find = json!({ "method": "POST", "target": "/find", "body": r#"{"type":"Contact"}"# });
    assert_eq!(
        sends(&world, "read", find).await,
        "done",
        "a POST that reads is a read"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_connector_asks_is_answered_by_the_same_scope() {
    let world = world(json!({ "read": ["Contact", "Lead.name"], "deny_read": ["*.salary"], "change": ["Contact.phone"] })).await;
    let ask = async |kind: &str, fields: &[&str], change: bool| {
        let arguments = json!({ "kind": kind, "fields": fields, "change": change });
        let reply = world.call(CONNECTOR, "ask", arguments).await;
        match reply.outcome {
            portcullis::Outcome::Done(output) => output.text,
            other => other.message().unwrap().to_owned(),
        }
    };
    assert_eq!(
        ask("contact", &["NAME", "phone"], false).await,
        "NAME,phone"
    );
    assert_eq!(ask("Contact", &["phone"], true).await, "phone");
    assert_eq!(ask("Lead", &[], false).await, "");
    assert_eq!(
        ask("Contact", &["name", "Salary"], false).await,
        "this agent may not read the field `Salary` of `Contact`"
    );
    assert_eq!(
        ask("Lead", &["phone"], false).await,
        "this agent may not read the field `phone` of `Lead`"
    );
    assert_eq!(
        ask("Contact", &["name"], true).await,
        "this agent may not change the field `name` of `Contact`"
    );
    assert_eq!(
        ask("Payroll", &[], false).await,
        "this agent may not read `Payroll`"
    );
    assert_eq!(
        ask("User", &[], true).await,
        "`User` gives power over others: this agent may not change it, unless an administrator allows it by this name"
    );
}

/// How the log says that a call ended, and the reason.
fn logged(world: &World, reply: &portcullis::Reply) -> (String, String) {
    let records = world.records(reply);
    let closed = records.iter().find_map(|record| match &record.event {
        Event::Closed(closed) => Some(closed),
        _ => None,
    });
    let closed = closed.unwrap();
    let code = closed.code.as_deref().unwrap_or_default();
    let message = closed.message.as_ref().map(|message| message.expose());
    (
        format!("{} {code}", closed.outcome).trim().to_owned(),
        message.unwrap_or_default().to_owned(),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_tells_the_hosts_no_from_what_a_connector_claims() {
    let world = world(json!({ "read": ["Contact"] })).await;
    let about = "/about";
    for (kinds, target, says, answered, end) in [
        // The host said no, and the connector gave up for it, in whatever words.
        (
            &["Payroll"][..],
            None,
            "forbidden",
            "failed not_permitted",
            "refused scope",
        ),
        // It only claims it.
        (
            &[],
            None,
            "forbidden",
            "failed not_permitted",
            "failed not_permitted",
        ),
        (
            &["Contact"],
            None,
            "forbidden",
            "failed not_permitted",
            "failed not_permitted",
        ),
        // It went on after the no, so that it is not what the call ended for.
        (
            &["Payroll"],
            Some(about),
            "forbidden",
            "failed not_permitted",
            "failed not_permitted",
        ),
        (
            &["Payroll"],
            None,
            "INSUFFICIENT_ACCESS",
            "failed not_permitted",
            "failed not_permitted",
        ),
        (
            &["Payroll"],
            None,
            "conflict",
            "failed conflict",
            "failed conflict",
        ),
        (&["Payroll"], None, "done", "done", "done"),
        // What the gate stopped goes before all.
        (
            &["Payroll"],
            Some("/kind/Payroll/1"),
            "forbidden",
            "refused scope",
            "refused scope",
        ),
    ] {
        let arguments = json!({ "kinds": kinds, "target": target, "says": says });
        let reply = world.call(CONNECTOR, "claim", arguments.clone()).await;
        assert_eq!(ended(&reply), answered, "{arguments}");
        assert_eq!(logged(&world, &reply).0, end, "{arguments}");
    }
    // Who asks about several gave up for the last: after the others it went on.
    let several = json!({ "kinds": ["Payroll", "Contact", "Lead"], "says": "forbidden" });
    let reply = world.call(CONNECTOR, "claim", several).await;
    let (end, message) = logged(&world, &reply);
    assert_eq!(end, "refused scope");
    assert_eq!(
        message,
        "this agent may not read `Lead`, by the scope of agent desk"
    );
    let ask = json!({ "kind": "Payroll", "fields": [], "change": false });
    let reply = world.call(CONNECTOR, "ask", ask).await;
    let (end, message) = logged(&world, &reply);
    assert_eq!(end, "refused scope");
    assert_eq!(
        message,
        "this agent may not read `Payroll`, by the scope of agent desk"
    );
    let ask = json!({ "kind": "User", "fields": [], "change": true });
    let reply = world.call(CONNECTOR, "ask", ask).await;
    let (end, message) = logged(&world, &reply);
    assert_eq!(end, "refused scope");
    assert!(
        message.starts_with("`User` gives power over others"),
        "{message}"
    );
}

/// The attack: a connector that writes, and then has the host say no, so that the log says that nothing was done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_a_change_and_is_told_no_after_it_was_not_refused() {
    let world = world(json!({ "read": ["Contact"] })).await;
    let patch = json!({ "method": "PATCH", "target": "/kind/Contact/1", "body": "{}", "announce": ["Contact"] });
    let read = json!({ "method": "GET", "target": "/about" });
    for (first, end, changes) in [
        (json!(null), "refused scope", 0),
        (read, "refused scope", 0),
        (patch, "failed not_permitted", 1),
    ] {
        let arguments = json!({ "first": first, "kinds": ["Payroll"], "says": "forbidden" });
        let reply = world
            .call(CONNECTOR, "write_and_claim", arguments.clone())
            .await;
        assert_eq!(ended(&reply), "failed not_permitted", "{arguments}");
        assert_eq!(logged(&world, &reply).0, end, "{arguments}");
        assert_eq!(reply.sent.len(), changes, "{arguments}");
        assert_eq!(world.service.changes().len(), changes, "{arguments}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_changes_and_rows_are_limited() {
    let world = world(json!({ "rows_max": 3, "changes_per_day": 5 })).await;
    let rows = async |count: usize| {
        ended(
            &world
                .call(CONNECTOR, "rows", json!({ "count": count }))
                .await,
        )
    };
    assert_eq!(rows(3).await, "done");
    assert_eq!(rows(4).await, "failed row_limit");
    let reply = world.call(CONNECTOR, "rows", json!({ "count": 4 })).await;
    assert_eq!(
        reply.outcome.message(),
        Some("the answer has 4 rows, and this agent's have at most 3")
    );

    // Nor do they leave as what is not called a row.
    for form in ["items", "members", "text", "line", "value", "file"] {
        let arguments = json!({ "count": 3_000, "form": form });
        let reply = world.call(CONNECTOR, "rows", arguments).await;
        assert_eq!(ended(&reply), "failed row_limit", "{form}");
    }
    let change = |announced: &[&str], records: usize| {
        let records: Vec<Value> = (0..records).map(|_| json!({ "type": "Contact" })).collect();
        let body = json!({ "records": records }).to_string();
        json!({ "method": "POST", "target": "/batch", "body": body, "announce": announced })
    };
    // As many count as are announced, and at least as many as the body names.
    assert_eq!(
        sends(&world, "write", change(&["Contact"; 3], 3)).await,
        "done"
    );
    let reply = world
        .call(CONNECTOR, "write", change(&["Contact"; 3], 1))
        .await;
    assert_eq!(ended(&reply), "refused change_limit");
    insta::assert_snapshot!(reply.outcome.message().unwrap(), @"the agent `desk` may change 5 records a day, and with this it would be more; there is room again in 1440 minutes");
    assert_eq!(
        sends(&world, "write", change(&["Contact"; 2], 2)).await,
        "done"
    );
    assert_eq!(
        sends(&world, "write", change(&["Contact"], 1)).await,
        "refused change_limit"
    );
    assert_eq!(world.service.seen().len(), 2);
    // Nobody is asked for what there is no room for.
    world.mode(CONNECTOR, "write", Mode::Ask);
    assert_eq!(
        sends(&world, "write", change(&["Contact"], 1)).await,
        "refused change_limit"
    );
    assert!(world.approvals.pending().is_empty());

    world.scope(CONNECTOR, parsed(json!({ "calls_per_minute": 2 })));
    assert_eq!(rows(9).await, "done");
    // What is refused before it runs counts too, once it is allowed.
    assert_eq!(
        sends(&world, "read", json!({})).await,
        "failed invalid_arguments"
    );
    let reply = world.call(CONNECTOR, "rows", json!({ "count": 1 })).await;
    assert_eq!(ended(&reply), "refused call_limit");
    assert!(
        reply
            .outcome
            .message()
            .unwrap()
            .starts_with("the agent `desk` may make 2 calls a minute")
    );
}

/// The attack: records are handed out as a description, whose fields are no rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_describes_is_no_row_while_nothing_else_was_read() {
    let world = world(json!({ "rows_max": 3 })).await;
    let rows = async |reads: &[&str]| {
        let arguments = json!({ "count": 9, "reads": reads });
        ended(&world.call(CONNECTOR, "rows", arguments).await)
    };
    // What a route gives is the connector's word.
    assert_eq!(rows(&["/described/Contact"]).await, "failed row_limit");
    world.permissions.trust(name("desk"), name(CONNECTOR));
    for reads in [
        &["/described/Contact"][..],
        // From memory, the second time.
        &["/described/Contact", "/described/Case"],
        &[],
    ] {
        assert_eq!(rows(reads).await, "done", "{reads:?}");
    }
    for reads in [
        &["/kind/Contact/1"][..],
        &["/described/Contact", "/about"],
        &["/query?q=1", "/described/Contact"],
    ] {
        assert_eq!(rows(reads).await, "failed row_limit", "{reads:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_do_not_get_more_than_there_is() {
    let world = Arc::new(world(json!({ "changes_per_day": 7 })).await);
    let change = json!({ "method": "PATCH", "target": "/kind/Contact/1", "body": "{}", "announce": ["Contact"] });
    let calls = (0..20).map(|_| {
        let (world, change) = (world.clone(), change.clone());
        tokio::spawn(async move { sends(&world, "write", change).await })
    });
    let mut done = 0;
    for call in calls.collect::<Vec<_>>() {
        match call.await.unwrap().as_str() {
            "done" => done += 1,
            end => assert_eq!(end, "refused change_limit"),
        }
    }
    assert_eq!((done, world.service.changes().len()), (7, 7));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn that_a_request_rested_on_trust_is_in_the_log() {
    let world = world(json!({ "read": ["Contact"] })).await;
    let query = || json!({ "method": "GET", "target": "/query?q=1" });
    let reply = world.call(CONNECTOR, "read", query()).await;
    assert_eq!(ended(&reply), "refused scope");
    world.permissions.trust(name("desk"), name(CONNECTOR));
    let reply = world.call(CONNECTOR, "read", query()).await;
    let records = world.records(&reply);
    let unseen: Vec<_> = records
        .iter()
        .filter_map(|record| match &record.event {
            Event::Unseen { request, route } => Some((*request, route.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(unseen, [(1, "/query")]);
    assert_eq!(
        world.events(reply.call.unwrap()),
        ["opened", "unseen", "intended", "answered", "closed"]
    );
    // One that is limited to nothing rests on nobody's word.
    world.scope(CONNECTOR, parsed(json!({ "rows_max": 10 })));
    let reply = world.call(CONNECTOR, "read", query()).await;
    assert!(!world.events(reply.call.unwrap()).contains(&"unseen"));
}
