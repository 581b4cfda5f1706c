//! Whether it runs, whether it can work, and how it ends.

use super::client::{Client, STATELESS};
use super::{HOST, client, connect, count};
use crate::public::Place;

async fn status(client: &Client, path: &str) -> u16 {
    let mut client = client.clone();
    client.path = path.to_owned();
    // Whoever looks names no host that the server knows, and nobody.
    client.host = "10.0.0.7:8080".to_owned();
    client.token = None;
    client.session = None;
    client.request("GET", &[], Default::default()).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_whether_it_runs_and_can_work() {
    let place = Place::new().await;
    let ada = client(&place, "ada").await;
    assert_eq!(status(&ada, "/healthz").await, 200);
    assert_eq!(status(&ada, "/readyz").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_store_cannot_be_read_is_not_ready_and_runs() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let ada = client(&place, "ada").await;
    let file = place.home.data().join("portcullis.db");
    let store = sqlx::SqlitePool::connect(&format!("sqlite:{}", file.display()))
        .await
        .unwrap();
    let rename = async |from: &str, to: &str| {
        let renamed = format!("ALTER TABLE {from} RENAME TO {to}");
        let renamed = sqlx::query(sqlx::AssertSqlSafe(renamed)).execute(&store);
        renamed.await.unwrap();
    };
    rename("agents", "put_aside").await;
    assert_eq!(status(&ada, "/readyz").await, 503);
    assert_eq!(status(&ada, "/healthz").await, 200);
    let before = place.org.requests();
    let refused = ada
        .ask(
            "tools/call",
            serde_json::json!({"name": "query", "arguments": count()}),
        )
        .await;
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert_eq!(place.org.requests(), before);
    rename("put_aside", "agents").await;
    assert_eq!(status(&ada, "/readyz").await, 200);
    assert_eq!(
        ada.call("query", count()).await["content"][0]["text"],
        "count: 60"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_under_way_are_finished() {
    for version in ["2025-06-18", STATELESS] {
        let place = Place::new().await;
        connect(&place, "ada").await;
        let token = place.token("ada").await;
        let ada = Client::new(place.server.address, HOST, &token)
            .of_version(version)
            .begun()
            .await;
        // What a client is told unasked has no end of its own.
        let listening = ada.session.is_some().then(|| {
            let ada = ada.clone();
            tokio::spawn(async move {
                ada.request(
                    "GET",
                    &[("accept", "text/event-stream")],
                    Default::default(),
                )
                .await
            })
        });
        let caller = ada.clone();
        let calling = async move { caller.call("query", count()).await };
        let calling = place.slow("/services/data/", 900, calling).await;
        place.server.tell_to_end();
        let answer = calling.await.unwrap();
        assert_eq!(answer["content"][0]["text"], "count: 60", "{version}");
        if let Some(listening) = listening {
            assert_eq!(listening.await.unwrap().status, 200);
        }
        let (home, server) = (place.home, place.server);
        let ended = tokio::task::spawn_blocking(move || server.ended());
        let (code, log) = ended.await.unwrap();
        assert_eq!(code, 0, "{log}");
        assert!(!log.contains("broken off"), "{log}");
        let activity = home.json(&["activity"]);
        assert!(activity.to_string().contains("\"done\""), "{activity}");
        let verified = home.json(&["audit", "verify"]);
        assert_eq!(verified["whole"], true, "{verified}");
    }
}
