//! A tool goes as far as it says, whatever its code does.

use portcullis::policy::Mode;
use serde_json::json;

use crate::support::world::event;
use crate::support::{World, ended};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_3_a_tool_cannot_exceed_its_effect() {
    let world = World::with(&["write_from_read", "undeclared_route"]).await;
    // The widest that an administrator can allow.
    world.mode("write-from-read", "read", Mode::Allow);
    world.mode("write-from-read", "write", Mode::Allow);
    let made_up = "0".repeat(32);
    for method in ["PATCH", "DELETE"] {
        for arguments in [
            json!({"method": method, "path": "/record/1", "announce": true}),
            json!({"method": method, "path": "/record/1", "announce": false}),
            json!({"method": method, "path": "/record/1", "announce": false, "ticket": made_up}),
        ] {
            let reply = world.call("write-from-read", "read", arguments).await;
            assert_eq!(ended(&reply), "refused ceiling", "{method}");
            assert!(reply.sent.is_empty());
            let records = world.records(&reply);
            assert!(
                records
                    .iter()
                    .all(|record| event(&record.event) != "intended")
            );
        }
    }
    // A tool that may change something may still not destroy it.
    let delete = json!({"method": "DELETE", "path": "/record/1", "announce": true});
    let reply = world.call("write-from-read", "write", delete).await;
    assert_eq!(ended(&reply), "refused ceiling");
    // Nor change anything unannounced, or with a ticket that the host has not given.
    for arguments in [
        json!({"method": "PATCH", "path": "/record/1", "announce": false}),
        json!({"method": "PATCH", "path": "/record/1", "announce": false, "ticket": made_up}),
    ] {
        let reply = world.call("write-from-read", "write", arguments).await;
        assert_eq!(ended(&reply), "refused no_ticket");
    }
    // By other methods and spellings the routes are not there at all.
    for method in ["PUT", "patch", "POST", "DELETE "] {
        let arguments = json!({"method": method, "path": "/record/1", "announce": true});
        let reply = world.call("write-from-read", "read", arguments).await;
        let ended = ended(&reply);
        assert!(
            ["refused route", "failed not_permitted"].contains(&ended.as_str()),
            "{method}: {ended}"
        );
    }
    assert_eq!(world.service.connections(), 0);
    assert!(world.approvals.pending().is_empty(), "no one is asked");

    // What it may do, it does.
    let patch = json!({"method": "PATCH", "path": "/record/1", "announce": true});
    let reply = world.call("write-from-read", "write", patch).await;
    assert_eq!(ended(&reply), "done");
    assert_eq!(world.service.record("1").unwrap()["name"], "changed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tool_that_is_off_is_neither_listed_nor_called() {
    let world = World::with(&["fetch"]).await;
    let (agent, person) = ("desk".parse().unwrap(), "ada".parse().unwrap());
    let names = async || {
        let tools = world.host.tools(&agent, &person).await.unwrap();
        let names = tools.iter().map(|offered| offered.tool().name.to_string());
        names.collect::<Vec<_>>()
    };
    // What destroys is off until someone allows it.
    assert_eq!(names().await, ["get", "search", "put"]);
    let reply = world.call("fetch", "delete", json!({"id": "1"})).await;
    assert_eq!(ended(&reply), "refused tool_disabled");

    world.mode("fetch", "delete", Mode::Allow);
    world.mode("fetch", "get", Mode::Disabled);
    assert_eq!(names().await, ["search", "put", "delete"]);
    let reply = world
        .call("fetch", "get", json!({"path": "/record/1"}))
        .await;
    assert_eq!(ended(&reply), "refused tool_disabled");
    let reply = world.call("fetch", "delete", json!({"id": "1"})).await;
    assert_eq!(ended(&reply), "done");
    assert_eq!(world.service.record("1"), None);
    // Everyone has what this agent has, and no other agent has it.
    let mut other = crate::support::call("fetch", "put", json!({"id": "2", "name": "x"}));
    other.agent = "other".parse().unwrap();
    assert_eq!(ended(&world.host.call(other).await), "refused not_offered");
}
