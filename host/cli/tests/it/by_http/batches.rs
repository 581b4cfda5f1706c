//! By HTTP: batches, which one revision of the protocol has, and what is sent as one where it is none.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::client::{Answer, Client, STATELESS, WITH_SESSIONS};
use super::{HOST, connect, count};
use crate::batches::{WITH_BATCHES, expected, mixed, outcomes, ping, request, silent, told, whole};
use crate::public::{BASE, Place, Server};

/// How long the org takes to answer what is slow.
const SLOW_MS: u64 = 3_000;

/// Gives a client of Ada's whose session has batches. Its revision knows no header for that.
async fn client(place: &Place) -> Client {
    let token = place.token("ada").await;
    let client = Client::new(place.server.address, HOST, &token).of_version(WITH_BATCHES);
    client.begun().await
}

async fn sends(client: &Client, batch: &Value) -> Answer {
    client.post(&[], batch.to_string()).await
}

/// Gives what came in a stream of events.
#[track_caller]
fn streamed(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    let events = answer.text.lines().filter_map(|line| {
        // By an id a client would take up one of the streams that are one here.
        assert!(!line.starts_with("id"), "{}", answer.text);
        line.strip_prefix("data:")
    });
    events
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

fn query(id: &str) -> Value {
    request(
        id,
        "tools/call",
        json!({"name": "query", "arguments": count()}),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_messages_of_a_batch_are_answered_in_one_stream() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let ada = client(&place).await;
    for (batch, outcome) in mixed() {
        let answer = sends(&ada, &batch).await;
        assert_eq!(outcomes(&streamed(&answer)), expected(&outcome), "{batch}");
    }
    for batch in silent() {
        let answer = sends(&ada, &batch).await;
        assert_eq!((answer.status, answer.text.as_str()), (202, ""), "{batch}");
    }
    for (batch, code) in whole() {
        let answer = ada.post(&[], batch.clone()).await;
        assert_eq!(answer.status, 400, "{batch:.60}: {}", answer.text);
        let refused = answer.message();
        assert_eq!(refused["error"]["code"], code, "{batch:.60}: {refused}");
        assert_eq!(
            refused.get("id"),
            Some(&Value::Null),
            "{batch:.60}: {refused}"
        );
    }
    // Where nothing is asked, what is wrong is told without a stream; what was taken is not to be sent again.
    let wrong = json!([1, {"jsonrpc": "2.0", "id": 3}]);
    let answer = sends(&ada, &wrong).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    let answer = sends(&ada, &json!([1, told(), {"jsonrpc": "2.0", "id": 3}])).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let errors: Vec<Value> = serde_json::from_str(&answer.text).unwrap();
    let no = Some(-32600);
    assert_eq!(outcomes(&errors), expected(&[("3", no), ("null", no)]));
    let all: Vec<Value> = (0..128).map(ping).collect();
    let answer = ada
        .post(
            &[("mcp-protocol-version", WITH_BATCHES)],
            format!("\u{feff}{}", json!(all)),
        )
        .await;
    assert_eq!(streamed(&answer).len(), 128);
    // Calls are made, and each is answered.
    let batch: Vec<Value> = ["a", "b", "c"].map(query).into();
    are_counts(&streamed(&sends(&ada, &json!(batch)).await), 3);
}

/// Sees that so many queries were answered.
fn are_counts(answers: &[Value], queries: usize) {
    assert_eq!(answers.len(), queries, "{answers:?}");
    for answer in answers {
        assert_eq!(
            answer["result"]["content"][0]["text"], "count: 60",
            "{answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_revisions_and_other_sessions_have_no_batches() {
    let place = Place::new().await;
    let token = place.token("ada").await;
    let batch = json!([ping(1), told()]);
    let is_refused = |answer: Answer, what: &str| {
        assert_eq!(answer.status, 400, "{what}: {}", answer.text);
        let refused = answer.message();
        assert_eq!(refused["error"]["code"], -32600, "{what}: {refused}");
        assert_eq!(refused.get("id"), Some(&Value::Null), "{what}: {refused}");
        let words = refused["error"]["message"].as_str().unwrap();
        assert!(words.contains(WITH_BATCHES), "{what}: {words}");
    };
    let others = WITH_SESSIONS.into_iter().chain([STATELESS]);
    for version in others.filter(|version| *version != WITH_BATCHES) {
        let client = Client::new(place.server.address, HOST, &token).of_version(version);
        let client = client.begun().await;
        is_refused(sends(&client, &batch).await, version);
        let named = [("mcp-protocol-version", version)];
        is_refused(client.post(&named, batch.to_string()).await, version);
    }
    let ada = client(&place).await;
    let named = [("mcp-protocol-version", "2025-06-18")];
    is_refused(ada.post(&named, batch.to_string()).await, "named");
    let mut new = ada.clone();
    new.session = None;
    is_refused(sends(&new, &batch).await, "no session");
    // A session is begun by no batch.
    let begins = request(1, "initialize", json!({"protocolVersion": WITH_BATCHES}));
    is_refused(sends(&new, &json!([begins])).await, "begins");
    // Of a session that is over, or another's, a client is told so: it begins a new one.
    let bob = Client::new(place.server.address, HOST, &place.token("bob").await);
    let mut bob = bob.of_version(WITH_BATCHES);
    bob.session.clone_from(&ada.session);
    assert_eq!(sends(&bob, &batch).await.status, 404);
    assert_eq!(ada.request("DELETE", &[], "".into()).await.status, 204);
    assert_eq!(sends(&ada, &batch).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_request_is_told_of_all_its_messages() {
    let place = Place::new().await;
    let ada = client(&place).await;
    let batch = json!([ping(1), told()]).to_string();
    for (name, value, status) in [
        ("content-type", "text/plain", 415),
        ("accept", "application/json", 406),
        ("mcp-protocol-version", "1999-01-01", 400),
    ] {
        let answer = ada.post(&[(name, value)], batch.clone()).await;
        assert_eq!(answer.status, status, "{name}: {}", answer.text);
    }
    assert_eq!(streamed(&ada.post(&[], batch).await).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_one_requests_and_what_is_given_up_is_not_waited_for() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let ada = client(&place).await;
    let began = Instant::now();
    let caller = ada.clone();
    let first = async move { sends(&caller, &json!([query("slow"), ping("quick")])).await };
    let first = place.slow("/services/data/", SLOW_MS, first).await;
    // Under way elsewhere: it is refused where it was asked, and all else is answered.
    let answer = sends(&ada, &json!([ping("slow"), ping("quick")])).await;
    let outcome = [("\"quick\"", None), ("\"slow\"", Some(-32600))];
    assert_eq!(outcomes(&streamed(&answer)), expected(&outcome));
    assert!(!first.is_finished(), "the org was quick");
    let give_up = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "slow"}});
    assert_eq!(sends(&ada, &json!([give_up, told()])).await.status, 202);
    let answers = streamed(&first.await.unwrap());
    assert_eq!(outcomes(&answers), expected(&[("\"quick\"", None)]));
    assert!(began.elapsed() < Duration::from_millis(SLOW_MS));
    assert_eq!(
        ada.call("query", count()).await["content"][0]["text"],
        "count: 60"
    );
}

/// The attack: many requests as one.
#[tokio::test(flavor = "multi_thread")]
async fn each_message_of_a_batch_counts_as_a_request_of_its_person() {
    let place = Place::new().await;
    let more = ["--requests-per-minute", "10"];
    let server = Server::start(&place.home, &place.org, BASE, &more);
    let ada = Client::new(server.address, HOST, &place.token("ada").await);
    // Two of ten.
    let ada = ada.of_version(WITH_BATCHES).begun().await;
    let pings = |count: i64| json!((0..count).map(ping).collect::<Vec<_>>());
    assert_eq!(streamed(&sends(&ada, &pings(6)).await).len(), 6);
    let refused = sends(&ada, &pings(3)).await;
    assert_eq!(refused.status, 429, "{}", refused.text);
    assert!(refused.header("retry-after").is_some());
    // Of one that is refused only the request counts by which it came, and one more is left.
    assert_eq!(sends(&ada, &pings(1)).await.status, 200);
    assert_eq!(sends(&ada, &pings(1)).await.status, 429);
    let bob = Client::new(server.address, HOST, &place.token("bob").await);
    assert_eq!(bob.initialize().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_vanishes_and_one_that_does_not_read() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let ada = client(&place).await;
    let token = secrecy::ExposeSecret::expose_secret(ada.token.as_ref().unwrap()).to_owned();
    let session = ada.session.clone().unwrap();
    let mut open = Vec::new();
    for number in 0..20 {
        let ids = ["a", "b", "c", "d"].map(|id| query(&format!("{id}{number}")));
        let batch = json!(ids).to_string();
        let request = format!(
            "POST /mcp/helper HTTP/1.1\r\nhost: {HOST}\r\nauthorization: Bearer {token}\r\nmcp-session-id: {session}\r\n\
             content-type: application/json\r\naccept: application/json, text/event-stream\r\ncontent-length: {}\r\n\r\n{batch}",
            batch.len()
        );
        let mut stream = TcpStream::connect(place.server.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        match number % 2 {
            0 => drop(stream),
            _ => open.push(stream),
        }
    }
    let batch = json!([query("x"), query("y")]);
    are_counts(&streamed(&sends(&ada, &batch).await), 2);
    drop(open);
    assert_eq!(
        ada.call("query", count()).await["content"][0]["text"],
        "count: 60"
    );
}
