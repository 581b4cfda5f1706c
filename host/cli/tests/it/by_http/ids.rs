//! Two requests of a session by one id at a time: the second is refused, and the first keeps its answer.

use serde_json::json;

use super::{client, connect, count};
use crate::public::Place;

/// How long the org takes to answer the first.
const SLOW_MS: u64 = 3_000;

#[tokio::test(flavor = "multi_thread")]
async fn two_requests_by_one_id_at_a_time() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let ada = client(&place, "ada").await;
    let caller = ada.clone();
    let first = async move { caller.call("query", count()).await };
    let first = place.slow("/services/data/", SLOW_MS, first).await;
    for (method, params) in [
        ("tools/call", json!({"name": "query", "arguments": count()})),
        ("tools/list", json!({})),
        ("ping", json!({})),
    ] {
        let refused = ada.ask(method, params).await.message();
        assert_eq!(refused["error"]["code"], -32600, "{method}: {refused}");
        assert_eq!(refused["id"], 1, "{method}: {refused}");
    }
    assert!(!first.is_finished(), "the org was quick");
    assert_eq!(first.await.unwrap()["content"][0]["text"], "count: 60");
    // Another session's ids are its own, and an id is free once its answer has come.
    let other = client(&place, "ada").await;
    for client in [&ada, &other, &ada] {
        assert_eq!(
            client.call("query", count()).await["content"][0]["text"],
            "count: 60"
        );
    }
}
