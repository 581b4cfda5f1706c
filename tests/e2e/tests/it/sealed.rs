//! Values of records are kept where a store seals them, and nowhere in the clear.

use portcullis::policy::Mode;
use serde_json::json;

use crate::support::{World, ended};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_7_no_record_value_is_stored_unsealed() {
    let world = World::with(&["fetch", "redirect", "write_from_read", "undeclared_route"]).await;
    world.mode("fetch", "delete", Mode::Allow);
    world.mode("fetch", "put", Mode::Allow);
    world.mode("undeclared-route", "send", Mode::Allow);
    let record = json!({"id": "1", "name": "Zaphod-before"});
    world.service.put_record("1", record);
    let mut calls = Vec::new();
    for (connector, tool, arguments, expected) in [
        ("fetch", "search", json!({"text": "Zaphod-query"}), "done"),
        (
            "redirect",
            "get",
            json!({"path": "/record/1?q=Zaphod-path"}),
            "done",
        ),
        (
            "fetch",
            "put",
            json!({"id": "1", "name": "Zaphod-after"}),
            "done",
        ),
        (
            "fetch",
            "put",
            json!({"id": "Zaphod-id-99", "name": "x"}),
            "failed not_found",
        ),
        (
            "fetch",
            "get",
            json!({"path": 1, "x": "Zaphod-misfit"}),
            "failed invalid_arguments",
        ),
        (
            "fetch",
            "get",
            json!({"path": "Zaphod-relative"}),
            "failed connector_error",
        ),
        (
            "undeclared-route",
            "send",
            json!({"method": "GET", "target": "/people/Zaphod-route"}),
            "refused route",
        ),
        (
            "undeclared-route",
            "send",
            json!({"method": "GET", "target": "/record/../Zaphod-dots"}),
            "refused path",
        ),
        (
            "write-from-read",
            "read",
            json!({"method": "PATCH", "path": "/record/Zaphod-ceiling", "announce": true}),
            "refused ceiling",
        ),
    ] {
        let reply = world.call(connector, tool, arguments).await;
        assert_eq!(ended(&reply), expected);
        calls.push(reply);
    }
    // Held, for a person to look at.
    world.mode("fetch", "put", Mode::Ask);
    let arguments = json!({"id": "1", "name": "Zaphod-held"});
    let reply = world.call("fetch", "put", arguments).await;
    assert_eq!(ended(&reply), "approval_required");
    calls.push(reply);

    for reply in &calls {
        let plain = format!("{:?}", world.records(reply));
        assert!(plain.contains("Opened") && plain.contains("Closed"));
        assert!(
            !plain.contains("Zaphod"),
            "{}",
            plain.split("Zaphod").next().unwrap_or_default()
        );
    }
    // The ids that say what happened are there.
    let plain = format!("{:?}", world.records(&calls[2]));
    for id in ["/record/{id}", "fetch-connection", "desk", "ada", "Digest("] {
        assert!(plain.contains(id), "{id}: {plain}");
    }
}
