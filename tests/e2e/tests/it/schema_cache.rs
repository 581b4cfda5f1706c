//! Descriptions are remembered for an account, used for a while, and then asked about.

use std::time::Duration;

use portcullis::policy::Scope;
use portcullis::ports::audit::Event;
use serde_json::json;

use crate::support::{Setup, World, done, ended};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_description_of_a_moment_ago_costs_no_request() {
    let world = World::with(&["fetch"]).await;
    for round in 0..3 {
        let reply = world.call("fetch", "get", json!({"path": "/schema"})).await;
        let records = world.records(&reply);
        let sent = records
            .iter()
            .filter(|record| matches!(record.event, Event::Intended(_)));
        assert_eq!(sent.count(), usize::from(round == 0));
        assert_eq!(done(reply).text, r#"{"fields":["id","name"]}"#);
    }
    assert_eq!(world.service.seen().len(), 1);
    // The agent's scope holds for what is remembered, too.
    let scope: Scope = serde_json::from_value(json!({ "read": ["Contact"] })).unwrap();
    world.scope("fetch", scope);
    let reply = world.call("fetch", "get", json!({"path": "/schema"})).await;
    assert_eq!(ended(&reply), "refused scope", "{reply:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_description_that_cannot_be_asked_about_is_used_for_a_moment_and_asked_for_again() {
    for (fresh, requests) in [(Duration::from_secs(60), 1), (Duration::ZERO, 3)] {
        let mut setup = Setup::default();
        setup.limits.schema_fresh = fresh;
        let world = World::new(setup, &["fetch"]).await;
        world.service.leave_dates_out();
        for _ in 0..3 {
            let reply = world.call("fetch", "get", json!({"path": "/schema"})).await;
            let output = done(reply);
            assert_eq!(output.text, r#"{"fields":["id","name"]}"#);
        }
        let asked = world.service.seen();
        assert_eq!(asked.len(), requests, "{fresh:?}");
        let conditional = |name: &str| asked.iter().any(|seen| !seen.header(name).is_empty());
        assert!(!conditional("if-modified-since") && !conditional("if-none-match"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_description_is_asked_about_and_taken_from_memory() {
    let mut setup = Setup::default();
    setup.limits.schema_fresh = Duration::ZERO;
    let world = World::new(setup, &["fetch"]).await;
    let mut ends = Vec::new();
    for _ in 0..3 {
        let reply = world.call("fetch", "get", json!({"path": "/schema"})).await;
        let records = world.records(&reply);
        ends.extend(records.into_iter().filter_map(|record| match record.event {
            portcullis::ports::audit::Event::Answered(answer) => Some(answer.end),
            _ => None,
        }));
        let output = done(reply);
        assert_eq!(output.text, r#"{"fields":["id","name"]}"#);
        assert_eq!(output.structured.unwrap()["status"], 200);
    }
    use portcullis::ports::audit::RequestEnd::{NotModified, Status};
    assert_eq!(ends, [Status(200), NotModified, NotModified]);
    let asked = world.service.seen();
    let conditions: Vec<&str> = asked
        .iter()
        .map(|seen| seen.header("if-modified-since"))
        .collect();
    let modified = "Mon, 23 Nov 2026 10:00:00 GMT";
    assert_eq!(conditions, ["", modified, modified]);

    // A record is no description: it is asked for as it is, every time.
    for _ in 0..2 {
        let reply = world
            .call("fetch", "get", json!({"path": "/record/1"}))
            .await;
        done(reply);
    }
    let asked = world.service.seen();
    assert!(
        asked[3..]
            .iter()
            .all(|seen| seen.header("if-modified-since").is_empty())
    );
}
