//! Descriptions are remembered for an account, and asked about each time.

use serde_json::json;

use crate::support::{World, done};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_description_is_asked_about_and_taken_from_memory() {
    let world = World::with(&["fetch"]).await;
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
